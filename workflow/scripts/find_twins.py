"""Find twins: materials of one formula that are the same crystal under several identifiers."""

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import pyarrow as pa

from polyfacet.materials.disordered_compositions import (
    TWINS_WITHIN,
    chemical_system,
    disordered_groups,
    is_rounded,
)
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.stage_tables import TWINS
from polyfacet.materials.twins import Candidate, candidates, twin_groups
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import iterate_table, write_table
from polyfacet.runtime.progress import track
from polyfacet.runtime.sharding import read_shard


def main(sample: Path, twins: Path, *, shard: int, n_shards: Annotated[int, Key("shards")]) -> None:
    """Write the twins of one shard; all materials that may have the same composition are in the same shard.

    Parameters
    ----------
    sample
        Table of the sampled materials.
    twins
        Output: the materials that have twins, with their groups.
    shard, n_shards
        The formulas of the sample whose hash falls into this shard; all formulas of a chemical system with
        disordered crystals are together.
    """
    disordered = _disordered_systems(sample)

    def compared_with(formula: str) -> str:
        system = chemical_system(formula)
        return system if system in disordered else formula

    names = ["mat_id", "formula", "n_sites", "vol_atom"]
    materials = read_shard(sample, SAMPLE, int(shard), n_shards, names, by="formula", key=compared_with)
    formulas = dict(zip(materials["mat_id"], materials["formula"], strict=True))
    n_sites = dict(zip(materials["mat_id"], materials["n_sites"], strict=True))
    composition = disordered_groups(formulas, n_sites, TWINS_WITHIN)
    wanted: dict[str, str] = {}
    for formula, rows in materials.groupby(materials["mat_id"].map(composition), sort=True):
        near = candidates(dict(zip(rows["mat_id"], rows["vol_atom"], strict=True)))
        wanted |= dict.fromkeys(near, str(formula))
    by_formula: dict[str, list[Candidate]] = defaultdict(list)
    if wanted:
        for mat_id, structure in _structures(sample, wanted):
            by_formula[wanted[mat_id]].append(Candidate(mat_id, structure))
    found = []
    for formula in track(sorted(by_formula), f"twins {shard}, formulas", len(by_formula)):
        groups, unknown = twin_groups(by_formula.pop(formula), f"twins {shard}, {formula}")
        for group in groups:
            found += [
                {"mat_id": m, "twin_group": min(group), "formula": formulas[m], "compared": m not in unknown}
                for m in group
            ]
    write_table(twins, sorted(found, key=lambda row: row["mat_id"]), TWINS)


def _disordered_systems(sample: Path) -> set[str]:
    """List the chemical systems of crystals with shared or half-empty sites."""
    found: set[str] = set()
    for piece in iterate_table(sample, SAMPLE, ["formula", "n_sites"]):
        cells = set(zip(piece["formula"].to_pylist(), piece["n_sites"].to_pylist(), strict=True))
        found |= {chemical_system(formula) for formula, n_sites in cells if is_rounded(formula, n_sites)}
    return found


def _structures(sample: Path, wanted: Collection[str]) -> list[tuple[str, str]]:
    """Read the structures of the given materials, without holding others in memory."""
    pieces = [
        piece.filter(pa.array([mat_id in wanted for mat_id in piece["mat_id"].to_pylist()], pa.bool_()))
        for piece in iterate_table(sample, SAMPLE, ["mat_id", "structure"])
    ]
    table = pa.concat_tables(pieces)
    return list(zip(table["mat_id"].to_pylist(), table["structure"].to_pylist(), strict=True))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
