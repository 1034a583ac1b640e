"""Encoders of AutoGluon's presets: find their repositories on the Hugging Face hub and fetch them once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import httpx
from autogluon.multimodal.utils import get_config
from huggingface_hub import HfApi, RepoFile, snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from huggingface_hub.utils import filter_repo_objects
from timm.models import get_pretrained_cfg

from polyfacet.facets.declaration import Facet
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.progress import tell
from polyfacet.training.encoders.hub_cache import WAYS_OUT, HubEncoder, HubEncoders
from polyfacet.training.encoders.own_checkpoints import encoder_model, local_folder, own_checkpoints
from polyfacet.training.engines.automm.hyperparameters import AutoMMSettings, hyperparameters_of

# Repositories hold the same weights for several frameworks; the first file found is enough.
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
CONFIGURATION_AND_VOCABULARY = ("*.json", "*.txt", "*.model")
TIMM_HUB_PREFIX = "hf-hub:"


NO_OWN: Mapping[str, str | None] = MappingProxyType({})


def checkpoints_of(
    facets: Sequence[Facet], settings: AutoMMSettings, checkpoints: Mapping[str, str | None] = NO_OWN
) -> dict[Facet, str]:
    """Return the checkpoint that AutoGluon starts each encoder of a combination from."""
    config = get_config(
        problem_type="regression",
        presets=settings.preset,
        overrides=hyperparameters_of(facets, settings, None, checkpoints),
    )
    models = {facet: model for facet in facets if (model := encoder_model(facet))}
    return {facet: str(config.model[model].checkpoint_name) for facet, model in models.items()}


def hub_checkpoints(
    facets: Sequence[Facet], settings: AutoMMSettings, checkpoints: Mapping[str, str | None] = NO_OWN
) -> list[str]:
    """List the checkpoints of a combination that are on the hub."""
    found = checkpoints_of(facets, settings, checkpoints).items()
    return sorted({name for facet, name in found if repository_of(facet, name) is not None})


def repository_of(facet: Facet, checkpoint: str) -> str | None:
    """Return the hub repository of a checkpoint; None if the checkpoint is a local folder.

    Raises
    ------
    UserError
        If a local folder is not a checkpoint, or timm has no matching weights on the hub.
    """
    if local_folder(facet, checkpoint) is not None:
        return None
    if facet.kind == "text":
        return checkpoint
    if checkpoint.startswith(TIMM_HUB_PREFIX):
        return checkpoint.removeprefix(TIMM_HUB_PREFIX)
    try:
        pretrained = get_pretrained_cfg(checkpoint)
    except RuntimeError:  # timm knows the architecture, but not these weights
        pretrained = None
    if pretrained is None or not pretrained.hf_hub_id:
        raise UserError(
            f"timm has no weights on the hub for the image encoder {checkpoint!r}; "
            "see timm.list_models(pretrained=True)"
        )
    return str(pretrained.hf_hub_id)


def fetch_encoders(
    facets: Sequence[Facet],
    settings: AutoMMSettings,
    cache: Path,
    checkpoints: Mapping[str, str | None] = NO_OWN,
    own_only: bool = False,
) -> HubEncoders:
    """Ensure that the cache holds the encoders of a run; fetch only missing ones from the hub.

    Parameters
    ----------
    facets
        All facets of the run.
    settings
        Settings of the engine: the preset determines the checkpoints that are not given.
    cache
        A Hugging Face cache; created if it does not exist.
    checkpoints
        Facet to the checkpoint used instead of the preset's.
    own_only
        Whether to fetch only these, as the encoders of the other facets are local.

    Raises
    ------
    UserError
        If an encoder is neither in the cache nor available from the hub.
    """
    folder = cache.expanduser()
    encoders = []
    own = own_checkpoints(facets, checkpoints, settings.hyperparameters)
    for facet, checkpoint in checkpoints_of(facets, settings, checkpoints).items():
        if own_only and facet not in own:
            continue
        repository = repository_of(facet, checkpoint)
        if repository is not None:
            revision = cached_revision(repository, folder) or _fetch(repository, folder)
            encoders.append(
                HubEncoder(facet=facet.name, checkpoint=checkpoint, repository=repository, revision=revision)
            )
    return HubEncoders(cache=cache, encoders=tuple(encoders))


def cached_revision(repository: str, cache: Path) -> str | None:
    """Return the revision of a repository in the cache; None if it is missing or incomplete."""
    for weights in WEIGHTS:
        try:
            snapshot = Path(
                snapshot_download(
                    repository, cache_dir=cache, local_files_only=True, allow_patterns=_patterns(weights)
                )
            )
        except LocalEntryNotFoundError:
            continue
        if (snapshot / weights).is_file():
            return snapshot.name
    return None


def _fetch(repository: str, cache: Path) -> str:
    try:
        sizes = {
            file.path: file.size
            for file in HfApi().list_repo_tree(repository, recursive=True)
            if isinstance(file, RepoFile)
        }
        weights = next((name for name in WEIGHTS if name in sizes), None)
        if weights is None:
            raise UserError(f"{repository} on the Hugging Face hub has no weights ({', '.join(WEIGHTS)}).")
        wanted = filter_repo_objects(sizes, allow_patterns=_patterns(weights))
        size_mb = sum(sizes[path] for path in wanted) / 1e6
        tell(f"{repository}: fetching {size_mb:.0f} MB from the Hugging Face hub into {cache}")
        return Path(snapshot_download(repository, cache_dir=cache, allow_patterns=_patterns(weights))).name
    except (httpx.HTTPError, OSError) as error:
        raise UserError(
            f"the encoder {repository} is not in {cache} and cannot be fetched from the Hugging Face hub "
            f"({type(error).__name__}: {error}). {WAYS_OUT}"
        ) from error


def _patterns(weights: str) -> list[str]:
    return [*CONFIGURATION_AND_VOCABULARY, weights]
