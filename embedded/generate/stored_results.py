"""Results of calculations as JSON, and their way back out of the assembled entries.

Only the standard library, so that the Python with GPAW and the one with pymatgen both can use it.
"""

import bz2
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]

#: Parts of a result that an entry keeps in ``data`` under the names of Alexandria.
DATA_KEYS = ("mat_id", "band_gap_ind", "band_gap_dir", "dos_ef", "total_mag", "stress")
#: Parts of a result that an entry keeps in ``structure``.
STRUCTURE_KEYS = ("lattice", "symbols", "positions")


def read_document(path: Path) -> Json:
    """Read the assembled entries; an empty document where there is no file yet.

    Parameters
    ----------
    path : Path
        ``entries.json.bz2``.

    Returns
    -------
    dict
        ``entries`` and ``molecular_references``, both lists of entries.
    """
    if not path.exists():
        return {"entries": [], "molecular_references": []}
    document: Json = json.loads(bz2.decompress(path.read_bytes()))
    return document


def parameters_of(result: Mapping[str, Any]) -> Json:
    """Pick what an entry keeps in ``parameters``: how the result was made, and the moments of the sites."""
    elsewhere = {*DATA_KEYS, *STRUCTURE_KEYS, "energy"}
    return {key: value for key, value in result.items() if key not in elsewhere}


def result_of(entry: Mapping[str, Any]) -> Json:
    """Rebuild the result that an entry was made from.

    Parameters
    ----------
    entry : mapping
        An entry of the assembled document.

    Returns
    -------
    dict
        The result as ``calculate.py`` wrote it.
    """
    structure = entry["structure"]
    return {
        **entry["parameters"],
        **{key: entry["data"][key] for key in DATA_KEYS},
        "energy": entry["energy"],
        "lattice": structure["lattice"]["matrix"],
        "symbols": [site["species"][0]["element"] for site in structure["sites"]],
        "positions": [site["abc"] for site in structure["sites"]],
    }


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and move it into place."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file with sorted keys and move it into place."""
    write_bytes(path, (json.dumps(content, sort_keys=True) + "\n").encode())
