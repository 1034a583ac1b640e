"""The list of crystals and their identifiers."""

from pathlib import Path
from typing import Any

import yaml

CRYSTALS = Path(__file__).with_name("crystals.yaml")


def numbered_crystals(path: Path = CRYSTALS) -> dict[str, dict[str, Any]]:
    """Read the list of crystals.

    Parameters
    ----------
    path : Path
        The list.

    Returns
    -------
    dict
        Identifier, derived from the position in the list, to specification.
    """
    crystals = yaml.safe_load(path.read_text())
    return {f"pfx{number:06d}": crystal for number, crystal in enumerate(crystals, start=1)}
