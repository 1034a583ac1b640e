"""Planted leaks: each of them changes nothing, or is refused."""

import dataclasses
import json
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from grid_cells import cell_of
from rock_salts import fit, rock_salt_graphs, rock_salt_properties, write_inputs
from synthetic_cells import PHASE, STRENGTH, synthetic_cells

import fit_grey_levels
import split_materials
from polyfacet.facets.compimage.statistics import STATISTICS
from polyfacet.facets.compimage.statistics_table import COMPOSITION_STATISTICS, SHAPE
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import (
    COMPIMAGE,
    COMPOSITION,
    DESCRIPTORS,
    GRAPH,
    IMAGE,
    PROCESS,
    XRD,
    facet_named,
)
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.splits.parts import SPLIT
from polyfacet.training.cells import train
from polyfacet.training.engines.base import Engine, EngineError, Resources, Settings, ValidationUse
from polyfacet.training.engines.creation import create
from polyfacet.training.learnable import check_not_shown
from polyfacet.training.seen_rows import what_engines_see

HELD_OUT = ("valid", "test")


@pytest.mark.parametrize("part", HELD_OUT)
def test_an_embedding_learns_nothing_from_rows_that_choose_or_test(tmp_path, part):
    graphs = rock_salt_graphs()
    properties = rock_salt_properties(graphs)
    held_out = [graph.mat_id for graph in graphs if graph.mat_id.startswith("Rb")]
    write_inputs(tmp_path, graphs, properties, held_out)
    split = read_table(tmp_path / "split.parquet", SPLIT)
    split["part"] = split["part"].replace("test", part)
    write_table(tmp_path / "split.parquet", split, SPLIT)
    network = fit(tmp_path)
    spoilt = properties.copy()
    spoilt.loc[held_out, ["vol_atom", "e_form"]] = 1e6
    write_inputs(tmp_path, graphs, spoilt, held_out)
    write_table(tmp_path / "split.parquet", split, SPLIT)
    assert fit(tmp_path) == network


@pytest.mark.parametrize("part", HELD_OUT)
def test_grey_levels_follow_from_the_training_part_alone(tmp_path, part):
    values = np.random.default_rng(0).normal(size=(4, SHAPE[0] * SHAPE[1]))
    names = list("abcd")
    parts = ["train", "train", "train", part]
    rows = [{"mat_id": m, "group": m, "part": p} for m, p in zip(names, parts, strict=True)]
    write_table(tmp_path / "split.parquet", rows, SPLIT)
    found = []
    for extreme in (0.0, 1e3):
        values[3] = extreme
        table = [{"mat_id": m, "statistics": row} for m, row in zip(names, values, strict=True)]
        write_table(tmp_path / "statistics.parquet", table, COMPOSITION_STATISTICS)
        fit_grey_levels.main(
            [tmp_path / "statistics.parquet"],
            tmp_path / "split.parquet",
            tmp_path / "levels.json",
            fit="train",
            origin={},
        )
        found.append(json.loads((tmp_path / "levels.json").read_text()))
    assert found[0] == found[1]
    assert len(STATISTICS) == SHAPE[0]


@pytest.mark.parametrize("unit", [1.0, -0.001])
@pytest.mark.parametrize("engine", ["classical", "mcvn"])
def test_a_number_of_a_facet_that_is_the_objective_makes_a_failed_card(tmp_path, unit, engine):
    rows = synthetic_cells(60).assign(part=["train"] * 40 + ["valid"] * 10 + ["test"] * 10, formula="X")
    leaking = [
        np.append(numbers, 3 + unit * answer)
        for numbers, answer in zip(rows["graph"], rows["strength"], strict=True)
    ]
    rows = rows.assign(graph=leaking, facets=[["graph"]] * 60)
    cell = cell_of((GRAPH,), STRENGTH, engine)
    settings = {"max_epochs": 2} if engine == "mcvn" else {"model": "ridge"}
    _, card = train(cell, create(engine, settings, Resources(1)), rows, tmp_path / "model")
    assert card.status == "failed"
    assert "number 6 of the facet graph is strength itself" in str(card.reason)


