"""The summary in plain words: one sentence per test, and what was not tested."""

from collections.abc import Iterator

import pandas as pd

from polyfacet.evaluation.roles import MULTI
from polyfacet.evaluation.verdicts import BETTER, COMPARISONS, EQUAL, MARGIN, UNDECIDED, VERDICTS, WORSE
from polyfacet.facets.registry import SEPARATOR
from polyfacet.reporting.naming import DAGGER, DOUBLE_DAGGER, PRETRAINED_LEGEND
from polyfacet.reporting.numbers import number_range
from polyfacet.reporting.page.parts import (
    Counts,
    Heading,
    Items,
    Paragraph,
    Part,
    Section,
    Sentence,
    Verdicts,
)
from polyfacet.reporting.page.results import Place, Results
from polyfacet.training.cells import NO_FACET

QUESTIONS = {
    "multi vs single": "Do several facets beat the best single facet?",
    "multi vs baseline": "Do several facets beat the best baseline?",
    "single vs baseline": "Does the best single facet beat the best baseline?",
}
ROLE_NAMES = {"multi": "several facets", "single": "the best single facet", "baseline": "the best baseline"}
LEAD = (
    "Every sentence here follows from one test over the repeats of a split (section 5), or says what was not "
    "tested. Which cell stands for each side was decided on validation rows alone. Everything else on this "
    "page describes the data and claims nothing beyond them."
)
HOW = (
    "The loss is the MASE for numbers (1: as good as always predicting the mean of the test values; 0: "
    "perfect) and 1 - macro F1 for classes. Baselines look at nothing or at the composition alone. "
    f"Differences smaller than {MARGIN:.0%} of the rival's loss do not matter: better and worse need a "
    "larger one, and practically equal needs tests that exclude a larger one in both directions. Verdicts "
    "follow from the p values, which Holm's correction adjusts to the number of objectives; intervals are "
    "not corrected."
)
NOT_TESTED = "not tested"
SEES_ANSWER = (
    "† In at least one repeat, the chosen facets reveal the objective: it is read off rather than predicted."
)
# Smaller p values are not told apart.
SMALLEST_P = 0.001


def summary(results: Results) -> Section:
    """Write the summary of a run."""
    parts: list[Part] = [Paragraph(HOW)]
    for place in results.places:
        tests = place.of(results["tests"])
        if len(results.places) > 1:
            parts.append(Heading(place.title))
        if tests.empty:
            parts.append(Paragraph(f"{place.title}: nothing was tested."))
            continue
        for comparison in COMPARISONS:
            own = tests[tests["comparison"] == comparison]
            if len(own):
                parts += _answers(results, place, comparison, own)
        parts += _not_tested(results, place, tests)
    return Section("summary", "Summary", LEAD, parts)


def _answers(results: Results, place: Place, comparison: str, tests: pd.DataFrame) -> Iterator[Part]:
    yield Heading(QUESTIONS[comparison], level=3 if len(results.places) == 1 else 4)
    is_tested = tests["reason"].isna()
    found = tests.loc[is_tested, "verdict"].value_counts()
    counts = {verdict: int(found.get(verdict, 0)) for verdict in VERDICTS}
    untested = len(tests) - int(is_tested.sum())
    yield Counts(counts | ({NOT_TESTED: untested} if untested else {}))
    if is_tested.any():
        yield Verdicts([sentence(results, place, row) for _, row in tests[is_tested].iterrows()])


def sentence(results: Results, place: Place, test: pd.Series) -> Sentence:
    """Write what one test says."""
    source, objective = place.source, test["objective"]
    roles = COMPARISONS[test["comparison"]]
    mark, rival_mark = (results.marks_of_choices(place, objective, role) for role in roles)
    label = results.labels(source).get(objective, objective) + joined_marks(mark, rival_mark)
    left_out = f" (left out: {test['left_out']})" if test["left_out"] else ""
    evidence = (
        f"{results.loss_name(source, objective)} {test['loss']:.3f} against {test['rival_loss']:.3f}, "
        f"difference {test['difference']:+.3f} (95\u00a0% interval {test['low']:+.3f} to "
        f"{test['high']:+.3f}), {_p(test)}; {test['n_repeats']} repeats{left_out}, "
        f"{_rows(results.tested_rows(place, objective, test['comparison']))}. Chosen most often: "
        f"{choice_text(test['chosen'])}{mark}; rival: {choice_text(test['rival_chosen'])}{rival_mark}."
    )
    evidence += explained_marks(mark, rival_mark)
    first, rival = (ROLE_NAMES[role] for role in roles)
    claim = _claim(first, rival, test["verdict"])
    return Sentence(test["verdict"], f"{label}: {claim}.", evidence)


