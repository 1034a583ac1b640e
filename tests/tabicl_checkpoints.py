"""Checkpoints of TabICL with random weights, in its own format: tiny, and good for nothing but tests."""

from pathlib import Path
from typing import Any

import torch

TINY: dict[str, Any] = {
    "embed_dim": 16,
    "col_num_blocks": 1,
    "col_nhead": 2,
    "col_num_inds": 4,
    "row_num_blocks": 1,
    "row_nhead": 2,
    "row_num_cls": 2,
    "icl_num_blocks": 1,
    "icl_nhead": 2,
    # Attention that starts at zero would make all predictions equal.
    "zero_init": False,
}


def write_checkpoint(path: Path, *, of_classes: bool = False) -> str:
    """Write an untrained checkpoint for numbers or for up to ten classes; return its path."""
    from tabicl._model.tabicl import TabICL

    config = {**TINY, "max_classes": 10 if of_classes else 0, "num_quantiles": 9}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = TabICL(**config)
    torch.save({"config": config, "state_dict": network.state_dict()}, path)
    return str(path)
