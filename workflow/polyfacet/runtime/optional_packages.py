"""Packages that only some facets and engines need, which the locked environment does not have."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class OptionalPackage:
    """A package in the version that the project was written for.

    It is an optional dependency of the same name in ``pyproject.toml``.
    """

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def fault(self) -> str:
        """Say what is wrong with what is installed, and what to do; empty if it is the right version."""
        try:
            installed = version(self.name)
        except PackageNotFoundError:
            found = "is not installed"
        else:
            if installed == self.version:
                return ""
            found = f"is installed in version {installed}"
        return (
            f"the optional package {self} is needed, but {self.name} {found}. Install it with\n"
            f"      pip install {self.name}=={self.version}"
        )
