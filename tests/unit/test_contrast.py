"""Contrastive pretraining: its losses against plain loops, imputation against what is known, and controls."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import torch
from joint_rows import CONSTANT, FACETS, GAP, KIND, SMALL, joint_rows, without
from pytorch_metric_learning.losses import NTXentLoss
from torch.nn.functional import normalize

from polyfacet.facets.registry import DESCRIPTORS, GRAPH, TEXT
from polyfacet.networks import loop
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.joint.contrast.alignment import alignment_loss
from polyfacet.training.engines.joint.contrast.duplicates import same_content, same_together
from polyfacet.training.engines.joint.contrast.imputation import Imputer
from polyfacet.training.engines.joint.contrast.loss import Comparison, contrastive_loss
from polyfacet.training.engines.joint.contrast.order import order_loss
from polyfacet.training.engines.joint.contrast.projected import ProjectedNetwork
from polyfacet.training.engines.joint.contrast.rules import Rule
from polyfacet.training.engines.joint.contrast.settings import Contrast, Duplicates, Pretraining
from polyfacet.training.engines.joint.contrast.views import augmented
from polyfacet.training.engines.joint.examples import Examples, Shown
from polyfacet.training.engines.joint.foundation import Foundation, train_foundation
from polyfacet.training.engines.joint.inputs import read_rows
from polyfacet.training.engines.joint.settings import JointSettings

KINDS = tuple(kind for kind in get_args(Contrast) if kind != "none")


def on_sphere(*shape: int, seed: int = 0) -> torch.Tensor:
    return normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double(), dim=-1)


def same_as(kinds: list[int]) -> torch.Tensor:
    numbers = torch.tensor(kinds)
    return numbers[:, None] == numbers


def loss_by_loops(
    first: torch.Tensor,
    second: torch.Tensor,
    same_first: torch.Tensor,
    same_second: torch.Tensor,
    how: Comparison,
) -> float:
    """Compute the loss from its definition, one term at a time."""
    n = len(first)
    together = [*first, *second]

    def shows_no_more(j: int, k: int) -> bool:
        same = same_first if j < n else same_second
        return bool(same[j % n, k % n])

    def equal(j: int, k: int) -> bool:
        found = [shows_no_more(j, k), shows_no_more(k, j)]
        return all(found) if (j < n) == (k < n) else any(found)

    losses = []
    for j in range(2 * n):
        partner = (j + n) % (2 * n)
        candidates = [k for k in range(2 * n) if k != j and (how.within or (k < n) != (j < n))]
        if how.duplicates == "ignore":
            candidates = [k for k in candidates if k == partner or not equal(j, k)]
        positives = [partner]
        if how.duplicates == "positive":
            positives += [k for k in candidates if k != partner and equal(j, k)]
        if not set(candidates) - set(positives):
            continue
        chance = {k: np.exp(float(together[j] @ together[k]) / how.temperature) for k in candidates}
        losses.append(np.mean([-np.log(chance[k] / sum(chance.values())) for k in positives]))
    return float(np.mean(losses))


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("duplicates", get_args(Duplicates))
def test_the_loss_is_that_of_its_definition(duplicates, within):
    how = Comparison(0.2, duplicates, within)
    rows = on_sphere(6, 4), on_sphere(6, 4, seed=1)
    same = same_as([0, 0, 1, 2, 3, 4]), same_as([0, 1, 2, 2, 3, 4])
    same[0][4, 5] = True  # what is shown of one is the same in the other, which shows more
    assert contrastive_loss(*rows, *same, how).mean.item() == pytest.approx(loss_by_loops(*rows, *same, how))
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    moved = contrastive_loss(*(each[order] for each in rows), *(each[order][:, order] for each in same), how)
    assert moved.mean.item() == pytest.approx(contrastive_loss(*rows, *same, how).mean.item())
    assert moved.n == 12


def test_without_duplicates_the_loss_is_that_of_a_library():
    first, second = on_sphere(8, 5), on_sphere(8, 5, seed=1)
    different = torch.eye(8, dtype=torch.bool)
    found = contrastive_loss(first, second, different, different, Comparison(0.1, "negative", within=True))
    labels = torch.arange(8).repeat(2)
    assert found.mean.item() == pytest.approx(NTXentLoss(0.1)(torch.cat([first, second]), labels).item())


@pytest.mark.parametrize("n", [0, 1, 3])
def test_rows_that_are_all_the_same_cannot_be_compared(n):
    rows, same = on_sphere(n, 4), torch.ones(n, n, dtype=torch.bool)
    for duplicates in ("ignore", "positive"):
        found = contrastive_loss(rows, rows, same, same, Comparison(0.1, duplicates, within=True))
        assert found.n == 0
    assert alignment_loss(rows[:1, None], same[:1, :1], 0.1).n == 0
    assert order_loss(rows, torch.full((n, 2), torch.nan), 0.1).n == 0


def test_the_order_loss_is_that_of_its_definition():
    representations = on_sphere(7, 3)
    values = torch.tensor([[0.0, 1], [0, 1], [2, np.nan], [np.nan, 3], [5, 5], [np.nan, np.nan], [1, 1]])
    known = values.isfinite()
    losses = []
    for i in range(7):
        far = {}
        for k in range(7):
            both = known[i] & known[k]
            if k != i and both.any():
                far[k] = float(((values[i] - values[k])[both] ** 2).mean().sqrt())
        for j, distance in far.items():
            chances = {k: np.exp(float(representations[i] @ representations[k]) / 0.5) for k in far}
            losses.append(-np.log(chances[j] / sum(chances[k] for k in far if far[k] >= distance)))
    found = order_loss(representations, values, 0.5)
    assert found.mean.item() == pytest.approx(np.mean(losses))
    assert found.n == len(losses)
    tracked = representations.requires_grad_()
    order_loss(tracked, values, 0.5).mean.backward()
    assert tracked.grad is not None
    assert tracked.grad.isfinite().all()


def test_the_same_is_what_has_the_same_bits():
    rows = pd.DataFrame(
        {
            "mat_id": list("abcd"),
            "text": ["Na 1 Cl 1", "Cl 1 Na 1", "Na 2 Cl 1", None],
            "graph": [np.ones(4), np.ones(4), None, np.ones(4) + 1e-6],
        }
    )
    found = train_foundation(JointSettings(**SMALL), joint_rows(60), (TEXT, GRAPH), (GAP,), Resources(seed=1))
    shown = read_rows(rows, found.readers, (TEXT, GRAPH))
    text, graph = same_content(shown, ("text", "graph"))
    others = ~torch.eye(4, dtype=torch.bool)
    assert (text & others).nonzero().tolist() == [[0, 1], [1, 0]]
    assert (graph & others).nonzero().tolist() == [[0, 1], [1, 0]]
    both = torch.stack([text, graph])
    assert (same_together(both, shown.present) & others).nonzero().tolist() == [[0, 1], [1, 0]]
    # Of the first row only the text is shown, of the second all: it cannot tell it from the others.
    kept = torch.tensor([[True, False], [True, True], [True, False], [False, True]])
    rows = rows.assign(graph=[np.zeros(4), np.ones(4), None, np.ones(4)])
    both = same_content(read_rows(rows, found.readers, (TEXT, GRAPH)), ("text", "graph"))
    assert (same_together(both, kept) & others).nonzero().tolist() == [[0, 1], [3, 1]]


def linear_facets(n: int) -> torch.Tensor:
    """Return three facets that follow from two hidden numbers, with little noise; shape (rows, 3, 6)."""
    random = torch.Generator().manual_seed(0)
    causes = torch.randn(n, 2, generator=random)
    loadings = torch.randn(3, 6, 2, generator=random)
    noise = 0.05 * torch.randn(n, 3, 6, generator=random)
    return torch.einsum("fpk,bk->bfp", loadings, causes) + 1.5 + noise


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_imputation_recovers_what_follows_from_the_other_facets(share):
    facets = linear_facets(400)
    present = torch.rand(400, 3, generator=torch.Generator().manual_seed(1)) >= share
    present[:, 0] |= ~present.any(dim=1)
    imputer = Imputer(3, 6, rank=2)
    imputer.fit(torch.where(present[..., None], facets, torch.nan), present)
    shown = torch.ones(400, 3, dtype=torch.bool)
    shown[:, 2] = False
    found = imputer.impute(torch.where(shown[..., None], facets, torch.nan), shown)
    assert torch.equal(found[:, :2], facets[:, :2])
    error = (found[:, 2] - facets[:, 2]).square().mean()
    assert error < 0.01 * facets[:, 2].var(dim=0).mean()
    nothing = torch.zeros(1, 3, dtype=torch.bool)
    assert torch.allclose(imputer.impute(facets[:1], nothing)[0], imputer.means)


def test_alignment_is_best_where_facets_agree_and_rows_do_not():
    apart = torch.eye(5, dtype=torch.bool)
    agreeing = on_sphere(5, 1, 8).expand(-1, 3, -1)
    aligned = alignment_loss(agreeing, apart, 0.1).mean
    assert aligned < alignment_loss(on_sphere(5, 3, 8), apart, 0.1).mean
    assert aligned < alignment_loss(agreeing[:1].expand(5, -1, -1), apart, 0.1).mean
    alike = torch.ones(5, 5, dtype=torch.bool)
    assert alignment_loss(agreeing[:1].expand(5, -1, -1), alike, 0.1).mean < 0.01


@pytest.mark.parametrize("facets", [torch.zeros(2, 3, 4), torch.eye(4)[:3].expand(2, -1, -1)])
def test_gradients_of_the_alignment_are_finite_where_directions_are_equally_long(facets):
    given = facets.clone().requires_grad_()
    alignment_loss(given, torch.eye(2, dtype=torch.bool), 0.1).mean.backward()
    assert given.grad is not None
    assert given.grad.isfinite().all()


def linked_rows(n: int) -> pd.DataFrame:
    """Return rows whose descriptors are a linear map of the graph."""
    rows = joint_rows(n)
    map_ = np.random.default_rng(5).normal(size=(4, 6))
    return rows.assign(descriptors=[graph @ map_ for graph in rows["graph"]])


def pretrained(
    rows: pd.DataFrame,
    contrast: Contrast,
    facets=(GRAPH, DESCRIPTORS),
    **settings: Any,
) -> Foundation:
    own = {"contrast": contrast, "epochs": 20, "projection": 16, "rank": 3, **settings}
    return train_foundation(
        JointSettings(**SMALL, pretraining=own), rows, facets, (GAP, KIND), Resources(seed=1)
    )


def top_1(found: Foundation, rows: pd.DataFrame) -> float:
    """Return the share of rows whose descriptors are nearest to their own graph."""
    graph, descriptors = (found.representations(rows, (facet,)) for facet in (GRAPH, DESCRIPTORS))
    return float(((graph @ descriptors.T).argmax(axis=1) == np.arange(len(rows))).mean())


def test_representations_have_length_1_and_need_a_facet():
    rows = without(linked_rows(60), "graph", np.arange(60) % 3 == 0)
    found = pretrained(rows, "all_pairs", epochs=1).representations(rows, (GRAPH,))
    assert np.isnan(found).all(axis=1).tolist() == (np.arange(60) % 3 == 0).tolist()
    np.testing.assert_allclose(np.linalg.norm(found[1::3], axis=1), 1, rtol=1e-5)
    plain = train_foundation(JointSettings(**SMALL), rows, FACETS, (GAP, KIND), Resources(seed=1))
    with pytest.raises(RuntimeError, match="not pretrained"):
        plain.representations(rows, (GRAPH,))


@pytest.mark.parametrize("contrast", KINDS)
def test_pretraining_finds_partners_that_shuffled_ones_do_not_teach(contrast):
    rows, others = linked_rows(200), linked_rows(300)[200:]
    own = top_1(pretrained(rows, contrast, afterwards="frozen"), others)
    shuffled = top_1(pretrained(rows, contrast, partners="shuffled", afterwards="frozen"), others)
    assert own > 0.2
    assert shuffled < 0.1


@pytest.mark.parametrize("contrast", KINDS)
def test_what_a_missing_facet_contains_changes_nothing(contrast):
    rows = without(joint_rows(30), "graph", np.arange(30) % 3 == 0)
    found = pretrained(rows, contrast, FACETS, epochs=1)
    shown = read_rows(rows, found.readers, FACETS)
    graph = shown.contents["graph"].clone()
    graph[~shown.present[:, 1]] = torch.nan
    nothing = torch.full((30, 0), torch.nan), torch.full((30, 0), -1)
    rule = Rule(Pretraining(contrast=contrast), ("text", "graph", "descriptors"), 0.1)
    losses = []
    for contents in (shown.contents, {**shown.contents, "graph": graph}):
        torch.manual_seed(0)
        examples = Examples(Shown(contents, shown.present), *nothing)
        losses.append(rule.loss(ProjectedNetwork(found.network).train(), examples).mean.item())
    assert np.isfinite(losses[0])
    assert losses[0] == losses[1]


def test_augmented_views_keep_what_objectives_depend_on():
    numbers = torch.ones(400, 10)
    views = torch.full((400, 2, 3, 64, 64), 100, dtype=torch.uint8)
    contents = {"graph": numbers, "image": views, "compimage": views[:, :1]}
    torch.manual_seed(0)
    seen = augmented(Shown(contents, torch.ones(400, 3, dtype=torch.bool)), 0.0).contents
    assert (seen["graph"] == 0).float().mean() == pytest.approx(0.1, abs=0.02)
    assert seen["image"].shape == (400, 1, 3, 64, 64)
    assert 90 <= seen["image"].min() < 93
    assert 107 < seen["image"].max() <= 110
    assert torch.equal(seen["compimage"], views[:, :1])


def without_common_rows() -> pd.DataFrame:
    """Return rows that have either the graph or the descriptors."""
    rows = without(joint_rows(60), "graph", np.arange(60) % 2 == 0)
    return without(rows, "descriptors", np.arange(60) % 2 == 1)


@pytest.mark.parametrize(
    ("contrast", "rows", "facets", "batch_size"),
    [
        ("anchored", without_common_rows(), (GRAPH, DESCRIPTORS), 32),
        # No two rows differ in both facets.
        ("all_pairs", joint_rows(60).assign(text="Na 1 Cl 1"), (TEXT, GRAPH), 32),
        ("fused_anchor", joint_rows(60), (GRAPH,), 32),
        ("comm", joint_rows(60), (GRAPH, DESCRIPTORS), 1),
    ],
)
def test_pretraining_that_compares_nothing_is_refused(contrast, rows, facets, batch_size):
    settings = JointSettings(
        **{**SMALL, "batch_size": batch_size}, pretraining={"contrast": contrast, "epochs": 1}
    )
    with pytest.raises(EngineError, match="nothing can be contrasted"):
        train_foundation(settings, rows, facets, (GAP,), Resources(seed=1))


def test_an_order_needs_numbers():
    own = {"contrast": "all_pairs", "order": 0.5, "epochs": 2}
    settings = JointSettings(**SMALL, pretraining=own)
    assert train_foundation(settings, linked_rows(60), FACETS, (GAP, KIND), Resources(seed=1))
    with pytest.raises(EngineError, match="nothing has an order"):
        train_foundation(settings, linked_rows(60), FACETS, (KIND, CONSTANT), Resources(seed=1))


def test_held_out_rows_without_comparisons_choose_no_epoch():
    """Held-out rows of one formula are the same text: all rows trained on choose instead."""
    rows = joint_rows(80).assign(group=[f"g{i // 20}" for i in range(80)])
    rows["text"] = [("Na 1 Cl 1", "Li 1 Cl 1", "Na 1 O 1", "Li 1 O 1")[i // 20] for i in range(80)]
    found = pretrained(rows, "all_pairs", (TEXT, GRAPH), epochs=3)
    assert found.record["parts"]["contrast"]["error"] > 0


def test_parts_of_a_step_pretrain():
    rows = without(linked_rows(60), "graph", np.arange(60) % 4 == 0)
    own = {"contrast": "fused_anchor", "epochs": 2, "projection": 8}
    settings = JointSettings(**SMALL, accumulation=2, pretraining=own)
    again = [train_foundation(settings, rows, FACETS, (GAP, KIND), Resources(seed=1)) for _ in range(2)]
    assert np.isfinite(again[0].record["parts"]["contrast"]["losses"]).all()
    assert again[0].record == again[1].record


def test_rows_without_any_objective_pretrain_and_teach_nothing_else():
    rows = linked_rows(200)
    unlabelled = rows["mat_id"].isin(rows["mat_id"][60:])
    hidden = rows.assign(gap=rows["gap"].mask(unlabelled), kind=rows["kind"].mask(unlabelled, None))
    many, few = pretrained(hidden, "all_pairs"), pretrained(hidden[:60], "all_pairs")
    assert many.record["n_train"] == few.record["n_train"]
    assert many.record["n_pretrained_on"] > 2 * few.record["n_pretrained_on"]
    without_contrast = train_foundation(
        JointSettings(**SMALL), hidden, FACETS, (GAP, KIND), Resources(seed=1)
    )
    alone = train_foundation(JointSettings(**SMALL), hidden[:60], FACETS, (GAP, KIND), Resources(seed=1))
    assert without_contrast.record == alone.record


def test_frozen_towers_and_fusion_stay_as_pretrained():
    rows = linked_rows(80)
    longer = {**SMALL, "max_epochs": 4}
    states = []
    for settings in (SMALL, longer):
        own = {"contrast": "anchored", "epochs": 2, "afterwards": "frozen"}
        found = train_foundation(
            JointSettings(**settings, pretraining=own), rows, FACETS, (GAP, KIND), Resources(seed=1)
        )
        parts = (found.network.towers, found.network.fusion, found.network.norms)
        states.append([tensor for part in parts for tensor in part.state_dict().values()])
    assert all(map(torch.equal, *states))


class InterruptedTrainingError(Exception):
    """Stands for a power loss."""


@pytest.mark.parametrize("contrast", ["fused_anchor", "calibrated"])
def test_an_interrupted_pretraining_ends_with_the_same_weights(tmp_path, monkeypatch, contrast):
    rows = without(linked_rows(90), "graph", np.arange(90) % 4 == 0)
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0.0)

    def train(resources: Resources) -> Foundation:
        settings = {**SMALL, "batch_size": 16}
        own = {"contrast": contrast, "epochs": 3, "projection": 8, "rank": 3}
        return train_foundation(
            JointSettings(**settings, pretraining=own), rows, FACETS, (GAP, KIND), resources
        )

    whole = train(Resources(seed=1))
    finish: Callable[..., None] = loop.Epoch.finish_step
    taken = 0

    def finish_and_fail(epoch: loop.Epoch, loss: float) -> None:
        nonlocal taken
        finish(epoch, loss)
        taken += 1
        if taken == 7:
            raise InterruptedTrainingError

    monkeypatch.setattr(loop.Epoch, "finish_step", finish_and_fail)
    with pytest.raises(InterruptedTrainingError):
        train(Resources(seed=1, states=tmp_path))
    resumed = train(Resources(seed=1, states=tmp_path))
    assert resumed.record == whole.record
    before, after = (each.network.state_dict() for each in (whole, resumed))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_anchor_is_one_of_the_facets():
    with pytest.raises(EngineError, match="anchor: none of graph, descriptors is called text"):
        pretrained(joint_rows(60), "anchored", anchor="text")
