"""Results of calculations as JSON, and their recovery from the assembled entries.

Imports only the standard library and the settings, so that both the Python with GPAW and the one with
pymatgen can use it.
"""

import bz2
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from settings import digest, dos_digest

Json = dict[str, Any]

#: Size limit of a file in a repository.
MAX_BYTES = 1_000_000
#: Parts of a result that an entry keeps in ``data`` under Alexandria's names.
DATA_KEYS = ("mat_id", "band_gap_ind", "band_gap_dir", "dos_ef", "total_mag", "stress")
#: Parts of a result that an entry keeps in ``structure``.
STRUCTURE_KEYS = ("lattice", "symbols", "positions")


def read_document(path: Path) -> Json:
    """Read the assembled entries; an empty document if there is no file yet.

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


def finished_results(path: Path) -> list[Json]:
    """Read the results in a file: the assembled entries, or calculations that are yet to be assembled.

    Parameters
    ----------
    path : Path
        ``entries.json.bz2`` or ``pending.json.bz2``; a missing file holds none.

    Returns
    -------
    list of dict
        Results, and failures if the file keeps them.
    """
    document = read_document(path)
    if "results" in document:
        return list(document["results"])
    return [result_of(entry) for entry in [*document["entries"], *document["molecular_references"]]]


def is_complete(result: Mapping[str, Any]) -> bool:
    """Return whether nothing is left to calculate: a failure, or a result with the present ``dos_ef``."""
    return "failure" in result or result.get("dos_digest") == dos_digest()


def latest(results: Iterable[Json], crystals: Mapping[str, Mapping[str, Any]]) -> dict[str, Json]:
    """Select one result at the present settings for each crystal.

    Parameters
    ----------
    results : iterable of dict
        Results and failures, later ones last.
    crystals : mapping
        Identifier to specification.

    Returns
    -------
    dict
        Identifier to result, in the order of the identifiers. A complete result takes precedence over one
        with an earlier estimate of ``dos_ef``, a success over a failure, a later result over an earlier one.
    """

    def rank(result: Json) -> tuple[bool, bool]:
        return is_complete(result), "failure" not in result

    chosen: dict[str, Json] = {}
    for result in results:
        mat_id = result["mat_id"]
        if mat_id not in crystals or result["digest"] != digest(crystals[mat_id]):
            continue
        if mat_id not in chosen or rank(result) >= rank(chosen[mat_id]):
            chosen[mat_id] = result
    return dict(sorted(chosen.items()))


def scan_results(path: Path) -> list[Json]:
    """Read the points of the scan of the settings in ``pending.json.bz2``; none from another file."""
    return list(read_document(path).get("scan", ()))


def scan_points(
    results: Iterable[Json], crystals: Mapping[str, Mapping[str, Any]]
) -> dict[tuple[str, float, float], Json]:
    """Select the latest result at the present settings for each point of the scan.

    Parameters
    ----------
    results : iterable of dict
        Results of ``converge.py``.
    crystals : mapping
        Identifier to specification.

    Returns
    -------
    dict
        Identifier, cutoff in eV and k-points per inverse Angstrom to the result, in their order.
    """
    points = {
        (row["mat_id"], float(row["cutoff_ev"]), float(row["kpoint_density"])): row
        for row in results
        if is_complete(row) and row["mat_id"] in crystals and row["digest"] == digest(crystals[row["mat_id"]])
    }
    return dict(sorted(points.items()))


def read_folder(folder: Path) -> list[Json]:
    """Read the JSON files of a folder in the order of their names; none from a missing folder."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def parameters_of(result: Mapping[str, Any]) -> Json:
    """Return an entry's ``parameters``: the provenance of the result, and the moments of the sites."""
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


def write_document(path: Path, document: Json) -> int:
    """Write a compressed document; equal contents result in equal bytes.

    Parameters
    ----------
    path : Path
        The file.
    document : dict
        Its content.

    Returns
    -------
    int
        Size of the file in bytes.

    Raises
    ------
    ValueError
        When it exceeds the size limit of a file in a repository; nothing is written then.
    """
    content = bz2.compress(json.dumps(document, sort_keys=True, separators=(",", ":")).encode(), 9)
    if len(content) > MAX_BYTES:
        raise ValueError(
            f"{path.name} would have {len(content)} bytes, more than {MAX_BYTES}: include fewer crystals"
        )
    write_bytes(path, content)
    return len(content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file with sorted keys and move it into place."""
    write_bytes(path, (json.dumps(content, sort_keys=True) + "\n").encode())
