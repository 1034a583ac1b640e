"""Errors that are addressed to the person who runs the workflow."""


class UserError(Exception):
    """Something the user can fix: the message says what is wrong, where, and what to do.

    It reaches the terminal as its message alone; any other exception is a defect and keeps its traceback.
    """

    def __init__(self, message: str) -> None:
        # Halves of characters, as file names and command lines may have them, cannot be printed.
        super().__init__(message.encode("utf-8", "backslashreplace").decode("utf-8"))
