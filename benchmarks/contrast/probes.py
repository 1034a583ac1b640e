"""Experiment: what representations of the composition alone tell of the structure."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.contrast.grounds import Ground
from benchmarks.contrast.labels import PRETRAINED, WITHOUT
from benchmarks.contrast.linear import fitted_ridge
from benchmarks.contrast.towers import UNTRAINED
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Network, Networks
from benchmarks.joint.results import Rows
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from polyfacet.encodings.fractions import fractions_of
from polyfacet.materials.crystal_systems import CRYSTAL_SYSTEMS
from polyfacet.runtime.parquet import read_table
from polyfacet.splits.parts import TEST, TRAIN
from polyfacet.splits.symmetry import by_space_group
from polyfacet.training.engines.numeric_facets import original_features

FRACTIONS, STATISTICS, CEILING = "atomic fractions", "statistics", "ceiling"
NUMBERS = {"density": "g/cm3", "volume per atom": "A3", "shortest lattice vector": "A"}
SYSTEM = "crystal system"
# Pretrained networks that are probed.
PROBED = ("fused_anchor", "fused_anchor, shuffled partners", "all_pairs")
R2, ACCURACY = "r2", "balanced accuracy"
# Groups of a split by formula.
FORMULA = "group"

Array = NDArray[np.float64]
Numbers = Callable[[pd.DataFrame], Array]


def probe_compositions(ground: Ground, materials: Materials, networks: Networks) -> Rows:
    """Fit linear models on representations of training rows, and judge them on test rows."""
    known = _structural(ground).loc[materials.rows["mat_id"]].reset_index(drop=True)
    parts = {name: (materials.rows["part"] == name).to_numpy() for name in (TRAIN, TEST)}
    rows: Rows = []
    for model, numbers in _representations(ground, materials, networks).items():
        values = numbers(materials.rows)
        for target in (*NUMBERS, SYSTEM):
            train, test = (values[parts[name]] for name in (TRAIN, TEST))
            answers = _fitted(target, train, known[target][parts[TRAIN]]).predict(test)
            rows.append(_row(model, target, known[target][parts[TEST]], answers))
    formulas = materials.rows.loc[parts[TEST], FORMULA]
    for target in (*NUMBERS, SYSTEM):
        true = known[target][parts[TEST]]
        best = "mean" if target in NUMBERS else lambda own: own.mode().iloc[0]
        rows.append(_row(CEILING, target, true, true.groupby(formulas.to_numpy()).transform(best)))
    return rows


def _structural(ground: Ground) -> pd.DataFrame:
    """Return what is asked of the structures, by identifier."""
    sample = read_table(
        ground.study.folder / "sample" / "sample.parquet", columns=["mat_id", "formula", "structure"]
    )
    found = []
    for written in sample["structure"]:
        structure = Structure.from_dict(json.loads(written))
        per_atom = structure.volume / len(structure)
        found.append((float(structure.density), per_atom, min(structure.lattice.abc)))
    table = pd.DataFrame(found, columns=list(NUMBERS), index=sample["mat_id"])
    groups = by_space_group(sample)
    return table.assign(**{SYSTEM: [_system(groups[mat_id]) for mat_id in sample["mat_id"]]})


def _system(group: str) -> str:
    """Return the crystal system of a group ``space group <number>``; other groups have none."""
    number = group.rpartition(" ")[2]
    if not number.isdigit():
        return "unknown"
    return next(name for name, last in CRYSTAL_SYSTEMS.items() if int(number) <= last)


def _representations(ground: Ground, materials: Materials, networks: Networks) -> dict[str, Numbers]:
    """Return functions that represent rows by the composition."""
    found: dict[str, Numbers] = {
        FRACTIONS: lambda rows: fractions_of(rows[FORMULA]).astype(np.float64),
        STATISTICS: lambda rows: np.asarray(original_features(rows, [ground.alone[1]]), dtype=np.float64),
    }
    ways: Mapping[str, dict[str, Any]] = {WITHOUT: {}} | {
        name: {"pretraining": PRETRAINED[name]} for name in PROBED
    }
    for name, settings in ways.items():
        network = networks.train(materials, **settings)
        if network is not None:
            found[name] = _of_network(network, ground)
            if name == WITHOUT:
                untrained = network.foundation.untrained(networks.settings(), materials.seed)
                found[UNTRAINED] = _of_network(
                    Network(untrained, network.facets, network.core_seconds), ground
                )
    return found


def _of_network(network: Network, ground: Ground) -> Numbers:
    return lambda rows: network.foundation.outputs(rows, ground.alone).representation.double().numpy()


def _fitted(target: str, values: Array, known: pd.Series) -> Any:
    if target in NUMBERS:
        return fitted_ridge(values, known)
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(values, known)


def _row(model: str, target: str, true: pd.Series, answers: Any) -> dict[str, Any]:
    measure = R2 if target in NUMBERS else ACCURACY
    score = r2_score if target in NUMBERS else balanced_accuracy_score
    return {
        "model": model,
        "objective": target,
        "quantity": measure,
        "value": float(score(true, answers)),
    }
