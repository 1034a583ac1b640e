"""Notes on the numbers of a report: which materials were tested, and what facets knew beforehand."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from polyfacet.config.run import CRYSTALS
from polyfacet.evaluation.equal_repeats import n_test_parts
from polyfacet.evaluation.leakage import SHOWN_OF_ELEMENTS
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, GRAPH, SEPARATOR
from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.reporting.naming import facets_text
from polyfacet.reporting.numbers import number_range
from polyfacet.reporting.page.parts import Items, Paragraph, Part, Table, span, text
from polyfacet.splits.coverage import Coverage
from polyfacet.splits.methods import FOLDS, K_FOLD, SCIKIT_LEARN, SPLIT_METHODS
from polyfacet.splits.parts import TEST


def equal_repeats(cells: pd.DataFrame) -> list[str]:
    """List the splits with repeats that were tested on the same materials, and count their test parts.

    Parameters
    ----------
    cells
        Table of ``polyfacet.evaluation.tables.CELLS``.

    Returns
    -------
    list of str
        One line per source, split and number of test parts, with the objectives if those are not all.
    """
    labels = dict(zip(zip(cells["source"], cells["objective"], strict=True), cells["label"], strict=True))
    methods = dict(zip(cells["split"], cells["split_method"], strict=True))
    counts = n_test_parts(cells)
    n_objectives = counts.groupby(["source", "split"]).size().to_dict()
    equal = counts[counts["n_test_parts"] < counts["n_repeats"]]
    found = []
    for (source, split, n_repeats, n_parts), own in equal.groupby(
        ["source", "split", "n_repeats", "n_test_parts"], sort=False
    ):
        is_whole = len(own) == n_objectives[source, split]
        named = ", ".join(labels[source, objective] for objective in own["objective"])
        where = f"{source}, split {split}" + ("" if is_whole else f", {named}")
        parts = "1 test part" if n_parts == 1 else f"{n_parts} different test parts"
        found.append(f"{where}: {n_repeats} repeats have {parts} ({_why_equal(methods[split], is_whole)})")
    return found


def _why_equal(split_method: str, is_whole: bool) -> str:
    """Say why repeats of a split have the same test part."""
    declared = SPLIT_METHODS.all().get(split_method)
    if declared is not None and declared.held_out is not None:
        return f"the method {split_method} always tests the same; validation rows and seeds differ"
    if not is_whole:
        return "few materials have a value"
    causes = {
        FOLDS.name: "as the file says",
        SCIKIT_LEARN.name: "random_state is fixed, or there are few materials",
        K_FOLD.name: "there are few materials",
    }
    assigned = f"the method {split_method} assigned the same materials"
    is_assigned = declared is not None and declared.assign is not None
    return causes.get(split_method, assigned if is_assigned else "there are few groups or materials")


def skipped_note(skipped: Mapping[str, Mapping[str, str]]) -> list[Part]:
    """List the methods that were not trained.

    Parameters
    ----------
    skipped
        Source to its skipped methods, with the reason.
    """
    return [
        Paragraph(f"The method {name} was skipped on {source}: {reason}.", is_warning=True)
        for source, own in skipped.items()
        for name, reason in own.items()
    ]


def repeats_note(cells: pd.DataFrame) -> list[Part]:
    """Warn about repeats that were tested on the same materials."""
    lines = equal_repeats(cells)
    if not lines:
        return []
    warning = (
        "Some repeats were tested on the same materials: the spread over them does not show how scores "
        "depend on the test materials, and nothing is tested."
    )
    return [Paragraph(warning, is_warning=True), Items(lines)]


def hidden_note(missing: Mapping[str, Any]) -> list[Part]:
    """State which facets were hidden at random.

    Parameters
    ----------
    missing
        ``training.missing`` of a configuration with defaults.
    """
    if not missing["share"]:
        return []
    facets = ", ".join(missing["facets"]) or "all facets, one of which each material keeps"
    return [
        Paragraph(
            f"Facets were hidden on purpose (training.missing): {facets}; of each material with a "
            f"probability of {missing['share']:g}, in the parts {', '.join(missing['parts'])}. Scores "
            "therefore are those of incomplete data. Hidden facets are not among the rejects.",
            is_warning=True,
        )
    ]


def rows_note(cells: pd.DataFrame) -> list[Part]:
    """State how many materials each cell had, and warn if rivals predicted different ones.

    Parameters
    ----------
    cells
        Table of ``polyfacet.evaluation.tables.CELLS``.
    """
    counts = ["n_train", "n_valid", "n_test", "n_missing"]
    head = ["source", "method", "facets", "trained on", "selected the epoch", "tested on", "left out"]
    if cells["n_without_part"].any():
        counts, head = [*counts, "n_without_part"], [*head, "in no part"]
    if cells["n_incomplete"].any():
        counts, head = [*counts, "n_incomplete"], [*head, "used without a facet"]
    lines = [
        [
            text(source),
            text(method),
            text(facets_text(str(combination), set().union(*own["untrained"]))),
            *(span(list(own[name])) for name in counts),
        ]
        for (source, method, combination), own in cells.groupby(
            ["source", "method", "combination"], sort=False
        )
    ]
    same_rows = ["source", "split", "repeat"]
    uneven = [
        str(own["label"].iloc[0])
        for _, own in cells[cells["status"] == "ok"].groupby(["source", "objective"], sort=False)
        if (own.groupby(same_rows)["tested"].nunique() > 1).any()
    ]
    warning = (
        "Not all cells predicted the same test materials, as some materials lack a facet. This concerns "
        f"{', '.join(uneven)}. Scores of these objectives use only the test rows that all cells predicted; "
        "the rejects below say why facets are missing."
    )
    caption = (
        f"Materials of the cells of each method and facets, over {len(cells)} cells. Left out: materials "
        "that lack a facet or the objective."
    )
    told = [Paragraph(warning, is_warning=True)] if uneven else []
    return [*told, Table("rows-of-cells", caption, head, lines, ["cells"])]


def splits_note(coverages: Mapping[str, Coverage]) -> list[Part]:
    """List the splits that leave out materials, or assign parts to identifiers that are not in the sample.

    Parameters
    ----------
    coverages
        Split to its coverage of the sample.
    """
    lines = [f"{split}: {each}" for split, each in coverages.items() if str(each)]
    return [Paragraph("Splits and samples that do not match:"), Items(lines)] if lines else []


def twins_note(twins: pd.DataFrame) -> str:
    """State how many materials are twins.

    Parameters
    ----------
    twins
        Table of ``polyfacet.materials.stage_tables.TWINS``.
    """
    if twins.empty:
        return "No material has a twin, the same crystal under another identifier."
    said = (
        f"{len(twins)} materials form {twins['twin_group'].nunique()} twin groups, the same crystal under "
        "several identifiers (twins.csv). No split divides a group."
    )
    n_large = int((~twins["compared"]).sum())
    if n_large:
        said += (
            f" {n_large} of them were not compared: their cells are too large, or their primitive cell "
            "cannot be found. They stay together with the crystals they may be equal to."
        )
    return said


def element_note(sample: pd.DataFrame | None, splits: Sequence[pd.DataFrame], cells: pd.DataFrame) -> str:
    """Count the test crystals of one element, for which the composition image nearly contains objectives.

    Parameters
    ----------
    sample
        Crystals; columns ``mat_id`` and ``formula``.  None without crystals.
    splits
        Parts of the crystals (`polyfacet.splits.parts.SPLIT`), one table per repeat.
    cells
        Table of ``polyfacet.evaluation.tables.CELLS``.

    Returns
    -------
    str
        Empty if no cell used composition images of crystals for one of these objectives.
    """
    own = _cells_of_crystals(cells, COMPIMAGE)
    shown = own[own["objective"].isin([each.name for each in SHOWN_OF_ELEMENTS])]
    if sample is None or shown.empty:
        return ""
    single = {formula for formula in sample["formula"].unique() if _is_element(formula)}
    elements = set(sample.loc[sample["formula"].isin(single), "mat_id"])
    tested = [split.loc[split["part"] == TEST, "mat_id"] for split in splits]
    return (
        "The composition image (compimage) contains the DFT band gap, energy, magnetic moment and volume "
        "of each pure element. For a material of one element these come close to the objectives "
        f"{', '.join(shown['label'].unique())}. This concerns "
        f"{number_range([mat_ids.isin(elements).sum() for mat_ids in tested])} of the "
        f"{number_range([len(mat_ids) for mat_ids in tested])} test materials."
    )


def network_notes(networks: Mapping[str, Mapping[str, Any]], cells: pd.DataFrame) -> list[str]:
    """State what the network of the embedding was trained on, and what it could not learn.

    Parameters
    ----------
    networks
        Split to the record that `fit_network` wrote of its network.
    cells
        Table of ``polyfacet.evaluation.tables.CELLS``.

    Returns
    -------
    list of str
        Empty if no combination has an embedding, or no training was requested and nothing is to be noted.
    """
    if _cells_of_crystals(cells, GRAPH).empty:
        return []
    could_not = [
        f"{split}: the network of the embedding could not learn everything: {note}"
        for split, record in networks.items()
        for note in record["notes"]
    ]
    return [*_pretraining_note(networks), *_training_note(networks), *could_not]


def _pretraining_note(networks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    trainings = [record["pretraining"] for record in networks.values() if "pretraining" in record]
    if not trainings:
        return []
    named = next(iter(networks.values())).get("settings", {}).get("objectives")
    labels = ", ".join(named or [each.label for each in PREDEFINED])
    return [
        "The embedding (graph) comes from a network that was pretrained on "
        f"{_n_seen(trainings)} outside the sample. It has seen their values of all objectives, regardless of "
        f"what this run predicts: {labels}. No other facet has seen these materials or values.",
        *_outside_notes(networks),
    ]


def _outside_notes(networks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """State what pretraining left out because the split holds it out."""
    pretrained = {split: record for split, record in networks.items() if "pretraining" in record}
    left_out = {split: record["outside"]["n_left_out"] for split, record in pretrained.items()}
    counted = [f"{split}: {n}" for split, n in left_out.items() if n]
    unknown = [split for split, n in left_out.items() if n is None]
    notes = []
    if counted:
        notes.append(
            "Pretraining left out materials of the groups or values that the split holds out "
            f"({', '.join(counted)})."
        )
    if unknown:
        notes.append(
            f"{', '.join(unknown)}: the network was pretrained on materials that may be of the kind that the "
            "split holds out: which those are is unknown for given parts, and for an objective of which only "
            "materials of the sample have values."
        )
    return notes


def _training_note(networks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    trainings = [record["training"] for record in networks.values() if "training" in record]
    if not trainings:
        return []
    return [
        f"The embedding (graph) comes from a network that was trained on {_n_seen(trainings)} "
        "of the training part, with all objectives at once. The other facets saw only the "
        "objective of their cell: an advantage of cells with graph may be due to the other objectives "
        "rather than to the facet."
    ]


def _n_seen(trainings: Sequence[Mapping[str, Any]]) -> str:
    n_train, n_valid = (number_range([training[n] for training in trainings]) for n in ("n_train", "n_valid"))
    return f"{n_train} materials ({n_valid} others selected its epoch)"


def _cells_of_crystals(cells: pd.DataFrame, facet: Facet) -> pd.DataFrame:
    """Select the cells on crystals that use a facet."""
    looks = cells["combination"].map(lambda combination: facet.name in combination.split(SEPARATOR))
    return cells[looks & (cells["source"] == CRYSTALS)]


def _is_element(formula: str) -> bool:
    try:
        return len(parse_formula(formula)) == 1
    except FormulaError:
        return False
