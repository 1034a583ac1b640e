"""Rows as the network reads them, and what is known of their objectives."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from polyfacet.training.engines.formulas import Formulas
from polyfacet.training.engines.joint.crystals import Crystals

# Relative noise on the fractions of elements in training.
JITTER = 0.02

# Numbers, bytes of pictures, formulas, or crystal graphs.
Content = torch.Tensor | Formulas | Crystals
Selection = torch.Tensor | slice


@dataclass(frozen=True, eq=False)
class Shown:
    """What some rows show.

    Attributes
    ----------
    contents
        Facet to its content: scaled numbers, shape ``(rows, numbers)``; bytes, shape ``(rows, views, 3, 64,
        64)``; formulas, or crystal graphs.  Facets that no row has may be left out.
    present
        Whether a row has a facet, shape ``(rows, facets)``.
    """

    contents: Mapping[str, Content]
    present: torch.Tensor

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, rows: Selection) -> "Shown":
        return Shown({name: content[rows] for name, content in self.contents.items()}, self.present[rows])

    def to(self, kind: torch.dtype) -> "Shown":
        """Return the rows with numbers of another precision."""
        return Shown({name: _of_kind(content, kind) for name, content in self.contents.items()}, self.present)

    def in_training(self, noise: float) -> "Shown":
        """Return the rows with noise on numbers and on the fractions of elements, and one view of several."""
        return Shown({name: _varied(content, noise) for name, content in self.contents.items()}, self.present)


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows with what is known of their objectives.

    Attributes
    ----------
    shown
        What the rows show.
    numbers
        Scaled values of the numeric objectives, shape ``(rows, numbers)``; NaN where unknown.
    classes
        Index of the class of each other objective, shape ``(rows, objectives)``; -1 where unknown.
    """

    shown: Shown
    numbers: torch.Tensor
    classes: torch.Tensor

    def __len__(self) -> int:
        return len(self.shown)

    def __getitem__(self, rows: Selection) -> "Examples":
        return Examples(self.shown[rows], self.numbers[rows], self.classes[rows])


def _varied(content: Content, noise: float) -> Content:
    if isinstance(content, Formulas):
        return content.jittered(JITTER) if noise else content
    if isinstance(content, Crystals):
        return content
    if content.is_floating_point():
        return content + noise * torch.randn_like(content)
    return content if content.shape[1] == 1 else _one_view(content)


def _one_view(pictures: torch.Tensor) -> torch.Tensor:
    """Choose one of the views of each row at random, shape ``(rows, 1, 3, 64, 64)``."""
    view = torch.randint(pictures.shape[1], (len(pictures),))
    return pictures[torch.arange(len(pictures)), view, None]


def _of_kind(content: Content, kind: torch.dtype) -> Content:
    if isinstance(content, Formulas):
        return Formulas(content.elements, content.fractions.to(kind))
    if isinstance(content, Crystals):
        return content  # the tower converts them
    return content.to(kind) if content.is_floating_point() else content