def joined_marks(*marks: str) -> str:
    """Return each dagger once that any of the marks has."""
    return "".join(dagger for dagger in (DAGGER, DOUBLE_DAGGER) if any(dagger in mark for mark in marks))


def explained_marks(*marks: str) -> str:
    """Explain the daggers of marks, after a blank; empty if there are none."""
    found = joined_marks(*marks)
    said = {DAGGER: SEES_ANSWER, DOUBLE_DAGGER: PRETRAINED_LEGEND}
    return "".join(f" {text}" for dagger, text in said.items() if dagger in found)


def choice_text(chosen: str) -> str:
    """Write a choice as other names of cells are written: no facet is not named."""
    return chosen.replace(f" {NO_FACET} (", " (").replace(SEPARATOR, f" {SEPARATOR} ")


def _claim(first: str, rival: str, verdict: str) -> str:
    be = "are" if first == ROLE_NAMES[MULTI] else "is"
    return {
        BETTER: f"{first} {be} better than {rival}",
        WORSE: f"{first} {be} worse than {rival}",
        EQUAL: f"{first} and {rival} are practically equal",
        UNDECIDED: f"the test does not decide whether {first} {be} better or worse than {rival}",
    }[verdict]


def _p(test: pd.Series) -> str:
    if test["verdict"] == EQUAL:
        return f"equivalence p {p_text(test['p_equal_holm'])} after Holm's correction"
    return f"p {p_text(test['p_holm'])} after Holm's correction"


def p_text(p: float) -> str:
    """Write a p value with its sign of comparison."""
    return f"< {SMALLEST_P:g}" if p < SMALLEST_P else f"= {p:.3f}"


def _rows(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "no test rows"
    return (
        f"{number_range(rows['n_test'])} test rows each, of which {number_range(rows['n_nontrivial'])} "
        "differ from the most frequent value"
    )


def _controls(results: Results, place: Place) -> Iterator[str]:
    """State which cells are controls."""
    controls = results.controls(place)
    if controls:
        names = ", ".join(sorted(set().union(*controls.values())))
        yield (
            f"{names}: {len(controls)} combinations of method and facets use an untrained encoder. They are "
            "controls: their scores are description, and no test could choose them."
        )


def _not_tested(results: Results, place: Place, tests: pd.DataFrame) -> Iterator[Part]:
    """State what has no verdict, and why."""
    labels = results.labels(place.source)
    said = []
    untested = tests[tests["reason"].notna()]
    why = [
        reason + (f"; left out: {left_out}" if left_out else "")
        for reason, left_out in zip(untested["reason"], untested["left_out"], strict=True)
    ]
    for (comparison, reason), own in untested.assign(why=why).groupby(["comparison", "why"], sort=False):
        names = ", ".join(labels.get(name, name) for name in own["objective"])
        first, rival = (ROLE_NAMES[role] for role in COMPARISONS[str(comparison)])
        said.append(f"{first} against {rival}: no test for {names} ({reason}).")
    fewer = {name: n for name, n in results.repeats_of(place).items() if n < place.n_repeats}
    said += [
        f"{name} was trained on {n} of {place.n_repeats} repeats: its scores are description, and no test "
        "could choose it."
        for name, n in fewer.items()
    ]
    for name, lacking in results.lacking_objectives(place).items():
        # Means over objectives are of numbers.
        has_mean = all(results.classes(place.source, objective) for objective in lacking)
        said.append(
            f"{name} was not trained on {', '.join(labels[each] for each in lacking)}: it could not be "
            f"chosen for these objectives{'' if has_mean else ', and has no mean over all objectives'}."
        )
    said += _controls(results, place)
    cells = place.of(results.cells)
    failed = int((cells["status"] == "failed").sum())
    if failed:
        said.append(
            f"{failed} of {len(cells)} cells failed (section 12); their methods and facets could not be "
            "chosen for those objectives."
        )
    if cut_off := int(cells["cut_off"].notna().sum()):
        said.append(
            f"The training of {cut_off} of {len(cells)} cells may have been cut off before it converged "
            "(section 12): with longer training, their scores might be better."
        )
    if said:
        yield Heading("Not tested", level=3 if len(results.places) == 1 else 4)
        yield Items(said)
