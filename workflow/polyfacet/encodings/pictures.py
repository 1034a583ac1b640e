"""Pictures as the embedding of a small convolutional network, trained on the training part."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from polyfacet.encodings.base import Encoded, Encoder, Fitting, Tensors
from polyfacet.encodings.picture_network import ARCHITECTURE, PictureNetwork, embed, new_network
from polyfacet.encodings.picture_training import Pictures, train
from polyfacet.encodings.pixels import PixelStore
from polyfacet.networks.held_out import NothingToLearnError, hold_out
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.progress import tell, track

# Fewest materials to train on, and the most: more would gain little and take hours on one core.
FEWEST, MOST = 20, 5_000
# Share of the materials that choose the epoch.
HELD_OUT = 0.2


class PictureEncoder(Encoder):
    """The penultimate layer of a network that predicts all properties at once.

    If it cannot be trained (too few materials, no property that varies), it stays untrained: a control.
    """

    def __init__(self, record: Mapping[str, Any], network: PictureNetwork) -> None:
        super().__init__(record)
        self._network = network.eval()
        self._pixels = PixelStore()

    @property
    def is_control(self) -> bool:
        """Whether the network is untrained."""
        return "training" not in self.record

    @classmethod
    def fit(cls, fitting: Fitting) -> Self:
        """Train on the pictures and properties of the training part."""
        names = [str(name) for name in fitting.targets.columns]
        encoder = cls(
            {"architecture": ARCHITECTURE, "seed": fitting.seed, "properties": names, "notes": []},
            new_network(len(names), fitting.seed),
        )
        try:
            encoder.record["training"] = encoder._train(fitting, names)
        except NothingToLearnError as error:
            # A training that diverged has changed the weights.
            encoder._network = new_network(len(names), fitting.seed)
            encoder.record["notes"].append(f"The network is untrained, a control: {error}.")
            tell(encoder.record["notes"][-1])
        return encoder

    def _train(self, fitting: Fitting, names: list[str]) -> dict[str, Any]:
        rows = _chosen(fitting.rows).set_index("mat_id", drop=False)
        parts = hold_out(
            {mat_id: fitting.groups[mat_id] for mat_id in rows.index},
            HELD_OUT,
            fitting.seed,
            purpose="validation of the picture network",
            what="a picture",
            fewest=FEWEST,
        )
        if not names:
            raise NothingToLearnError("there is no property to learn")
        training, validation = (
            Pictures(
                self._pixels.keep(rows.loc[part], fitting.columns),
                fitting.targets.loc[part].to_numpy(dtype=np.float64),
            )
            for part in parts
        )
        return train(
            self._network,
            training,
            validation,
            names,
            seed=fitting.seed,
            may_be_flipped=fitting.may_be_flipped,
            state=fitting.state,
        )

    def encode(self, rows: pd.DataFrame, columns: Sequence[str]) -> Encoded:
        """Return the mean embedding of the views of each material, shape ``(rows, 128)``."""
        pictures = self._pixels.each(rows, columns)
        return embed(self._network, track(pictures, "encoding of pictures", len(rows)))

    def tensors(self) -> Tensors:
        """Return the weights."""
        return {name: tensor.numpy() for name, tensor in self._network.state_dict().items()}

    @classmethod
    def restored(cls, record: Mapping[str, Any], tensors: Tensors) -> Self:
        """Create the encoder that had this record and these weights."""
        network = new_network(len(record["properties"]), record["seed"])
        network.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
        return cls(record, network)


def _chosen(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the materials to train on: all, or a draw that does not depend on their order."""
    order = sorted(rows.index, key=lambda row: stable_hash("pictures", rows["mat_id"][row]))
    return rows.loc[order[:MOST]]
