"""Make the scripts of the rules importable, as Snakemake does; import this module before them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))
