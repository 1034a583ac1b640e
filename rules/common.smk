# What every stage shares: the checked configuration, sources, wildcards, paths and input functions.

import math
import sys
from functools import cache

from polyfacet.config.assignments import with_nulls
from polyfacet.config.completion import complete_config
from polyfacet.config.run import CRYSTALS, Configuration
from polyfacet.config.source_text import check_source_text, holds_only
from polyfacet.facets.registry import (
    COMPIMAGE,
    GRAPH,
    IMAGE,
    TEXT,
    facet_named,
    facets_of,
    in_order,
    structure_picture_columns,
)
from polyfacet.facets.stages import files_of_facet
from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES
from polyfacet.runtime.code_digest import code_digest
from polyfacet.runtime.environment_path import environment_fault
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.file_state import state_of_files
from polyfacet.runtime.packages import package_versions
from polyfacet.runtime.plugins import use_plugins
from polyfacet.sources.alexandria.entry_files import estimated_entries
from polyfacet.sources.tables.description import (
    objectives_of,
    read_of_table,
    table_source,
)
from polyfacet.training.feasibility import check_feasible
from polyfacet.training.methods import (
    checked_methods,
    forms_of,
    known_settings,
    needs_structure,
    splits_of_source,
)

if place_fault := environment_fault(sys.executable):
    raise WorkflowError(place_fault)

try:
    is_module = workflow.modifier.namespace is not None
    is_ours = not is_module or holds_only(
        workflow.configfiles, Configuration.model_fields
    )
    if is_ours:
        check_source_text(workflow.configfiles, sys.argv)
    config = complete_config(with_nulls(config, workflow.config_settings.config))
    use_plugins(config["plugins"])
    # Again, now that it is known what is declared of the settings of engines.
    if is_ours:
        check_source_text(workflow.configfiles, known=known_settings(config))
    OBJECTIVES = {
        table: {
            each.column: each for each in objectives_of(table_source(table, section))
        }
        for table, section in config["tables"].items()
    }
    # Source to its methods by name.
    METHODS = checked_methods(config)
    check_feasible(config, METHODS)
except (UserError, ValueError) as error:
    raise WorkflowError(str(error))

# Facet to its form where a combination names none.
FORMS = forms_of(config)

RUN = f"results/{config['run_name']}"
LOGS = f"logs/{config['run_name']}"
BENCHMARKS = f"{RUN}/benchmarks"
SOURCE = f"{RUN}/{{source}}"
SPLIT = f"{SOURCE}/{{split}}-{{repeat}}"
CRYSTAL_SPLIT = f"{RUN}/{CRYSTALS}/{{split}}-{{repeat}}"
SAMPLE = f"{SOURCE}/sample/sample.parquet"

if config["sources"]:
    OBJECTIVES[CRYSTALS] = {
        name: CRYSTAL_OBJECTIVES.get(name).objective for name in config["objectives"]
    }
SOURCES = list(OBJECTIVES)
SPLITS = config["splits"]


def facets_of_methods(source, methods=None):
    """The facets that methods of a source look at, in the order of the registry."""
    return in_order(
        facet
        for name, method in METHODS[source].items()
        if methods is None or name in methods
        for combination in method["combinations"]
        for facet in facets_of(combination)
    )


# Only these are made.
FACETS_OF = {source: facets_of_methods(source) for source in SOURCES}


# Of a larger sample the shards grow instead: the time to plan a run goes with their number (docs/scaling.md).
MAX_DERIVED_SHARDS = 500
# Rows to expect in a table, for what jobs ask for: more than the tables of this field have.
TABLE_ROWS = 10_000


wildcard_constraints:
    shard=r"\d+",
    repeat=r"\d+",
    source="|".join(SOURCES),
    split="|".join(SPLITS),
    method="|".join({name: None for methods in METHODS.values() for name in methods}),
    combination=r"[a-z0-9]+(:[a-z0-9_]+)?(\+[a-z0-9]+(:[a-z0-9_]+)?)*",
    text=r"[a-z0-9]+(:[a-z0-9_]+)?",
    objective="|".join({name: None for names in OBJECTIVES.values() for name in names}),


