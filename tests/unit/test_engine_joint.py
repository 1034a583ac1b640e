"""The joint network learns from any facets, and its cells predict the same wherever they are loaded."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import torch
from joint_rows import CONSTANT, FACETS, GAP, KIND, SMALL, joint_rows, with_pictures, without

from polyfacet.facets.registry import COMPIMAGE, COMPOSITION, DESCRIPTORS, GRAPH, IMAGE, PROCESS, TEXT
from polyfacet.networks import loop
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.creation import create, load
from polyfacet.training.engines.joint import foundation, judging
from polyfacet.training.engines.joint.engine import Joint
from polyfacet.training.engines.joint.examples import Examples, Shown
from polyfacet.training.engines.joint.foundation import Foundation, train_foundation
from polyfacet.training.engines.joint.inputs import read_rows
from polyfacet.training.engines.joint.losses import joint_loss
from polyfacet.training.engines.joint.outputs import Outputs
from polyfacet.training.engines.joint.settings import Fusion, JointSettings

LEARNS = {**SMALL, "max_epochs": 30, "learning_rate": 5e-3}


def trained(rows: pd.DataFrame, settings: dict, facets=FACETS, objectives=(GAP,), **resources) -> Foundation:
    return train_foundation(
        JointSettings(**settings), rows, facets, objectives, Resources(seed=1, **resources)
    )


def numbers(found: Foundation, rows: pd.DataFrame, facets=FACETS) -> np.ndarray:
    return found.objectives.scale.restore(found.outputs(rows, facets).numbers.double().numpy())[:, 0]


def error(predicted: np.ndarray, rows: pd.DataFrame) -> float:
    """Return the mean absolute error over that of the mean."""
    return float(np.abs(predicted - rows["gap"]).mean() / np.abs(rows["gap"] - rows["gap"].mean()).mean())


@pytest.mark.parametrize("fusion", get_args(Fusion))
def test_each_fusion_finds_the_facet_with_the_signal(fusion):
    found, unseen = trained(joint_rows(160), {**LEARNS, "fusion": fusion}), joint_rows(100, seed=5)
    assert error(numbers(found, unseen), unseen) < 0.6
    assert error(numbers(found, unseen, [GRAPH]), unseen) < 0.6
    assert error(numbers(found, unseen, [TEXT, DESCRIPTORS]), unseen) > 0.8


@pytest.mark.parametrize("film", ["joint", "last"])
def test_film_is_trained_with_the_rest_or_after_it(film):
    found, unseen = trained(joint_rows(160), {**LEARNS, "film": film}), joint_rows(100, seed=5)
    assert error(numbers(found, unseen), unseen) < 0.6
    assert len(found.record["parts"]) == (2 if film == "last" else 1)


def test_pictures_are_read_by_a_network_and_composition_images_as_numbers(tmp_path):
    rows, facets = with_pictures(joint_rows(60), tmp_path), (IMAGE, COMPIMAGE)
    found = trained(rows, {**LEARNS, "max_epochs": 10}, facets)
    assert [reader.form for reader in found.readers] == ["picture", "numbers"]
    # All grey values that vary: 392 and, in these pictures, the unused ones.
    assert len(found.readers[1].kept) == 24 * 21
    assert error(numbers(found, rows, [IMAGE]), rows) < 0.8


def test_composition_images_are_read_as_pictures_on_request(tmp_path):
    rows = with_pictures(joint_rows(60), tmp_path)
    found = trained(rows, {**LEARNS, "max_epochs": 10, "compimages": "network"}, (COMPIMAGE,))
    assert found.readers[0].form == "picture"
    assert error(numbers(found, rows, [COMPIMAGE]), rows) < 0.8


def test_training_shows_one_of_several_views():
    views = torch.arange(3, dtype=torch.uint8)[None, :, None, None, None].expand(50, -1, 3, 64, 64)
    present = torch.ones(50, 1, dtype=torch.bool)
    torch.manual_seed(0)
    chosen = Shown({"image": views}, present).in_training(0.1).contents["image"]
    assert chosen.shape == (50, 1, 3, 64, 64)
    assert chosen.flatten(1).unique(dim=1).shape[1] == 1
    assert chosen.unique().tolist() == [0, 1, 2]
    single = Shown({"image": views[:, :1]}, present)
    assert torch.equal(single.in_training(0.1).contents["image"], views[:, :1])


@pytest.mark.parametrize("fusion", ["mean", "transformer"])
def test_columns_of_tables_are_tokens_on_request(tmp_path, fusion):
    rows = joint_rows(120)
    rows = rows.assign(composition=rows["descriptors"], process=rows["graph"])
    facets = (COMPOSITION, PROCESS)
    found = trained(rows, {**LEARNS, "columns": "tokens", "fusion": fusion}, facets)
    assert [reader.form for reader in found.readers] == ["columns", "columns"]
    shown = read_rows(rows, found.readers, facets)
    assert found.network.tokens(shown).facets.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert error(numbers(found, rows, facets), rows) < 0.6


def test_texts_that_are_no_formulas_and_pictures_on_request_are_read_by_their_encoding(tmp_path):
    rows = with_pictures(joint_rows(40), tmp_path)
    encoded = rows.assign(text="a crystal", text_encoding=rows["graph"], image_encoding=rows["descriptors"])
    found = trained(encoded, {**SMALL, "pictures": "encoding"}, (TEXT, IMAGE))
    assert [(reader.form, len(reader.kept)) for reader in found.readers] == [("numbers", 4), ("numbers", 3)]
    with pytest.raises(UserError, match="no frozen encoding of the facet text"):
        trained(encoded.drop(columns="text_encoding"), SMALL, (TEXT,))


def test_whatever_a_missing_facet_contains_has_no_influence():
    rows = joint_rows(40)
    found = trained(rows, SMALL)
    shown = read_rows(rows, found.readers, FACETS)
    lacks = torch.arange(40) % 2 == 0
    present = shown.present.clone()
    present[lacks, 1] = False

    def said(content: float) -> torch.Tensor:
        graph = torch.where(lacks[:, None], content, shown.contents["graph"])
        given = Shown({**shown.contents, "graph": graph}, present)
        with torch.inference_mode():
            return found.network(given, torch.ones(40, 3, dtype=torch.bool)).numbers

    assert said(0.0).isfinite().all()
    assert torch.equal(said(0.0), said(float("nan")))


def test_rows_that_lack_facets_are_learned_from_and_predicted():
    rows = joint_rows(160)
    rows = without(without(rows, "text", np.arange(160) % 2 == 0), "descriptors", np.arange(160) % 3 == 0)
    found, unseen = trained(rows, LEARNS), joint_rows(60, seed=5)
    half = without(unseen, "text", np.arange(60) < 30)
    predicted = numbers(found, half)
    assert error(predicted, unseen) < 0.6
    np.testing.assert_allclose(predicted[30:], numbers(found, unseen)[30:], rtol=1e-4)
    np.testing.assert_allclose(predicted[:30], numbers(found, unseen, [GRAPH, DESCRIPTORS])[:30], rtol=1e-4)
    untold = without(unseen, "graph", np.arange(60) == 7)
    of_graph = numbers(found, untold, [GRAPH])
    # The median.
    assert of_graph[7] == found.objectives.scale.centre[0]
    np.testing.assert_allclose(
        np.delete(of_graph, 7), np.delete(numbers(found, unseen, [GRAPH]), 7), rtol=1e-4
    )


def test_a_facet_that_no_training_row_has_is_left_out():
    found = trained(without(joint_rows(40), "graph", np.full(40, True)), SMALL)
    assert [reader.name for reader in found.readers] == ["text", "descriptors"]


def test_numbers_and_facets_that_do_not_vary_in_training_are_not_read():
    rows = joint_rows(40)
    constant = [np.array([*each[:3], 1.0]) for each in rows["graph"]]
    found = trained(rows.assign(graph=constant, descriptors=[np.ones(3)] * 40), SMALL)
    assert {reader.name: reader.kept for reader in found.readers} == {"text": (), "graph": (0, 1, 2)}
    np.testing.assert_array_equal(numbers(found, rows), numbers(found, rows.assign(graph=constant)))


def test_the_order_of_facets_and_of_rows_has_no_influence():
    rows = joint_rows(40)
    found = trained(rows, SMALL)
    again = trained(rows.iloc[::-1], SMALL)
    np.testing.assert_array_equal(numbers(found, rows), numbers(again, rows))
    np.testing.assert_array_equal(numbers(found, rows), numbers(found, rows, FACETS[::-1]))


def test_unknown_values_and_unknown_classes_do_not_change_the_loss():
    torch.manual_seed(0)
    outputs = Outputs(torch.randn(4, 2), [torch.randn(4, 3)], torch.zeros(4, 1), None)
    shown = Shown({}, torch.ones(4, 1, dtype=torch.bool))
    expected = Examples(
        shown,
        torch.tensor([[0.0, 1.0], [torch.nan, 2.0], [0.5, torch.nan], [1.0, 1.0]]),
        torch.tensor([[0], [-1], [2], [1]]),
    )
    loss = joint_loss(outputs, expected, 2, 4)
    moved = replace(outputs, numbers=outputs.numbers.clone(), classes=[outputs.classes[0].clone()])
    moved.numbers[1, 0], moved.numbers[2, 1], moved.classes[0][1] = 9.0, -9.0, 7.0
    assert loss.isfinite()
    assert joint_loss(moved, expected, 2, 4) == loss
    moved.numbers[0, 0] += 1
    assert joint_loss(moved, expected, 2, 4) != loss


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    rows = joint_rows(40)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        trained(rows, SMALL, objectives=(GAP, KIND)).save(tmp_path / name)
    for name in (foundation.WEIGHTS_FILE, foundation.RECORD_FILE):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_an_interrupted_training_resumes_and_ends_with_the_same_weights(tmp_path, monkeypatch):
    rows, settings = joint_rows(40), {**SMALL, "max_epochs": 4}
    whole = trained(rows, settings)
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0.0)
    error_of, calls = judging.HeldOut.error, []

    def interrupted(self, network):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return error_of(self, network)

    with monkeypatch.context() as patched:
        patched.setattr(judging.HeldOut, "error", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trained(rows, settings, states=tmp_path)
    resumed = trained(rows, settings, states=tmp_path)
    np.testing.assert_array_equal(numbers(resumed, rows), numbers(whole, rows))


def test_nothing_to_learn_and_divergence_are_failures_of_the_data():
    rows = joint_rows(40)
    with pytest.raises(EngineError, match="nothing to learn: constant: all"):
        trained(rows, SMALL, objectives=(CONSTANT,))
    with pytest.raises(EngineError, match="nothing to learn: there are 6 training materials"):
        trained(rows[:6], SMALL)
    with pytest.raises(EngineError, match=r"training of joint diverged.*Lower its learning_rate"):
        trained(rows, {**SMALL, "learning_rate": 1e30})


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Return a foundation that has learned a number and classes."""
    folder = tmp_path_factory.mktemp("foundation")
    Joint.pretrain(
        JointSettings(**LEARNS), joint_rows(160), FACETS, (GAP, KIND, CONSTANT), folder, Resources(seed=1)
    )
    return folder


