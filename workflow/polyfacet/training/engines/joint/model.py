"""The network: a tower per facet, a fusion, and a head for all objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn

from polyfacet.training.engines.formulas import Formulas
from polyfacet.training.engines.joint.crystals import Crystals
from polyfacet.training.engines.joint.examples import Content, Shown
from polyfacet.training.engines.joint.fusion.base import Fusion
from polyfacet.training.engines.joint.fusion.choice import new_fusion
from polyfacet.training.engines.joint.fusion.film import PresenceFiLM
from polyfacet.training.engines.joint.inputs import FacetReader
from polyfacet.training.engines.joint.objectives import LearnedObjectives
from polyfacet.training.engines.joint.outputs import Outputs
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.tokens import Tokens
from polyfacet.training.engines.joint.towers import Form, new_tower


class JointNetwork(nn.Module):
    """Predicts all objectives from any non-empty subset of the facets.

    Parameters
    ----------
    settings
        Those of the engine.
    facets
        Facet to what its tower reads, and how many numbers it has.
    n_numbers
        Number of numeric objectives.
    n_classes
        Number of classes of each other objective.
    """

    def __init__(
        self,
        settings: JointSettings,
        facets: Mapping[str, tuple[Form, int]],
        n_numbers: int,
        n_classes: Sequence[int],
    ) -> None:
        super().__init__()
        width = settings.width
        self.facets = tuple(facets)
        self.towers = nn.ModuleList(new_tower(form, size, settings) for form, size in facets.values())
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in facets)
        # Says which facet a token belongs to.
        self.kinds = nn.Parameter(torch.zeros(len(facets), width))
        self.fusion: Fusion = new_fusion(settings, len(facets))
        self.film = None if settings.film == "none" else PresenceFiLM(len(facets), width)
        self.trunk = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Dropout(settings.dropout)
        )
        self.of_numbers = nn.Linear(width, n_numbers)
        self.of_classes = nn.ModuleList(nn.Linear(width, n) for n in n_classes)

    def forward(self, shown: Shown, kept: torch.Tensor) -> Outputs:
        """Predict from the facets that rows have and that are kept, shape ``(rows, facets)``."""
        return self.predict(self.tokens(replace(shown, present=shown.present & kept)))

    def tokens(self, shown: Shown) -> Tokens:
        """Read all facets of rows; the content of a missing facet has no influence."""
        values, shares, owners = [], [], []
        for number, (name, tower, norm) in enumerate(zip(self.facets, self.towers, self.norms, strict=True)):
            if name not in shown.contents:
                continue
            present = shown.present[:, number]
            read, of_tower = tower(_without_missing(shown.contents[name], present))
            values.append(norm(read) + self.kinds[number])
            shares.append(of_tower * present[:, None])
            owners += [number] * read.shape[1]
        facets = torch.tensor(owners, device=shown.present.device)
        return Tokens(torch.cat(values, dim=1), torch.cat(shares, dim=1), facets, shown.present)

    def predict(self, tokens: Tokens) -> Outputs:
        """Predict from tokens."""
        fused = self.fusion(tokens)
        values = fused.values if self.film is None else self.film(fused.values, tokens.present)
        representation = self.trunk(values)
        logits = [head(representation) for head in self.of_classes]
        return Outputs(self.of_numbers(representation), logits, representation, fused.penalty)


def new_network(
    settings: JointSettings, readers: Sequence[FacetReader], learned: LearnedObjectives
) -> JointNetwork:
    """Create the network of facets and objectives, with initial weights."""
    facets = {reader.name: (reader.form, len(reader.kept)) for reader in readers}
    return JointNetwork(settings, facets, len(learned.numbers), learned.n_classes)


def _without_missing(content: Content, present: torch.Tensor) -> Content:
    """Replace the content of rows without the facet by zeros, whatever it is."""
    if isinstance(content, Formulas):
        shown = present[:, None]
        return Formulas(torch.where(shown, content.elements, 0), torch.where(shown, content.fractions, 0.0))
    if isinstance(content, Crystals):
        return content.only(present)
    return torch.where(present.reshape(-1, *[1] * (content.dim() - 1)), content, content.new_zeros(()))
