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

# A local checkpoint must have one file of each group.
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
# Repository names that the hub allows.
_HUB_NAME = re.compile(r"(hf-hub:)?[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_FILES = {
    "text": (("config.json",), _WEIGHTS, _TOKENIZERS),
    "image": (("config.json",), ("pytorch_model.bin",)),
}


def encoder_of(facet: Facet) -> str:
    """Return the name of a text or picture facet's encoder in ``encoders.checkpoints`` and local folders."""
    return facet.base if facet in (IMAGE, COMPIMAGE) else facet.kind


def encoder_model(facet: Facet) -> str | None:
    """Return the name of the AutoGluon model that encodes a facet; None for a vector, which needs none.

    Each picture facet has its own model, which averages its features over the views; AutoGluon distinguishes
    models by the suffix after the known prefix.
    """
    match facet.kind:
        case "text":
            return "hf_text"
        case "image":
            # One object for all cells of a process: AutoGluon's pickles distinguish equal strings.
            return sys.intern(f"timm_image_{facet.model_suffix or facet.name}")
        case _:
            return None


def own_checkpoints(
    facets: Iterable[Facet], checkpoints: Mapping[str, str | None], hyperparameters: Mapping[str, Any]
) -> dict[Facet, str]:
    """Collect the checkpoints that a configuration names for given facets.

    Parameters
    ----------
    facets
        The facets.
    checkpoints
        ``encoders.checkpoints`` of the configuration: encoder to checkpoint; None for the source's own.
    hyperparameters
        ``hyperparameters`` of the method's settings, which take precedence: ``model.hf_text.checkpoint_name``
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
    """Flatten ``hyperparameters`` of a method's settings; engines of plug-ins may lack them."""
    named = settings.get("hyperparameters")
    return dict(flat(named)) if isinstance(named, Mapping) else {}


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted names and the values of nested settings."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def local_folder(facet: Facet, checkpoint: str) -> Path | None:
    """Return the folder of a local checkpoint; None if the checkpoint is a repository of the hub.

    Raises
    ------
    UserError
        If it is neither a folder nor a valid repository name, or the folder is not a checkpoint for
        this facet.
    """
    folder = Path(checkpoint).expanduser()
    if not folder.is_dir():
        if folder.exists() or not _HUB_NAME.fullmatch(checkpoint):
            raise UserError(
                f"the checkpoint {checkpoint!r} of the {facet.name} encoder is neither an existing folder "
                "nor a repository of the hub (`name` or `owner/name`)."
            )
        return None
    for names in _FILES[facet.kind]:
        if not any((folder / name).is_file() for name in names):
            raise UserError(
                f"the checkpoint {checkpoint} of the {facet.name} encoder has no {' or '.join(names)}"
            )
    return folder.resolve()


def folder_identity(folder: Path) -> str:
    """Return the identity of a local checkpoint: the folder's name and the SHA-256 of its files."""
    return f"{folder.name} sha256:{sha256_of_folder(folder)}"


def folder_state(folder: Path) -> list[tuple[str, int, int, int]]:
    """List the relative paths, sizes in bytes and change times (ns) of a folder's files.

    Snakemake compares it between runs: weights are too large to be read each time jobs are planned.  Programs
    cannot set back the change time of an inode.
    """
    found, visited = [], set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        place = Path(parent).resolve()
        if place in visited:
            # Link that forms a loop.
            folders.clear()
            continue
        visited.add(place)
        for path in (Path(parent) / name for name in names):
            if path.is_file():
                status = path.stat()
                name = path.relative_to(folder).as_posix()
                found.append((name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return sorted(found)
