"""Numbers of test rows beside scores in Markdown."""

from made_up_results import cell_row, frames, score_rows

from polyfacet.reporting.row_counts import row_counts


def test_scores_have_the_numbers_of_their_test_rows():
    cells = [cell_row("graph", "gap", repeat=repeat, n_test=n) for repeat, n in enumerate((12, 15))]
    cells.append(cell_row("graph", "e_form", ok=False))
    _, scores = frames(cells, [row for cell in cells for row in score_rows(cell, mase=0.5)])
    scores["n_nontrivial"] = (scores["n_test"] - 2).clip(lower=0)
    labels = {"gap": "Band *gap*", "e_form": "Formation energy"}
    said = row_counts(scores, "crystals", "random", labels)
    assert said.startswith("Test rows per repeat (non-trivial ones), split `random`: Band ")
    assert said.endswith(" 12 to 15 (10 to 13).")
    assert "*gap*" not in said.replace("\\*", "")
    assert row_counts(scores, "crystals", "formula", labels) == ""
