"""Where the numbers of a page come from: versions, seeds, configuration, digests."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import yaml

from polyfacet.reporting.page.parts import Code, Part, Section, Table, count, span, text
from polyfacet.reporting.page.results import Results
from polyfacet.runtime.files import sha256_of_file

# Packages that the report itself depends on; cards name those of each cell.
PACKAGES = ("snakemake", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "plotly")
LEAD = (
    "What this page was made from. The card of each cell (card.json) has the digests of its inputs, its "
    "code, its seed, its machine and the versions of its packages."
)


def provenance(results: Results, about: Mapping[str, Any]) -> Section:
    """Show where the numbers come from.

    Parameters
    ----------
    results
        The evaluation.
    about
        ``run``, ``seed``, ``configuration``, and optionally ``revision`` of the project, ``code`` (digest).
    """
    parts: list[Part] = [
        Table("versions", "The run and the software that wrote this page.", ["what", "value"], _facts(about)),
        _seeds(results),
        Table(
            "digests",
            "SHA-256 of the tables of the evaluation.",
            ["table", "rows", "SHA-256"],
            [
                [text(path.name), count(results.n_rows(name)), text(sha256_of_file(path))]
                for name, path in results.files.items()
            ],
        ),
        Code(
            "Configuration of this run, with defaults",
            yaml.safe_dump(dict(about["configuration"]), sort_keys=False, allow_unicode=True),
        ),
    ]
    return Section("provenance", "Provenance", LEAD, parts)


def _facts(about: Mapping[str, Any]) -> list[list[Any]]:
    facts = {
        "run": about["run"],
        "seed": str(about["seed"]),
        "revision of the project": about.get("revision") or "not recorded",
        "digest of the code of the report": about.get("code") or "not recorded",
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        **{name: _version(name) for name in PACKAGES},
    }
    return [[text(name), text(value)] for name, value in facts.items()]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _seeds(results: Results) -> Table:
    groups = results.cells.groupby(["source", "split", "split_method", "repeat"], sort=False)
    return Table(
        "seeds",
        "Seeds and rows of each repeat.",
        [
            "source",
            "split",
            "split method",
            "repeat",
            "cells",
            "seeds of training",
            "trained on",
            "tested on",
        ],
        [
            [
                text(source),
                text(split),
                text(method),
                count(repeat),
                count(len(own)),
                span(_distinct(own["seed"])),
                span(_distinct(own["n_train"])),
                span(_distinct(own["n_test"])),
            ]
            for (source, split, method, repeat), own in groups
        ],
        ["cells"],
    )


def _distinct(values: Any) -> Sequence[int]:
    return [int(value) for value in values.unique()]
