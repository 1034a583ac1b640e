"""Settings of the joint engine."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from polyfacet.training.engines.base import Settings
from polyfacet.training.engines.joint.contrast.settings import Pretraining, pretraining_of

Fusion = Literal[
    "transformer",
    "bottleneck",
    "cross_attention",
    "gated_cross_attention",
    "concatenation",
    "mean",
    "gated",
    "gated_softmax",
    "gated_vector",
    "experts",
    "constant_experts",
]
Head = Literal["shared", "ridge", "extra_trees"]
Drawing = Literal["uniform", "independent", "progressive", "none"]
Pictures = Literal["network", "encoding"]
Graphs = Literal["network", "encoding"]
CompositionImages = Literal["numbers", "network"]
Columns = Literal["vector", "tokens"]
FiLM = Literal["none", "joint", "last"]
Precision = Literal["float32", "float64"]
# The network does not depend on these.
HEAD_SETTINGS = frozenset({"head", "hyperparameters"})


# An epoch of pretraining takes up to so many times as long as one of the rest: it represents several subsets.
EPOCHS_OF_PRETRAINING = 3


def further_epochs(settings: Mapping[str, Any]) -> float:
    """Return the length of pretraining, in epochs of the rest of the training."""
    pretraining = pretraining_of(settings)
    return EPOCHS_OF_PRETRAINING * pretraining.epochs if pretraining.is_asked_for else 0


def explained_facets(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the facets that the network reads in their original form, not as a frozen vector."""
    read = JointSettings(**settings)
    found = {"image": read.pictures, "compimage": "network", "graph": read.graphs}
    return tuple(name for name, way in found.items() if way == "network")


class JointSettings(Settings):
    """The network, its training, and the heads of its cells."""

    fusion: Fusion = Field(
        default="mean",
        description="How the facets become one representation; "
        "[engines](engines.md#fusions) explains each way.",
    )
    head: Head = Field(
        default="shared",
        description="What predicts a cell's objective: `shared`, the network's own output; `ridge` or "
        "`extra_trees`, a model fitted on the frozen representation of the cell's facets.",
    )
    hyperparameters: dict[str, Any] = Field(
        default={},
        description="Hyperparameters of the head `ridge` or `extra_trees`, under scikit-learn's names.",
    )
    width: int = Field(default=128, ge=8, multiple_of=8, description="Width of a token.")
    layers: int = Field(default=2, ge=1, description="Attention layers of the fusion, where it has any.")
    attention_heads: int = Field(default=4, ge=1, description="Heads of each attention layer.")
    vector_tokens: int = Field(
        default=1, ge=1, description="Tokens of a facet of numbers; cross-attention needs several."
    )
    pictures: Pictures = Field(
        default="network",
        description="Structure pictures are read by a small convolutional network that is trained along "
        "(`network`), or as their frozen encoding (`encoding`).",
    )
    graphs: Graphs = Field(
        default="encoding",
        description="Crystal graphs are read as the vector of the facet `graph` (`encoding`), or by a graph "
        "network that is trained along (`network`).",
    )
    compimages: CompositionImages = Field(
        default="numbers",
        description="Composition images are read as their grey values (`numbers`), or as pictures by a "
        "convolutional network like that of structure pictures (`network`).",
    )
    columns: Columns = Field(
        default="vector",
        description="Columns of a table are read as one vector (`vector`), or as one token each (`tokens`).",
    )
    graph_width: int = Field(
        default=128, ge=8, description="Features per atom and per edge in the graph network."
    )
    graph_layers: int = Field(default=3, ge=1, description="Layers of the graph network.")
    bottleneck_tokens: int = Field(
        default=4, ge=1, description="Tokens through which facets exchange information (`bottleneck`)."
    )
    experts: int = Field(default=2, ge=1, description="Experts of each facet (`experts`).")
    top_experts: int = Field(default=2, ge=1, description="Experts that a row is routed to.")
    balance: float = Field(
        default=0.01, ge=0, description="Weight of the loss that makes all experts equally busy."
    )
    gate_entropy: float = Field(
        default=0.0,
        ge=0,
        description="Weight of the entropy of the gates, which keeps several facets in use (`gated`, "
        "`gated_softmax`).",
    )
    film: FiLM = Field(
        default="none",
        description="Scale and shift of the representation for each subset of facets (FiLM): `joint`, "
        "trained with the rest; `last`, trained alone after the rest.",
    )
    subsets: Drawing = Field(
        default="uniform",
        description="Facets that a row shows in a training step: `uniform`, any non-empty subset of those "
        "it has; `independent`, each with a probability of 0.7; `progressive`, each with a probability "
        "that falls from 1 to 0.7 in the course of the training; `none`, all of them.",
    )
    pretraining: Pretraining = Field(
        default=Pretraining(),
        description="What towers and fusion learn before the objectives, also from rows without values.",
    )
    noise: float = Field(
        default=0.1,
        ge=0,
        description="Noise on numbers in training, in standard deviations of each number.",
    )
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout rate.")
    max_epochs: int = Field(
        default=200,
        ge=1,
        description="Number of epochs; the learning rate rises for a tenth of them, then falls to 0.",
    )
    batch_size: int = Field(default=256, ge=1, description="Rows per step.")
    learning_rate: float = Field(default=1e-3, gt=0, description="Highest learning rate (AdamW).")
    weight_decay: float = Field(default=0.05, ge=0, description="Weight decay of matrices.")
    accumulation: int = Field(
        default=1,
        ge=1,
        description="Parts into which a process divides its rows of a step; their gradients are summed, so "
        "that memory is that of one part.",
    )
    processes: int = Field(
        default=1,
        ge=1,
        description="Processes that train together, one per core. They divide the rows of each step.",
    )
    precision: Precision = Field(default="float32", description="`float64`: double precision, for checks.")
    held_out: float = Field(
        default=0.1,
        gt=0,
        le=0.5,
        description="Share of the training rows, whole groups, that choose the epoch instead.",
    )

    @property
    def is_pretrained(self) -> bool:
        """Whether anything is learned before the objectives."""
        return self.pretraining.is_asked_for

    @property
    def n_parts(self) -> int:
        """Number of parts of a step."""
        return self.processes * self.accumulation

    @model_validator(mode="after")
    def _has_rows_for_all(self) -> Self:
        if self.n_parts > self.batch_size:
            raise ValueError(
                f"batch_size {self.batch_size} is divided into {self.n_parts} parts (processes x "
                f"accumulation): raise it to {self.n_parts} or more"
            )
        return self

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.head == "shared" and self.hyperparameters:
            raise ValueError(
                "hyperparameters are of a head of its own, and `head: shared` has none: remove them"
            )
        if self.gate_entropy and self.fusion not in ("gated", "gated_softmax"):
            raise ValueError(f"gate_entropy is of gated fusions, not of {self.fusion}: remove it")
        if self.width % self.attention_heads:
            raise ValueError(
                f"width {self.width} cannot be divided among {self.attention_heads} attention_heads"
            )
        return self
