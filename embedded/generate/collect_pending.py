"""Gather finished calculations that are not yet in the assembled entries into ``pending.json.bz2``.

The file is committed, so that another machine can resume from it. Assembled results are removed from it.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from crystals import numbered_crystals
from stored_results import (
    finished_results,
    is_complete,
    latest,
    read_folder,
    scan_points,
    scan_results,
    write_document,
)


def main(results: Sequence[Path], embedded: Path) -> None:
    """Add finished results to ``generate/pending.json.bz2`` and remove those in the entries.

    Parameters
    ----------
    results : sequence of Path
        Folders with one JSON file per crystal; the files of the scan are in ``convergence`` next to them.
    embedded : Path
        Folder with ``entries.json.bz2``.
    """
    crystals = numbered_crystals()
    target = embedded / "generate" / "pending.json.bz2"
    new = [result for folder in results for result in read_folder(folder)]
    assembled = latest(finished_results(embedded / "entries.json.bz2"), crystals)
    pending = {
        mat_id: result
        for mat_id, result in latest([*finished_results(target), *new], crystals).items()
        if mat_id not in assembled or (is_complete(result) and not is_complete(assembled[mat_id]))
    }
    scanned = [row for folder in results for row in read_folder(folder.parent / "convergence")]
    scan = scan_points([*scan_results(target), *scanned], crystals)
    size = write_document(target, {"results": list(pending.values()), "scan": list(scan.values())})
    failed = sum("failure" in result for result in pending.values())
    lacking = sum(not is_complete(result) for result in pending.values())
    refined = sum(mat_id in assembled for mat_id in pending)
    print(
        f"{len(pending)} crystals pending: {refined} of the entries with a new dos_ef, {failed} failed, "
        f"{lacking} of the others still without a new dos_ef; {len(scan)} points of the scan; {size} bytes"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, type=Path, nargs="+")
    parser.add_argument("--embedded", required=True, type=Path)
    main(**vars(parser.parse_args(sys.argv[1:])))
