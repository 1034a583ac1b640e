"""Generated parts of the documentation, between two markers in a hand-written text."""


def with_generated(text: str, name: str, content: str) -> str:
    """Put content between the Markdown comments that mark its place.

    Raises
    ------
    ValueError
        If the text does not contain both markers exactly once.
    """
    before, rest = text.split(f"<!-- begin: {name}, ")
    command, rest = rest.split(" -->\n", maxsplit=1)
    _, after = rest.split(f"<!-- end: {name} -->")
    return f"{before}<!-- begin: {name}, {command} -->\n{content}\n<!-- end: {name} -->{after}"
