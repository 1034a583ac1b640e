"""What there is to know of an engine without importing it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, util
from pathlib import Path
from typing import Any

from polyfacet.facets.registry import Facet
from polyfacet.runtime.names import check_name
from polyfacet.runtime.plugins import Declaration
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.base import Engine, Settings

Member = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class EngineDeclaration(Declaration):
    """An engine: its name, what it can do, what it costs, and where it is.

    Attributes
    ----------
    name
        Name in configurations.
    settings
        Its settings.
    engine
        The class, or ``module:class`` where its libraries take long to import.
    looks_at
        Whether it can look at a facet; of a baseline, no facet.
    cost
        What a job needs.
    cost_from_hub
        The same where the encoders come from the hub; None takes ``cost``.
    is_baseline
        Whether it looks at no facet.
    classes
        Whether it predicts classes, too.
    probabilities
        Whether it is a `ProbabilisticEngine`.
    encoders
        Whether it starts from encoders of texts and pictures.
    foundation
        Whether its cells share what `Engine.pretrain` makes once for each split.
    cheap
        Whether a cell takes less time than the start of a process, so that one job trains many.
    gains_by_gpu
        Whether a cell on some facets does, with encoders from the hub or local ones.
    needs_statistics
        Whether settings ask for the statistics of the compositions.
    members
        The engines, with their settings, that settings of it name.
    """

    name: str
    settings: type[Settings]
    engine: type[Engine] | str
    looks_at: Callable[[Facet], bool]
    cost: Cost
    cost_from_hub: Cost | None = None
    is_baseline: bool = False
    classes: bool = False
    probabilities: bool = False
    encoders: bool = False
    foundation: bool = False
    cheap: bool = False
    gains_by_gpu: Callable[[Sequence[Facet], bool], bool] = lambda facets, from_hub: False
    needs_statistics: Callable[[Mapping[str, Any]], bool] = lambda settings: False
    members: Callable[[Mapping[str, Any]], Sequence[Member]] = lambda settings: ()

    def __post_init__(self) -> None:
        """Refuse a name that no configuration could ask for, and what contradicts itself."""
        check_name("an engine", self.name)
        if self.probabilities and not self.classes:
            raise ValueError(f"the engine {self.name!r} has probabilities: declare classes=True as well")

    def load(self) -> type[Engine]:
        """Import the class."""
        if not isinstance(self.engine, str):
            return self.engine
        module, name = self.engine.split(":")
        found: type[Engine] = getattr(import_module(module), name)
        return found

    @property
    def file(self) -> Path | None:
        """File of the class; None where the declaration holds the class itself."""
        if not isinstance(self.engine, str):
            return None
        spec = util.find_spec(self.engine.split(":")[0])
        return Path(spec.origin) if spec and spec.origin else None
