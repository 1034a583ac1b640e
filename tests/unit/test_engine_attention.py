"""The attention engine reads formulas, learns from them, and predicts the same wherever it is loaded."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from polyfacet.elements.symbols import ELEMENTS
from polyfacet.elements.vectors import matscholar_vectors
from polyfacet.facets.registry import TEXT
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.attention.network import AttentionNetwork
from polyfacet.training.engines.attention.settings import AttentionSettings
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.creation import create, load
from polyfacet.training.engines.formulas import INDICES, read_formulas
from polyfacet.training.engines.registry import check_combinations

GAP = Objective("gap", "Gap", "eV")
KIND = Objective("kind", "Kind", classes=("metal", "insulator"))
QUICK = {"width": 16, "layers": 1, "epochs": 40, "batch_size": 32}
METALS, NONMETALS = ("Li", "Na", "Mg", "Al", "Fe", "Cu"), ("O", "S", "Cl", "N", "F")


def made_up(n: int, seed: int = 0) -> pd.DataFrame:
    """Return formulas of a metal and a non-metal; the gap depends on both and on their amounts."""
    generator = np.random.default_rng(seed)
    metal, nonmetal = generator.integers(len(METALS), size=n), generator.integers(len(NONMETALS), size=n)
    amounts = generator.integers(1, 4, (n, 2))
    share = amounts[:, 1] / amounts.sum(axis=1)
    gap = share * (4 + metal) * (1 + nonmetal) / 2
    return pd.DataFrame(
        {
            "mat_id": [f"m{i}" for i in range(n)],
            "text": [
                f"{METALS[a]} {x} {NONMETALS[b]} {y}"
                for a, b, (x, y) in zip(metal, nonmetal, amounts, strict=True)
            ],
            "gap": gap,
            "kind": np.where(gap > np.median(gap), "insulator", "metal").astype(object),
        }
    )


def fitted(objective: Objective, **settings: object):
    rows = made_up(240)
    engine = create("attention", {**QUICK, **settings}, Resources(seed=1))
    engine.fit(rows[:200], rows[200:], (TEXT,), objective)
    return engine


@pytest.mark.parametrize("vectors", ["matscholar", "learned"])
def test_it_learns_numbers_from_formulas(vectors: str) -> None:
    unseen = made_up(100, seed=1)
    error = np.abs(fitted(GAP, element_vectors=vectors).predict(unseen) - unseen["gap"]).mean()
    assert error < 0.3 * np.abs(unseen["gap"] - unseen["gap"].median()).mean()


def test_it_learns_classes_from_formulas() -> None:
    unseen = made_up(100, seed=1)
    engine = fitted(KIND)
    assert np.mean(engine.predict(unseen) == unseen["kind"]) > 0.9
    np.testing.assert_allclose(engine.predict_probabilities(unseen).sum(axis=1), 1)


def test_networks_with_different_seeds_are_averaged(tmp_path: Path) -> None:
    rows = made_up(50, seed=1)
    together = fitted(GAP, networks=2, epochs=5)
    first, second = together._networks
    assert not torch.equal(first.fraction.weight, second.fraction.weight)
    together.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict(rows), together.predict(rows))


def test_the_order_of_elements_and_the_size_of_the_formula_unit_do_not_matter() -> None:
    engine = fitted(GAP, epochs=3)
    rows = pd.DataFrame({"mat_id": list("abcd"), "text": ["Li 2 O", "O Li 2", "Li 4 O 2", "Li 0.5 O 0.25"]})
    predicted = engine.predict(rows)
    np.testing.assert_array_equal(predicted, predicted[0])


def test_padding_changes_no_answer() -> None:
    torch.manual_seed(0)
    network = AttentionNetwork(AttentionSettings(), 1).eval()
    alone, padded = (
        read_formulas(["Li 2 O"], "attention"),
        read_formulas(["Li 2 O", "Li Na Mg Al Fe Cu O 9"], "attention"),
    )
    with torch.inference_mode():
        torch.testing.assert_close(network(alone)[0], network(padded)[0], rtol=1e-5, atol=1e-6)


def test_formulas_are_read_with_the_most_frequent_element_first() -> None:
    read = read_formulas(["Li O 3", "Fe"], "attention")
    assert read.elements.tolist() == [[INDICES["O"], INDICES["Li"]], [INDICES["Fe"], 0]]
    assert read.fractions.tolist() == [[0.75, 0.25], [1, 0]]


@pytest.mark.parametrize(("element", "alike"), [("Na", "Li"), ("Fe", "Co"), ("F", "Cl")])
def test_the_vectors_of_elements_are_closest_where_their_chemistry_is(element: str, alike: str) -> None:
    vectors = matscholar_vectors()
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = directions @ directions[ELEMENTS.index(element)]
    assert ELEMENTS[np.argsort(-cosines)[1]] == alike


def test_other_texts_and_other_facets_are_refused() -> None:
    rows = made_up(20).assign(text="AcAg crystallizes in the cubic space group")
    engine = create("attention", QUICK, Resources(seed=1))
    with pytest.raises(
        UserError, match=r"reads formulas, but the text facet holds 'AcAg crystallizes.*composition"
    ):
        engine.fit(rows[:15], rows[15:], (TEXT,), GAP)
    for combination in ("graph", "text+graph", "text:cif"):
        with pytest.raises(UserError, match="engine 'attention' cannot use"):
            check_combinations("attention", [combination], [TEXT])


def test_a_training_that_diverges_fails_the_cell() -> None:
    with pytest.raises(EngineError, match=r"diverged.*Lower learning_rate"):
        fitted(GAP, learning_rate=1e30, epochs=3)
