"""Run a study: the repeats that are missing, and its page."""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from polyfacet.config.completion import complete_config
from polyfacet.config.run import CRYSTALS
from polyfacet.facets.registry import combination_name, facets_of
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.plugins import use_plugins
from polyfacet.runtime.progress import tell
from polyfacet.runtime.project_files import located
from polyfacet.training.cells import NO_FACET
from polyfacet.training.methods import checked_methods
from polyfacet.training.sources import splits_of_source
from polyfacet.use.study.page import write_page
from polyfacet.use.study.records import Place, Records
from polyfacet.use.study.section import Baseline

DEFAULTS = "config/config.yaml"


def run_study(arguments: argparse.Namespace) -> None:
    """Run what is missing of what was asked for, and write the page after each repeat."""
    given = _given(arguments.config)
    config = complete_config(given)
    use_plugins(config["plugins"])
    baseline = baseline_of(arguments.baseline, config)
    records = Records(arguments.folder / config["run_name"])
    records.check_configuration(given)
    finished = records.finished()
    missing = [place for place in _wanted(config, arguments) if place not in finished]
    for position, (source, split, repeat) in enumerate(missing, 1):
        tell(f"{source}, split {split}, repeat {repeat} ({position} of {len(missing)} to do)")
        scored = Path("results", config["run_name"], source, f"{split}-{repeat}", "scores")
        _run(arguments.config, arguments.cores, scored / "scores.parquet")
        records.add(scored, given)
        _write(records, config, arguments, baseline)
    if not records.finished():
        raise UserError(f"{records.folder} has no scores yet: run this without --page")
    page = _write(records, config, arguments, baseline)
    tell(f"{len(records.finished())} of {len(places_of(config))} repeats are finished: {page}")


def baseline_of(given: str | None, config: Mapping[str, Any]) -> Baseline | None:
    """Read the name of a cell, which some source must have."""
    if given is None:
        return None
    method, _, facets = given.partition(":")
    try:
        combination = combination_name(facets_of(facets)) if facets else NO_FACET
    except ValueError as error:
        raise UserError(f"--baseline {given}: {error}") from error
    cells = {
        (name, each)
        for methods in checked_methods(config).values()
        for name, own in methods.items()
        for each in own["combinations"] or [NO_FACET]
    }
    if (method, combination) not in cells:
        known = ", ".join(sorted(f"{name}:{each}" for name, each in cells))
        raise UserError(f"--baseline {given}: the run has no such cell. It has {known}")
    return method, combination


def _write(
    records: Records, config: Mapping[str, Any], arguments: argparse.Namespace, baseline: Baseline | None
) -> Path:
    given = [f"polyfacet study {arguments.config.as_posix()}"]
    if baseline:
        given.append(f"--baseline {':'.join(baseline)}")
    return write_page(records, config, places_of(config), " ".join(given), baseline)


def _wanted(config: Mapping[str, Any], arguments: argparse.Namespace) -> list[Place]:
    """Select what was asked for."""
    unknown = set(arguments.splits or []) - set(config["splits"])
    if unknown:
        known = ", ".join(config["splits"])
        raise UserError(f"no split is named {', '.join(sorted(unknown))}; {arguments.config} has {known}")
    return [
        (source, split, repeat)
        for source, split, repeat in places_of(config)
        if not arguments.page
        and (arguments.splits is None or split in arguments.splits)
        and (arguments.repeats is None or repeat < arguments.repeats)
    ]


def places_of(config: Mapping[str, Any]) -> list[Place]:
    """List source, split and repeat of a run: the first repeat of every split, then the second, and so on."""
    sources = [*([CRYSTALS] if config["sources"] else []), *config["tables"]]
    found = [
        (source, split, repeat)
        for source in sources
        for split, settings in splits_of_source(config, source).items()
        for repeat in range(settings["repeats"])
    ]
    return sorted(found, key=lambda place: place[2])


def _given(path: Path) -> dict[str, Any]:
    """Read a configuration as Snakemake does: on top of the workflow's own."""
    given: dict[str, Any] = {}
    for each in (Path(located(DEFAULTS)), path):
        try:
            read = yaml.safe_load(each.read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError) as error:
            raise UserError(f"cannot read {each}: {error}") from error
        if not isinstance(read, dict):
            raise UserError(f"{each} is not a configuration: it has no keys")
        update_config(given, read)
    return given


def _run(config: Path, cores: int, target: Path) -> None:
    command = [sys.executable, "-m", "snakemake", str(target), "--cores", str(cores)]
    options = ["--configfile", str(config), "--quiet", "rules", "reason", "host"]
    done = subprocess.run([*command, *options], check=False)  # noqa: S603
    if done.returncode:
        raise UserError(
            f"the run stopped; its reason is above. Finished repeats are kept: fix the cause and run this "
            f"again. To see more: snakemake --cores {cores} --configfile {config} {target}"
        )
