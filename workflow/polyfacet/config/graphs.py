"""Lattice sums, local graph, and the network of the graph embedding."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from polyfacet.config.section import Name, Section, each_once

PauliDecay = Literal["paper", "coded"]
EmbeddingKind = Literal["random", "calibrated", "trained"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["float32", "float64", "bfloat16", "float16"]


class NetworkTraining(Section):
    """Training of a `trained` network, on several objectives at once."""

    objectives: Annotated[list[Name], Field(min_length=1), AfterValidator(each_once)] | None = Field(
        default=None,
        description="Objectives that the network learns, with numbers; `null` for the seven predefined ones, "
        "whatever the run predicts, and, if it predicts none of these, its own, but no classes.",
        examples=[["gap", "bulk_modulus"]],
    )
    epochs: int = Field(default=60, ge=1, description="Maximum number of passes over the training materials.")
    batch_size: int = Field(
        default=32, ge=2, description="Materials per step: at least this number, and less than twice it."
    )
    learning_rate: float = Field(
        default=1e-3,
        gt=0,
        description="Peak learning rate; warm-up over a tenth of the epochs, then cosine decay.",
    )
    weight_decay: float = Field(default=0.01, ge=0, description="Weight decay (AdamW).")
    patience: int = Field(
        default=20,
        ge=1,
        description="Training stops after this many epochs without a lower validation error.",
    )
    validation_fraction: float = Field(
        default=0.1,
        gt=0,
        le=0.5,
        description="Share of the training part, split by formula, that is held out to choose the epoch.",
    )
    accumulation: int = Field(
        default=1,
        ge=1,
        description="Parts into which a process divides its materials of a step; their gradients are "
        "summed, so that memory is that of one part. Batch normalisation sees one part at a time.",
    )
    precision: Precision = Field(
        default="float32",
        description="`bfloat16` and `float16`: mixed precision on a GPU, `float32` on a CPU. `float64`: "
        "double precision, for checks.",
    )
    processes: int = Field(
        default=1,
        ge=1,
        description="Processes that train together on each node: cores, or GPUs. They divide the materials "
        "of each step.",
    )
    nodes: int = Field(
        default=1, ge=1, description="Nodes of a SLURM cluster that train together, each with `processes`."
    )

    @model_validator(mode="after")
    def _has_materials_for_all(self) -> Self:
        """Batch normalisation needs several materials in every part of a step."""
        n_parts = self.n_parts
        if n_parts > 1 and 2 * n_parts > self.batch_size:
            raise ValueError(
                f"batch_size {self.batch_size} is divided into {n_parts} parts (processes x nodes x "
                f"accumulation), and each needs two materials: raise it to {2 * n_parts} or more"
            )
        return self

    @property
    def n_parts(self) -> int:
        """Number of parts of a step."""
        return self.processes * self.nodes * self.accumulation


class NetworkSize(Section):
    """Sizes of the network that can be configured."""

    width: int = Field(
        default=128,
        ge=8,
        le=1024,
        description="Features per atom and per edge in the network; the published network has 256.",
    )
    layers: int = Field(default=3, ge=1, le=16, description="Number of layers of the network.")


class Graphs(NetworkSize):
    """Lattice sums, local graph and PotNet embedding."""

    pauli: PauliDecay = Field(
        default="coded",
        description="Decay of the Pauli term: `paper`, 3 per A; `coded`, 3/sqrt(V^(1/3)), as used for the "
        "published numbers.",
    )
    neighbours: int = Field(
        default=16,
        ge=1,
        le=64,
        description="Nearest neighbours per atom in the local graph; shells are kept complete.",
    )
    min_radius: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="Radius within which every neighbour is included, A; 0 includes only the nearest ones.",
    )
    across_vacuum: bool = Field(
        default=True,
        description="Whether atoms on different sides of vacuum (a gap of more than 6 A around a "
        "molecule, chain or layer) can be neighbours in the local graph, as in the published "
        "graphs.",
    )
    embedding: EmbeddingKind = Field(
        default="trained",
        description="Weights of the network: `random`, untrained; `calibrated`, untrained with BatchNorm"
        " statistics of the training part; `trained`, trained on the training part.",
    )
    pretrain: int = Field(
        default=0,
        ge=0,
        description="Number of entries outside the sample on which a `trained` network is pretrained; "
        "they share no formula with the sample. Those of groups or values that a split holds out are left "
        "out of its pretraining, as far as they are known.",
    )
    training: NetworkTraining = Field(
        default=NetworkTraining(), description="How a `trained` network is trained."
    )
    device: Device = Field(default="auto", description="`auto` uses a GPU if there is one.")
