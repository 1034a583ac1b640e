# How much work the jobs of a run have, and whether they may have GPUs: what their memory and time follow from.

from polyfacet.runtime.resources import USUAL_EPOCHS, requests
from polyfacet.training.engines.registry import ENGINES

# GPUs are asked for where `resources` of a profile or command say how many the run may hold at a time.
HAS_GPUS = bool(workflow.global_resources.get("gpu").value)
# Beside a cell that trains for longer, by the estimate, the start of a process is next to nothing.
MAX_MINUTES_IN_BATCH = 5
# Cores to plan with where a command that runs no job (--unlock, --summary, --report) is given none.
USUAL_CORES = 8


def cores_of_run():
    """Cores that the run may hold; `workflow.cores` would stop every command that is not given `--cores`."""
    return workflow.global_resources.get("_cores").value or USUAL_CORES


def pretraining_per_shard():
    """How many materials outside the sample a shard has."""
    return math.ceil(config["graphs"]["pretrain"] / n_shards())


def fitted_materials():
    """How many materials the network of the embedding is fitted on, at most."""
    return n_materials() + config["graphs"]["pretrain"]


def gpus_of_network(wildcards):
    """One GPU for the network of the embedding, unless it is to do without."""
    return 1 if HAS_GPUS and config["graphs"]["device"] != "cpu" else None


def engine_of(wildcards):
    """The declaration of the engine of a job's method."""
    return ENGINES.get(METHODS[wildcards.source][wildcards.method]["engine"])


def cost_of_training(wildcards):
    """What the training of a cell costs depends on the engine, and on where its encoders come from."""
    engine = engine_of(wildcards)
    from_hub = config["encoders"]["source"] == "hub"
    return engine.cost_from_hub or engine.cost if from_hub else engine.cost


def training_steps(wildcards):
    """Materials that a job goes through: once without epochs, as often as usual if the engine decides."""
    settings = METHODS[wildcards.source][wildcards.method]["settings"]
    epochs = settings.get("max_epochs", 1) or USUAL_EPOCHS
    return n_materials(wildcards.source) * epochs


def training_steps_of_batch(wildcards):
    """Materials that the cells of a combination go through, one after the other."""
    return training_steps(wildcards) * len(OBJECTIVES[wildcards.source])


def minutes_of_training(wildcards):
    """How long a cell trains, by the estimate, without the start of its process."""
    per_step = cost_of_training(wildcards).minutes_per_1000 / 1000
    return training_steps(wildcards) * per_step
