"""Parts of the documentation that a command writes, between two markers in a text that a person writes."""


def with_generated(text: str, name: str, content: str) -> str:
    """Put content between the markers of its name, which are comments of Markdown.

    Raises
    ------
    ValueError
        If the text does not hold both markers, each once.
    """
    before, rest = text.split(f"<!-- begin: {name}, ")
    command, rest = rest.split(" -->\n", maxsplit=1)
    _, after = rest.split(f"<!-- end: {name} -->")
    return f"{before}<!-- begin: {name}, {command} -->\n{content}\n<!-- end: {name} -->{after}"
