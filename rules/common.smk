# Shared by all stages: the checked configuration, sources, wildcards, paths and input functions.

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
    files_of_makers,
    in_order,
    structure_picture_columns,
)
from polyfacet.facets.stages import files_of_facet
from polyfacet.materials.column_objectives import (
    column_objectives,
    derived_names,
    objectives_of_crystals,
)
from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES
from polyfacet.runtime.code_digest import code_digest
from polyfacet.runtime.environment_path import environment_fault
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.file_state import state_of_files
from polyfacet.runtime.names import one_of
from polyfacet.runtime.packages import package_versions
from polyfacet.runtime.plugins import use_plugins
from polyfacet.sources.planning import check_formats, estimated_materials
from polyfacet.sources.tables.description import (
    objectives_of,
    read_of_table,
    table_source,
)
from polyfacet.training.columns_of_splits import columns_from_file
from polyfacet.training.complete_methods import (
    every_settings,
    methods_of_repeat,
    objectives_of_split,
    settings_of_objective,
)
from polyfacet.training.feasibility import check_feasible
from polyfacet.training.method_settings import known_settings
from polyfacet.training.methods import places_without_cells, planned_methods
from polyfacet.training.sources import forms_of, needs_structure, splits_of_source

if place_fault := environment_fault(sys.executable):
    raise WorkflowError(place_fault)

try:
    is_module = workflow.modifier.namespace is not None
    is_ours = not is_module or (
        bool(workflow.configfiles)
        and holds_only(workflow.configfiles, Configuration.model_fields)
    )
    if is_ours:
        check_source_text(workflow.configfiles, sys.argv)
    config = complete_config(with_nulls(config, workflow.config_settings.config))
    use_plugins(config["plugins"])
    # Again, now that the declared settings of engines are known.
    if is_ours:
        check_source_text(workflow.configfiles, known=known_settings(config))
    OBJECTIVES = {
        table: {
            each.column: each for each in objectives_of(table_source(table, section))
        }
        for table, section in config["tables"].items()
    }
    # Methods by source and name.
    METHODS, SKIPPED = planned_methods(config)
    check_feasible(config, METHODS)
    check_formats(config["sources"])
except (UserError, ValueError) as error:
    raise WorkflowError(str(error))

if workflow.is_main_process:
    for source, reasons in SKIPPED.items():
        for name, reason in reasons.items():
            print(
                f"The method {name} is skipped on {source}: {reason}.", file=sys.stderr
            )
    for place in places_without_cells(config, METHODS):
        print(f"No method is trained on {place}.", file=sys.stderr)

# Form of each facet where a combination does not name one.
FORMS = forms_of(config)

RUN = f"results/{config['run_name']}"
# For parameters: a workflow that uses this one as a module may give a prefix to all outputs.
PREFIXED_RUN = str(workflow.modifier.path_modifier.modify(RUN))
LOGS = f"logs/{config['run_name']}"
BENCHMARKS = f"{RUN}/benchmarks"
SOURCE = f"{RUN}/{{source}}"
SPLIT = f"{SOURCE}/{{split}}-{{repeat}}"
CRYSTAL_SPLIT = f"{RUN}/{CRYSTALS}/{{split}}-{{repeat}}"
SAMPLE = f"{SOURCE}/sample/sample.parquet"

if config["sources"]:
    OBJECTIVES[CRYSTALS] = objectives_of_crystals(config["objectives"])
SOURCES = list(OBJECTIVES)
HAS_CRYSTALS = CRYSTALS in SOURCES
SPLITS = config["splits"]


def facets_of_methods(source, methods=None):
    """Return the facets that the methods of a source use, in the order of the registry."""
    return in_order(
        facet
        for name, method in METHODS[source].items()
        if methods is None or name in methods
        for combination in method["combinations"]
        for facet in facets_of(combination)
    )


# Only these are computed.
FACETS_OF = {source: facets_of_methods(source) for source in SOURCES}


