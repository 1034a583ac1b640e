"""Records of jobs: pydantic models, stored as JSON."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from polyfacet.runtime.files import unreadable, write_text

Record = TypeVar("Record", bound=BaseModel)


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record; the file appears complete or not at all."""
    write_text(path, record.model_dump_json(indent=2) + "\n")


def read_record(path: Path, kind: type[Record]) -> Record:
    """Read a record.

    Raises
    ------
    UserError
        If the file cannot be read, or is not a record of this kind and version; the message says which file
        to delete.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