def cell(home: Path, objective=GAP, facets=FACETS, **settings) -> Joint:
    engine = create("joint", {**LEARNS, **settings}, Resources(seed=1, foundation=home))
    rows = joint_rows(160)
    engine.fit(rows[:140], rows[140:], facets, objective)
    return engine


@pytest.mark.parametrize("head", ["shared", "ridge", "extra_trees"])
def test_cells_predict_and_are_saved(home, tmp_path, head):
    engine, unseen = cell(home, head=head), joint_rows(60, seed=5)
    assert error(engine.predict(unseen), unseen) < 0.6
    engine.save(tmp_path / "model")
    loaded = load((tmp_path / "model").rename(tmp_path / "moved"))
    np.testing.assert_array_equal(loaded.predict(unseen), engine.predict(unseen))
    assert loaded.encoder_identities() == engine.encoder_identities()
    assert "sha256" in engine.encoder_identities()["graph"]


@pytest.mark.parametrize("head", ["shared", "extra_trees"])
def test_classes_have_probabilities(home, head):
    engine, unseen = cell(home, KIND, head=head), joint_rows(60, seed=5)
    probabilities = engine.predict_probabilities(unseen)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (engine.predict(unseen) == np.array(KIND.classes)[probabilities.argmax(axis=1)]).all()
    assert np.mean(engine.predict(unseen) == unseen["kind"]) > 0.8