@pytest.mark.parametrize(
    ("objective", "leak"),
    [
        (STRENGTH, lambda answers: (0.145 * answers).round(1)),
        (STRENGTH, lambda answers: answers.where(answers.index != 3)),
        (PHASE, lambda answers: answers.map(PHASE.classes.index).astype(float)),
    ],
    ids=["in other units, rounded", "missing in a row", "a number for each class"],
)
def test_the_objective_is_found_in_disguise(objective, leak):
    rows = synthetic_cells(60)
    leaking = [np.append(x, y) for x, y in zip(rows["graph"], leak(rows[objective.column]), strict=True)]
    with pytest.raises(EngineError, match="number 6 of the facet graph is"):
        check_not_shown(rows.assign(graph=leaking), (GRAPH,), objective)
    check_not_shown(rows, (GRAPH,), objective)


VOLUME = Objective("volume", "Volume", "A^3/atom", follows_from=frozenset({"lattice"}))
SIZE = Facet("size", "size", "vector", needs="structure", shows=frozenset(), make=len)
MARKED = Facet("size", "size", "vector", needs="structure", make=len)


def numbers_beside_answers(n, facet, of_answers, seed=0):
    """Make rows whose second number is a function of the answers and a generator of random numbers."""
    generator = np.random.default_rng(seed)
    answers = generator.gamma(3.0, 5.0, n)
    values = np.column_stack([generator.normal(size=n), of_answers(answers, generator)])
    return pd.DataFrame({"volume": answers, facet.name: list(values)})


@pytest.mark.parametrize("n", [30, 60, 5000])
@pytest.mark.parametrize(
    "leak",
    [
        lambda y, _: np.log(y),
        lambda y, _: -(y**3),
        lambda y, random: np.log(y * (1 + random.normal(size=len(y)) * 1e-7)),
        lambda y, _: np.where(y > np.median(y), np.inf, np.sqrt(y)) if len(y) > 60 else np.sqrt(y),
    ],
    ids=["logarithm", "falling", "as CIFs round", "not always known"],
)
def test_a_number_in_the_order_of_the_objective_is_refused(n, leak):
    rows = numbers_beside_answers(n, SIZE, leak)
    with pytest.raises(EngineError, match="number 2 of the facet size is volume itself or follows it"):
        check_not_shown(rows, (SIZE,), VOLUME)


@pytest.mark.parametrize("digits", [1, 2])
def test_the_order_is_that_of_rounded_numbers_too(digits):
    rows = numbers_beside_answers(2000, SIZE, lambda y, _: np.log(y).round(digits))
    with pytest.raises(EngineError, match="number 2 of the facet size"):
        check_not_shown(rows, (SIZE,), VOLUME)


@pytest.mark.parametrize(
    ("n", "number"),
    [
        (29, lambda y, _: np.log(y)),
        (2000, lambda y, _: np.digitize(y, np.quantile(y, np.arange(0.1, 1, 0.1)))),
        (30, lambda y, random: np.log(y) + random.normal(size=len(y)) * 0.1),
        (2000, lambda y, random: np.log(y) + random.normal(size=len(y)) * 0.02),
        # Few rows have any of a rare element: the order of all others says nothing.
        (2000, lambda y, random: np.where(y > np.sort(y)[-40], random.random(len(y)), 0.0)),
    ],
    ids=["few rows", "ten steps", "near, few rows", "near, many rows", "mostly zero"],
)
def test_an_informative_number_is_not_a_leak(n, number):
    for seed in range(10):
        check_not_shown(numbers_beside_answers(n, SIZE, number, seed), (SIZE,), VOLUME)


@pytest.mark.parametrize("exponent", [-307, -200, -163, -160, -155, 150, 160, 200, 305])
@pytest.mark.parametrize("other", [-200, 0, 200])
def test_leaks_are_detected_in_any_unit(exponent, other):
    """Squares of numbers below 1e-162 are zero, and those of numbers above 1e154 infinite."""
    rows = synthetic_cells(60)
    answers = rows["strength"] * 10.0**exponent
    numbers = np.random.default_rng(0).normal(size=(60, 2)) * 10.0**other
    sound = rows.assign(strength=answers, graph=list(numbers))
    check_not_shown(sound, (GRAPH,), STRENGTH)
    leaking = list(np.column_stack([numbers, rows["strength"] * 10.0**other]))
    with pytest.raises(EngineError, match="number 3 of the facet graph is"):
        check_not_shown(sound.assign(graph=leaking), (GRAPH,), STRENGTH)


