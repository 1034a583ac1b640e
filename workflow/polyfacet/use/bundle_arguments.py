"""Arguments of the subcommands that open a bundle."""

import argparse
from pathlib import Path
from typing import Any

from polyfacet.use.argument_types import positive


def add_bundle_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how a bundle is opened."""
    parser.add_argument("--threads", metavar="N", type=positive, default=1, help="processor cores to use")
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, nargs="+", default=[], help="plug-ins that the bundle names"
    )
    parser.add_argument(
        "--browser",
        metavar="FILE",
        type=Path,
        help="Chromium, which draws pictures; searched for if not given",
    )


def given_to_open(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the keyword arguments for opening a bundle."""
    return {name: getattr(arguments, name) for name in ("threads", "plugins", "browser")}
