"""Versions of libraries whose private or rewritten code is used, which a new version may change silently.

Such code lives in modules called ``LIBRARY_compat``; each begins with `written_for`.
"""

from importlib.metadata import version


class UpstreamVersionError(ImportError):
    """A library in another version than the one that private code of it is used of."""


def written_for(module: str, package: str, wanted: str) -> None:
    """Refuse to go on with another version of a library.

    Parameters
    ----------
    module
        Module that uses what the library does not promise to keep.
    package
        Name of the library's distribution.
    wanted
        Version that the module was written for.

    Raises
    ------
    UpstreamVersionError
        If another version is installed.
    """
    installed = version(package)
    if installed != wanted:
        raise UpstreamVersionError(
            f"{module} uses private code of {package} and was written for version {wanted}, but {installed} "
            "is installed. Install the versions of requirements.lock (`make setup`); to update "
            f"{package}, compare the module with the new version first."
        )