def test_objectives_of_a_few_steps_have_no_order_to_follow():
    rows = numbers_beside_answers(2000, SIZE, lambda y, _: y)
    check_not_shown(rows.assign(volume=rows["volume"].round(-1)), (SIZE,), VOLUME)


@pytest.mark.parametrize(
    "number",
    [lambda y, _: np.log(y), lambda y, _: 3 - 0.1 * y],
    ids=["in the order of the objective", "in other units"],
)
def test_a_facet_marked_with_a_dagger_may_show_the_objective(number):
    rows = numbers_beside_answers(60, MARKED, number)
    check_not_shown(rows, cell_of((MARKED,), VOLUME).facets_without_answer, VOLUME)
    undeclared = Objective("volume", "Volume")
    with pytest.raises(EngineError, match="number 2 of the facet size.*from the structure.*follows_from"):
        check_not_shown(rows, cell_of((MARKED,), undeclared).facets_without_answer, undeclared)


DENSITY = Objective("density", follows_from=frozenset({"composition", "lattice", "sites"}))
MASS_CLASS = Objective("heavy", classes=("no", "yes"), follows_from=frozenset({"composition"}))


@pytest.mark.parametrize(
    ("objective", "facets", "unmarked"),
    [
        (DENSITY, (DESCRIPTORS, XRD), ()),
        (DENSITY, (COMPOSITION, PROCESS), (COMPOSITION, PROCESS)),
        (MASS_CLASS, (DESCRIPTORS,), ()),
        (MASS_CLASS, (COMPOSITION, PROCESS), (PROCESS,)),
        (MASS_CLASS, (COMPIMAGE, SIZE), (SIZE,)),
        (STRENGTH, (DESCRIPTORS, GRAPH), (DESCRIPTORS, GRAPH)),
    ],
    ids=lambda each: each.column if isinstance(each, Objective) else "+".join(f.name for f in each),
)
def test_numbers_are_searched_for_the_answer_where_no_dagger_says_that_they_have_it(
    objective, facets, unmarked
):
    assert cell_of(facets, objective).facets_without_answer == unmarked


@pytest.mark.parametrize("name", ["density", "heavy"])
def test_cells_are_trained_on_numbers_that_are_declared_to_show_the_objective(tmp_path, name):
    """The density is a number of the descriptors, and a limit of the mass names its classes."""
    rows = synthetic_cells(60).assign(part=["train"] * 40 + ["valid"] * 10 + ["test"] * 10, formula="X")
    heavy = rows["strength"] > rows["strength"].median()
    answers = {"density": rows["strength"], "heavy": heavy.map({False: "no", True: "yes"})}
    shown = {"density": rows["strength"], "heavy": heavy.astype(float)}[name]
    values = [np.append(x, y) for x, y in zip(rows["graph"], shown, strict=True)]
    rows = rows.assign(**{name: answers[name], "descriptors": values}, facets=[["descriptors"]] * 60)
    objective = {"density": DENSITY, "heavy": MASS_CLASS}[name]
    model = {"model": "ridge"} if name == "density" else {"model": "forest"}
    for declared in (True, False):
        own = objective if declared else dataclasses.replace(objective, follows_from=frozenset())
        cell = cell_of((DESCRIPTORS,), own, "classical")
        _, card = train(cell, create("classical", model, Resources(1)), rows, tmp_path / f"{declared}")
        assert (card.contains_answer, card.status) == ((True, "ok") if declared else (False, "failed")), card


def test_a_column_of_a_table_is_not_excused_by_the_composition():
    """The molar mass follows from the composition: a column that holds it is still a leak."""
    rows = numbers_beside_answers(60, PROCESS, lambda y, _: 2 * y).rename(columns={"volume": "mass"})
    mass = Objective("mass", follows_from=frozenset({"composition"}))
    rows = rows.assign(composition=list(np.ones((60, 2))))
    cell = cell_of((COMPOSITION, PROCESS), mass)
    assert cell.contains_answer
    with pytest.raises(EngineError, match="number 2 of the facet process is mass.*column out of the feat"):
        check_not_shown(rows, cell.facets_without_answer, mass)


