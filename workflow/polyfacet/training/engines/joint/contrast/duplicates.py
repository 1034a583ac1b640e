"""Which rows show the same: all polymorphs of a formula have the same text."""

import hashlib

import torch

from polyfacet.training.engines.formulas import Formulas
from polyfacet.training.engines.joint.crystals import Crystals
from polyfacet.training.engines.joint.examples import Content, Shown


def same_content(shown: Shown, facets: tuple[str, ...]) -> torch.Tensor:
    """Return whether two rows show the same of a facet, bit for bit.

    Parameters
    ----------
    shown
        Rows, without noise.
    facets
        Facets of the network, in its order.

    Returns
    -------
    torch.Tensor
        Shape ``(facets, rows, rows)``; a row without the facet is like no other.
    """
    n_rows = len(shown)
    same = torch.zeros(len(facets), n_rows, n_rows, dtype=torch.bool)
    for number, name in enumerate(facets):
        if name in shown.contents:
            kinds = _kinds(shown.contents[name])
            both = shown.present[:, number, None] & shown.present[:, number]
            same[number] = (kinds[:, None] == kinds) & both
    same.diagonal(dim1=1, dim2=2).fill_(True)
    return same


def same_together(same: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
    """Return whether all that is shown of a row is the same in another, which may have more to show.

    Parameters
    ----------
    same
        See `same_content`.
    shown
        Whether a facet of a row is shown, shape ``(rows, facets)``.

    Returns
    -------
    torch.Tensor
        Shape ``(rows, other rows)``.
    """
    return (same | ~shown.T[:, :, None]).all(dim=0)


def _kinds(content: Content) -> torch.Tensor:
    """Give equal contents of rows the same number, shape ``(rows,)``."""
    if isinstance(content, Crystals):
        digests = [
            hashlib.sha256(b"".join(each.tobytes() for each in row.values())).digest() for row in content.rows
        ]
        numbers = {digest: number for number, digest in enumerate(dict.fromkeys(digests))}
        return torch.tensor([numbers[digest] for digest in digests], dtype=torch.int64)
    if isinstance(content, Formulas):
        content = torch.cat([content.elements.to(content.fractions), content.fractions], dim=1)
    return content.flatten(1).unique(dim=0, return_inverse=True)[1]
