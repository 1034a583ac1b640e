"""Names of the tables of results."""

LABELS, TOWERS, SPACE, PROBES = "labels", "towers", "space", "probes"


def kept_as(ground: str, experiment: str) -> str:
    """Return the name of the table of an experiment on a ground."""
    return ground if experiment == LABELS else f"{ground}_{experiment}"
