"""Parts of a document that a command writes: what stands between two markers, each on a line of its own."""


def with_section(text: str, begin: str, end: str, content: str) -> str:
    """Put content between the markers of a text.

    Raises
    ------
    ValueError
        If a marker is missing or stands there twice.
    """
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"the text must have {begin!r} and {end!r} once each")
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{content.strip()}\n{end}{after}"
