"""Draw the materials outside the sample that the network of the structure facet is pretrained on."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polyfacet.entries import entry_files, read_entries
from polyfacet.errors import UserError
from polyfacet.files import write_text
from polyfacet.materials import SAMPLE, InvalidEntryError, material_from_entry, reduced_formula
from polyfacet.progress import tell, track
from polyfacet.sampling import Filters, Sampler, Source
from polyfacet.tables import read_table, write_table
from polyfacet.targets import Magnetization


def main(
    sources: list[Path],
    sample: Path,
    pretraining: Path,
    summary: Path,
    *,
    n_materials: int,
    seed: int,
    filters: Mapping[str, Any],
    magnetization: Magnetization,
) -> None:
    """Draw the materials that follow the sample in its order.

    A formula that occurs in the sample is left out, whichever part it is in: then one draw serves all splits.

    Parameters
    ----------
    sources
        Entry files, or folders of them; entries that cannot be used are counted when the sample is drawn.
    sample
        Table of the sampled materials.
    pretraining, summary
        Outputs: the materials, a table like the sample; counts of what was read, as JSON.
    n_materials
        How many to draw.
    seed, filters, magnetization
        Those of the sample.

    Raises
    ------
    UserError
        If no material is left.
    """
    sampled = read_table(sample, SAMPLE, columns=["mat_id", "formula"])
    mat_ids, formulas = set(sampled["mat_id"]), set(map(reduced_formula, sampled["formula"]))
    criteria = Filters.of(filters)
    sampler = Sampler(n_materials, seed)
    counts: Counter[str] = Counter(read=0)
    for path in entry_files(sources):
        for position, entry in track(read_entries(path), f"entries of {path.name}"):
            counts["read"] += 1
            try:
                material = material_from_entry(entry, magnetization)
            except InvalidEntryError:
                counts["invalid"] += 1
                continue
            if criteria.failed_by(material):
                counts["filtered"] += 1
            elif material.mat_id in mat_ids:
                counts["in the sample"] += 1
            elif reduced_formula(material.formula) in formulas:
                counts["formula in the sample"] += 1
            elif sampler.offer(material, Source(str(path), position)):
                counts["duplicate"] += 1
    drawn = sampler.sample()
    counts["drawn"] = len(drawn)
    if not drawn:
        raise UserError(
            f"No material outside the sample is left to pretrain on: {dict(counts)}. "
            "Set graphs.pretrain to 0 or mend `sources`."
        )
    if len(drawn) < n_materials:
        tell(f"pretraining: {n_materials} materials asked for, {len(drawn)} are there; going on with those.")
    write_text(summary, json.dumps(dict(sorted(counts.items())), indent=2) + "\n")
    write_table(pretraining, [material.row(s.file, s.position) for material, s in drawn], SAMPLE)


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
