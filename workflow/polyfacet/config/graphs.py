"""Lattice sums, local graph and the network of the graph embedding."""

from typing import Literal

from pydantic import Field

from polyfacet.config.section import Section

PauliDecay = Literal["paper", "coded"]
EmbeddingKind = Literal["random", "calibrated", "trained"]
Device = Literal["auto", "cpu", "cuda"]


class NetworkTraining(Section):
    """Training of a `trained` network, on all objectives of crystals at once."""

    epochs: int = Field(default=60, ge=1, description="Maximum number of passes over the training materials.")
    batch_size: int = Field(
        default=32, ge=2, description="Materials per step, at least; less than twice as many."
    )
    learning_rate: float = Field(
        default=1e-3,
        gt=0,
        description="Peak learning rate; it rises over a tenth of the epochs and falls as a cosine.",
    )
    weight_decay: float = Field(default=0.01, ge=0, description="Weight decay (AdamW).")
    patience: int = Field(
        default=20, ge=1, description="Epochs without a lower validation error after which training stops."
    )
    validation_fraction: float = Field(
        default=0.1,
        gt=0,
        le=0.5,
        description="Share of the training part, by formula, that chooses the epoch instead of being "
        "trained on.",
    )


class NetworkSize(Section):
    """Sizes of the network that a user chooses."""

    width: int = Field(
        default=128,
        ge=8,
        le=1024,
        description="Features per atom and per edge in the network; the published network has 256.",
    )
    layers: int = Field(default=3, ge=1, le=16, description="Layers of the network.")


class Graphs(NetworkSize):
    """Lattice sums, local graph and PotNet embedding."""

    pauli: PauliDecay = Field(
        default="coded",
        description="Decay of the Pauli term: `paper` 3 per A; `coded` 3/sqrt(V^(1/3)), as the published "
        "numbers used.",
    )
    neighbours: int = Field(
        default=16,
        ge=1,
        le=64,
        description="Nearest neighbours per atom in the local graph; shells are kept whole.",
    )
    min_radius: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="Radius within which every neighbour is taken, A; 0 keeps to the nearest ones.",
    )
    across_vacuum: bool = Field(
        default=True,
        description="Whether atoms on different sides of vacuum (a gap of more than 6 A around a "
        "molecule, chain or layer) can be neighbours in the local graph, as in the published "
        "graphs.",
    )
    embedding: EmbeddingKind = Field(
        default="trained",
        description="Weights of the network: `random`: untrained; `calibrated`: untrained, with BatchNorm"
        " statistics of the training part; `trained`: trained on it.",
    )
    pretrain: int = Field(
        default=0,
        ge=0,
        description="Number of entries outside the sample that a `trained` network is trained on first; "
        "no formula of the sample is among them.",
    )
    training: NetworkTraining = Field(
        default=NetworkTraining(), description="How a `trained` network is trained."
    )
    device: Device = Field(default="auto", description="`auto` takes a GPU if there is one.")
