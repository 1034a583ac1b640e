"""What the network says of rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Outputs:
    """What the network says of some rows.

    Attributes
    ----------
    numbers
        Scaled predictions of the numeric objectives, shape ``(rows, numbers)``.
    classes
        Logits of each other objective, shape ``(rows, classes)``.
    representation
        What the outputs are linear functions of, shape ``(rows, width)``.
    penalty
        Added to the loss in training; None for nothing.
    """

    numbers: torch.Tensor
    classes: Sequence[torch.Tensor]
    representation: torch.Tensor
    penalty: torch.Tensor | None
