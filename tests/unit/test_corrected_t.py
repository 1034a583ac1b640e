"""The corrected resampled t-test, equivalence, Holm's correction: by hand, and error rates by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from polyfacet.evaluation.corrected_t import CorrectedMean, holm


def test_the_error_is_corrected_by_the_ratio_of_test_to_training_rows():
    # Mean 2, sample variance 2.5, J = 5: 2.5 (1/5 + 0.3) = 1.25.
    mean = CorrectedMean.of([0.0, 1.0, 2.0, 3.0, 4.0], 0.3)
    assert (mean.mean, mean.n_repeats) == (2.0, 5)
    assert mean.error == pytest.approx(math.sqrt(1.25))
    t = 2 / math.sqrt(1.25)
    assert mean.p_different() == pytest.approx(2 * (1 - stats.t.cdf(t, 4)))
    # The quantile of Student's t for 97.5 % and 4 degrees of freedom is 2.776 in every table.
    assert mean.interval() == pytest.approx((2 - 2.776 * 1.1180, 2 + 2.776 * 1.1180), abs=1e-3)


def test_without_test_rows_it_is_the_ordinary_t_test():
    values = np.random.default_rng(0).normal(0.3, 1, 12)
    mean = CorrectedMean.of(values, 0.0)
    assert mean.p_different() == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    ordinary = stats.ttest_1samp(values, 0).confidence_interval()
    assert mean.interval() == pytest.approx((ordinary.low, ordinary.high))


def test_equivalence_takes_the_larger_of_two_one_sided_p_values():
    values, margin = np.array([0.01, 0.02, -0.01, 0.03]), 0.05
    below = stats.ttest_1samp(values, margin, alternative="less").pvalue
    above = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    assert CorrectedMean.of(values, 0.0).p_equivalent(margin) == pytest.approx(max(below, above))
    assert CorrectedMean.of(-values, 0.0).p_equivalent(margin) == pytest.approx(max(below, above))


@pytest.mark.parametrize(
    "values", [[0.0] * 7, [0.1] * 2, [0.4 - 0.5, 0.7 - 0.8, 0.1 - 0.2], [1e6, 1e6 + 1e-6]]
)
def test_equal_differences_prove_nothing(values):
    mean = CorrectedMean.of(values, 0.2)
    assert (mean.mean, mean.n_repeats, mean.has_spread) == (pytest.approx(values[0]), len(values), False)
    assert np.isnan([mean.p_different(), mean.p_equivalent(1.0), *mean.interval()]).all()


def test_one_repeat_has_no_spread():
    mean = CorrectedMean.of([0.3], 0.2)
    assert mean.mean == 0.3
    assert np.isnan([mean.p_different(), mean.p_equivalent(1.0), *mean.interval()]).all()


def test_holm_multiplies_by_the_number_of_hypotheses_that_are_left():
    # 0.01 x 4, 0.02 x 3, then 0.03 x 2 = 0.06, 0.04 x 1 is raised to it.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.5]) == pytest.approx([1.0, 1.0])
    assert holm([0.05]) == pytest.approx([0.05])
    assert holm([]).shape == (0,)


def test_hypotheses_that_could_not_be_tested_do_not_count():
    assert holm([0.01, math.nan, 0.03]) == pytest.approx([0.02, math.nan, 0.03], nan_ok=True)
    assert np.isnan(holm([math.nan] * 2)).all()


def repeated_hold_outs(n_runs: int, n: int = 200, n_test: int = 30, n_repeats: int = 10) -> np.ndarray:
    """Simulate the difference between two methods whose errors differ by chance only.

    Returns
    -------
    numpy.ndarray
        Mean difference on the test part of each repeat, shape ``(runs, repeats)``.  Test parts are drawn
        from the same materials, so that repeats are correlated by ``n_test / n``.
    """
    rng = np.random.default_rng(1)
    materials = rng.normal(size=(n_runs, 1, n))
    shuffled = rng.permuted(np.repeat(materials, n_repeats, axis=1), axis=2)
    return shuffled[..., :n_test].mean(axis=2)


def test_equal_methods_differ_as_seldom_as_the_level_says():
    n_runs = 1_000
    differences = repeated_hold_outs(n_runs)
    corrected = [CorrectedMean.of(own, 30 / 170).p_different() for own in differences]
    ordinary = [CorrectedMean.of(own, 0.0).p_different() for own in differences]
    # Three standard errors of the share.
    assert abs(np.mean(np.array(corrected) < 0.05) - 0.05) < 3 * math.sqrt(0.05 * 0.95 / n_runs)
    assert np.mean(np.array(ordinary) < 0.05) > 0.15
