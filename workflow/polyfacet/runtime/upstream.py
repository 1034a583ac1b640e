"""Check versions of libraries whose private or rewritten code is used: updates may change it silently.

Such code is in modules named ``LIBRARY_compat``; each begins with `written_for`.
"""

from importlib.metadata import version


class UpstreamVersionError(ImportError):
    """An installed library whose version differs from the one whose private code is used."""


def written_for(module: str, package: str, wanted: str) -> None:
    """Reject another version of a library.

    Parameters
    ----------
    module
        Module that uses code outside the library's public API.
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
