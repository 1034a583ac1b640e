"""Grad-CAM on structure pictures: what the regions that the last convolution tells apart contribute.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV
2017.  Its last step, which keeps positive evidence for a class alone, is left out: what lowers a number
explains it as well as what raises it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import torch
from captum.attr import LayerGradCam

from polyfacet.encodings.pixels import SIZE
from polyfacet.training.engines.explaining import Array, Attributions, Explainer, Hidden, Kind
from polyfacet.training.engines.joint.explanation.readout import Readout
from polyfacet.training.engines.joint.towers import CHANNELS, PictureTower

# Regions along an edge of a picture.
N_ALONG = SIZE >> len(CHANNELS)


@dataclass(frozen=True, eq=False)
class RegionExplainer(Explainer):
    """Square regions of pictures, view after view, row after row.

    Attributes
    ----------
    readout
        The outputs of the network.
    pictures
        Shape ``(materials, views, 3, 64, 64)``.
    baseline
        The mean pictures of the training rows, shape ``(views, 3, 64, 64)``.
    """

    readout: Readout
    pictures: torch.Tensor
    baseline: torch.Tensor
    kind: ClassVar[Kind] = "regions"

    @property
    def names(self) -> Sequence[Sequence[str]]:
        """Places of the regions."""
        places = [
            f"view {view + 1}, row {row + 1}, column {column + 1}"
            for view in range(self.pictures.shape[1])
            for row in range(N_ALONG)
            for column in range(N_ALONG)
        ]
        return [places] * len(self.pictures)

    def attributions(self) -> Attributions:
        """Weigh the channels of the last convolution by their mean gradients."""
        maps = LayerGradCam(self.readout, cast(PictureTower, self.readout.tower).layers)
        pieces = []
        for rows in self.readout.pieces():
            found = [
                maps.attribute(self.pictures[rows], target=objective, additional_forward_args=(rows,))
                for objective in range(self.readout.n_outputs)
            ]
            pieces.append(torch.stack([each.reshape(len(rows), -1) for each in found], dim=2))
        return Attributions(list(torch.cat(pieces).detach().double().numpy()))

    def outputs(self, hidden: Hidden) -> Array:
        """Replace hidden regions by those of the mean pictures."""
        n_views = self.pictures.shape[1]
        is_hidden = torch.from_numpy(np.stack(hidden)).reshape(-1, n_views, 1, N_ALONG, N_ALONG)
        edge = SIZE // N_ALONG
        mask = is_hidden.repeat_interleave(edge, dim=3).repeat_interleave(edge, dim=4)
        return self.readout.said(lambda rows: torch.where(mask[rows], self.baseline, self.pictures[rows]))
