# What every stage shares: the checked configuration, wildcards, paths, and the digest of a rule's code.

from polyfacet.code_digest import code_digest
from polyfacet.config import complete_config
from polyfacet.errors import UserError
from polyfacet.facets import facets_of, grid

try:
    config = complete_config(config)
    COMBINATIONS = grid(config["combinations"])
except (UserError, ValueError) as error:
    raise WorkflowError(str(error))

RUN = f"results/{config['run_name']}"
LOGS = f"logs/{config['run_name']}"
BENCHMARKS = f"{RUN}/benchmarks"
SPLIT = f"{RUN}/split-{{repeat}}"

TARGETS = config["targets"]
REPEATS = range(config["split"]["repeats"])
SHARDS = range(config["shards"])


wildcard_constraints:
    shard=r"\d+",
    repeat=r"\d+",
    combination=r"[a-z]+(\+[a-z]+)*",
    baseline="mean|median",
    target="|".join(TARGETS),


def script_path(name):
    """Path of a rule's script, seen from the folder of the rules."""
    return f"../workflow/scripts/{name}.py"


def code_of_rule(name):
    """Digest of a rule's script and the modules it imports: a change there reruns the rule, and only it."""
    return code_digest(WORKFLOW / "scripts" / f"{name}.py")


def all_shards(pattern):
    """The files of all shards of a stage."""
    return expand(pattern, shard=SHARDS)
