# What every stage shares: the checked configuration, wildcards, paths, input functions, and what a run says at its end.

import math
import sys
from dataclasses import asdict
from functools import cache

from polyfacet.runtime.code_digest import code_digest
from polyfacet.config.completion import complete_config
from polyfacet.training.engines.registry import (
    check_combinations,
    needs_encoders,
    needs_statistics,
)
from polyfacet.runtime.environment_path import environment_fault
from polyfacet.runtime.errors import UserError
from polyfacet.facets.registry import Facet, facets_of, grid
from polyfacet.training.feasibility import check_feasible
from polyfacet.runtime.packages import package_versions
from polyfacet.facets.image.drawn_by import drawn_by
from polyfacet.sources.alexandria.entry_files import estimated_entries
from polyfacet.materials.targets import Target

if place_fault := environment_fault(sys.executable):
    raise WorkflowError(place_fault)

try:
    config = complete_config(config)
    COMBINATIONS = grid(config["combinations"])
    check_combinations(config["engine"]["name"], COMBINATIONS)
    check_feasible(config)
except (UserError, ValueError) as error:
    raise WorkflowError(str(error))

RUN = f"results/{config['run_name']}"
LOGS = f"logs/{config['run_name']}"
BENCHMARKS = f"{RUN}/benchmarks"
SPLIT = f"{RUN}/split-{{repeat}}"

# Of a larger sample the shards grow instead: the time to plan a run goes with their number (docs/scaling.md).
MAX_DERIVED_SHARDS = 500
TARGETS = config["targets"]
REPEATS = range(config["split"]["repeats"])


wildcard_constraints:
    shard=r"\d+",
    repeat=r"\d+",
    combination=r"[a-z]+(\+[a-z]+)*",
    baseline="mean|median|majority",
    target="|".join(TARGETS),


def script_path(name):
    """Path of a rule's script, seen from the folder of the rules."""
    return f"../workflow/scripts/{name}.py"


def code_of_rule(name):
    """Digest of a rule's script, the modules it imports and their assets: a change there reruns the rule."""
    return code_digest(WORKFLOW / "scripts" / f"{name}.py")


def packages_of_rule(name):
    """The packages that this code depends on, and their versions: a change there reruns the rule, too.

    Snakemake runs in an environment of its own where rules have theirs, whose files it watches itself.
    """
    if workflow.deployment_settings.deployment_method:
        return None
    return package_versions(WORKFLOW / "scripts" / f"{name}.py")


@cache
def n_entries():
    """Entries to expect in the sources, an estimate."""
    return estimated_entries(
        source_files(config["sources"], PUBLISHED),
        published={str(DOWNLOADS / name) for name in PUBLISHED},
    )


def n_materials():
    """Materials to expect; for a sample of `all`, an estimate."""
    chosen = config["n_materials"]
    return n_entries() if chosen == "all" else chosen


@cache
def n_shards():
    """Number of shards in which the stages work that go material by material; no result depends on it."""
    by_size = math.ceil(n_materials() / config["shard_size"])
    return config["shards"] or min(max(1, by_size), MAX_DERIVED_SHARDS)


def materials_per_shard():
    """Materials to expect in a shard, for what its jobs ask for."""
    return math.ceil(n_materials() / n_shards())


def objective_of(wildcards):
    """What a cell predicts: the fields of its target's objective."""
    return asdict(Target(wildcards.target).objective)


def max_rejected_fraction(wildcards, threads):
    """Share of rejects at which a stage stops. It changes no result, so that a finished stage need not run again:
    Snakemake does not compare what depends on `threads`."""
    return config["max_rejected_fraction"]


def all_shards(pattern):
    """The files of all shards of a stage."""
    return expand(pattern, shard=range(n_shards()), allow_missing=True)


def kept_record(wildcards, output):
    """Folder that keeps the results of a shard for later runs; no output, which Snakemake would delete."""
    stage = Path(output[0]).parent.relative_to(RUN)
    return f"{RUN}/kept/{stage}/shard-{wildcards.shard}-of-{n_shards()}"


def what_draws(wildcards):
    """Browser build and WebGL back end, on which the bytes of a picture depend."""
    return _what_draws()


@cache
def _what_draws():
    return drawn_by(config["images"]["webgl"], config["images"]["browser"])


def report_files():
    """What the run is for: the targets of `rule all`."""
    if config["tables"]:
        return comparison_files()
    return [
        rules.write_report.output.report,
        *rules.tabulate_results.output,
        *rules.plot_results.output,
        rules.draw_contact_sheet.output.sheet,
        rules.draw_composition_legend.output.legend,
        *expand(rules.gather_dataset.output.metadata, repeat=REPEATS),
    ]


def closing_message():
    """Where the results are, said once at the end of a run (which may have been of a part only)."""
    results = comparison_results() if config["tables"] else crystal_results()
    made = [
        (name, path)
        for name, paths in results.items()
        for path in paths
        if Path(path).exists()
    ]
    return "\n".join(["", "Done.", *(f"  {name:9} {path}" for name, path in made)])


def crystal_results():
    """What a run on crystals has made, by name."""
    return {
        "report": [rules.write_report.output.report],
        "tables": [
            rules.tabulate_results.output.mae_md,
            rules.tabulate_results.output.mase_md,
        ],
        "heatmap": [rules.plot_results.output.heatmap],
        "bars": [rules.plot_results.output.bars],
        "pictures": [rules.draw_contact_sheet.output.sheet],
        "dataset": [
            f"{Path(metadata).parent}/"
            for metadata in expand(rules.gather_dataset.output.metadata, repeat=REPEATS)
        ],
    }


def failure_message(snakemake_log):
    """What to do after a failure."""
    return (
        f"\nThe run stopped. The reason stands above and in the log of the rule under {LOGS}/ "
        f"(Snakemake's own log: {snakemake_log}).\n"
        "What is finished is kept: fix the cause and run the same command again."
    )