def hidden_facets(wildcards):
    """Return the facets of a job's source that are hidden at random, as fields of `HiddenFacets`; None for none."""
    missing = config["training"]["missing"]
    if not missing["share"]:
        return None
    source = getattr(wildcards, "source", CRYSTALS)
    own = list({facet.base: None for facet in FACETS_OF[source]})
    facets = [facet for facet in own if facet in (missing["facets"] or own)]
    return {
        "share": missing["share"],
        "parts": missing["parts"],
        "facets": facets,
        "seed": config["seed"] if missing["seed"] is None else missing["seed"],
        "keeps_one": facets == own,
    }


# For larger samples, shards grow instead: planning time is proportional to their number (docs/scaling.md).
MAX_DERIVED_SHARDS = 500
# Rows to expect in a table, for resource requests: more than the tables of this field have.
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
    """Return the path of a rule's script, relative to the folder of the rules."""
    return f"../workflow/scripts/{name}.py"


@cache
def code_of_rule(name, *more):
    """Return a digest of a rule's script, the modules it imports and their assets; changes rerun the rule.

    `more` are files that it uses without importing them by name: plug-ins, and modules chosen by a setting.
    """
    return code_digest(WORKFLOW / "scripts" / f"{name}.py", *more)


@cache
def packages_of_rule(name, *more):
    """Return the packages that this code depends on, with versions; changes rerun the rule.

    If rules have their own environments, Snakemake itself tracks the environment files, and this is None.
    """
    if workflow.deployment_settings.deployment_method:
        return None
    return package_versions(WORKFLOW / "scripts" / f"{name}.py", *more)


@cache
def n_entries():
    """Estimate the number of materials in the sources."""
    return estimated_materials(config["sources"], PUBLISHED)


def n_materials(source=CRYSTALS):
    """Return the expected number of materials; an estimate if `n_materials` is `all`."""
    if source != CRYSTALS:
        return TABLE_ROWS
    chosen = config["n_materials"]
    return n_entries() if chosen == "all" else chosen


@cache
def n_shards(source=CRYSTALS):
    """Return the number of shards of per-material stages; results do not depend on it."""
    if source != CRYSTALS:
        return 1
    by_size = math.ceil(n_materials() / config["shard_size"])
    return config["shards"] or min(max(1, by_size), MAX_DERIVED_SHARDS)


def materials_per_shard(source=CRYSTALS):
    """Return the expected number of materials per shard, for resource requests."""
    return math.ceil(n_materials(source) / n_shards(source))


def materials_of(wildcards):
    """Return the number of materials of a job on an entire source."""
    return n_materials(wildcards.source)


def materials_of_shard(wildcards):
    """Return the number of materials of a job on one shard of a source."""
    return materials_per_shard(wildcards.source)


def shards_of(wildcards):
    """Return the number of shards of a job's source."""
    return n_shards(wildcards.source)


def max_rejected_fraction(wildcards, threads):
    """Return the share of rejects above which a stage stops. It does not affect results, so changing it must not
    rerun finished stages: Snakemake does not compare parameters that depend on `threads`.
    """
    return config["max_rejected_fraction"]


def all_shards(pattern):
    """Return the files of all shards of a stage of the crystals."""
    return expand(pattern, shard=range(n_shards()), allow_missing=True)


def all_shards_of_source(pattern):
    """Return an input function for the files of all shards of a stage of a job's source."""
    return lambda wildcards: expand(
        pattern, shard=range(n_shards(wildcards.source)), **wildcards
    )


def of_user(path):
    """Mark a file as the user's, where it is: no prefix that a module gives to its results belongs before it."""
    return local(path) if path else []


def kept_folder(folder):
    """Return the folder that keeps the contents of a results folder for later runs."""
    # A workflow that uses this one as a module may prefix all paths of results.
    prefix, _, stage = str(folder).partition(f"{RUN}/")
    return f"{prefix}{RUN}/kept/{stage}"


def kept_record(wildcards, output):
    """Return the folder that keeps a shard's results for later runs; as an output, Snakemake would delete it."""
    source = getattr(wildcards, "source", CRYSTALS)
    shard = f"shard-{wildcards.shard}-of-{n_shards(source)}"
    return f"{kept_folder(Path(output[0]).parent)}/{shard}"


def splits_of_run(pattern, sources=None, **wildcards):
    """Return the files of all repeats of all splits of the sources."""
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