def test_all_subsets_are_predicted_at_once(home):
    engine, unseen = cell(home), joint_rows(20, seed=5)
    found = engine.predict_subsets(unseen)
    assert len(found) == 7
    np.testing.assert_allclose(found["text", "graph", "descriptors"], engine.predict(unseen), rtol=1e-4)
    alone = cell(home, facets=(GRAPH,))
    np.testing.assert_allclose(found["graph",], alone.predict(unseen), rtol=1e-4)
    of_classes = cell(home, KIND, facets=(TEXT, GRAPH)).predict_subsets(unseen)
    assert {each.shape for each in of_classes.values()} == {(20, 2)}
    assert set(of_classes) == {("text",), ("graph",), ("text", "graph")}


def test_rows_without_a_facet_have_no_subset_of_it_and_no_shares(home):
    unseen = without(joint_rows(3, seed=5), "graph", np.array([True, False, False]))
    unseen = without(unseen, "text", np.array([True, False, True]))
    engine = cell(home, facets=(TEXT, GRAPH))
    found, whole = engine.predict_subsets(unseen), engine.predict(unseen)
    median = found["text", "graph"][0]
    assert found["text",][[0, 2]].tolist() == found["graph",][[0]].tolist() * 2 == [median] * 2
    np.testing.assert_allclose(found["text", "graph"], whole)
    np.testing.assert_allclose(found["graph",][2], whole[2])
    shares = engine.facet_weights(unseen)
    assert np.isnan(shares["graph"]).tolist() == [True, False, False]
    assert shares["graph"][2] == 1


