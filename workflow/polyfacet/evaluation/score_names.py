"""Names of the scores, apart from what computes them: reading tables need not import scikit-learn."""

from collections.abc import Sequence

# Name for all classes of an objective together.
ALL = "all"
OF_NUMBERS = ("mae", "mase", "rmse", "r2")
OF_ALL_CLASSES = ("accuracy", "macro_f1")
OF_ONE_CLASS = ("precision", "recall", "f1")
LOWER_IS_BETTER = ("mae", "mase", "rmse")


def scores_of(classes: Sequence[str]) -> list[tuple[str, str]]:
    """List the scores of an objective as pairs of class and metric, in the order of computation.

    Parameters
    ----------
    classes
        Names of its classes; empty for numbers.
    """
    if not len(classes):
        return [(ALL, metric) for metric in OF_NUMBERS]
    by_class = [(name, metric) for name in classes for metric in OF_ONE_CLASS]
    return [*((ALL, metric) for metric in OF_ALL_CLASSES), *by_class]
