"""Checkpoints that a configuration names for encoders: folders, or repositories of the hub."""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, IMAGE
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_folder

# What a local checkpoint must have: one file of each group.
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
# What the hub lets repositories be called.
_HUB_NAME = re.compile(r"(hf-hub:)?[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_FILES = {
    "text": (("config.json",), _WEIGHTS, _TOKENIZERS),
    "image": (("config.json",), ("pytorch_model.bin",)),
}


def encoder_of(facet: Facet) -> str:
    """Name the encoder of a text or picture facet, as ``encoders.checkpoints`` and local folders do."""
    return facet.base if facet in (IMAGE, COMPIMAGE) else facet.kind


def encoder_model(facet: Facet) -> str | None:
    """Name AutoGluon's model that encodes a facet; None for a vector, which needs none.

    Each picture facet has a model of its own, which averages what it sees over the views; AutoGluon tells
    models apart by what follows the known prefix.
    """
    match facet.kind:
        case "text":
            return "hf_text"
        case "image":
            # One object for all cells of a process: AutoGluon's pickles tell equal texts apart.
            return sys.intern(f"timm_image_{facet.model_suffix or facet.name}")
        case _:
            return None


def own_checkpoints(
    facets: Iterable[Facet], checkpoints: Mapping[str, str | None], hyperparameters: Mapping[str, Any]
) -> dict[Facet, str]:
    """Collect the checkpoints that a configuration names for some facets.

    Parameters
    ----------
    facets
        The facets.
    checkpoints
        ``encoders.checkpoints`` of the configuration: encoder to checkpoint; None for the source's own.
    hyperparameters
        ``hyperparameters`` of the method's settings, which come before: ``model.hf_text.checkpoint_name``
        and so on.
    """
    hyperparameters = dict(flat(hyperparameters))
    found: dict[Facet, str] = {}
    for facet in facets:
        if model := encoder_model(facet):
            name = hyperparameters.get(f"model.{model}.checkpoint_name") or checkpoints.get(encoder_of(facet))
            if name:
                found[facet] = str(name)
    return found


def named_hyperparameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten ``hyperparameters`` of a method's settings; an engine of a plug-in need not have them."""
    named = settings.get("hyperparameters")
    return dict(flat(named)) if isinstance(named, Mapping) else {}


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield names with dots and values of nested settings."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def local_folder(facet: Facet, checkpoint: str) -> Path | None:
    """Return the folder that a checkpoint is; None if it is a name of the hub.

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
                f"the checkpoint {checkpoint!r} of the {facet.name} encoder is neither a folder that is "
                "there nor a name of the hub (`name` or `owner/name`)."
            )
        return None
    for names in _FILES[facet.kind]:
        if not any((folder / name).is_file() for name in names):
            raise UserError(
                f"the checkpoint {checkpoint} of the {facet.name} encoder has no {' or '.join(names)}"
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
