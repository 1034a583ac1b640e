"""A shard of CIFs, one of which can be described, and what the stage must write about them."""

from pathlib import Path

import pandas as pd
from handmade import list_structures, rock_salt
from pymatgen.core import Lattice, Structure

from describe_structures import main
from polyfacet.materials.cif import write_cif
from polyfacet.materials.stage_tables import TEXTS
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.rejects import REJECTS

SALT = rock_salt("Na", "Cl", 5.64)
SHARED_SITE = Structure(Lattice.cubic(3.6), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])


def write_shard(folder: Path) -> None:
    """Write CIFs of rock salt and of an alloy, an empty CIF, and the table that lists them."""
    write_cif(SALT, folder / "salt.cif")
    write_cif(SHARED_SITE, folder / "alloy.cif")
    (folder / "empty.cif").touch()
    list_structures(folder, ["salt", "alloy", "empty"], folder / "shard-0.parquet")


def describe_shard(folder: Path, form: str, max_rejected_fraction: float) -> None:
    """Run the stage on the shard in a folder."""
    main(
        folder,
        folder / "shard-0.parquet",
        folder / "text.parquet",
        folder / "rejected.parquet",
        provenance=folder / "provenance.json",
        form=form,
        max_rejected_fraction=max_rejected_fraction,
    )


def check_described_shard(folder: Path, salt: str) -> None:
    """Check that the stage wrote the text of rock salt, and rejected the rest with a reason."""
    expected = pd.DataFrame({"mat_id": ["salt"], "text": [salt]})
    pd.testing.assert_frame_equal(read_table(folder / "text.parquet", TEXTS), expected)
    rejects = read_table(folder / "rejected.parquet", REJECTS).set_index("mat_id")["reason"]
    assert list(rejects.index) == ["alloy", "empty"]
    assert "empty.cif" in rejects["empty"]
    assert "a site is shared" in rejects["alloy"]
