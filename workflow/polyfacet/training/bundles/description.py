"""What a bundle says of itself: the file ``bundle.json`` in its folder.

A bundle holds JSON, Parquet, safetensors and the model that the cell's engine has saved::

    bundle.json           this description
    model/                the saved model
    fitted/<digest>.*     what facets have fitted on the training part, and the element table
    calibration.parquet   predictions for the test materials, from which intervals follow
    training_set.parquet  the training materials, to which new ones are compared
    representations.parquet  all materials of the run, for `polyfacet find`, if the method represents them
    README.md             the model card

Bundles of one split share their fitted files: they are hard links, named after the digest of their content.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from polyfacet.config.composition import Composition
from polyfacet.config.graphs import Graphs
from polyfacet.config.images import Drawing
from polyfacet.config.sample import MaxSites
from polyfacet.config.tables import CompositionColumns
from polyfacet.facets.registry import facet_named
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file, write_text

# Raised whenever older bundles cannot be read any more.
VERSION = 2
# Key of the digest of the description itself, in the file.
DIGEST = "digest"

DESCRIPTION_FILE, MODEL_CARD_FILE = "bundle.json", "README.md"
MODEL_FOLDER, FITTED_FOLDER = "model", "fitted"
CALIBRATION_FILE, TRAINING_SET_FILE = "calibration.parquet", "training_set.parquet"
REPRESENTATIONS_FILE = "representations.parquet"

# Names of fitted files.
NETWORK, GREY_LEVELS, ELEMENT_TABLE = "network", "grey_levels", "element_table"


def encoder_name(facet: str) -> str:
    """Return the name of the fitted file that makes the frozen encoding of a facet."""
    return f"encoder_{facet}"


class _Part(BaseModel):
    """Part of a description: immutable, rejects unknown keys; NaN survives the JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class CellOfBundle(_Part):
    """The cell that the bundle was made from."""

    run: str
    source: str
    split: str
    split_method: str
    repeat: int
    method: str
    combination: str
    objective: str
    engine: str


class BundledObjective(_Part):
    """What is predicted."""

    column: str
    label: str
    unit: str
    classes: tuple[str, ...]

    @property
    def as_objective(self) -> Objective:
        """The same as an objective of cells."""
        return Objective(self.column, self.label, self.unit, self.classes)


class BundledFacet(_Part):
    """A facet that the model looks at.

    Attributes
    ----------
    form
        Its variant, even where the combination names none; empty for a facet without variants.
    columns
        Columns of the rows that the model receives.
    """

    name: str
    form: str
    columns: tuple[str, ...]

    @property
    def needs_structure(self) -> bool:
        """Whether it is made from the structure, in its form."""
        return facet_named(self.name).form_needs_structure(self.form)


class BundledPlugin(_Part):
    """A declaration of a plug-in that the model or its facets need.

    Attributes
    ----------
    code
        Digest of the plug-in's code and assets, without comments.
    """

    kind: str
    name: str
    plugin: str
    package: str | None
    code: str


class TableColumns(_Part):
    """Which columns a table of new materials must have, for bundles of tables.

    Attributes
    ----------
    elements
        Elements whose amounts are the numbers of the facet ``composition``, in their order.
    """

    id: str | None
    composition: CompositionColumns
    process: tuple[str, ...]
    microstructure: tuple[str, ...] = ()
    elements: tuple[str, ...]


class FacetSettings(_Part):
    """Sections of the run's configuration that determine its facets."""

    max_sites: MaxSites
    graphs: Graphs
    images: Drawing
    composition: Composition


class Comparison(_Part):
    """How new materials are compared with the training set; see `polyfacet.training.bundles.distances`.

    Attributes
    ----------
    vectors
        Facets whose numbers count in addition to the composition; none if materials may lack facets.
    quantile
        Quantile of the training materials' distances to their nearest neighbours.
    threshold
        That quantile: materials farther away are unlike the training set.
    """

    vectors: tuple[str, ...]
    quantile: float
    threshold: float


