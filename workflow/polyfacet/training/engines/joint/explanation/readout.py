"""What a network says of rows as a function of the content of one facet; all other facets stay."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from polyfacet.training.engines.explaining import Array
from polyfacet.training.engines.joint.examples import Content, Shown
from polyfacet.training.engines.joint.model import JointNetwork
from polyfacet.training.engines.joint.tokens import Tokens

# Rows whose outputs are computed together.
ROWS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Readout:
    """The outputs of a network for rows that all have a facet.

    Attributes
    ----------
    network
        The network, in evaluation mode.
    number
        Which of its facets it is.
    others
        Tokens of all facets of the rows.
    classes
        The class of each row whose logit is explained, shape ``(rows, objectives with classes)``.
    """

    network: JointNetwork
    number: int
    others: Tokens
    classes: torch.Tensor

    @classmethod
    def of(cls, network: JointNetwork, number: int, shown: Shown, classes: torch.Tensor) -> "Readout":
        """Read all facets of the rows once."""
        return cls(network, number, tokens_of(network, shown), classes)

    @property
    def tower(self) -> nn.Module:
        """The tower of the facet."""
        return self.network.towers[self.number]

    def __call__(self, content: Content, rows: torch.Tensor) -> torch.Tensor:
        """Return the outputs of some rows if the facet had another content.

        Parameters
        ----------
        content
            What the tower reads.
        rows
            Positions of these rows.

        Returns
        -------
        torch.Tensor
            Shape ``(rows, objectives)``: scaled numbers, then the logit of the class of each other objective,
            minus the mean of its logits, which says nothing.
        """
        tokens = self.others[rows]
        read, _ = self.tower(content)
        own = self.network.norms[self.number](read) + self.network.kinds[self.number]
        values = tokens.values.clone()
        values[:, tokens.facets == self.number] = own
        said = self.network.predict(replace(tokens, values=values))
        logits = [
            (each - each.mean(dim=1, keepdim=True)).gather(1, self.classes[rows, number, None])
            for number, each in enumerate(said.classes)
        ]
        return torch.cat([said.numbers, *logits], dim=1)

    def said(self, content_of: Callable[[torch.Tensor], Content]) -> Array:
        """Return the outputs of all rows, shape ``(rows, objectives)``; ``content_of`` gets positions."""
        with torch.no_grad():
            found = [self(content_of(rows), rows) for rows in self.pieces()]
        return torch.cat(found).double().numpy()

    def pieces(self) -> Iterator[torch.Tensor]:
        """Yield the positions of the rows, some at a time."""
        yield from torch.arange(len(self.others.present)).split(ROWS_AT_ONCE)

    @property
    def n_outputs(self) -> int:
        """Number of objectives."""
        return self.network.of_numbers.out_features + len(self.network.of_classes)


def tokens_of(network: JointNetwork, shown: Shown) -> Tokens:
    """Return the tokens of all rows, read some at a time."""
    with torch.no_grad():
        read = [network.tokens(shown[rows]) for rows in torch.arange(len(shown)).split(ROWS_AT_ONCE)]
    values, shares = (torch.cat(each) for each in ([r.values for r in read], [r.shares for r in read]))
    return Tokens(values, shares, read[0].facets, shown.present)
