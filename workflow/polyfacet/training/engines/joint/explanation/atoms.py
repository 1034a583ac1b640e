"""Contributions of atoms in crystal graphs: gradient times input, on what the graph network knows of an atom.

Its input is the vector that element features and element number give an atom before any message is passed;
the products are summed over the numbers of the vector (Shrikumar et al., "Not Just a Black Box", 2016).  They
compare an atom with none: with a vector of zeros, which also hides it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import torch
from captum.attr import InputXGradient
from pymatgen.core.periodic_table import Element
from torch import nn

from polyfacet.training.engines.explaining import Array, Attributions, Explainer, Hidden, Kind
from polyfacet.training.engines.joint.crystals import Crystals
from polyfacet.training.engines.joint.explanation.readout import Readout
from polyfacet.training.engines.joint.graph_tower import GraphTower


@dataclass(frozen=True, eq=False)
class AtomExplainer(Explainer):
    """Atoms of crystals.

    Attributes
    ----------
    readout
        The outputs of the network.
    crystals
        The crystals.
    """

    readout: Readout
    crystals: Crystals
    kind: ClassVar[Kind] = "atoms"

    @property
    def names(self) -> Sequence[Sequence[str]]:
        """Elements of the atoms."""
        return [
            [Element.from_Z(int(number)).symbol for number in row["atomic_numbers"]]
            for row in self.crystals.rows
        ]

    def attributions(self) -> Attributions:
        """Multiply the vectors of atoms by their gradients."""
        found: list[Array] = []
        for rows in self.readout.pieces():
            crystals = self.crystals[rows]
            by_atom = self._of_atoms(crystals, rows)
            lengths = [len(row["atomic_numbers"]) for row in crystals.rows]
            found += np.split(by_atom, np.cumsum(lengths)[:-1])
        return Attributions(found)

    def outputs(self, hidden: Hidden) -> Array:
        """Hide atoms: their vectors become zeros."""
        said = []
        with torch.no_grad():
            for rows in self.readout.pieces():
                shown = torch.from_numpy(~np.concatenate([hidden[row] for row in rows.tolist()]))
                with _changed_atoms(self.readout.tower, _times(shown)):
                    said.append(self.readout(self.crystals[rows], rows))
        return torch.cat(said).double().numpy()

    def _of_atoms(self, crystals: Crystals, rows: torch.Tensor) -> Array:
        """Return contributions of all atoms of some crystals, shape ``(atoms, objectives)``."""

        def said(vectors: torch.Tensor) -> torch.Tensor:
            with _changed_atoms(self.readout.tower, lambda _: vectors):
                return self.readout(crystals, rows)

        vectors = self._vectors(crystals, rows)
        method = InputXGradient(said)
        found = [
            method.attribute(vectors, target=objective).sum(dim=1)
            for objective in range(self.readout.n_outputs)
        ]
        return torch.stack(found, dim=1).detach().double().numpy()

    def _vectors(self, crystals: Crystals, rows: torch.Tensor) -> torch.Tensor:
        """Return the vectors of all atoms of some crystals, shape ``(atoms, width)``."""
        kept: list[torch.Tensor] = []

        def keep(vectors: torch.Tensor) -> torch.Tensor:
            kept.append(vectors)
            return vectors

        with torch.no_grad(), _changed_atoms(self.readout.tower, keep):
            self.readout(crystals, rows)
        return kept[0].clone().requires_grad_()


def _times(shown: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda vectors: vectors * shown[:, None]


@contextmanager
def _changed_atoms(tower: nn.Module, change: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """Change the vectors of atoms before the first layer of a graph network."""

    def changed(layer: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        vectors, *others = given
        return change(vectors), *others

    handle = cast(GraphTower, tower).network.layers[0].register_forward_pre_hook(changed)
    try:
        yield
    finally:
        handle.remove()
