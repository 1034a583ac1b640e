"""Checkpoints that a configuration names for encoders: folders, or repositories of the hub."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polyfacet.facets.registry import Facet
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_folder

# The models of AutoGluon that encode facets.  Each picture facet has one of its own, which averages what it
# sees over the views; AutoGluon tells models apart by what follows the known prefix.
ENCODER_MODELS = {
    Facet.TEXT: "hf_text",
    Facet.IMAGE: "timm_image_structure",
    Facet.COMPIMAGE: "timm_image_composition",
}
# What a local checkpoint must have: one file of each group.
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
# What the hub lets repositories be called.
_HUB_NAME = re.compile(r"(hf-hub:)?[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_FILES = {
    Facet.TEXT: (("config.json",), _WEIGHTS, _TOKENIZERS),
    Facet.IMAGE: (("config.json",), ("pytorch_model.bin",)),
    Facet.COMPIMAGE: (("config.json",), ("pytorch_model.bin",)),
}


def own_checkpoints(
    checkpoints: Mapping[str, str | None], hyperparameters: Mapping[str, Any]
) -> dict[Facet, str]:
    """Collect the checkpoints that a configuration names, by facet.

    Parameters
    ----------
    checkpoints
        ``encoders.checkpoints`` of the configuration: facet to checkpoint; None for the source's own.
    hyperparameters
        ``hyperparameters`` of the method's settings, which come before: ``model.hf_text.checkpoint_name``
        and so on.
    """
    hyperparameters = dict(flat(hyperparameters))
    named = {facet: checkpoints.get(facet.value) for facet in ENCODER_MODELS}
    overrides = {
        facet: hyperparameters.get(f"model.{model}.checkpoint_name")
        for facet, model in ENCODER_MODELS.items()
    }
    return {facet: str(name) for facet in named if (name := overrides[facet] or named[facet])}


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield names with dots and values of nested settings."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def local_folder(facet: Facet, checkpoint: str) -> Path | None:
    """Give the folder that a checkpoint is; None if it is a name of the hub.

    Raises
    ------
    UserError
        If it is neither a folder nor a name that the hub could have, or the folder is not a checkpoint of
        this facet.
    """
    folder = Path(checkpoint).expanduser()
    if not folder.is_dir():
        if folder.exists() or not _HUB_NAME.fullmatch(checkpoint):
            raise UserError(
                f"the checkpoint {checkpoint!r} of the {facet.value} encoder is neither a folder that is "
                "there nor a name of the hub (`name` or `owner/name`)."
            )
        return None
    for names in _FILES[facet]:
        if not any((folder / name).is_file() for name in names):
            raise UserError(
                f"the checkpoint {checkpoint} of the {facet.value} encoder has no {' or '.join(names)}"
            )
    return folder.resolve()


def folder_identity(folder: Path) -> str:
    """Say what a local checkpoint is: the folder's name and the SHA-256 of its files."""
    return f"{folder.name} sha256:{sha256_of_folder(folder)}"


def folder_state(folder: Path) -> list[tuple[str, int, int, int]]:
    """List relative path, size in bytes and times of change (ns) of a folder's files.

    Snakemake compares it between runs: weights are too large to be read whenever jobs are planned.  The time
    of the inode's change is the one that no program sets back.
    """
    found, visited = [], set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        place = Path(parent).resolve()
        if place in visited:
            # A link that leads back.
            folders.clear()
            continue
        visited.add(place)
        for path in (Path(parent) / name for name in names):
            if path.is_file():
                status = path.stat()
                name = path.relative_to(folder).as_posix()
                found.append((name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return sorted(found)
