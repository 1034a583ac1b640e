"""Train one or several cells; several save the start of a process for each cheap cell."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from polyfacet.config.methods import Leaks
from polyfacet.facets.aligned import label_of_encodings
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import TEXT, facet_named, facets_of
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import atomic_path, scratch_folder, sha256_of_file, sha256_of_folder
from polyfacet.runtime.packages import package_versions
from polyfacet.runtime.parquet import n_rows, write_table
from polyfacet.runtime.progress import track
from polyfacet.training.cards import CARD_FILE, Card, write_card
from polyfacet.training.cells import NO_FACET, PREDICTIONS, Cell, Place, train
from polyfacet.training.encoders.hub_cache import HubEncoders, read_record, work_offline
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create
from polyfacet.training.engines.registry import engine_files
from polyfacet.training.kept_cells import KeptCells
from polyfacet.training.provenance import InputDigests, Provenance
from polyfacet.training.row_tables import RowTables


def main(
    sample: Path,
    split: Path,
    tables: list[Path],
    cells: Path,
    *,
    place: Mapping[str, Any],
    facets: Sequence[str],
    grid: Sequence[Mapping[str, Any]],
    engine: str,
    settings: Mapping[str, Any],
    seed: Annotated[int, Key("seed")],
    text: Annotated[str, Key("composition.text")] = "composition",
    encoders: Path | None = None,
    hub_encoders: Path | None = None,
    checkpoints: Mapping[str, str | None] = MappingProxyType({}),
    checkpoint_files: Mapping[str, Any] = MappingProxyType({}),
    statistics: Sequence[Path] = (),
    derived: Sequence[Path] = (),
    encodings: list[Path] | None = None,
    foundation: Path | None = None,
    code: str | None = None,
    keep_models: bool = True,
    leaks: Leaks = "refuse",
    hidden: Mapping[str, Any] | None = None,
    graphs: Sequence[Path] = (),
    kept: Path | None = None,
    threads: Annotated[int, Key("training.threads")] = 1,
) -> None:
    """Train the cells, each on the materials that have its facets and its objective.

    Parameters
    ----------
    sample, split
        Tables of the source's materials and of their parts.
    tables
        Tables of the facets that have a stage, grouped by facet, one per shard.
    cells
        Folder of the cells.  Trainings keep their state next to it until all are done, so that a killed job
        resumes where it stopped.
    place
        Fields of `polyfacet.training.cells.Place`.
    facets
        Facets that the cells use.
    grid
        ``combination``, ``objective`` (fields of `polyfacet.materials.objectives.Objective`) and ``folder``
        (in ``cells``) of each cell, and its ``settings`` if they are not those of the method.
    engine, settings
        Name of the engine and its settings.
    seed
        Seed of the run; each repeat trains with its own.
    text
        Variant of the text facet (see `polyfacet.facets.text.variants`).
    encoders
        Folder of local encoder checkpoints; None uses the preset's, from the hub.
    hub_encoders
        Record of the encoders fetched from the hub; training then only uses their cache.
    checkpoints
        Facet to the checkpoint used instead: a folder, or a repository of the hub.
    checkpoint_files
        Facet to the state of the files of its local checkpoint (see `own_checkpoints.folder_state`).
    statistics
        Tables of composition statistics, for engines that use them.
    derived
        Tables of the objectives that are not in the sample.
    encodings
        Tables of frozen encodings, one per facet of texts or pictures, for engines that read them.
    foundation
        Foundation that all cells of the method on this split share, for engines that have one.
    code
        Digest of this script and of the engine, from the rule, for the cards.
    keep_models
        Whether trained models are kept.
    leaks
        Whether cells fail if a number of a facet equals or follows the objective.
    hidden
        Fields of `polyfacet.splits.hidden_facets.HiddenFacets`; None hides nothing.
    graphs
        Tables of crystal graphs, one per shard, for engines that train a network on them.
    kept
        Folder that keeps trained cells for later runs.
    threads
        Processor threads to use.
    """
    fetched = read_record(hub_encoders) if hub_encoders else None
    if fetched:
        work_offline(fetched)
    here = Place(**{**place, "repeat": int(place["repeat"])})
    objectives = [Objective.from_fields(each["objective"]) for each in grid]
    named = [facet_named(name) for name in facets]
    rows = RowTables.of_job(
        sample,
        split,
        list(dict.fromkeys(objective.column for objective in objectives)),
        named,
        tables,
        encodings=encodings,
        hidden=hidden,
        statistics=statistics,
        derived=derived,
        graphs=graphs,
    )
    materials = rows.read()
    own_seed = seed + here.repeat
    states = cells.with_name(f"{cells.name}.states")
    resources = Resources(
        own_seed, threads, encoders, states=states, checkpoints=checkpoints, foundation=foundation
    )
    digests = InputDigests(materials)
    started_from = _identities(fetched, rows.encodings, named)
    shared = sha256_of_folder(foundation) if foundation else None
    made_of = Provenance(n_rows(sample) - len(materials), code=code, foundation=shared)
    every_settings = [settings, *(each["settings"] for each in grid if "settings" in each)]
    trained = KeptCells(
        kept,
        {
            "code": code,
            "seed": own_seed,
            "text": text,
            "facets": [facet.attributes() for facet in named],
            "checkpoints": [dict(checkpoints), dict(checkpoint_files)],
            "foundation": shared,
            "leaks": leaks,
            "models": keep_models,
            **(_of_files(engine, every_settings, encoders, hub_encoders) if kept else {}),
        },
    )
    todo = list(zip(grid, objectives, strict=True))
    with (
        atomic_path(cells) as folder,
        scratch_folder(cells.with_name(f"{cells.name}.scratch")) as scratch,
    ):
        resources = replace(resources, scratch=scratch)
        for each, objective in track(todo, f"{here.method}, {here.source}, cells", len(todo)):
            looked_at = () if each["combination"] == NO_FACET else facets_of(each["combination"])
            cell = Cell(
                here,
                looked_at,
                objective,
                engine,
                own_seed,
                each.get("settings", settings),
                threads,
                {TEXT.name: text},
                leaks == "allow",
            )
            known = replace(made_of, inputs=digests.of(looked_at, objective))
            with atomic_path(folder / each["folder"]) as home:
                if trained.reuse(each["folder"], cell, known, home):
                    continue
                home.mkdir()
                predictions, card = train(
                    cell, create(engine, cell.settings, resources), materials, home / "model", known
                )
                if not keep_models:
                    shutil.rmtree(home / "model")
                write_table(home / "predictions.parquet", predictions, PREDICTIONS)
                write_card(home / CARD_FILE, _with_encoders(card, started_from, looked_at))
            if card.status == "ok":
                trained.keep(each["folder"], cell, known, folder / each["folder"])
    trained.remove_others([each["folder"] for each in grid])
    shutil.rmtree(states, ignore_errors=True)


def _of_files(
    engine: str,
    every_settings: Sequence[Mapping[str, Any]],
    encoders: Path | None,
    hub_encoders: Path | None,
) -> dict[str, str | None]:
    """Return the packages that cells are trained with, and the encoders that they start from."""
    code = [path for settings in every_settings for path in engine_files(engine, settings)]
    return {
        "packages": package_versions(Path(__file__), *dict.fromkeys(code)),
        "encoders": sha256_of_folder(encoders) if encoders else None,
        "hub_encoders": sha256_of_file(hub_encoders) if hub_encoders else None,
    }


def _identities(
    fetched: HubEncoders | None, encoded: Mapping[Facet, Path], facets: Sequence[Facet]
) -> dict[str, str]:
    """Return what made the numbers of each facet: encoder of the hub, frozen encoding, pretrained network."""
    identities = {each.facet: each.identity for each in (fetched.encoders if fetched else ())}
    identities |= {facet.name: label_of_encodings(path) for facet, path in encoded.items()}
    return identities | {facet.name: facet.network.identity for facet in facets if facet.network}


def _with_encoders(card: Card, identities: Mapping[str, str], facets: Sequence[Facet]) -> Card:
    """Record on a card which encoders the cell started from."""
    names = {facet.name for facet in facets}
    started_from = {facet: identity for facet, identity in identities.items() if facet in names}
    return card.model_copy(update={"encoders": card.encoders | started_from})


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
