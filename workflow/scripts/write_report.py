"""Write the report: what was run, what came out, what was rejected, and how to read it."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd

from polyfacet.files import unreadable, write_text
from polyfacet.markdown import plain
from polyfacet.rejects import REJECTS
from polyfacet.results import BASELINES, CELLS, best_rows, number_text, pivot
from polyfacet.tables import read_table
from polyfacet.targets import Target

DEFINITION = """\
MAE is the mean absolute error on the test part, in the unit of the target. MASE = MAE / mean absolute
deviation of the test targets around their mean: 0 is perfect, 1 is as good as always answering the mean of
the test targets. The rows `mean` and `median` are dummy predictors that always answer the mean or the median
of the training part.
A dagger (†) marks cells whose facets contain the target: the volume per atom can be read off a lattice.
The best value of each target is bold. With several splits the values are means over them."""


def main(
    cells: Path,
    summary: Path,
    mae_md: Path,
    mase_md: Path,
    heatmap: Path,
    bars: Path,
    sheet: Path,
    legend: Path,
    rejected: list[Path],
    provenance: list[Path],
    report: Path,
    *,
    run_name: str,
) -> None:
    """Write the report in Markdown, beside its tables and figures.

    Parameters
    ----------
    cells, summary
        Table of all cells; counts of the sampling.
    mae_md, mase_md, heatmap, bars, sheet, legend
        Tables and figures to show.
    rejected
        Rejects tables of the stages.
    provenance
        What the stages' jobs say of how many results they made, and how many they kept of earlier runs.
    report
        Output.
    run_name
        Title of the run.
    """
    frame = read_table(cells, CELLS)
    parts = [
        f"# Polyfacet: {run_name}",
        _findings(frame),
        f"## How to read the tables\n\n{DEFINITION}",
        f"## MASE\n\n{mase_md.read_text(encoding='utf-8')}\n![MASE heatmap]({heatmap.name})",
        f"## MAE\n\n{mae_md.read_text(encoding='utf-8')}\n![MAE bars]({bars.name})",
        _failures(frame),
        f"## Materials\n\n{_sampling(summary)}\n\n{_rejects(rejected)}\n\n{_work(provenance)}",
        f"![Pictures of the structures]({sheet.name})",
        f"## Blocks of the composition image\n\n![Legend of the composition image]({legend.name})",
    ]
    write_text(report, "\n\n".join(part for part in parts if part) + "\n")


def _findings(frame: pd.DataFrame) -> str:
    """Say for each target which combination is best, and whether it beats the dummy predictors."""
    mae, mase = pivot(frame, "mae"), pivot(frame, "mase")
    dummies, trained = mae.loc[list(BASELINES)], mae.drop(index=list(BASELINES))
    best, best_dummy = best_rows(trained), best_rows(dummies)
    lines = [
        f"- {Target(name).facts.label}: `{row}` is best, {_errors(mae, mase, row, name)}; "
        f"the better dummy, `{best_dummy[name]}`, has {_errors(mae, mase, best_dummy[name], name)}"
        for name, row in best.items()
    ]
    won = sum(trained[name].min() < dummies[name].min() for name in best)
    summary = f"The best facets beat both dummy predictors on {won} of {len(mae.columns)} targets."
    return f"## Findings\n\n{summary}\n\n" + "\n".join(lines)


def _errors(mae: pd.DataFrame, mase: pd.DataFrame, row: str, target: str) -> str:
    scaled = number_text(mase[target][row], ".3f")
    return f"MAE {number_text(mae[target][row], '.4g')} {Target(target).facts.unit} (MASE {scaled})"


def _failures(frame: pd.DataFrame) -> str:
    failed = frame[frame["status"] == "failed"]
    lines = [f"- `{row.row}` on {row.target}: {plain(str(row.reason))}" for row in failed.itertuples()]
    return "## Failed cells\n\n" + "\n".join(lines) if lines else ""


def _sampling(summary: Path) -> str:
    return "Entries: " + ", ".join(f"{name} {n}" for name, n in sampling_counts(summary).items()) + "."


def sampling_counts(summary: Path) -> dict[str, int]:
    """Read what the sampling counted; if the file is damaged, the error says to delete it."""
    try:
        return json.loads(summary.read_bytes())
    except ValueError as error:
        raise unreadable(summary, error) from error


def _rejects(tables: list[Path]) -> str:
    """Count the rejects of the stages after sampling, by reason."""
    reasons: Counter[tuple[str, str]] = Counter()
    for path in tables:
        reasons.update((path.parent.name, reason) for reason in read_table(path, REJECTS)["reason"])
    if not reasons:
        return "No stage after sampling rejected a material."
    return "Rejected by later stages:\n\n" + "\n".join(
        f"- {stage}: {n} x {plain(reason)}" for (stage, reason), n in sorted(reasons.items())
    )


def _work(provenance: list[Path]) -> str:
    """Count for each stage what this run made, and what it kept of earlier ones."""
    made: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for path in provenance:
        counts = json.loads(path.read_text(encoding="utf-8"))
        made[path.parent.name] += counts["made"]
        kept[path.parent.name] += counts["kept"]
    lines = [f"| {stage} | {made[stage]} | {kept[stage]} |" for stage in made]
    return "\n".join(["| stage | made | kept of earlier runs |", "| --- | --- | --- |", *lines])


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
