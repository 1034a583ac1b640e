"""Settings with which the built-in engines train in seconds."""

from typing import Any

# The kinds of members of a default ensemble, with fewer trees.
FEW_TREES = [
    {"engine": "classical", "settings": {"model": model, "hyperparameters": {"n_estimators": 10}}}
    for model in ("extra_trees", "xgboost")
]
# By engine; the others need none.
QUICK: dict[str, dict[str, Any]] = {
    "attention": {"width": 8, "layers": 1, "epochs": 2},
    "blend": {
        "members": [
            {"method": model, "engine": "classical", "settings": {"model": model}, "combinations": ["graph"]}
            for model in ("tree", "ridge")
        ]
    },
    "joint": {"width": 8, "layers": 1, "attention_heads": 2, "max_epochs": 3},
    "mcvn": {"max_epochs": 2},
    "classical": {"model": "tree"},
    "ensemble": {"members": FEW_TREES},
}
