"""Fusions see the facets that are present, and nothing else; weights of facets are shares of 1."""

from dataclasses import replace
from typing import get_args

import pytest
import torch

from polyfacet.training.engines.joint.fusion.choice import new_fusion
from polyfacet.training.engines.joint.fusion.experts import Experts
from polyfacet.training.engines.joint.fusion.film import PresenceFiLM
from polyfacet.training.engines.joint.fusion.pooled import Gated
from polyfacet.training.engines.joint.presence import all_subsets, compared_subsets, drawn_subsets
from polyfacet.training.engines.joint.settings import Fusion, JointSettings
from polyfacet.training.engines.joint.tokens import Tokens

FUSIONS = get_args(Fusion)
WITHOUT_WEIGHTS = ("concatenation", "cross_attention", "gated_cross_attention")
SMALL = {"width": 16, "layers": 2, "attention_heads": 2, "dropout": 0.0}
# Tokens of each of three facets.
OWNERS = torch.tensor([0, 0, 1, 2, 2, 2])


def tokens(present: list[list[bool]], seed: int = 0) -> Tokens:
    """Return random tokens of rows, two, one and three for the three facets."""
    has = torch.tensor(present)
    values = torch.randn(len(has), len(OWNERS), 16, generator=torch.Generator().manual_seed(seed))
    shares = torch.tensor([0.25, 0.75, 1, 0.2, 0.3, 0.5]) * has[:, OWNERS]
    return Tokens(values, shares, OWNERS, has)


def fusion(name: str) -> torch.nn.Module:
    """Return a fusion with random weights, all of which count."""
    torch.manual_seed(1)
    made = new_fusion(JointSettings(fusion=name, **SMALL), 3)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return made.eval()


ROWS = [[True, True, True], [True, False, True], [False, True, False]]


@pytest.mark.parametrize("name", FUSIONS)
def test_the_tokens_of_a_missing_facet_change_nothing(name):
    given, made = tokens(ROWS), fusion(name)
    other = torch.where(given.shown[..., None], given.values, 100.0)
    torch.testing.assert_close(made(replace(given, values=other)).values, made(given).values)