@pytest.mark.parametrize("n_others", [1, 2])
def test_a_few_rows_are_no_evidence_of_a_leak(n_others):
    """The only magnet is the only material with iron; or one row is far off in all columns."""
    generator = np.random.default_rng(0)
    answers = np.zeros(30)
    answers[:n_others] = np.arange(1, n_others + 1)
    rows = pd.DataFrame(
        {"volume": answers, "graph": list(np.column_stack([generator.normal(size=30), answers]))}
    )
    check_not_shown(rows, (GRAPH,), VOLUME)
    outlier = np.where(np.arange(30) == 4, 1e9, generator.normal(size=(2, 30)))
    rows = pd.DataFrame({"volume": outlier[0], "graph": list(outlier[1][:, None])})
    check_not_shown(rows, (GRAPH,), VOLUME)


@pytest.mark.parametrize("steps", [2, 3, 4])
@pytest.mark.parametrize("facet", [GRAPH, PROCESS], ids=["graph", "process"])
@pytest.mark.parametrize("unit", [1.0, -0.3])
def test_an_objective_of_a_few_values_is_found_too(steps, facet, unit):
    generator = np.random.default_rng(0)
    answers = np.arange(40.0) % steps
    numbers = np.column_stack([generator.normal(size=40), 7 + unit * answers])
    rows = pd.DataFrame({"volume": answers, facet.name: list(numbers)})
    with pytest.raises(EngineError, match=f"number 2 of the facet {facet.name} is volume itself"):
        check_not_shown(rows, (facet,), VOLUME)


@pytest.mark.parametrize(("n_others", "is_leak"), [(4, False), (5, True)])
def test_five_rows_that_differ_from_all_others_are_evidence(n_others, is_leak):
    answers = (np.arange(30) < n_others).astype(float)
    rows = pd.DataFrame({"volume": answers, "graph": list(answers[:, None])})
    with pytest.raises(EngineError, match="number 1") if is_leak else nullcontext():
        check_not_shown(rows, (GRAPH,), VOLUME)


def test_one_row_that_differs_makes_a_number_of_a_few_values_no_leak():
    answers = np.arange(40.0) % 3
    numbers = np.where(np.arange(40) == 6, 2 - answers, answers)
    rows = pd.DataFrame({"volume": answers, "graph": list(numbers[:, None])})
    check_not_shown(rows, (GRAPH,), VOLUME)


def test_in_a_table_the_objective_may_follow_from_what_is_known_before():
    """Resistivity rises with temperature, a lattice parameter with the amount of an element."""
    generator = np.random.default_rng(0)
    temperatures = np.linspace(300, 900, 40)
    amounts = np.column_stack([temperatures, 1000 - temperatures])
    process = list(np.column_stack([temperatures, generator.normal(size=40)]))
    series = pd.DataFrame({"volume": temperatures**1.2, "process": process, "composition": list(amounts)})
    check_not_shown(series, (COMPOSITION, PROCESS), VOLUME)
    linear = series.assign(volume=5 + temperatures / 100)
    check_not_shown(linear, (COMPOSITION,), VOLUME)
    with pytest.raises(EngineError, match="number 1 of the facet process.*training.leaks to allow"):
        check_not_shown(linear, (PROCESS,), VOLUME)


def test_numbers_that_are_known_before_may_be_allowed(tmp_path):
    rows = synthetic_cells(60).assign(part=["train"] * 40 + ["valid"] * 10 + ["test"] * 10, formula="X")
    leaking = [np.append(x, y) for x, y in zip(rows["graph"], rows["strength"], strict=True)]
    rows = rows.assign(graph=leaking, facets=[["graph"]] * 60)
    cell = dataclasses.replace(cell_of((GRAPH,), STRENGTH, "classical"), may_show_answers=True)
    _, card = train(cell, create("classical", {"model": "ridge"}, Resources(1)), rows, tmp_path / "model")
    assert card.status == "ok"