class BundleDescription(_Part):
    """Everything about a bundle but the content of its files.

    Attributes
    ----------
    fitted
        Fitted files by name, relative to the bundle.
    needs_statistics
        Whether the model uses the statistics of the compositions as features.
    needs_graphs
        Whether it reads crystal graphs, and not only their vectors.
    calibrated
        Whether test rows took no part in anything that was fitted, so that intervals can follow from them.
    table
        Columns of new materials; None for a bundle of crystals.
    files
        Path of each file of the bundle to its SHA-256, except for this description and the card.
    """

    kind: Literal["polyfacet bundle"] = "polyfacet bundle"
    version: int = VERSION
    cell: CellOfBundle
    objective: BundledObjective
    facets: tuple[BundledFacet, ...]
    settings: FacetSettings
    fitted: dict[str, str]
    needs_statistics: bool
    needs_graphs: bool = False
    calibrated: bool
    table: TableColumns | None
    comparison: Comparison
    plugins: tuple[BundledPlugin, ...]
    versions: dict[str, str]
    files: dict[str, str]


def read_description(folder: Path) -> BundleDescription:
    """Read the description of a bundle.

    Raises
    ------
    UserError
        If the folder is not a bundle, or one of another version, or the description has changed.
    """
    path = folder / DESCRIPTION_FILE
    try:
        content: Any = json.loads(path.read_bytes())
        version = content["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(
            f"{folder} is not a bundle: it has no readable {DESCRIPTION_FILE} ({error}). Name a folder like "
            "results/<run>/<source>/<split>-<repeat>/bundles/<method>/<combination>/<objective>."
        ) from error
    if isinstance(version, str):
        raise UserError(
            f"{path} is damaged: its version is the text {version!r}, not a number. Copy the bundle again."
        )
    if version != VERSION:
        raise UserError(
            f"the bundle {folder} has version {version}, but this version of Polyfacet reads version "
            f"{VERSION}. Make it again with `snakemake bundles`, or install the version that made it."
        )
    if content.pop(DIGEST, None) != digest_of(content):
        raise UserError(f"{path} is damaged: it has changed since it was written. Copy the bundle again.")
    try:
        return BundleDescription.model_validate(content)
    except ValidationError as error:
        # The digest is that of the content, so that nothing has changed since it was written.
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise UserError(
            f"the bundle {folder} was probably made by another version of Polyfacet, with the same version "
            f"{VERSION} of the format, or is damaged: {problems} in {DESCRIPTION_FILE}. Make it again with "
            f"`snakemake bundles`, or install the version that made it.{_made_with(content)}"
        ) from error


def _made_with(content: dict[str, Any]) -> str:
    """Return the versions of packages that a bundle was made with, for a message."""
    versions = content.get("versions")
    if not versions or not isinstance(versions, dict):
        return ""
    return f" It was made with {', '.join(f'{name} {version}' for name, version in versions.items())}."


def write_description(folder: Path, description: BundleDescription) -> None:
    """Write the description of a bundle, with a digest of its own content."""
    content = json.loads(description.model_dump_json())
    signed = {**content, DIGEST: digest_of(content)}
    write_text(folder / DESCRIPTION_FILE, json.dumps(signed, indent=2) + "\n")


def digest_of(content: dict[str, Any]) -> str:
    """Return the SHA-256 of a description, however its JSON is laid out."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def check_files(folder: Path, description: BundleDescription) -> None:
    """Check that the files of a bundle are those that were written.

    Raises
    ------
    UserError
        If a file is missing or has changed.
    """
    for name, digest in description.files.items():
        if not (folder / name).is_file():
            raise UserError(f"the bundle {folder} is incomplete: {name} is missing. Copy the whole folder.")
        if sha256_of_file(folder / name) != digest:
            raise UserError(f"the bundle {folder} is damaged: {name} has changed. Copy it again.")


def digests_of(folder: Path) -> dict[str, str]:
    """Compute the digests of the files of a bundle that its description states."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in paths}
    return {
        name: digest for name, digest in digests.items() if name not in (DESCRIPTION_FILE, MODEL_CARD_FILE)
    }
