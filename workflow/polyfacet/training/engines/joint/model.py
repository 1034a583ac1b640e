"""The network: a tower per facet, a fusion, and a head for all objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn.functional import normalize

from polyfacet.training.engines.formulas import Formulas
from polyfacet.training.engines.joint.contrast.imputation import Imputer
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
        # Only in pretraining are representations compared.
        self.projector = nn.Linear(width, settings.pretraining.projection) if settings.is_pretrained else None
        self.imputer = (
            Imputer(len(facets), settings.pretraining.projection, settings.pretraining.rank)
            if settings.pretraining.contrast == "calibrated"
            else None
        )
        self.of_numbers = nn.Linear(width, n_numbers)
        self.of_classes = nn.ModuleList(nn.Linear(width, n) for n in n_classes)

    def learn(
        self,
        *,
        represents: bool = False,
        projects: bool = False,
        answers: bool = False,
        numbers: bool = True,
        film: bool = False,
    ) -> None:
        """Choose the weights that are trained; all others are frozen, and forget their gradients.

        Parameters
        ----------
        represents
            Those of towers and fusion.
        projects
            Those of the projection in which materials are compared.
        answers, numbers
            Those after the fusion, and whether numeric objectives are among what these predict.
        film
            Those of FiLM.
        """
        self.zero_grad(set_to_none=True)
        self.requires_grad_(False)
        self.towers.requires_grad_(represents)
        self.norms.requires_grad_(represents)
        self.kinds.requires_grad_(represents)
        self.fusion.requires_grad_(represents)
        self.trunk.requires_grad_(answers)
        self.of_classes.requires_grad_(answers)
        self.of_numbers.requires_grad_(answers and numbers)
        if self.projector is not None:
            self.projector.requires_grad_(projects)
        if self.film is not None:
            self.film.requires_grad_(film)

    def groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Return the weights that are trained, matrices with decay and others without."""
        weights = [each for each in self.parameters() if each.requires_grad]
        return [
            {"params": [each for each in weights if each.dim() > 1], "weight_decay": weight_decay},
            {"params": [each for each in weights if each.dim() <= 1], "weight_decay": 0.0},
        ]

    def forward(self, shown: Shown, kept: torch.Tensor) -> Outputs:
        """Predict from the facets that rows have and that are kept, shape ``(rows, facets)``."""
        return self.predict(self.tokens(replace(shown, present=shown.present & kept)))

    def tokens(self, shown: Shown) -> Tokens:
        """Read all facets of rows; the content of a missing facet has no influence."""
        n_rows, width = len(shown), self.kinds.shape[1]
        values, shares = [self.kinds.new_zeros(n_rows, 0, width)], [self.kinds.new_zeros(n_rows, 0)]
        owners: list[int] = []
        for number, (name, tower, norm) in enumerate(zip(self.facets, self.towers, self.norms, strict=True)):
            if name not in shown.contents:
                continue
            present = shown.present[:, number]
            read, of_tower = tower(_without_missing(shown.contents[name], present))
            values.append(norm(read) + self.kinds[number])
            shares.append(of_tower * present[:, None])
            owners += [number] * read.shape[1]
        facets = torch.tensor(owners, dtype=torch.int64, device=shown.present.device)
        return Tokens(torch.cat(values, dim=1), torch.cat(shares, dim=1), facets, shown.present)

    def projected(self, tokens: Tokens) -> torch.Tensor:
        """Return what rows are compared by, normalised, shape ``(rows, numbers)``."""
        if self.projector is None:
            raise RuntimeError("the network has no projector: it was not pretrained")
        return normalize(self.projector(self.fusion(tokens).values), dim=1)

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
