"""The subcommand ``polyfacet find``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.job import run_command
from polyfacet.runtime.progress import tell
from polyfacet.use.argument_types import positive
from polyfacet.use.bundle_arguments import add_bundle_arguments, given_to_open
from polyfacet.use.prediction.command import given_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polyfacet.config.sources import Source
    from polyfacet.use.finding.catalogue import Catalogue, Found

SUMMARY = "find materials of a run by a structure, a formula, a picture or a property"
DESCRIPTION = f"""{SUMMARY[0].upper()}{SUMMARY[1:]}.

Materials are compared by representations that a method has learned by contrastive pretraining
(docs/contrast.md); `snakemake bundles` makes them. FOLDER is the folder of a run, or of a bundle of such a
method. Ask with one of:
  - INPUT: structures or formulas, as for `polyfacet predict`
  - --formula, --picture, --material
  - --property: known values, which are compared as such"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="folder of a run, or of a bundle")
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="*", help="new materials: a path, or a quoted mapping"
    )
    parser.add_argument("--formula", metavar="FORMULA", nargs="+", default=[], help="compositions")
    parser.add_argument("--picture", metavar="FILE", type=Path, help="a PNG that shows a facet of pictures")
    parser.add_argument("--material", metavar="ID", help="a material of the run, by its mat_id")
    parser.add_argument(
        "--property", metavar="NAME=VALUE", nargs="+", default=[], help="wanted values of objectives"
    )
    parser.add_argument(
        "--by",
        metavar="FACETS",
        help="facets that are seen of what is asked with, such as text+graph; all by default, `image` of a "
        "picture",
    )
    parser.add_argument(
        "--among", metavar="FACET", help="facet of the run's materials that is compared; all by default"
    )
    parser.add_argument(
        "--number", metavar="N", type=positive, default=10, help="materials to find (default: 10)"
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="table of them: .csv or .parquet")
    add_bundle_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Find materials; return the exit status."""
    run_command(lambda: _find(arguments))
    return 0


def _find(arguments: argparse.Namespace) -> None:
    # Their imports take seconds, which other subcommands need not wait for.
    from polyfacet.use.finding.catalogue import Catalogue  # noqa: PLC0415
    from polyfacet.use.prediction.inputs import files_of, source_of  # noqa: PLC0415
    from polyfacet.use.prediction.output import check_output  # noqa: PLC0415

    asked = [
        name for name in ("inputs", "formula", "picture", "material", "property") if _given(arguments, name)
    ]
    if len(asked) != 1:
        raise UserError(
            "ask with one of INPUT, --formula, --picture, --material and --property"
            + (f", not with {' and '.join(asked)}." if asked else ".")
        )
    sources = [source_of(given_input(each)) for each in arguments.inputs]
    if arguments.output is not None:
        given = [path for source in sources for path in files_of(source)]
        check_output(arguments.output, [*given, *filter(None, [arguments.picture])])
    catalogue = Catalogue.open(arguments.folder, **given_to_open(arguments))
    tell(f"searching {catalogue.path}")
    found = _asked(catalogue, asked[0], sources, arguments)
    tell(_shown(found.materials))
    for reject in found.left_out.itertuples():
        tell(f"{reject.mat_id} ({reject.source_file}) cannot be asked with: {reject.reason}")
    if arguments.output is not None:
        _write(found.materials, arguments.output)
        tell(f"\nDone: {arguments.output}")


def _given(arguments: argparse.Namespace, name: str) -> bool:
    return bool(getattr(arguments, name))


def _asked(
    catalogue: "Catalogue", kind: str, sources: "Sequence[Source]", arguments: argparse.Namespace
) -> "Found":
    n, by, among = arguments.number, arguments.by, arguments.among
    if kind == "inputs":
        return catalogue.like(sources, by=by, among=among, n=n)
    if kind == "formula":
        return catalogue.like_formulas(arguments.formula, by=by, among=among, n=n)
    if kind == "picture":
        return catalogue.like_picture(arguments.picture, by=by or "image", among=among, n=n)
    if kind == "material":
        return catalogue.like_material(arguments.material, by=by, among=among, n=n)
    if by or among:
        raise UserError("--by and --among are of facets; a property is compared as such. Leave them out.")
    return catalogue.near(_values(arguments.property), n=n)


def _values(texts: "Sequence[str]") -> dict[str, str]:
    """Read wanted values, each once."""
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (separator and name and value):
            raise UserError(f"--property {text} is not NAME=VALUE.")
        if name in found:
            raise UserError(f"--property names {name} twice. Name a value once.")
        found[name] = value
    return found


def _shown(materials: pd.DataFrame) -> str:
    """Lay out what is found, one table per query."""
    if materials.empty:
        return "Nothing is found."
    texts = []
    for (query, facets), found in materials.groupby(["query", "facets"], sort=False):
        seen = f" (by {facets})" if facets else ""
        table = found.drop(columns=["query", "facets"]).to_string(index=False, float_format="{:.4g}".format)
        texts.append(f"\n{query}{seen}\n{table}")
    return "\n".join(texts)


def _write(materials: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as part:
        if path.suffix == ".csv":
            materials.to_csv(part, index=False)
        else:
            materials.to_parquet(part, index=False)
