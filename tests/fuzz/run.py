"""Attack all readers of external input: python tests/fuzz/run.py --cases 1000000 --seed 1."""

import argparse
import logging
import os
import sys
import tempfile
import warnings
from contextlib import redirect_stderr
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[:0] = [
    str(Path(__file__).resolve().parents[1]),
    str(Path(__file__).resolve().parents[2] / "workflow"),
    str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"),
]

from fuzz.campaign import attack, limit_memory, watched  # noqa: E402
from fuzz.targets import TARGETS  # noqa: E402


def main() -> int:
    """Run the cases, print a table and the findings; return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--case", type=int, help="run only this case of the targets")
    options = parser.parse_args()
    logging.disable()
    warnings.simplefilter("ignore")
    limit_memory()
    shares = sum(TARGETS[name].share for name in options.targets)
    n_findings = 0
    print("| target | cases | processor s | outcomes | findings |\n| --- | ---: | ---: | --- | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.targets:
            n_cases = round(options.cases * TARGETS[name].share / shares)
            numbers = range(options.case, options.case + 1) if options.case is not None else range(n_cases)
            # Progress lines of a million files are useless.
            with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere), watched(Path(folder)):
                found = attack(name, TARGETS[name], numbers, options.seed, Path(folder))
            outcomes = ", ".join(f"{kind} {n:,}" for kind, n in sorted(found.outcomes.items()))
            print(
                f"| {name} | {len(numbers):,} | {found.seconds:.0f} | {outcomes} | {len(found.unexpected)} |",
                flush=True,
            )
            for error, number in found.unexpected.items():
                print(f"  case {number}: {error}", flush=True)
            n_findings += len(found.unexpected)
    return int(n_findings > 0)


if __name__ == "__main__":
    sys.exit(main())