def test_a_number_for_one_class_is_found_and_a_rare_class_is_no_evidence():
    classes = np.repeat(PHASE.classes[:2], 20).tolist() + [PHASE.classes[2]] * 4
    rows = pd.DataFrame({"phase": classes, "graph": [np.zeros(2) for _ in classes]})
    of_one = [np.array([0.0, float(name == PHASE.classes[0])]) for name in classes]
    with pytest.raises(EngineError, match="number 2 of the facet graph"):
        check_not_shown(rows.assign(graph=of_one), (GRAPH,), PHASE)
    of_the_rare = [np.array([0.0, float(name == PHASE.classes[2])]) for name in classes]
    check_not_shown(rows.assign(graph=of_the_rare), (GRAPH,), PHASE)


def test_a_facet_of_structures_shows_them_unless_it_says_otherwise():
    assert MARKED.shows == {"composition", "lattice", "sites"}
    assert not SIZE.shows
    assert Facet("size", "size", "vector", needs="formula", make=len).shows == {"composition"}
    assert facet_named("text:cif").shows == MARKED.shows
    assert facet_named("text:composition").shows == COMPOSITION.shows == {"composition"}
    assert not PROCESS.shows
    assert cell_of((MARKED,), VOLUME).contains_answer
    assert not cell_of((SIZE,), VOLUME).contains_answer


@pytest.mark.parametrize("rounded", [False, True])
def test_a_respelled_formula_is_no_other_composition(write_sample, tmp_path, rounded):
    """Entries have one spelling; those of tables are compared."""
    twice = {"a": "Fe2O3", "b": "Fe2O3"} if not rounded else {"a": "Fe40O60", "b": "Fe0.4O0.6"}
    others = {f"m{i}": f"Ti{i}O{i + 1}" for i in range(2, 20)}
    settings = {"method": "formula", "train_fraction": 0.5, "validation_fraction": 0.3, "seed": 0}
    for repeat in range(8):
        path = tmp_path / f"{repeat}.parquet"
        split_materials.main(write_sample(twice | others), path, rounded=rounded, repeat=repeat, **settings)
        parts = pd.read_parquet(path).set_index("mat_id")["part"]
        assert parts["a"] == parts["b"]


class Peeking(Engine):
    """An engine that answers with the truth where it is shown it, and rewrites it where it can."""

    validation_use = ValidationUse.TRAINING

    def learn(self, train, valid, objective):
        assert set(train.columns) == {"mat_id", "graph", objective.column}
        self.column = objective.column

    def answer(self, frame):
        assert set(frame.columns) == {"mat_id", "graph"}
        frame[self.column] = 5.0
        return frame[self.column].to_numpy()

    def write_model(self, folder):
        pass

    def read_model(self, folder):
        pass


def test_an_engine_is_shown_no_answer_when_it_predicts_and_can_rewrite_none(tmp_path):
    rows = (
        synthetic_cells(60)
        .drop(columns="composition_statistics")
        .assign(facets=[["graph"]] * 60, part=["train"] * 40 + ["valid"] * 10 + ["test"] * 10, other=1.0)
    )
    engine = Peeking(Settings(), Resources(1), "peeking")
    predictions, card = train(cell_of((GRAPH,), STRENGTH), engine, rows, tmp_path / "model")
    assert card.status == "ok", card.reason
    assert predictions["y_true"].tolist() == rows["strength"].tolist()
    assert set(predictions["y_pred"]) == {5.0}


def test_the_statistics_of_compositions_are_no_columns_of_the_facet_composition():
    rows = synthetic_cells(12).rename(columns={"graph": "composition"})
    seen = what_engines_see(rows.assign(group="a"), (COMPOSITION,))
    assert list(seen.columns) == ["mat_id", "composition", "composition_statistics"]


def test_engines_see_all_views_of_pictures_and_no_digest():
    views = {f"image_{view}{suffix}": "x" for view in "ab" for suffix in ("", "_sha256")}
    seen = what_engines_see(pd.DataFrame({"mat_id": ["m"], **views, "gap": [1.0]}), (IMAGE,))
    assert list(seen.columns) == ["mat_id", "image_a", "image_b"]
