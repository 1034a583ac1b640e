"""Count the faults that tests try, and the materials that they lose."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from workflow_copy import Workflow


@dataclass
class Faults:
    """The faults that tests tried, and the materials that were checked after them.

    Attributes
    ----------
    tried
        Whether each fault was survived.
    looked_for, lost
        Rows of materials in the tables of an undisturbed run; those missing after a fault.
    """

    tried: dict[str, bool] = field(default_factory=dict)
    looked_for: int = 0
    lost: int = 0

    @contextmanager
    def trying(self, name: str) -> Iterator[None]:
        """Try a fault; it is survived if the context ends without an error."""
        self.tried[name] = False
        yield
        self.tried[name] = True

    def add(self, others: "Faults") -> None:
        """Add the counts of other tests."""
        self.tried |= others.tried
        self.looked_for += others.looked_for
        self.lost += others.lost

    def assert_same_results(self, workflow: Workflow, finished: Workflow, patterns: Sequence[str]) -> None:
        """Count lost rows in the results that match the patterns, and require the same bytes."""
        for pattern in patterns:
            expected = finished.materials(pattern)
            self.looked_for += len(expected)
            self.lost += len(expected - workflow.materials(pattern))
            assert finished.results(pattern)
            assert workflow.results(pattern) == finished.results(pattern)
        assert not list((workflow.folder / "results").rglob("*.part"))
