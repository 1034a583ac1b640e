"""Errors that are addressed to the person who runs the workflow."""


class UserError(Exception):
    """Something the user can mend: the message says what is wrong, where, and what to do.

    It reaches the terminal as its message alone; any other exception is a defect and keeps its traceback.
    """
