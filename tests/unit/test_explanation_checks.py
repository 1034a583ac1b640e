"""The checks of explanations: who passes, and who does not."""

from collections.abc import Sequence

import numpy as np
import pytest

from polyfacet.evaluation.explanation.agreement import agreement, relative_magnitude
from polyfacet.evaluation.explanation.checks import (
    COMPLETENESS,
    DELETION,
    SKILL,
    VALUES,
    WEIGHTS,
    Materials,
    changed,
    completeness,
    skill,
)
from polyfacet.evaluation.explanation.deletion import SHARES, falls_of
from polyfacet.evaluation.explanation.tables import explanation_of
from polyfacet.training.engines.explaining import Attributions, Compared, Explained, Explainer

N, UNITS = 40, 20
FORMULAS = [f"A{row // 2}" for row in range(N)]


class Sum(Explainer):
    """A network that is a sum over units, and explains itself by the terms, or by something else."""

    kind = "properties"
    is_complete = True

    def __init__(self, terms: np.ndarray, said: np.ndarray | None = None) -> None:
        self.terms, self.said = terms, terms if said is None else said

    @property
    def names(self) -> Sequence[Sequence[str]]:
        return [[f"unit {number}" for number in range(UNITS)]] * len(self.terms)

    def attributions(self) -> Attributions:
        return Attributions(list(self.said))

    def outputs(self, hidden):
        return np.where(np.stack(hidden)[..., None], 0, self.terms).sum(axis=1)


def terms(seed: int, size: float = 1.0) -> np.ndarray:
    return size * np.random.default_rng(seed).normal(size=(N, UNITS, 1))


def judged(own: Explainer, *, learned=True, untrained=None, permuted=None) -> dict[str, bool]:
    errors = np.random.default_rng(9).random((N, 1))
    explained = Explained(("gap",), np.ones(1), errors, errors + (1 if learned else 0), {})
    compared = Compared(
        np.arange(N),
        own,
        [Sum(terms(seed)) for seed in (11, 12)] if untrained is None else untrained,
        Sum(terms(13)) if permuted is None else permuted,
    )
    checks = explanation_of(explained, compared, FORMULAS, seed=0).checks
    assert set(checks["objective"]) == {"gap"}
    return dict(zip(checks["check"], checks["passed"], strict=True))


def failed(checks: dict[str, bool]) -> set[str]:
    return {name for name, passed in checks.items() if not passed}


def test_a_network_that_is_explained_by_itself_passes_all_checks():
    checks = judged(Sum(terms(0)))
    assert set(checks) == {SKILL, COMPLETENESS, DELETION, WEIGHTS, VALUES}
    assert not failed(checks)


def test_a_network_that_reads_one_unit_passes():
    one = terms(0) * (np.arange(UNITS) == 3)[:, None]
    assert not failed(judged(Sum(one)))


def test_an_explanation_by_noise_fails():
    assert failed(judged(Sum(terms(0), said=terms(1)))) == {COMPLETENESS, DELETION}


def test_an_explanation_in_the_wrong_order_fails():
    assert DELETION in failed(judged(Sum(terms(0), said=-terms(0))))


def test_a_network_that_has_learned_nothing_fails():
    assert failed(judged(Sum(terms(0)), learned=False)) == {SKILL}


def test_an_explanation_that_does_not_depend_on_the_network_fails():
    same = [Sum(terms(0) + terms(seed, 0.3)) for seed in (1, 2)]
    assert failed(judged(Sum(terms(0)), untrained=same, permuted=same[0])) == {WEIGHTS, VALUES}
    opposite = Sum(-terms(0))
    assert failed(judged(Sum(terms(0)), untrained=[opposite], permuted=opposite)) == {WEIGHTS, VALUES}


def test_a_control_that_is_flat_repeats_nothing_unless_its_weights_are_random():
    flat = Sum(terms(0, size=0.01))
    assert failed(judged(Sum(terms(0)), untrained=[flat], permuted=flat)) == {WEIGHTS}


def test_a_control_that_could_not_be_trained_fails():
    (check,) = changed(VALUES, list(terms(0)), [], Materials(FORMULAS, 0))
    assert not check["passed"]
    assert np.isnan(check["value"])


def test_a_constant_network_has_no_explanation_and_stops_nothing():
    constant = Sum(np.zeros((N, UNITS, 1)))
    assert failed(judged(constant, learned=False)) == {SKILL, COMPLETENESS, DELETION, WEIGHTS, VALUES}


def test_a_constant_control_repeats_nothing():
    assert not failed(judged(Sum(terms(0)), permuted=Sum(np.zeros((N, UNITS, 1)))))


def test_predictions_fall_fastest_by_the_order_of_a_sum():
    own = Sum(terms(0))
    falls = falls_of(own, own.attributions().units, seed=0)
    assert falls.explained.shape == (len(SHARES), N, 1)
    assert (falls.areas >= 0).all()
    two_largest = np.sort(terms(0), axis=1)[:, -2:].sum(axis=1)
    np.testing.assert_allclose(falls.explained[0], two_largest, atol=1e-12)  # a tenth of 20 units
    assert abs(falls.by_chance.mean() - 0.5 * terms(0).sum(axis=1).mean()) < 0.2
    again = falls_of(own, own.attributions().units, seed=0)
    assert (again.by_chance == falls.by_chance).all()


def test_missing_sums_are_measured_as_a_share():
    (check,) = completeness(list(0.9 * terms(0)), terms(0).sum(axis=1))
    assert check["value"] == pytest.approx(0.1)
    assert not check["passed"]


def test_skill_is_the_share_of_the_error_of_a_constant_that_is_saved():
    errors = np.full(N, 0.25)
    errors[0] = np.nan
    check = skill(errors, np.ones(N), Materials(FORMULAS, 0))
    assert check["value"] == check["low"] == pytest.approx(0.75)
    alone = skill(np.zeros(3), np.ones(3), Materials(["A", "A", "A"], 0))
    assert not alone["passed"], "one formula has no interval"


def test_agreement_is_a_rank_correlation_whatever_the_sign():
    ours = [np.array([[1.0], [2.0], [3.0], [-4.0]])]
    assert agreement(ours, [2 * ours[0]]).item() == pytest.approx(1)
    assert agreement(ours, [-ours[0]]).item() == pytest.approx(1)
    assert np.isnan(agreement([ours[0][:2]], [ours[0][:2]]).item()), "two units have no order to speak of"
    assert agreement(ours, [np.ones((4, 1))]).item() == 0
    assert np.isnan(agreement([np.ones((4, 1))], ours).item())
    assert relative_magnitude(ours, [0.5 * ours[0]]).item() == pytest.approx(0.5)
