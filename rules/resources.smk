# The amount of work of each job, and whether it may use a GPU; memory and time requests follow from these.

from polyfacet.runtime.gpus import has_gpu
from polyfacet.runtime.resources import epochs_of, requests
from polyfacet.training.engines.registry import ENGINES

# On this machine, jobs that gain by a GPU share it one after the other, unless `--resources gpu=N` says otherwise.
DRAWS_ON_GPU = workflow.is_main_process and workflow.local_exec and has_gpu()
if DRAWS_ON_GPU and workflow.global_resources.get("gpu").value is None:
    workflow.register_resource("gpu", 1)
# Elsewhere, GPUs are requested if `resources` of the profile state how many the run may use at a time.
HAS_GPUS = bool(workflow.global_resources.get("gpu").value)
# If a cell is estimated to train longer than this, the start of its process is negligible.
MAX_MINUTES_IN_BATCH = 5
# Cores to assume for commands that run no jobs (--unlock, --summary, --report), if none are given.
USUAL_CORES = 8


def cores_of_run():
    """Return the cores that the run may use; `workflow.cores` fails for every command without `--cores`."""
    return workflow.global_resources.get("_cores").value or USUAL_CORES


def pretraining_per_shard():
    """Return the number of pretraining materials per shard."""
    return math.ceil(config["graphs"]["pretrain"] / n_shards())


def fitted_materials():
    """Return the maximum number of materials that the embedding network is fitted on."""
    return n_materials() + config["graphs"]["pretrain"]


def gpus_of_network(wildcards):
    """Request one GPU for the embedding network, unless it is configured to use the CPU."""
    return 1 if HAS_GPUS and config["graphs"]["device"] != "cpu" else None


def gpus_of_training(wildcards):
    """Request one GPU per process that trains the embedding network."""
    training = config["graphs"]["training"]
    asked = training["processes"] * training["nodes"]
    return gpus_of_network(wildcards) and (asked if TRAINED_EMBEDDING else 1)


def nodes_of_training():
    """Request several nodes of a SLURM cluster, on each of which the job starts PyTorch's launcher."""
    nodes = config["graphs"]["training"]["nodes"] if TRAINED_EMBEDDING else 1
    # With `mpi`, Snakemake leaves the start of processes on the nodes to the job.
    return {"nodes": nodes, "tasks": nodes, "mpi": "srun"} if nodes > 1 else {}


def gpus_of_drawing(webgl):
    """Request this machine's GPU if the browser may draw on it; a cluster draws without."""
    return 1 if HAS_GPUS and DRAWS_ON_GPU and webgl != "swiftshader" else None


def gpus_of_pictures(wildcards):
    """Request a GPU for the pictures of the run's structures."""
    return gpus_of_drawing(config["images"]["webgl"])


def shards_drawn_at_once():
    """Return the number of shards whose pictures are drawn at the same time, if there are cores for all."""
    return n_shards() if gpus_of_pictures(None) is None else 1


def engine_of(wildcards):
    """Return the declaration of the engine of a job's method."""
    return ENGINES.get(METHODS[wildcards.source][wildcards.method]["engine"])


def cost_of_training(wildcards):
    """Return the cost of training a cell, by its engine and the source of its encoders."""
    engine = engine_of(wildcards)
    from_hub = config["encoders"]["source"] == "hub"
    return engine.cost_from_hub or engine.cost if from_hub else engine.cost


def training_steps(wildcards):
    """Return materials times epochs of a cell; of the longest one, if a job trains several."""
    method = METHODS[wildcards.source][wildcards.method]
    objective = getattr(wildcards, "objective", None)
    every = (
        [settings_of_objective(method, objective)]
        if objective
        else every_settings(method)
    )
    return n_materials(wildcards.source) * max(
        epochs_of_cell(wildcards, each) for each in every
    )


def epochs_of_cell(wildcards, settings):
    """Return the epochs of a cell; one if those in its settings are the epochs of the method's foundation."""
    return 1 if engine_of(wildcards).foundation_cost else epochs_of(settings)


def cost_of_foundation(wildcards):
    """Return the cost of the foundation of a job's method."""
    return engine_of(wildcards).foundation_cost or cost_of_training(wildcards)


def foundation_steps(wildcards):
    """Return materials times epochs of the foundation of a job's method."""
    settings = METHODS[wildcards.source][wildcards.method]["settings"]
    epochs = epochs_of(settings) + engine_of(wildcards).further_epochs(settings)
    return n_materials(wildcards.source) * epochs


def training_steps_of_batch(wildcards):
    """Return materials times epochs, summed over the cells of a combination."""
    method = METHODS[wildcards.source][wildcards.method]
    every = [settings_of_objective(method, each) for each in method["objectives"]]
    return n_materials(wildcards.source) * sum(
        epochs_of_cell(wildcards, each) for each in every
    )


def minutes_of_training(wildcards):
    """Estimate the training time of a cell in minutes, without the start of its process."""
    per_step = cost_of_training(wildcards).minutes_per_1000 / 1000
    return training_steps(wildcards) * per_step
