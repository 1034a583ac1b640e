"""The joint network streams its rows, and several processes train it as one does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import torch
from joint_rows import CONSTANT, FACETS, GAP, KIND, SMALL, joint_rows, with_pictures, without
from pydantic import ValidationError

from polyfacet.facets.registry import COMPIMAGE, GRAPH, IMAGE
from polyfacet.networks import launcher, parquet_batches
from polyfacet.networks.example_file import place_of
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.joint import preparation
from polyfacet.training.engines.joint.examples import Content
from polyfacet.training.engines.joint.foundation import Foundation, train_foundation
from polyfacet.training.engines.joint.inputs import read_rows
from polyfacet.training.engines.joint.settings import Fusion, JointSettings
from polyfacet.training.engines.training_rows import RowsInMemory, TrainingRows

OBJECTIVES = (GAP, KIND, CONSTANT)
EXACT = {"subsets": "none", "noise": 0, "dropout": 0, "precision": "float64"}


@dataclass(frozen=True)
class Pieces:
    """Rows in several pieces, those of the shards of a run."""

    rows: pd.DataFrame
    n: int

    def pieces(self) -> Iterator[pd.DataFrame]:
        order = sorted(self.rows.index, key=lambda row: place_of(self.rows["mat_id"][row]))
        for part in np.array_split(order, self.n):
            # Within a shard, rows are in the order of their identifiers.
            yield self.rows.loc[sorted(part)]

    def together(self) -> pd.DataFrame:
        return self.rows


def incomplete_rows(n: int) -> pd.DataFrame:
    rows = without(joint_rows(n), "text", np.arange(n) % 2 == 0)
    return without(rows, "descriptors", np.arange(n) % 3 == 0)


def trained(rows: pd.DataFrame | TrainingRows, settings: dict, facets=FACETS) -> Foundation:
    return train_foundation(JointSettings(**settings), rows, facets, OBJECTIVES, Resources(seed=1))


def weights(found: Foundation) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in found.network.state_dict().values()])


def losses(found: Foundation) -> np.ndarray:
    return np.array(found.record["parts"]["joint"]["losses"])


@pytest.mark.parametrize("window", [12, 10_000])
def test_weights_do_not_depend_on_the_pieces_that_are_read(monkeypatch, window):
    monkeypatch.setattr(parquet_batches, "BLOCK_ROWS", 4)
    monkeypatch.setattr(parquet_batches, "WINDOW_ROWS", window)
    monkeypatch.setattr(preparation, "PIECE", 7)
    rows = incomplete_rows(80)
    whole = trained(rows, {**SMALL, "batch_size": 8})
    assert torch.equal(weights(whole), weights(trained(Pieces(rows, 5), {**SMALL, "batch_size": 8})))


def test_one_text_that_is_no_formula_makes_all_of_them_texts(monkeypatch):
    """Readers are fitted on some rows only, which may all have formulas."""
    monkeypatch.setattr(preparation, "FITTED_ROWS", 5)
    rows = joint_rows(60)
    rows = rows.assign(text_encoding=rows["descriptors"])
    rows.loc[rows.index[-1], "text"] = "a crystal"
    assert trained(rows, SMALL).readers[0].form == "numbers"
    assert trained(rows[:-1], SMALL).readers[0].form == "formula"


def test_rows_in_the_wrong_order_are_a_defect():
    class Backwards(Pieces):
        def pieces(self) -> Iterator[pd.DataFrame]:
            yield from reversed(list(super().pieces()))

    with pytest.raises(ValueError, match="not in the order of their places"):
        trained(Backwards(joint_rows(40), 2), SMALL)


def test_no_rows_are_nothing_to_learn_from():
    with pytest.raises(EngineError, match="no training row has any of text, graph, descriptors"):
        trained(RowsInMemory(joint_rows(10)[:0]), SMALL)


def test_rows_on_disk_show_what_they_showed_in_memory(tmp_path):
    n = 40
    rows = with_pictures(incomplete_rows(n), tmp_path)
    rows = without(rows, IMAGE.name, np.arange(n) % 5 == 0)
    facets = (*FACETS, IMAGE, COMPIMAGE)
    prepared = preparation.prepare(
        JointSettings(**SMALL), Pieces(rows, 3), facets, OBJECTIVES, 1, tmp_path / "examples"
    )
    for part in (prepared.trained_on, prepared.chosen_by):
        ((found,),) = part.steps(1000).batches(0)
        ids = rows["mat_id"].sort_values().to_numpy()[found.ranks]
        expected = read_rows(rows.set_index("mat_id").loc[ids].reset_index(), part.readers, facets)
        assert torch.equal(found.examples.shown.present, expected.present)
        np.testing.assert_array_equal(part.rows.ranks, found.ranks)
        for name, content in expected.contents.items():
            read = tensors_of(found.examples.shown.contents[name])
            assert all(map(torch.equal, read, tensors_of(content))), name


def tensors_of(content: Content) -> list[torch.Tensor]:
    return [content] if torch.is_tensor(content) else [content.elements, content.fractions]


@pytest.mark.parametrize("facets", [FACETS, (GRAPH,)])
@pytest.mark.parametrize("film", ["none", "joint"])
@pytest.mark.parametrize("fusion", get_args(Fusion))
def test_every_weight_has_a_gradient_whatever_the_rows_of_a_process_show(tmp_path, fusion, film, facets):
    """Otherwise processes would wait for gradients that never come."""
    settings = JointSettings(**SMALL, fusion=fusion, film=film)
    prepared = preparation.prepare(
        settings, RowsInMemory(joint_rows(40)), facets, (GAP, KIND), 1, tmp_path / "examples"
    )
    found = trained(joint_rows(40), {**SMALL, "fusion": fusion, "film": film, "max_epochs": 1}, facets)
    ((part,),) = prepared.trained_on.steps(1000).batches(0)
    kept = torch.zeros_like(part.examples.shown.present)
    kept[:, facets.index(GRAPH)] = True
    outputs = found.network.train()(part.examples.shown, kept)
    (outputs.numbers.sum() + sum(each.sum() for each in outputs.classes)).backward()
    assert [name for name, weight in found.network.named_parameters() if weight.grad is None] == []


def test_parts_of_a_step_add_up_to_the_whole():
    settings = {**SMALL, **EXACT, "max_epochs": 10}
    whole, parts = (trained(joint_rows(40), {**settings, "accumulation": n}) for n in (1, 3))
    np.testing.assert_allclose(losses(parts), losses(whole), rtol=1e-10)


def test_one_process_starts_no_others(monkeypatch):
    monkeypatch.setattr(launcher.subprocess, "run", pytest.fail)
    trained(joint_rows(40), SMALL)


def test_a_training_of_a_single_step_learns():
    one = {**SMALL, "max_epochs": 1, "batch_size": 64}
    found = trained(joint_rows(40), one)
    untaught = trained(joint_rows(40), {**one, "learning_rate": 1e-30})
    assert found.record["parts"]["joint"]["n_epochs"] == 1
    assert (weights(found) - weights(untaught)).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hyperparameters": {"alpha": 1.0}}, "`head: shared` has none"),
        ({"fusion": "mean", "gate_entropy": 0.1}, "gate_entropy is of gated fusions"),
    ],
)
def test_settings_without_effect_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        JointSettings(**SMALL, **settings)


def test_every_part_of_a_step_needs_a_row():
    with pytest.raises(ValidationError, match="raise it to 40 or more"):
        JointSettings(**SMALL, processes=20, accumulation=2)
    with pytest.raises(EngineError, match="4 rows are too few for 8 parts"):
        trained(joint_rows(40), {**SMALL, "processes": 8})


def test_other_numbers_of_views_are_refused(tmp_path):
    rows = with_pictures(joint_rows(40), tmp_path)
    found = trained(rows, SMALL, (IMAGE,))
    two = rows.rename(columns={"image": "image_a"}).assign(image_b=rows["image"])
    with pytest.raises(
        UserError, match="2 pictures of the facet image each, but the network was trained on 1"
    ):
        found.outputs(two, (IMAGE,))
