"""Declaration of an engine, available without importing the engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

from polyfacet.facets.registry import Facet
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.names import check_name
from polyfacet.runtime.optional_packages import OptionalPackage
from polyfacet.runtime.places import imported
from polyfacet.runtime.plugins import Declaration
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.base import Engine, Settings

Member = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class EngineDeclaration(Declaration):
    """An engine: its name, capabilities, cost and location.

    Attributes
    ----------
    name
        Name in configurations.
    settings
        Its settings.
    engine
        The class, or ``module:class`` where its libraries take long to import.
    looks_at
        Whether it can use a facet; always false for a baseline.
    cost
        Resources that a job needs.
    cost_from_hub
        The same if the encoders come from the hub; None uses ``cost``.
    is_baseline
        Whether it uses no facets.
    classes
        Whether it predicts classes, too.
    probabilities
        Whether it is a `ProbabilisticEngine`.
    encoders
        Whether it starts from encoders of texts and pictures.
    reads_encoding
        Whether it reads a text or a picture as numbers, from its frozen encoding, with given settings.
    foundation
        Whether its cells share what `Engine.pretrain` creates once per split.
    foundation_learns
        Whether the foundation learns from the objectives of the training part.
    foundation_cost
        Resources that the job of the foundation needs; None uses those of a cell.  If given, ``max_epochs``
        are those of the foundation, and a cell counts as one epoch.
    head_settings
        Settings that change no foundation: methods that differ in these alone share it.
    missing
        Whether it learns from rows that lack facets of a cell, and predicts them.
    further_epochs
        What settings ask of the foundation besides ``max_epochs``, in epochs of that length.
    cheap
        Whether a cell takes less time than starting a process, so that one job trains many.
    blends
        Whether its cells are made of finished cells of other methods of the run, which its settings name
        (``members``, as in `polyfacet.training.engines.blend.settings`), instead of being trained.
    gains_by_gpu
        Whether a cell on given facets gains by a GPU, with encoders from the hub or local ones.
    needs_statistics
        Whether settings ask for the statistics of the compositions.
    represents
        Whether settings ask for a foundation that represents facets so that materials can be compared by
        them (`Engine.represent`).
    explains
        Facets whose predictions can be explained with these settings, because the network reads their
        original form: names without forms.
    explained_by
        ``module:function`` that returns what explains a foundation
        (`polyfacet.training.engines.explaining.Explained`); empty for none.  Its arguments are those of
        `polyfacet.training.engines.joint.explanation.explained.explained`.
    needs_graphs
        Whether settings ask for the crystal graphs that the vector of the facet ``graph`` is made from.
    members
        The engines, with their settings, that its settings name.
    members_on
        Those of them that see a facet; None if all see all.
    fault_of_member
        Why an engine cannot be such a member, after "the engine ..."; empty if it can.
    package
        Package that it needs, which the locked environment does not have; None for none.
    files
        Files outside the run that its settings name; methods are trained again when they change.
    why_skipped
        Why a method with these settings is skipped, after "the method is skipped: "; empty if it is trained.
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
    reads_encoding: Callable[[Facet, Mapping[str, Any]], bool] = lambda facet, settings: False
    foundation: bool = False
    foundation_learns: bool = False
    foundation_cost: Cost | None = None
    further_epochs: Callable[[Mapping[str, Any]], float] = lambda settings: 0.0
    head_settings: frozenset[str] = frozenset()
    missing: bool = False
    cheap: bool = False
    blends: bool = False
    gains_by_gpu: Callable[[Sequence[Facet], bool], bool] = lambda facets, from_hub: False
    needs_statistics: Callable[[Mapping[str, Any]], bool] = lambda settings: False
    represents: Callable[[Mapping[str, Any]], bool] = lambda settings: False
    explains: Callable[[Mapping[str, Any]], Sequence[str]] = lambda settings: ()
    explained_by: str = ""
    needs_graphs: Callable[[Mapping[str, Any]], bool] = lambda settings: False
    members: Callable[[Mapping[str, Any]], Sequence[Member]] = lambda settings: ()
    members_on: Callable[[Facet, Mapping[str, Any]], Sequence[Member]] | None = None
    fault_of_member: Callable[["EngineDeclaration"], str] = lambda member: ""
    package: OptionalPackage | None = None
    files: Callable[[Mapping[str, Any]], Sequence[str]] = lambda settings: ()
    why_skipped: Callable[[Mapping[str, Any]], str] = lambda settings: ""

    def __post_init__(self) -> None:
        """Reject a name that is invalid in configurations, and contradictions."""
        check_name("an engine", self.name)
        if not (isinstance(self.settings, type) and issubclass(self.settings, Settings)):
            raise ValueError(
                f"settings of the engine {self.name!r} must be a subclass of Settings, which rejects "
                "unknown keys"
            )
        if self.probabilities and not self.classes:
            raise ValueError(f"the engine {self.name!r} has probabilities: also declare classes=True")
        if (self.foundation_learns or self.foundation_cost or self.head_settings) and not self.foundation:
            raise ValueError(
                f"the engine {self.name!r} says how its foundation is made: also declare foundation=True"
            )
        if self.explained_by and not self.foundation:
            raise ValueError(
                f"the engine {self.name!r} says what explains its foundation: also declare foundation=True"
            )
        if self.missing and (self.is_baseline or self.blends):
            raise ValueError(
                f"the engine {self.name!r} declares `missing`, but a baseline or a blend has no facets that "
                "rows could lack"
            )

    def load(self) -> type[Engine]:
        """Import the class.

        Raises
        ------
        UserError
            If a package that it needs is not installed.
        """
        if self.package and (fault := self.package.fault()):
            raise UserError(f"the engine {self.name!r}: {fault}")
        if not isinstance(self.engine, str):
            return self.engine
        found: type[Engine] = imported(self.engine)
        return found

    @property
    def file(self) -> Path | None:
        """File of the class; None if the declaration holds the class itself."""
        if not isinstance(self.engine, str):
            return None
        spec = util.find_spec(self.engine.split(":")[0])
        return Path(spec.origin) if spec and spec.origin else None
