"""Write the composition text of every material."""

from pathlib import Path

from polyfacet.composition.formula import FormulaError
from polyfacet.composition.text import composition_text
from polyfacet.materials import SAMPLE
from polyfacet.rejects import Reject, check_rejected_fraction, write_rejects
from polyfacet.stage_tables import TEXTS
from polyfacet.tables import read_table, write_table


def main(materials: Path, text: Path, rejected: Path, *, variant: str, max_rejected_fraction: float) -> None:
    """Write the texts.

    Parameters
    ----------
    materials
        Table of the sampled materials.
    text, rejected
        Outputs: mat_id and text; materials whose formula cannot be read.
    variant
        See `polyfacet.composition.text.VARIANTS`.
    max_rejected_fraction
        Share of rejects above which the stage stops.
    """
    sample = read_table(materials, SAMPLE, columns=["mat_id", "formula"])
    rows, rejects = [], []
    for mat_id, formula in zip(sample["mat_id"], sample["formula"], strict=True):
        try:
            rows.append({"mat_id": mat_id, "text": composition_text(formula, variant)})
        except FormulaError as error:
            rejects.append(Reject(mat_id, str(error)))
    write_rejects(rejected, rejects)
    check_rejected_fraction(
        len(rejects),
        len(sample),
        max_rejected_fraction,
        "composition text",
        [reject.reason for reject in rejects],
    )
    write_table(text, rows, TEXTS)


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
