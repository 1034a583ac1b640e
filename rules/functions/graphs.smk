# Functions of rules/graphs.smk.


def columns_learned_by_embedding():
    """Return the columns that the network of the embedding learns beside the predefined objectives.

    A run that predicts none of these predicts columns of its sources, which rarely have the predefined ones.
    """
    own = OBJECTIVES.get(CRYSTALS, {})
    named = config["graphs"]["training"]["objectives"]
    if named or any(name not in DERIVED_OBJECTIVES for name in own):
        return []
    return [name for name, objective in own.items() if not objective.classes]
