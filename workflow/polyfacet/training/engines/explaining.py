"""What an engine offers so that its predictions can be explained, and the explanations be checked."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from polyfacet.runtime.optional_packages import OptionalPackage

Array = NDArray[np.float64]
# Whether each unit of each material is hidden; an array per material, shape ``(units,)``.
Hidden = Sequence[NDArray[np.bool_]]
# What a prediction is divided among: properties of elements, regions of a picture, atoms.
Kind = Literal["properties", "regions", "atoms"]

CAPTUM = OptionalPackage("captum", "0.9.0")


@dataclass(frozen=True, eq=False)
class Attributions:
    """What the units of each material contribute to its predictions, on the network's scale.

    Attributes
    ----------
    units
        An array per material, shape ``(units, objectives)``.
    beside
        The same predictions divided otherwise: name of the division to names of its units, and to their
        contributions, shape ``(materials, units, objectives)``.
    """

    units: Sequence[Array]
    beside: Mapping[str, tuple[Sequence[str], Array]] = field(default_factory=dict)


class Explainer(ABC):
    """Explains what one network says of some materials by the units of one facet.

    Attributes
    ----------
    kind
        What the units are.
    is_complete
        Whether contributions add up to the difference that hiding all units makes.
    """

    kind: ClassVar[Kind]
    is_complete: ClassVar[bool] = False

    @property
    @abstractmethod
    def names(self) -> Sequence[Sequence[str]]:
        """Names of the units of each material."""

    @abstractmethod
    def attributions(self) -> Attributions:
        """Divide what the network says among the units."""

    @abstractmethod
    def outputs(self, hidden: Hidden) -> Array:
        """Return what the network says if some units are hidden, shape ``(materials, objectives)``."""


@dataclass(frozen=True, eq=False)
class Compared:
    """The explainers of a facet: of the trained network, and of the networks of the sanity checks.

    Attributes
    ----------
    rows
        Which of the test rows have the facet: their positions.
    own
        Of the network whose predictions are explained.
    untrained
        Of networks with random weights.
    permuted
        Of the network that was trained on permuted values; None if it could not be trained.
    """

    rows: NDArray[np.int64]
    own: Explainer
    untrained: Sequence[Explainer]
    permuted: Explainer | None


@dataclass(frozen=True, eq=False)
class Explained:
    """What is known of the predictions of a foundation for test rows.

    Attributes
    ----------
    objectives
        Columns of the objectives that the network has learned; the order of all outputs.
    units
        The unit of each output in that of its objective; 1 for classes, whose outputs are logits.
    errors, errors_of_constant
        Error of each prediction, and of a constant one: that of the training rows.  Shape ``(rows,
        objectives)``; NaN where the value is unknown.
    facets
        Facet to its explainers.
    """

    objectives: Sequence[str]
    units: Array
    errors: Array
    errors_of_constant: Array
    facets: Mapping[str, Compared]
