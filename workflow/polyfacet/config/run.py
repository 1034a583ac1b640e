"""The complete configuration of a run: the only declaration of its keys."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from polyfacet.config.composition import Composition
from polyfacet.config.default_methods import default_methods
from polyfacet.config.download import Download
from polyfacet.config.encoders import Encoders
from polyfacet.config.explanations import Explanations
from polyfacet.config.graphs import Graphs
from polyfacet.config.images import Images, StructurePage
from polyfacet.config.methods import Combinations, CombinationSet, Method, Report, Training
from polyfacet.config.objectives import CrystalObjectives
from polyfacet.config.predict import Predict
from polyfacet.config.sample import Filters, Magnetization, MaxSites, Stratify
from polyfacet.config.section import WRITE, InputPath, Name, Section, each_once
from polyfacet.config.sources import Source
from polyfacet.config.splits import Split, usual_train_fraction
from polyfacet.config.tables import TableName, TableSource
from polyfacet.runtime.project_files import located

EMBEDDED_ENTRIES = "embedded/entries.json.bz2"
CRYSTALS = "crystals"
# The results of a source are in `results/<run_name>/<source>`, next to folders of these names.
TAKEN_NAMES = frozenset(
    {CRYSTALS, "all", "benchmarks", "encoders", "evaluation", "kept", "predictions", "report"}
)
# YAML reads 001 as 1 and 0100 as 64: the digits that were written cannot be recovered below this number.
SMALLEST_NUMBER_AS_NAME = 1000


class Configuration(Section):
    """Polyfacet configuration."""

    run_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = Field(
        default="default",
        description="Name of the run; its results are in `results/<run_name>/`, its logs in "
        "`logs/<run_name>/`.",
    )
    plugins: Annotated[list[InputPath], AfterValidator(each_once)] = Field(
        default=[],
        description="Python files that declare your own facets, engines, objectives or split methods; see "
        "docs/extending.md.",
        examples=[["plugins/my_engine.py"]],
    )
    sources: list[InputPath | Source] | None = Field(
        default=None,
        description="Crystals: paths of files and folders, or mappings with a `path` where more must be "
        "said; order does not matter. docs/sources.md describes the formats. `null` uses the embedded "
        "entries (`embedded/entries.json.bz2`), or none if there are `tables`.",
        examples=[["crystals/", {"path": "table.csv", "structure": "cif"}]],
    )
    tables: dict[TableName, TableSource] = Field(
        default={}, description="Tables of compositions; each is a separate source."
    )
    download: Download = Field(
        default=Download(),
        description="Published files of entries; those in `sources` below `data/alexandria` are downloaded.",
    )
    n_materials: Annotated[int, Field(ge=10)] | Literal["all"] = Field(
        default="all", description="Size of the sample, or `all`. Samples with the same seed are nested."
    )
    seed: int = Field(
        default=42, ge=0, description="Seed of the sample, the splits, the networks and the training."
    )
    stratify: Stratify | None = Field(
        default=None,
        description="`{objective: gap, strata: 10}` draws as many materials from each tenth of the range of "
        "an objective, as long as there are any; `null` draws at random.",
        examples=[{"objective": "gap", "strata": 10}],
    )
    filters: Filters = Field(
        default=Filters(), description="Conditions that an entry must meet to be sampled."
    )
    magnetization: Magnetization = Field(
        default="absolute",
        description="Whether `mag_vol` is the absolute value (the sign of a collinear cell is arbitrary) "
        "or signed.",
    )
    objectives: CrystalObjectives = Field(
        default=["gap", "e_form", "e_hull", "e_total", "mag_vol", "vol_atom", "dos_ef"],
        description="Properties of crystals to predict: names of predefined objectives, of objectives of "
        "plug-ins, and of columns of the sources; a mapping says more about a column (docs/objectives.md).",
        examples=[["gap", {"name": "bulk_modulus", "column": "K_VRH (GPa)", "unit": "GPa"}]],
    )
    max_rejected_fraction: float = Field(
        default=0.05, ge=0, le=1, description="Stages stop if they reject more than this share of materials."
    )
    max_sites: MaxSites = Field(
        default=MaxSites(),
        description="Largest number of sites in a cell, per stage; the stage rejects larger materials.",
    )
    shard_size: int = Field(
        default=500,
        ge=1,
        description="Target number of materials per shard (one job per shard in per-material stages). "
        "Shards grow so that there are at most 500.",
    )
    shards: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Number of shards; `null` derives it from `shard_size` and `n_materials` (for `all`, from"
        " the size of the sources). Results do not depend on it.",
    )
    images: Images = Field(
        default=Images(),
        description="Pictures of the structures, drawn by Crystal Toolkit in a headless browser.",
    )
    graphs: Graphs = Field(default=Graphs(), description="Lattice sums, local graph and PotNet embedding.")
    composition: Composition = Field(
        default=Composition(), description="Composition text and composition image."
    )
    encoders: Encoders = Field(
        default=Encoders(),
        description="Where the text and image encoders come from, and how large local ones are.",
    )
    splits: Annotated[dict[Name, Split], Field(min_length=1)] = Field(
        default={"formula": Split(repeats=5)}, description="Splits by name; all of them are run."
    )
    combinations: CombinationSet | Combinations = Field(
        default="paper",
        description="Combinations of facets of crystals for methods without `combinations`: `paper` (the 7 "
        "of Costa (2024)), `full` (15), or a list such as `[paper, descriptors, text:cif+image]`; the form "
        "of a facet follows a colon.",
    )
    methods: Annotated[dict[Name, Method], Field(min_length=1)] = Field(
        default=default_methods(),
        description="Methods by name; each is trained on all sources and objectives unless it names some.",
    )
    training: Training = Field(default=Training(), description="How cells are trained.")
    explanations: Explanations | None = Field(
        default=None,
        description="`{materials: 200}` explains the predictions of networks by element properties, regions "
        "of pictures and atoms, and trains a control for each (docs/explanation.md); `null` explains none.",
        examples=[{"materials": 200}],
    )
    report: Report = Field(default=Report(), description="Comparisons in the report.")
    predict: Predict = Field(default=Predict(), description="New materials for the target `predict`.")
    structure_page: StructurePage = Field(
        default=StructurePage(), description="The page that `snakemake serve_structures` serves."
    )

    @field_validator("run_name", mode="before")
    @classmethod
    def _digits_are_known(cls, name: Any) -> Any:
        if isinstance(name, int) and not isinstance(name, bool) and name < SMALLEST_NUMBER_AS_NAME:
            raise PydanticCustomError(
                "digits",
                "YAML drops leading zeros of numbers. In a file, put such a name in quotes; on the command "
                "line, begin it with a letter",
                {WRITE: f"run_{name}"},
            )
        return name

    @field_validator("tables")
    @classmethod
    def _names_are_free(cls, tables: dict[str, TableSource]) -> dict[str, TableSource]:
        taken = sorted(TAKEN_NAMES & set(tables))
        if taken:
            raise ValueError(f"the table name {taken[0]!r} is reserved. Write for example {taken[0]}table")
        return tables

    @model_validator(mode="after")
    def _has_sources(self) -> Self:
        if self.sources == [] and not self.tables:
            raise PydanticCustomError(
                "no_sources",
                "there are neither `sources` nor `tables`",
                {WRITE: {"sources": [EMBEDDED_ENTRIES]}},
            )
        return self

    @model_validator(mode="after")
    def _stratified_draws_have_a_size(self) -> Self:
        if self.stratify is not None and self.n_materials == "all":
            raise PydanticCustomError(
                "stratified_all",
                "`stratify` has no effect on all materials: state the size of the sample",
                {WRITE: {"n_materials": 1000, "stratify": self.stratify.model_dump()}},
            )
        return self

    def filled(self) -> dict[str, Any]:
        """Return all keys; `null` is resolved where it follows from other keys."""
        config = self.model_dump(mode="json")
        if config["sources"] is None:
            config["sources"] = [] if config["tables"] else [located(EMBEDDED_ENTRIES)]
        for name, split in config["splits"].items():
            split["method"] = split["method"] or name
            if split["train_fraction"] is None:
                split["train_fraction"] = usual_train_fraction(split["method"])
        for name, method in config["methods"].items():
            method["engine"] = method["engine"] or name
            # Taken unchanged: JSON might alter them before the engine reads them (a key read as false).
            method["settings"] = self.methods[name].settings
            method["settings_of_sources"] = self.methods[name].settings_of_sources
            method["settings_of_objectives"] = self.methods[name].settings_of_objectives
        config["report"]["published"] = [
            {key: value for key, value in entry.items() if value is not None}
            for entry in config["report"]["published"]
        ]
        return config
