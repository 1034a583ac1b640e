"""The files that a run reads, and what it leaves out of the folders that it is given."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from polyfacet.runtime.progress import tell

MAX_TOLD = 10


@dataclass(frozen=True)
class LeftOut:
    """Something in a folder that is not read, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Listing:
    """The files to read, in a fixed order, and what is left out of the folders."""

    files: list[Path]
    left_out: list[LeftOut]

    @classmethod
    def joined(cls, listings: Iterable[Self]) -> Self:
        """Return the listing of several sources."""
        several = list(listings)
        return cls(
            [path for listing in several for path in listing.files],
            [left for listing in several for left in listing.left_out],
        )

    def summary(self) -> dict[str, Any]:
        """Return the number of files read, and the path and reason of each one left out, for JSON."""
        left_out = [{"file": str(left.path), "reason": left.reason} for left in self.left_out]
        return {"files": len(self.files), "files_left_out": left_out}

    def tell_left_out(self) -> None:
        """Report on screen what is left out."""
        for left in self.left_out[:MAX_TOLD]:
            tell(f"left out: {left.path} ({left.reason})")
        if len(self.left_out) > MAX_TOLD:
            tell(f"left out: {len(self.left_out) - MAX_TOLD} more; the summary lists all")


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder; if it is inaccessible, the attempt to read it reports that."""
    with suppress(OSError):
        return path.is_dir()
    return False
