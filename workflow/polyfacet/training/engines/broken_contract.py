"""The error of an engine that violates its contract."""


class BrokenContractError(AssertionError):
    """An engine violates the contract; the message names the violation and the objective."""


def demand(holds: bool, who: str, what: str) -> None:
    """Raise unless an engine keeps a part of the contract.

    Parameters
    ----------
    holds
        Whether it does.
    who
        Name of the engine.
    what
        What it does otherwise.

    Raises
    ------
    BrokenContractError
        If it does not.
    """
    if not holds:
        raise BrokenContractError(f"engine {who!r}: {what}.")
