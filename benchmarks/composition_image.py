"""Time the statistics of composition images, and compare them with XenonPy's featurizers in the same run.

Usage: python benchmarks/composition_image.py [--n 2000] [--repeats 5]
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from polyfacet.facets.compimage.element_rebuild import rebuild_elements
from polyfacet.facets.compimage.grey_levels import GreyLevels
from polyfacet.facets.compimage.image import arrange
from polyfacet.facets.compimage.statistics import Array, composition_statistics
from polyfacet.facets.compimage.xenonpy_backend import xenonpy_statistics

MOST_ELEMENTS = 7
LARGEST_COUNT = 12


def main() -> None:
    """Print milliseconds per thousand compositions for each method, and the speed-up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=2000, help="number of compositions")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each method; the fastest counts")
    options = parser.parse_args()
    elements = rebuild_elements().table
    compositions = random_compositions(options.n, elements.index.tolist())
    # The first call imports XenonPy.
    xenonpy_statistics(compositions[:10], elements)

    def fastest(action: Callable[[], object]) -> float:
        return min(timed(action) for _ in range(options.repeats)) * 1e6 / options.n

    theirs = fastest(lambda: xenonpy_statistics(compositions, elements))
    print(f"XenonPy, seven featurizers, one process: {theirs:8.2f} ms per 1000 compositions")
    for mode in ("xenonpy", "stable"):
        ours = fastest(lambda mode=mode: composition_statistics(compositions, elements, mode))
        print(f"statistics {mode:8}: {ours:8.2f} ms per 1000 compositions, {theirs / ours:.0f} x faster")
    ours = fastest(lambda: pictures(composition_statistics(compositions, elements, "stable")))
    print(f"statistics, grey levels and pictures: {ours:.2f} ms per 1000 compositions")
    agreement(
        composition_statistics(compositions, elements, "xenonpy"), xenonpy_statistics(compositions, elements)
    )


def timed(action: Callable[[], object]) -> float:
    """Measure one call in seconds of this process's time, which other programs do not affect."""
    start = time.process_time()
    action()
    return time.process_time() - start


def random_compositions(n: int, symbols: list[str]) -> list[dict[str, float]]:
    """Draw formula units of one to ``MOST_ELEMENTS`` elements."""
    rng = np.random.default_rng(0)
    compositions = []
    for size in rng.integers(1, MOST_ELEMENTS + 1, n):
        counts = rng.integers(1, LARGEST_COUNT + 1, size).astype(float)
        compositions.append(
            dict(zip(rng.choice(symbols, size, replace=False).tolist(), counts.tolist(), strict=True))
        )
    return compositions


def pictures(statistics: Array) -> None:
    """Perform the steps after the statistics."""
    arrange(GreyLevels.fit(statistics).grey(statistics), "fixed")


def agreement(ours: Array, theirs: Array) -> None:
    """Print the difference between the two, relative to the value (to 1 if it is smaller)."""
    finite = np.isfinite(theirs)
    apart = abs(ours - theirs)[finite] / np.maximum(abs(theirs[finite]), 1)
    same = np.array_equal(ours[~finite], theirs[~finite], equal_nan=True)
    print(f"largest difference: {apart.max():.1e}; {(~finite).sum()} NaN and infinities the same: {same}")


if __name__ == "__main__":
    main()
