"""Write the report: what was run, what came out, what was rejected, and how to read it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.materials.material import SAMPLE
from polyfacet.materials.stage_tables import TWINS
from polyfacet.materials.targets import Target
from polyfacet.reporting.notes import element_note, network_note, rows_note, tested_note, twins_note
from polyfacet.reporting.results import BASELINES, CELLS, number_text, pivot
from polyfacet.runtime.files import unreadable, write_text
from polyfacet.runtime.markdown import plain
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.rejects import REJECTS
from polyfacet.splits.parts import SPLIT
from polyfacet.training.encoders.token_counts import tokens_note

# The whole list is in the summary of the sample.
MAX_LEFT_OUT = 20
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
    sample: Path,
    splits: list[Path],
    networks: list[Path],
    twins: list[Path],
    mae_md: Path,
    mase_md: Path,
    heatmap: Path,
    bars: Path,
    sheet: Path,
    legend: Path,
    tokens: list[Path],
    rejected: list[Path],
    provenance: list[Path],
    report: Path,
    twins_csv: Path,
    *,
    run_name: str,
) -> None:
    """Write the report in Markdown, beside its tables and figures.

    Parameters
    ----------
    cells, summary
        Table of all cells; counts of the sampling.
    sample, splits
        Table of the sampled materials, and of their parts in each repeat of the split.
    networks
        What was recorded of the network of each repeat.
    twins
        Tables of the twins among the materials, one per shard.
    mae_md, mase_md, heatmap, bars, sheet, legend
        Tables and figures to show.
    tokens
        What the text encoder knows of its texts; none without such an encoder.
    rejected
        Rejects tables of the stages.
    provenance
        What the stages' jobs say of how many results they made, and how many they kept of earlier runs.
    report, twins_csv
        Outputs: the report; a list of all twins.
    run_name
        Title of the run.
    """
    frame = read_table(cells, CELLS)
    notes = [
        DEFINITION,
        element_note(
            read_table(sample, SAMPLE, columns=["mat_id", "formula"]),
            [read_table(split, SPLIT) for split in splits],
            frame,
        ),
        network_note({path.parent.name: _read_json(path) for path in networks}, frame),
    ]
    found = pd.concat([read_table(path, TWINS) for path in twins]).sort_values(["twin_group", "mat_id"])
    write_text(twins_csv, found.to_csv(index=False))
    parts = [
        f"# Polyfacet: {run_name}",
        _findings(frame),
        "\n\n".join(["## How to read the tables", *filter(None, notes)]),
        f"## MASE\n\n{mase_md.read_text(encoding='utf-8')}\n![MASE heatmap]({heatmap.name})",
        f"## MAE\n\n{mae_md.read_text(encoding='utf-8')}\n![MAE bars]({bars.name})",
        _failures(frame),
        rows_note(frame),
        f"## Materials\n\n{_sampling(summary)}\n\n"
        f"{twins_note(found, twins_csv.name)}\n\n{_rejects(rejected)}\n\n{_work(provenance)}",
        f"## Texts\n\n{tokens_note(tokens)}" if tokens else "",
        f"![Pictures of the structures]({sheet.name})",
        f"## Blocks of the composition image\n\n![Legend of the composition image]({legend.name})",
    ]
    write_text(report, "\n\n".join(part for part in parts if part) + "\n")


def _findings(frame: pd.DataFrame) -> str:
    """Say for each target which combination is best, and whether it beats the dummy predictors."""
    mae, mase = pivot(frame, "mae"), pivot(frame, "mase")
    dummies, trained = mae.loc[list(BASELINES)], mae.drop(index=list(BASELINES))
    lines = [_finding(trained[name], dummies[name], mase[name], Target(name)) for name in mae.columns]
    won = sum(trained[name].min() < dummies[name].min(skipna=False) for name in mae.columns)
    summary = f"The best facets beat both dummy predictors on {won} of {len(mae.columns)} targets."
    return f"## Findings\n\n{summary} {tested_note(frame)}\n\n" + "\n".join(lines)


def _finding(trained: pd.Series, dummies: pd.Series, mase: pd.Series, target: Target) -> str:
    """Say which combination is best on a target, beside the better dummy predictor."""
    label = target.facts.label
    if trained.isna().all():
        return f"- {label}: no cell has a result"
    best = str(trained.idxmin())
    found = f"- {label}: `{best}` is best, {_errors(trained[best], mase[best], target)}; "
    if dummies.isna().all():
        return f"{found}no dummy has a result"
    dummy = str(dummies.idxmin())
    return f"{found}the better dummy, `{dummy}`, has {_errors(dummies[dummy], mase[dummy], target)}"


def _errors(mae: float, mase: float, target: Target) -> str:
    return f"MAE {number_text(mae, '.4g')} {target.facts.unit} (MASE {number_text(mase, '.3f')})"


def _failures(frame: pd.DataFrame) -> str:
    failed = frame[frame["status"] == "failed"]
    lines = [f"- `{row.row}` on {row.target}: {plain(str(row.reason))}" for row in failed.itertuples()]
    return "## Failed cells\n\n" + "\n".join(lines) if lines else ""


def _sampling(summary: Path) -> str:
    facts = sampling_counts(summary)
    counts = ", ".join(f"{name} {n}" for name, n in facts.items() if isinstance(n, int))
    lines = [f"Entries: {counts}."]
    left_out = facts.get("files_left_out", [])
    if left_out:
        lines.append("Left out of the folders in `sources`:\n")
        lines += [f"- {plain(left['file'])}: {plain(left['reason'])}" for left in left_out[:MAX_LEFT_OUT]]
    if len(left_out) > MAX_LEFT_OUT:
        lines.append(f"- {len(left_out) - MAX_LEFT_OUT} more (`sample/summary.json`)")
    return "\n".join(lines)


def sampling_counts(summary: Path) -> dict[str, Any]:
    """Read what the sampling counted; if the file is damaged, the error says to delete it."""
    return _read_json(summary)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise unreadable(path, error) from error


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
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
