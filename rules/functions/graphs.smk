# Functions of rules/graphs.smk.

from polyfacet.materials.crystal_objectives import PREDEFINED


def objectives_of_embedding():
    """Return the objectives that the network of the embedding learns; None for the predefined ones.

    A run that predicts none of these predicts columns of its sources, which rarely have the predefined ones: its
    network learns these columns as well.
    """
    named = config["graphs"]["training"]["objectives"]
    own = OBJECTIVES.get(CRYSTALS, {})
    if named or any(name not in DERIVED_OBJECTIVES for name in own):
        return named
    columns = [name for name, objective in own.items() if not objective.classes]
    return list(dict.fromkeys([*(each.name for each in PREDEFINED), *columns]))
