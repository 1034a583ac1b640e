"""Errors that are addressed to the person who runs the workflow."""


class UserError(Exception):
    """An error that the user can fix: the message says what is wrong, where, and what to do.

    The terminal shows only its message; any other exception is a defect and keeps its traceback.
    """

    def __init__(self, message: str) -> None:
        # File names and command lines may contain lone surrogates, which cannot be printed.
        super().__init__(message.encode("utf-8", "backslashreplace").decode("utf-8"))