@pytest.mark.parametrize("name", FUSIONS)
def test_the_order_of_the_tokens_does_not_matter(name):
    given, made = tokens(ROWS), fusion(name)
    order = torch.tensor([3, 5, 2, 1, 4, 0])
    turned = replace(
        given, values=given.values[:, order], shares=given.shares[:, order], facets=OWNERS[order]
    )
    torch.testing.assert_close(made(turned).values, made(given).values, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", FUSIONS)
def test_a_row_does_not_depend_on_the_others(name):
    given, made = tokens(ROWS), fusion(name)
    alone = made(given[torch.tensor([1])]).values
    torch.testing.assert_close(alone[0], made(given).values[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", FUSIONS)
def test_weights_of_facets_are_shares_and_missing_facets_have_none(name):
    given, made = tokens(ROWS), fusion(name)
    weights = made.weights(given)
    if name in WITHOUT_WEIGHTS:
        assert weights is None
        return
    assert (weights >= 0).all()
    assert (weights[~given.present] == 0).all()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))


@pytest.mark.parametrize("name", FUSIONS)
def test_every_gradient_is_finite_whatever_is_missing(name):
    made = fusion(name).train()
    fused = made(tokens(ROWS))
    total = fused.values.square().sum() + (0 if fused.penalty is None else fused.penalty)
    total.backward()
    assert all(weight.grad.isfinite().all() for weight in made.parameters() if weight.grad is not None)


def test_in_a_bottleneck_facets_exchange_nothing_directly():
    made = fusion("bottleneck")
    blocked = made.blocked(OWNERS)
    n = len(made.learned)
    assert not blocked[:n].any()
    assert not blocked[:, :n].any()
    assert torch.equal(blocked[n:, n:], OWNERS[:, None] != OWNERS)


def test_gates_differ_from_row_to_row():
    weights = fusion("gated_softmax").weights(tokens([[True] * 3] * 4))
    assert weights.std(dim=0).min() > 1e-3


def test_the_entropy_of_gates_is_highest_where_they_are_equal():
    given = tokens(ROWS)
    made = Gated(3, given.values.shape[2], softmax=True, entropy=1.0).train()
    even = made(given).penalty
    with torch.no_grad():
        made.bias[1] = 5.0
    uneven = made(given).penalty
    n_present = torch.tensor(ROWS).sum(dim=1).float()
    torch.testing.assert_close(even, -n_present.log().mean())
    assert even < uneven <= 0
    assert made.eval()(given).penalty is None


def test_numbers_of_a_representation_have_gates_of_their_own():
    given, made = tokens(ROWS), fusion("gated_vector")
    with torch.no_grad():
        for number, gate in enumerate(made.gates):
            gate.weight.zero_()
            gate.bias.fill_(-50.0)
            gate.bias[number] = 50.0  # this number comes from this facet alone
    whole = torch.tensor([row == [True] * 3 for row in ROWS])
    mapped = made.maps(given.pooled())[whole]
    found = made(given).values[whole]
    torch.testing.assert_close(found[:, :3], mapped.diagonal(dim1=1, dim2=2)[:, :3])


def test_a_closed_gate_lets_nothing_of_other_facets_through():
    given, made = tokens(ROWS), fusion("gated_cross_attention")
    alone = given.of_subset(torch.tensor([True, False, False]))
    with torch.no_grad():
        made.gate.weight.zero_()
        made.gate.bias.fill_(-50.0)
    closed = made(given).values[0]
    by_itself = torch.stack(
        [made(given.of_subset(torch.eye(3, dtype=torch.bool)[f])).values[0] for f in range(3)]
    )
    assert all(ROWS[0])
    torch.testing.assert_close(closed, by_itself.mean(dim=0))
    assert alone.present[0].tolist() == [True, False, False]


def test_rows_are_routed_to_few_experts_and_constant_ones_are_the_same_for_all():
    given = tokens([[True] * 3] * 5)
    routed, constant = fusion("experts"), fusion("constant_experts")
    assert (routed.weights(given) > 0).sum(dim=1).max() <= routed.n_chosen
    assert len(constant.weights(given).unique(dim=0)) == 1


def test_busy_experts_are_penalised():
    torch.manual_seed(0)
    made = Experts(3, 16, 0.0, per_facet=2, n_chosen=1, balance=1.0, constant=False)
    given = tokens([[True] * 3] * 50)
    even = made(given).penalty
    with torch.no_grad():
        made.fixed[0] = 10.0
    assert made(given).penalty > even + 1


def test_film_starts_without_effect_and_tells_subsets_apart():
    film, values = PresenceFiLM(2, 4), torch.ones(3, 4)
    present = all_subsets(2)
    torch.testing.assert_close(film(values, present), values)
    with torch.no_grad():
        film.shift[3] = 5.0  # both facets
    assert film(values, present)[:, 0].tolist() == [1, 1, 6]


def test_every_subset_of_the_facets_of_a_row_is_drawn_equally_often():
    torch.manual_seed(0)
    present = torch.tensor([[True, True, False]]).expand(6000, -1)
    drawn, counts = drawn_subsets(present, "uniform", 0.5).unique(dim=0, return_counts=True)
    assert drawn.tolist() == [[False, True, False], [True, False, False], [True, True, False]]
    assert (counts / 6000 - 1 / 3).abs().max() < 0.03
    assert torch.equal(drawn_subsets(present, "none", 0.5), present)
    assert drawn_subsets(present, "independent", 0.5).any(dim=1).all()


@pytest.mark.parametrize(("done", "hidden"), [(0.0, 0.0), (0.5, 0.15), (1.0, 0.3)])
def test_facets_are_hidden_progressively(done, hidden):
    torch.manual_seed(0)
    present = torch.ones(4000, 5, dtype=torch.bool)
    drawn = drawn_subsets(present, "progressive", done)
    assert abs(1 - hidden - drawn.float().mean()) < 0.01


def test_many_facets_are_compared_by_few_subsets():
    assert len(compared_subsets(4, "uniform")) == 15
    assert len(compared_subsets(6, "independent")) == 6 + 6 + 1
    assert compared_subsets(4, "none").tolist() == [[True] * 4]
