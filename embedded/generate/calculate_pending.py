"""Calculate what the embedded set lacks, one by one, in order of benefit for the cost.

Runs under the Python of ``calculate.py`` until nothing is left; it may be stopped at any time and resumes
from the files it has written and the given results. ``collect_pending.py`` gathers finished results
meanwhile.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import calculate
import converge
from calculation_order import in_order
from convergence_points import POINTS, SCAN
from crystals import numbered_crystals
from stored_results import finished_results, latest, read_folder


def tasks(
    results: Path, logs: Path, finished: Sequence[Path], limit_s: int
) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Iterate over the remaining calculations: crystals first, then the scan of the settings.

    Parameters
    ----------
    results : Path
        Folder for the files of crystals; those of the scan are in ``convergence`` next to it.
    logs : Path
        Folder for GPAW's logs.
    finished : sequence of Path
        As for :func:`calculate.restore`.
    limit_s : int
        As for :func:`calculate.main`.

    Yields
    ------
    tuple
        A missing file, and the call that writes it.
    """
    crystals = numbered_crystals()
    earlier = [result for path in finished for result in finished_results(path)]
    for mat_id in in_order(crystals, latest([*earlier, *read_folder(results)], crystals)):
        output, log = results / f"{mat_id}.json", logs / f"{mat_id}.txt"
        yield output, partial(calculate.main, mat_id, crystals[mat_id], output, log, finished, limit_s)
    for mat_id in SCAN["crystals"]:
        for label, point in POINTS.items():
            name = f"{mat_id}_{label}"
            output, log = results.parent / "convergence" / f"{name}.json", logs / f"{name}.txt"
            if not output.exists():
                yield output, partial(converge.main, mat_id, crystals[mat_id], *point, output, log, finished)


def main(results: Path, logs: Path, finished: Sequence[Path], limit_s: int) -> None:
    """Perform all remaining calculations; arguments as for :func:`tasks`."""
    for output, write in tasks(results, logs, finished, limit_s):
        print(output.stem, flush=True)
        write()


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, type=Path)
    parser.add_argument("--logs", required=True, type=Path)
    parser.add_argument("--finished", required=True, type=Path, nargs="+")
    parser.add_argument("--limit-s", type=int, default=360)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main(**vars(_arguments(sys.argv[1:])))