def script_path(name):
    """Path of a rule's script, seen from the folder of the rules."""
    return f"../workflow/scripts/{name}.py"


@cache
def code_of_rule(name, *more):
    """Digest of a rule's script, the modules it imports and their assets: a change there reruns the rule.

    `more` are files that it uses and does not import by name: plug-ins, and modules that a setting chooses.
    """
    return code_digest(WORKFLOW / "scripts" / f"{name}.py", *more)


@cache
def packages_of_rule(name, *more):
    """The packages that this code depends on, and their versions: a change there reruns the rule, too.

    Snakemake runs in an environment of its own where rules have theirs, whose files it watches itself.
    """
    if workflow.deployment_settings.deployment_method:
        return None
    return package_versions(WORKFLOW / "scripts" / f"{name}.py", *more)


@cache
def n_entries():
    """Entries to expect in the sources, an estimate."""
    return estimated_entries(
        source_files(config["sources"], PUBLISHED),
        published={str(DOWNLOADS / name) for name in PUBLISHED},
    )


def n_materials(source=CRYSTALS):
    """Materials to expect; for a sample of `all`, an estimate."""
    if source != CRYSTALS:
        return TABLE_ROWS
    chosen = config["n_materials"]
    return n_entries() if chosen == "all" else chosen


@cache
def n_shards(source=CRYSTALS):
    """Number of shards in which the stages work that go material by material; no result depends on it."""
    if source != CRYSTALS:
        return 1
    by_size = math.ceil(n_materials() / config["shard_size"])
    return config["shards"] or min(max(1, by_size), MAX_DERIVED_SHARDS)


def materials_per_shard(source=CRYSTALS):
    """Materials to expect in a shard, for what its jobs ask for."""
    return math.ceil(n_materials(source) / n_shards(source))


def materials_of(wildcards):
    """Materials that a job on a whole source holds."""
    return n_materials(wildcards.source)


def materials_of_shard(wildcards):
    """Materials that a job on a shard of a source holds."""
    return materials_per_shard(wildcards.source)


def shards_of(wildcards):
    """Number of shards of a job's source."""
    return n_shards(wildcards.source)


def max_rejected_fraction(wildcards, threads):
    """Share of rejects at which a stage stops. It changes no result, so that a finished stage need not run again:
    Snakemake does not compare what depends on `threads`."""
    return config["max_rejected_fraction"]


def all_shards(pattern):
    """The files of all shards of a stage of the crystals."""
    return expand(pattern, shard=range(n_shards()), allow_missing=True)


def all_shards_of_source(pattern):
    """The files of all shards of a stage of a job's source, as an input function."""
    return lambda wildcards: expand(
        pattern, shard=range(n_shards(wildcards.source)), **wildcards
    )


def kept_folder(folder):
    """Folder that keeps what is in a folder of results."""
    # A workflow that uses this one as a module may put a prefix before all results.
    prefix, _, stage = str(folder).partition(f"{RUN}/")
    return f"{prefix}{RUN}/kept/{stage}"


def kept_record(wildcards, output):
    """Folder that keeps the results of a shard for later runs; no output, which Snakemake would delete."""
    source = getattr(wildcards, "source", CRYSTALS)
    shard = f"shard-{wildcards.shard}-of-{n_shards(source)}"
    return f"{kept_folder(Path(output[0]).parent)}/{shard}"


def splits_of_run(pattern, sources=None, **wildcards):
    """The files of all repeats of all splits of the sources."""
    return [
        path
        for source in (SOURCES if sources is None else sources)
        for split, settings in splits_of_source(config, source).items()
        for path in expand(
            pattern,
            source=source,
            split=split,
            repeat=range(settings["repeats"]),
            **wildcards,
        )
    ]
