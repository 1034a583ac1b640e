"""Formulas as padded tensors of elements and fractions."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from polyfacet.elements.symbols import ELEMENTS
from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.runtime.errors import UserError

# Index 0 is padding.
INDICES = {symbol: number for number, symbol in enumerate(ELEMENTS, 1)}


@dataclass(frozen=True)
class Formulas:
    """Formulas, the most frequent element first.

    Attributes
    ----------
    elements
        Indices of the elements (`INDICES`), 0 for padding, shape ``(formulas, elements)``.
    fractions
        Their atomic fractions, 0 for padding; same shape.
    """

    elements: torch.Tensor
    fractions: torch.Tensor

    def __len__(self) -> int:
        return len(self.elements)

    def __getitem__(self, rows: torch.Tensor | slice) -> "Formulas":
        return Formulas(self.elements[rows], self.fractions[rows])

    def jittered(self, relative: float) -> "Formulas":
        """Return the formulas with relative noise on the fractions, which still add up to 1."""
        noisy = self.fractions * (1 + relative * torch.randn_like(self.fractions)).clamp_min(0)
        total = noisy.sum(dim=1, keepdim=True)
        return Formulas(self.elements, noisy / torch.where(total > 0, total, 1.0))


def read_formulas(texts: Sequence[str], engine: str) -> Formulas:
    """Read texts of formulas, such as ``Ac Hg 2 Cd 2`` or ``Ac 0.2 Hg 0.4 Cd 0.4``.

    Parameters
    ----------
    texts
        The formulas.
    engine
        Name of the engine that reads them, for messages.

    Raises
    ------
    UserError
        If a text is no formula.
    """
    parsed = [_fractions(text, engine) for text in texts]
    longest = max(map(len, parsed), default=1)
    elements = torch.zeros(len(parsed), longest, dtype=torch.int64)
    fractions = torch.zeros(len(parsed), longest)
    for row, amounts in enumerate(parsed):
        elements[row, : len(amounts)] = torch.tensor([INDICES[symbol] for symbol, _ in amounts])
        fractions[row, : len(amounts)] = torch.tensor([share for _, share in amounts])
    return Formulas(elements, fractions)


def is_formula(text: str) -> bool:
    """Return whether a text can be read as a formula."""
    try:
        _amounts(text)
    except FormulaError:
        return False
    return True


def _amounts(text: str) -> dict[str, float]:
    return dict(parse_formula("".join(text.split())))


def _fractions(text: str, engine: str) -> list[tuple[str, float]]:
    try:
        amounts = _amounts(text)
    except FormulaError as error:
        raise UserError(
            f"the engine {engine} reads formulas, but the text facet holds {text!r:.60} ({error}). Choose a "
            "form of the text that is one: composition.text: composition"
        ) from error
    total = sum(amounts.values())
    shares = ((symbol, amount / total) for symbol, amount in amounts.items())
    return sorted(shares, key=lambda each: (-each[1], each[0]))
