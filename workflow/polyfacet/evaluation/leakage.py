"""What facets know of objectives beforehand: what they show, and what their encoders have learned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
from pydantic import BaseModel

from polyfacet.config.run import CRYSTALS
from polyfacet.facets.declaration import UNTRAINED, Facet, PretrainedNetwork
from polyfacet.facets.registry import COMPIMAGE, GRAPH
from polyfacet.materials.crystal_objectives import E_TOTAL, GAP, MAG_VOL, PREDEFINED, VOL_ATOM
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

# Objectives that the composition image contains for pure elements, calculated like the objectives themselves:
# the blocks gs_bandgap, gs_energy, gs_mag_moment and gs_volume_per (`polyfacet.facets.compimage.properties`).
SHOWN_OF_ELEMENTS = (GAP, E_TOTAL, MAG_VOL, VOL_ATOM)
TRAINING_PART, OUTSIDE = "training part", "materials outside the sample"
# What networks from elsewhere were trained on: whether a test material is among it is not known.
ELSEWHERE = "another database, perhaps with these materials"
# Declarations of networks name predefined objectives; an own one may be an energy under another name.
NOT_JUDGED = (
    "whether the network was pretrained on this objective is not judged, as it is not a predefined one: "
    "compare it with what the network was pretrained on"
)
_PREDEFINED = frozenset(each.name for each in PREDEFINED)
AUDIT = pa.schema(
    [
        *(field for field in IDENTITY if field.name in ("source", "objective")),
        column("facet", pa.string(), "facet, in the form that the run uses"),
        column("follows", pa.bool_(), "whether the objective can be computed from what the facet shows"),
        column(
            "pretrained",
            pa.string(),
            "materials whose values of this objective the facet's encoder was trained on; empty for none",
        ),
        column("note", pa.string(), "what else the facet or its encoders know; empty for nothing"),
    ]
)


@dataclass(frozen=True)
class Knowledge:
    """What the encoders of a facet have seen before a cell is trained.

    Attributes
    ----------
    learned
        Materials that an encoder was trained on, to the objectives that it learned from them.
    notes
        Other facts about the encoders.
    """

    learned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __or__(self, other: "Knowledge") -> "Knowledge":
        """Return what both know together."""
        names = {**self.learned, **other.learned}
        learned = {
            name: self.learned.get(name, frozenset()) | other.learned.get(name, frozenset()) for name in names
        }
        return Knowledge(learned, tuple(dict.fromkeys((*self.notes, *other.notes))))


class _Training(BaseModel):
    # Of the objectives that it learned; a class is ``phase=glass``.
    validation_errors: dict[str, Any]

    @property
    def objectives(self) -> frozenset[str]:
        return frozenset(name.partition("=")[0] for name in self.validation_errors)


class _Outside(BaseModel):
    # Method of the split, and the materials left out of the pretraining for it; None if nobody knows which.
    method: str
    n_left_out: int | None


class Trainings(BaseModel):
    """What the record of an encoder says of its trainings: of the network of the graph, or of an encoding."""

    # The network names neither facet nor label.
    facet: str = GRAPH.name
    label: str = ""
    # Only of the network: whether it is trained.
    kind: str = ""
    training: _Training | None = None
    pretraining: _Training | None = None
    outside: _Outside | None = None

    @property
    def is_control(self) -> bool:
        """Whether the network or the encoder is untrained, so that its numbers are only a control."""
        is_untrained_network = bool(self.kind) and not (self.training or self.pretraining)
        return is_untrained_network or self.label == UNTRAINED

    @property
    def knowledge(self) -> Knowledge:
        """What the encoder has seen."""
        given = {TRAINING_PART: self.training, OUTSIDE: self.pretraining}
        learned = {materials: each.objectives for materials, each in given.items() if each}
        notes = [f"encoding: {self.label}"] if self.label else []
        if self.kind and self.is_control:
            notes.append("control: untrained network")
        for materials, own in learned.items():
            notes.append(f"trained on the {materials}: {', '.join(sorted(own))}")
        if self.pretraining and self.outside and self.outside.n_left_out is None:
            notes.append(f"{OUTSIDE} may be of the kind that the split `{self.outside.method}` holds out")
        return Knowledge(learned, tuple(notes))


def from_elsewhere(encoder: str) -> Knowledge:
    """Return what is known of an encoder that comes from the hub or from a user."""
    return Knowledge(notes=(f"starts from {encoder}: what that has seen is not known",))


def of_pretrained(network: PretrainedNetwork) -> Knowledge:
    """Return what is known of a network from elsewhere whose numbers are a facet."""
    return Knowledge({ELSEWHERE: network.learned}, (network.identity,))


def fitted_on_all_rows() -> Knowledge:
    """Return what is known of composition images whose grey levels are fitted on all rows."""
    return Knowledge(notes=("grey levels are fitted on the test part, too (`composition.fit: all`)",))


def audit(
    source: str,
    objectives: Iterable[Objective],
    facets: Sequence[Facet],
    forms: Mapping[str, str],
    knowledge: Mapping[str, Knowledge],
) -> pd.DataFrame:
    """Collect what each facet knows of each objective.

    Parameters
    ----------
    source
        Source of the materials.
    objectives, facets
        Its objectives and facets.
    forms
        Facet to the form of it that is used where its name has none.
    knowledge
        Facet to what its encoders have seen.

    Returns
    -------
    pandas.DataFrame
        Rows of ``AUDIT``.
    """
    rows = []
    for objective in objectives:
        for facet in facets:
            shown = facet.shown_as(facet.form or forms.get(facet.base, ""))
            own = knowledge.get(facet.name, Knowledge())
            if facet.network:
                own |= of_pretrained(facet.network)
                if objective.column not in _PREDEFINED:
                    own |= Knowledge(notes=(NOT_JUDGED,))
            seen = [materials for materials, names in own.learned.items() if objective.column in names]
            row = {
                "source": source,
                "objective": objective.column,
                "facet": facet.name,
                "follows": objective.is_revealed_by(shown),
                "pretrained": ", ".join(seen),
                "note": "; ".join([*_shown_of_elements(source, objective, facet), *own.notes]),
            }
            rows.append(row)
    return pd.DataFrame(rows, columns=AUDIT.names)


def _shown_of_elements(source: str, objective: Objective, facet: Facet) -> list[str]:
    if source != CRYSTALS or facet != COMPIMAGE:
        return []
    if objective.column not in [each.name for each in SHOWN_OF_ELEMENTS]:
        return []
    return [
        "contains the DFT value of each pure element, close to the objective for materials of one element"
    ]
