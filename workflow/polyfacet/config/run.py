"""The whole configuration of a run: the only declaration of its keys."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from polyfacet.config.composition import Composition
from polyfacet.config.download import Download
from polyfacet.config.encoders import Encoders
from polyfacet.config.graphs import Graphs
from polyfacet.config.images import Images, StructurePage
from polyfacet.config.methods import Combinations, CombinationSet, Method, Report, Training
from polyfacet.config.sample import Filters, Magnetization, MaxSites
from polyfacet.config.section import WRITE, InputPath, Name, Section, each_once
from polyfacet.config.splits import Split
from polyfacet.config.tables import TableName, TableSource
from polyfacet.runtime.project_files import located

EMBEDDED_ENTRIES = "embedded/entries.json.bz2"
CRYSTALS = "crystals"
# A source's results are in `results/<run_name>/<source>`, beside these.
TAKEN_NAMES = frozenset({CRYSTALS, "all", "benchmarks", "encoders", "kept", "report"})
# YAML reads 001 as 1, and 0100 as 64: of smaller numbers one cannot know which digits were meant.
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
        description="Python files that declare facets, engines, objectives or ways to split of your own; see "
        "docs/extending.md.",
        examples=[["plugins/my_engine.py"]],
    )
    sources: list[InputPath] | None = Field(
        default=None,
        description="Crystals: files of Alexandria entries (JSON or JSON Lines, plain or compressed) and "
        "folders of them; order does not matter. `null` takes the embedded entries "
        "(`embedded/entries.json.bz2`), or none if there are `tables`.",
    )
    tables: dict[TableName, TableSource] = Field(
        default={}, description="Tables of compositions; each is a source of its own."
    )
    download: Download = Field(
        default=Download(),
        description="Published files of entries; those that `sources` names below `data/alexandria` are "
        "downloaded.",
    )
    n_materials: Annotated[int, Field(ge=10)] | Literal["all"] = Field(
        default="all", description="Size of the sample, or `all`. Samples of one seed are nested."
    )
    seed: int = Field(
        default=42, ge=0, description="Seed of the sample, the splits, the networks and the training."
    )
    filters: Filters = Field(default=Filters(), description="What an entry must be like to be sampled.")
    magnetization: Magnetization = Field(
        default="absolute",
        description="Whether `mag_vol` is the absolute value (the sign of a collinear cell is arbitrary) "
        "or signed.",
    )
    objectives: Annotated[list[Name], Field(min_length=1), AfterValidator(each_once)] = Field(
        default=["gap", "e_form", "e_hull", "e_total", "mag_vol", "vol_atom", "dos_ef"],
        description="Properties of crystals to predict.",
    )
    max_rejected_fraction: float = Field(
        default=0.05, ge=0, le=1, description="Share of materials that a stage may reject before it stops."
    )
    max_sites: MaxSites = Field(
        default=MaxSites(),
        description="Largest number of sites in a cell, for each stage; a material with more is a reject "
        "of it.",
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
        description="Number of shards; `null` takes as many as `shard_size` says, of `all` materials from"
        " the size of the sources. Results do not depend on it.",
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
        default={"random": Split()}, description="Ways of splitting, side by side."
    )
    combinations: CombinationSet | Combinations = Field(
        default="paper",
        description="Combinations of facets of crystals for methods that name none: `paper` (the 7 of "
        "Costa (2024)), `full` (15), or a list such as `[text, text:cif, text+image]`; a form of a facet is "
        "named behind a colon.",
    )
    methods: Annotated[dict[Name, Method], Field(min_length=1)] = Field(
        default={
            "automm": Method(engine="automm"),
            "mean": Method(engine="dummy", settings={"statistic": "mean"}),
            "median": Method(engine="dummy", settings={"statistic": "median"}),
        },
        description="Methods by name; each is trained on every objective of its sources.",
    )
    training: Training = Field(default=Training(), description="How cells are trained.")
    report: Report = Field(default=Report(), description="What the report compares the methods with.")
    structure_page: StructurePage = Field(
        default=StructurePage(), description="The page that `snakemake serve_structures` serves."
    )

    @field_validator("run_name", mode="before")
    @classmethod
    def _digits_are_known(cls, name: Any) -> Any:
        if isinstance(name, int) and not isinstance(name, bool) and name < SMALLEST_NUMBER_AS_NAME:
            raise PydanticCustomError(
                "digits",
                "YAML drops zeros in front of numbers. Put such a name in quotes in a file, or begin it "
                "with a letter on the command line",
                {WRITE: f"run_{name}"},
            )
        return name

    @field_validator("tables")
    @classmethod
    def _names_are_free(cls, tables: dict[str, TableSource]) -> dict[str, TableSource]:
        taken = sorted(TAKEN_NAMES & set(tables))
        if taken:
            raise ValueError(f"a table cannot be called {taken[0]!r}. Write for example {taken[0]}table")
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

    def filled(self) -> dict[str, Any]:
        """Return all keys, with what `null` stands for where that follows from other keys."""
        config = self.model_dump(mode="json")
        if config["sources"] is None:
            config["sources"] = [] if config["tables"] else [located(EMBEDDED_ENTRIES)]
        for name, split in config["splits"].items():
            split["method"] = split["method"] or name
        for name, method in config["methods"].items():
            method["engine"] = method["engine"] or name
            # Which JSON might change before the engine reads them: a key that YAML reads as false, for one.
            method["settings"] = self.methods[name].settings
            method["settings_of_sources"] = self.methods[name].settings_of_sources
        config["report"]["published"] = [
            {key: value for key, value in entry.items() if value is not None}
            for entry in config["report"]["published"]
        ]
        return config
