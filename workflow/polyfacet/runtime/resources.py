"""Memory, time and GPUs that jobs request from a cluster, computed from measured costs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# Requests exceed the measurements by these factors: other machines, larger cells, slower file systems.
MEMORY_MARGIN = 1.5
TIME_MARGIN = 4
# Assumed number of epochs if the configuration leaves it to the engine.
USUAL_EPOCHS = 30

ResourceFunction = Callable[..., int | None]


@dataclass(frozen=True)
class Cost:
    """Needs of a stage on one core: fixed, per material and per thread.

    Attributes
    ----------
    mb, minutes
        Fixed memory and time: the interpreter, its libraries, a browser.
    mb_per_1000
        Additional memory per thousand materials.
    minutes_per_1000
        Additional time per thousand steps; a step is a material, an entry read, or a material in an epoch.
    mb_per_thread
        Additional memory per thread beyond the first, for stages that start one process per thread.
    """

    mb: float
    minutes: float = 2.5
    mb_per_1000: float = 0
    minutes_per_1000: float = 0
    mb_per_thread: float = 0


def epochs_of(settings: Mapping[str, Any]) -> float:
    """Return the epochs in the settings of an engine, of all ``trials`` if there is a ``search``.

    1 if they have none, `USUAL_EPOCHS` if the engine chooses or ``max_epochs`` means something else there.
    """
    search = settings.get("search")
    trials = search.get("trials", 1) if isinstance(search, Mapping) else 1
    epochs = settings.get("max_epochs", 1)
    return (epochs if _is_count(epochs) else USUAL_EPOCHS) * (trials if _is_count(trials) else 1)


def _is_count(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


# Measured with real entries of Alexandria at two or three sizes: see docs/slurm.md.
# Engines declare their own.
COSTS: Mapping[str, Cost] = {
    # Stages that read tables and write a table, a figure or a few numbers.
    "small": Cost(mb=250, mb_per_1000=1, minutes_per_1000=0.05),
    "sample": Cost(mb=140, mb_per_1000=0.3, minutes_per_1000=0.004, mb_per_thread=100),
    "find_twins": Cost(mb=200, mb_per_1000=10, minutes_per_1000=0.15),
    "write_structures": Cost(mb=180, mb_per_1000=5, minutes_per_1000=0.08),
    # Threads beyond the first are workers, one of them a second browser.
    "render_images": Cost(mb=1_850, minutes_per_1000=3, mb_per_thread=1_000),
    "build_graphs": Cost(mb=800, minutes_per_1000=0.2),
    # The materials are streamed.  Threads beyond the first are processes with a network of their own.
    "fit_network": Cost(mb=1_050, mb_per_1000=1, minutes_per_1000=0.22, mb_per_thread=1_000),
    "embed_graphs": Cost(mb=850, mb_per_1000=25, minutes_per_1000=0.2),
    "encode_facet": Cost(mb=700, mb_per_1000=10, minutes_per_1000=0.1),
    "train_encoder": Cost(mb=1_000, mb_per_1000=15, minutes_per_1000=2),
    "describe_structures": Cost(mb=400, minutes_per_1000=20),
    # Facet of a plug-in: about one second per material is assumed.
    "make_facet": Cost(mb=1_000, minutes_per_1000=17),
    "xenonpy_statistics": Cost(mb=1_000, minutes_per_1000=20),
    "make_local_encoders": Cost(mb=850),
    "predict_materials": Cost(mb=1_800, mb_per_1000=100, minutes_per_1000=1, mb_per_thread=700),
    "predict_with_pictures": Cost(mb=3_000, mb_per_1000=100, minutes_per_1000=5, mb_per_thread=1_000),
    "bundle_cells": Cost(mb=500, mb_per_1000=10, minutes_per_1000=0.1),
}


def requests(
    stage: str | Callable[[Any], Cost],
    materials: int | Callable[[Any], int],
    *,
    steps: int | Callable[[Any], int] | None = None,
    gpus: Callable[[Any], int | None] | None = None,
) -> dict[str, ResourceFunction]:
    """Return the resources of a rule, as functions that Snakemake calls for each job and attempt.

    Parameters
    ----------
    stage
        Stage of `COSTS`, or a function of the wildcards that returns the cost of a job.
    materials
        Number of materials that one job holds, or a function of its wildcards.
    steps
        Number of steps, if it differs from `materials`: entries read, materials times epochs.
    gpus
        Function of the wildcards that returns the number of GPUs of a job; None for no GPU.

    Returns
    -------
    dict
        ``mem_mb`` in MB and ``runtime`` in minutes, both in proportion to the attempt, and ``gpu``.
    """

    def of_job(value: Any, wildcards: Any) -> Any:
        return value(wildcards) if callable(value) else value

    def cost_of(wildcards: Any) -> Cost:
        return stage(wildcards) if callable(stage) else COSTS[stage]

    def mem_mb(wildcards: Any, threads: int, attempt: int) -> int:
        cost = cost_of(wildcards)
        held = of_job(materials, wildcards)
        needed = cost.mb + cost.mb_per_1000 * held / 1000 + cost.mb_per_thread * (threads - 1)
        return math.ceil(MEMORY_MARGIN * needed * attempt)

    def runtime(wildcards: Any, attempt: int) -> int:
        cost = cost_of(wildcards)
        done = of_job(materials if steps is None else steps, wildcards)
        needed = cost.minutes + cost.minutes_per_1000 * done / 1000
        return math.ceil(TIME_MARGIN * needed * attempt)

    functions: dict[str, ResourceFunction] = {"mem_mb": mem_mb, "runtime": runtime}
    return functions | {"gpu": gpus} if gpus else functions
