"""Split a table by the positions of its rows, like published code that calls scikit-learn."""

from collections.abc import Sequence

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
    from sklearn.model_selection import train_test_split  # noqa: PLC0415 - planning a run must not import it

    try:
        # In floating point, 1 - 0.8 is not 0.2, and scikit-learn rounds up.
        rest, test = train_test_split(
            list(mat_ids), test_size=round(1 - train_fraction, 12), random_state=random_state
        )
        train, valid = train_test_split(rest, test_size=validation_fraction, random_state=random_state)
    except ValueError as error:
        raise UserError(
            f"{len(mat_ids)} rows cannot be split by scikit-learn: {error} Adjust `train_fraction` or "
            "`validation_fraction` of the split."
        ) from error
    return dict.fromkeys(train, TRAIN) | dict.fromkeys(valid, VALID) | dict.fromkeys(test, TEST)
