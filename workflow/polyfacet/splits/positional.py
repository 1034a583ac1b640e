"""Split a table by the positions of its rows, like published code and benchmarks that call scikit-learn."""

from collections.abc import Iterable, Sequence

from polyfacet.runtime.errors import UserError
from polyfacet.splits.parts import TEST, TRAIN, VALID


def split_by_position(
    mat_ids: Sequence[str], train_fraction: float, validation_fraction: float, random_state: int
) -> dict[str, str]:
    """Split rows by their position in the table, like published code that calls scikit-learn.

    ``train_test_split`` draws the test part, then the validation rows from the remainder, with the same
    ``random_state``.

    Parameters
    ----------
    mat_ids
        Identifiers of the rows in the order of their table.
    train_fraction
        Share of the rows that are not in the test part.
    validation_fraction
        Share of these that select the epoch.
    random_state
        Seed for both calls.

    Returns
    -------
    dict
        mat_id to ``train``, ``valid`` or ``test``.

    Raises
    ------
    UserError
        If one of the parts would be empty.
    """
    try:
        # In floating point, 1 - 0.8 is not 0.2, and scikit-learn rounds up.
        rest, test = _divided(mat_ids, round(1 - train_fraction, 12), random_state)
        train, valid = _divided(rest, validation_fraction, random_state)
    except ValueError as error:
        raise UserError(
            f"{len(mat_ids)} rows cannot be split by scikit-learn: {error} Adjust `train_fraction` or "
            "`validation_fraction` of the split."
        ) from error
    return _parts(train, valid, test)


def fold_by_position(
    mat_ids: Sequence[str], n_folds: int, fold: int, validation_fraction: float, random_state: int
) -> dict[str, str]:
    """Test on one of the folds into which ``KFold`` divides the rows by their position, shuffled.

    The validation rows are drawn from the other folds by ``train_test_split``, with the same
    ``random_state``.

    Parameters
    ----------
    mat_ids
        Identifiers of the rows in the order of their table.
    n_folds
        Number of folds.
    fold
        The fold to test on, counted from 0.
    validation_fraction
        Share of the other rows that chooses.
    random_state
        Seed of both.

    Returns
    -------
    dict
        mat_id to ``train``, ``valid`` or ``test``.

    Raises
    ------
    UserError
        If one of the parts would be empty.
    """
    from sklearn.model_selection import KFold  # noqa: PLC0415 - planning a run must not import it

    try:
        folds = KFold(n_folds, shuffle=True, random_state=random_state).split(mat_ids)
        rest, test = ([mat_ids[row] for row in rows] for rows in list(folds)[fold])
        train, valid = _divided(rest, validation_fraction, random_state)
    except ValueError as error:
        raise UserError(
            f"{len(mat_ids)} rows cannot be divided into {n_folds} folds by scikit-learn: {error} Adjust "
            "`n_folds` or `validation_fraction` of the split."
        ) from error
    return _parts(train, valid, test)


def _divided(mat_ids: Sequence[str], test_size: float, random_state: int) -> tuple[list[str], list[str]]:
    from sklearn.model_selection import train_test_split  # noqa: PLC0415 - planning a run must not import it

    first, second = train_test_split(list(mat_ids), test_size=test_size, random_state=random_state)
    return first, second


def _parts(train: Iterable[str], valid: Iterable[str], test: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(train, TRAIN) | dict.fromkeys(valid, VALID) | dict.fromkeys(test, TEST)
