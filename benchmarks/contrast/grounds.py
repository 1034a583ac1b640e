"""The data that pretraining is tried on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.joint.materials import Study

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, COMPOSITION, GRAPH, MICROSTRUCTURE, PROCESS, TEXT
from polyfacet.materials.objectives import Objective


@dataclass(frozen=True)
class Ground:
    """A study, and what is compared on it.

    Attributes
    ----------
    title, description
        Heading and introduction of its section.
    study
        Configuration whose stages make the materials.
    n_labels
        Training rows that keep their labels, besides all of them.
    all_models_at
        Number at which all ways of contrast are compared; None for all rows.
    alone
        Facets that a network of their own learns from.
    shown
        Subset of the facets to the heading of its tables.
    is_probed
        Whether materials have structures, which representations of compositions are asked for.
    """

    title: str
    description: str
    study: Study
    n_labels: tuple[int, ...]
    all_models_at: int | None
    alone: tuple[Facet, ...]
    shown: Mapping[str, str] = field(default_factory=dict)
    is_probed: bool = True


GROUNDS = {
    "labels": Ground(
        title="Few labels",
        description="3,000 one-dimensional crystals of Alexandria (`config/studies/contrast.yaml`): facets "
        "`text`, `graph` and `compimage`, all seven objectives at once.",
        study=Study("contrast", (TEXT, GRAPH, COMPIMAGE), (TEXT,)),
        n_labels=(50, 100, 250, 1000),
        all_models_at=250,
        alone=(TEXT, COMPIMAGE),
        shown={"text+compimage": "the composition alone", "text+graph+compimage": "all facets"},
    ),
    "mp20": Ground(
        title="Structures that teach compositions",
        description="6,000 binary and ternary crystals of the Materials Project, nearly one per composition "
        "(`config/studies/contrast_mp20.yaml`): the same facets, three objectives.",
        study=Study(
            "contrast_mp20",
            (TEXT, GRAPH, COMPIMAGE),
            (TEXT,),
            objectives=(Objective("gap"), Objective("e_form"), Objective("e_hull")),
        ),
        n_labels=(250,),
        all_models_at=None,
        alone=(TEXT, COMPIMAGE),
        shown={"text+compimage": "the composition alone", "text+graph+compimage": "all facets"},
    ),
    "steel": Ground(
        title="Steels",
        description="360 steels of the NIMS fatigue data (`config/studies/contrast_steel.yaml`): "
        "composition, process and measured microstructure (inclusions) as three facets, four strengths.",
        study=Study(
            "contrast_steel",
            (COMPOSITION, PROCESS, MICROSTRUCTURE),
            objectives=tuple(map(Objective, ("fatigue", "tensile", "fracture", "hardness"))),
            source="steel",
        ),
        n_labels=(40,),
        all_models_at=None,
        alone=(COMPOSITION, PROCESS),
        shown={
            "composition+process": "without the microstructure",
            "composition+process+microstructure": "all facets",
        },
        is_probed=False,
    ),
}
