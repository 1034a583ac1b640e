"""The base class of frozen encoders, which turn a facet of texts or pictures into numbers."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import save_file

from polyfacet.networks.tensor_files import read_tensors
from polyfacet.runtime.files import atomic_path

Encoded = NDArray[np.float32]
Tensors = dict[str, NDArray[Any]]

RECORD_KEY = "encoder"


@dataclass(frozen=True)
class Fitting:
    """What an encoder may be fitted on: materials of the training part.

    Attributes
    ----------
    rows
        ``mat_id``, ``formula`` and the columns of the facet.
    columns
        Columns of the facet: one, or one per view.
    groups
        mat_id to group (the same for at least all materials of one formula), to hold materials out by.
    targets
        Numbers to learn: one column per property, NaN where unknown; mat_id as index.
    seed
        Seed of all that is random.
    may_be_flipped
        Whether flipping a picture leaves its meaning unchanged.
    state
        File that keeps the state of a long training; None keeps none.
    """

    rows: pd.DataFrame
    columns: Sequence[str]
    groups: Mapping[str, str] = field(default_factory=dict)
    targets: pd.DataFrame = field(default_factory=pd.DataFrame)
    seed: int = 0
    may_be_flipped: bool = False
    state: Path | None = None


class Encoder(ABC):
    """An encoder, ready to encode.

    The numbers of a material depend neither on the other materials encoded with it nor on the number of
    threads.

    Attributes
    ----------
    record
        What is known of its fitting, as values that JSON can represent; ``notes`` lists what went wrong.
    """

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = dict(record)

    @property
    def is_control(self) -> bool:
        """Whether it could not be fitted and stays untrained: its numbers are a control."""
        return False

    @classmethod
    @abstractmethod
    def fit(cls, fitting: Fitting) -> Self:
        """Fit an encoder on the training part."""

    @abstractmethod
    def encode(self, rows: pd.DataFrame, columns: Sequence[str]) -> Encoded:
        """Return the numbers of materials, shape ``(rows, numbers)``.

        Parameters
        ----------
        rows
            ``mat_id``, ``formula`` and the columns of the facet, without missing values.
        columns
            Columns of the facet.
        """

    @abstractmethod
    def tensors(self) -> Tensors:
        """Return what was fitted, beyond the record."""

    @classmethod
    @abstractmethod
    def restored(cls, record: Mapping[str, Any], tensors: Tensors) -> Self:
        """Create the encoder that had this record and these tensors."""

    def save(self, path: Path) -> None:
        """Write the encoder as safetensors, with the record as metadata."""
        with atomic_path(path) as part:
            save_file(self.tensors(), part, metadata={RECORD_KEY: json.dumps(self.record, sort_keys=True)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an encoder that `save` wrote.

        Raises
        ------
        UserError
            If the file is damaged; the message says to delete it.
        """
        return cls.restored(*read_tensors(path, RECORD_KEY, "numpy"))