@pytest.mark.parametrize("fusion", get_args(Fusion))
def test_no_rows_and_rows_without_facets_are_answered(fusion):
    found = trained(joint_rows(40), {**SMALL, "fusion": fusion})
    assert found.outputs(joint_rows(3)[:0], FACETS).numbers.shape == (0, 1)
    bare = joint_rows(2)
    for name in ("text", "graph", "descriptors"):
        bare = without(bare, name, np.array([True, True]))
    assert found.outputs(bare, FACETS).numbers.tolist() == [[0], [0]]


def test_weights_of_facets_are_shares_per_row(home):
    weights = cell(home, facets=(TEXT, GRAPH)).facet_weights(joint_rows(20, seed=5))
    assert (weights["descriptors"] == 0).all()
    np.testing.assert_allclose(weights["text"] + weights["graph"], 1, rtol=1e-5)


def test_an_objective_that_the_network_has_not_learned_fails_the_cell(home):
    with pytest.raises(EngineError, match="has not learned constant: all"):
        cell(home, CONSTANT)
    with pytest.raises(UserError, match="call pretrain"):
        create("joint", SMALL, Resources(seed=1)).fit(joint_rows(9), joint_rows(9), FACETS, GAP)


def test_classes_of_which_training_rows_have_only_one_are_not_learned(tmp_path):
    rows = joint_rows(40).assign(kind="metal")
    Joint.pretrain(JointSettings(**SMALL), rows, FACETS, [GAP, KIND], tmp_path, Resources(seed=1))
    with pytest.raises(EngineError, match="has not learned kind: the rows trained on have fewer than two"):
        cell(tmp_path, KIND)
    with pytest.raises(EngineError, match="nothing to learn: kind: the rows"):
        trained(rows, SMALL, objectives=[KIND])


def test_heads_of_attention_divide_the_width():
    with pytest.raises(ValueError, match="width 128 cannot be divided among 3 attention_heads"):
        JointSettings(attention_heads=3)


def test_a_cell_refuses_another_network(home, tmp_path):
    cell(home).save(tmp_path / "model")
    record = json.loads((tmp_path / "model" / foundation.RECORD_FILE).read_text())
    (tmp_path / "model" / foundation.RECORD_FILE).unlink()
    (tmp_path / "model" / foundation.RECORD_FILE).write_text(json.dumps(record))
    with pytest.raises(UserError, match="is not the network of this cell"):
        load(tmp_path / "model")


def test_facets_without_numbers_of_other_sizes_are_refused(home):
    rows = joint_rows(10, seed=5)
    short = rows.assign(graph=[np.zeros(2)] * 10)
    with pytest.raises(UserError, match="the facet graph has 2 numbers per material"):
        cell(home).predict(short)
