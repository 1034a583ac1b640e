"""Work from a local copy of the Hugging Face hub, without contacting it.

The copy is a Hugging Face cache: ``models--<owner>--<name>/refs/main`` holds the revision that a name refers
to, ``snapshots/<revision>/`` its files.
"""

import os
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from polyfacet.runtime import records
from polyfacet.runtime.errors import UserError

WAYS_OUT = (
    "Run once with access to the hub, set `encoders.cache` to a Hugging Face cache that has it, name a local "
    "folder instead, or use local encoders: `encoders.source: local`, without `encoders.checkpoints`."
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubEncoder(_Part):
    """A facet's encoder: the checkpoint as AutoGluon names it, and its repository and revision on the hub."""

    facet: str
    checkpoint: str
    repository: str
    # Commit of the repository.
    revision: str

    @property
    def identity(self) -> str:
        """Exact identity of the weights that training starts from."""
        return f"{self.repository}@{self.revision}"


class HubEncoders(_Part):
    """The encoders of a run, and the cache that holds them."""

    cache: Path
    encoders: tuple[HubEncoder, ...]


def write_record(path: Path, encoders: HubEncoders) -> None:
    """Record which encoders a run uses, as JSON."""
    records.write_record(path, encoders)


def read_record(path: Path) -> HubEncoders:
    """Read a record of `write_record`; if the file is damaged, the error says which one to delete."""
    return records.read_record(path, HubEncoders)


def work_offline(record: HubEncoders) -> None:
    """Point this process at the cache and keep it off the network.

    Call it before anything imports ``huggingface_hub``, which reads its environment on import.

    Raises
    ------
    UserError
        If the cache lacks the recorded revision of an encoder, or a newer one has replaced it.
    RuntimeError
        If ``huggingface_hub`` was already imported.
    """
    if "huggingface_hub" in sys.modules:
        raise RuntimeError("huggingface_hub was already imported and will not use the cache")
    cache = record.cache.expanduser().resolve()
    for encoder in record.encoders:
        found = _revision(cache, encoder.repository)
        if found != encoder.revision:
            raise UserError(
                f"{cache} holds {f'revision {found}' if found else 'no copy'} of the encoder "
                f"{encoder.repository}, but this run started with {encoder.revision}. {WAYS_OUT}"
            )
    os.environ["HF_HUB_CACHE"] = str(cache)
    os.environ["HF_HUB_OFFLINE"] = "1"


def checkpoint_folder(record: HubEncoders, encoder: HubEncoder) -> Path:
    """Find the folder of a recorded encoder in the cache."""
    repository = _repository_folder(record.cache.expanduser().resolve(), encoder.repository)
    return repository / "snapshots" / encoder.revision


def _repository_folder(cache: Path, repository: str) -> Path:
    return cache / f"models--{repository.replace('/', '--')}"


def _revision(cache: Path, repository: str) -> str | None:
    """Return the cached revision that a repository's name refers to; None if there is no copy."""
    folder = _repository_folder(cache, repository)
    reference = folder / "refs" / "main"
    if not reference.is_file():
        return None
    revision = reference.read_text(encoding="utf-8").strip()
    return revision if (folder / "snapshots" / revision).is_dir() else None
