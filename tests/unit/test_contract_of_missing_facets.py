"""The contract of engines: foundations that learn from objectives, and rows that lack facets."""

import numpy as np
import pandas as pd
import pytest
from project import PROJECT
from synthetic_cells import PHASE, STRENGTH, synthetic_cells
from tolerant_engine import LINES, TOLERANT, Tolerant

from polyfacet.facets.registry import GRAPH, PROCESS
from polyfacet.runtime import plugins
from polyfacet.runtime.plugins import Registry, use_plugins
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines import contract, creation, registry
from polyfacet.training.engines.base import Settings
from polyfacet.training.engines.broken_contract import BrokenContractError
from polyfacet.training.engines.contract import check_engine
from polyfacet.training.engines.declaration import EngineDeclaration

FACETS = (GRAPH, PROCESS)
OBJECTIVES = (STRENGTH, PHASE)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Rows with two vectors, on both of which the objectives depend."""
    cells = synthetic_cells(60)
    numbers = np.random.default_rng(5).normal(size=(60, 3))
    return cells.assign(process=list(numbers), strength=cells["strength"] + 50 * numbers[:, 0])


def test_a_sound_engine_passes(rows, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(plugins, "_of_run", {})
    use_plugins([str(PROJECT / "tests" / "tolerant_engine.py")])
    check_engine("tolerant", {}, rows, FACETS, OBJECTIVES, tmp_path)


class Unprepared(Tolerant):
    """Expects all facets."""

    def answer(self, frame):
        return super().answer(frame) + 0 * np.stack(frame["process"]).sum(axis=1)


class Imputing(Tolerant):
    """Replaces missing numbers by those of the first row that has some."""

    def answer(self, frame):
        having = frame["graph"].dropna()
        first = having.iloc[0] if len(having) else None
        return super().answer(frame.assign(graph=[first if v is None else v for v in frame["graph"]]))


class Remembering(Tolerant):
    """Looks up hidden facets of materials that it was fitted on."""

    _seen: dict

    def learn(self, train, valid, objective):
        super().learn(train, valid, objective)
        self._seen = dict(zip(train["mat_id"], train["graph"], strict=True))

    def read_model(self, folder):
        super().read_model(folder)
        self._seen = {}

    def answer(self, frame):
        known = [
            self._seen.get(mat_id) if value is None else value
            for mat_id, value in zip(frame["mat_id"], frame["graph"], strict=True)
        ]
        return super().answer(frame.assign(graph=known))


class Recognizing(Tolerant):
    """Knows materials by their identifiers."""

    def answer(self, frame):
        values = super().answer(frame)
        return values if self.objective.classes else values + (frame["mat_id"] == "alloy-003").to_numpy()


class Unable(Tolerant):
    """Predicts nothing where a facet is missing."""

    def answer(self, frame):
        values = super().answer(frame)
        return values if self.objective.classes else np.where(frame["graph"].isna(), np.nan, values)


def with_all(rows):
    return rows[rows["graph"].notna() & rows["process"].notna()]


class Dropping(Tolerant):
    """Learns only from rows that have all facets."""

    @classmethod
    def pretrain(cls, settings, rows, *others):
        super().pretrain(settings, with_all(rows), *others)


class Random(Tolerant):
    """Its foundation depends on chance, but its cells do not show it."""

    @classmethod
    def pretrain(cls, settings, rows, facets, objectives, folder, resources):
        super().pretrain(settings, rows, facets, objectives, folder, resources)
        (folder / "chance.txt").write_text(str(np.random.default_rng().normal()))


class Ignorant(Tolerant):
    """Its foundation ignores the answers."""

    @classmethod
    def pretrain(cls, settings, rows, facets, objectives, folder, resources):
        blank = rows.assign(strength=np.arange(len(rows), dtype=float), phase="BMG")
        super().pretrain(settings, blank, facets, objectives, folder, resources)


class Unfounded(Tolerant):
    """Fits its own lines in each cell, and leaves the foundation alone."""

    def learn(self, train, valid, objective):
        home = self.resources.scratch
        super().pretrain(self.settings, train, self.facets, [objective], home, self.resources)
        with np.load(home / LINES) as stored:
            self._lines = dict(stored)


@pytest.mark.parametrize(
    ("engine", "fault"),
    [
        (Imputing, "depends on the other rows"),
        (Remembering, "it remembers facets that are hidden"),
        (Recognizing, "predictions depend on the identifiers"),
        (Unable, "not finite"),
        (Dropping, "learns from rows that lack facets, but their answers change nothing"),
        (Random, "the same seed makes another foundation"),
        (Ignorant, "learns from objectives, but they change nothing"),
        (Unfounded, "declares a foundation, but cells do not use it"),
    ],
)
def test_a_planted_fault_is_found(engine, fault, rows, tmp_path, monkeypatch) -> None:
    with pytest.raises(BrokenContractError, match=fault):
        check(engine, rows, tmp_path, monkeypatch)


def test_an_engine_that_needs_all_facets_fails(rows, tmp_path, monkeypatch) -> None:
    with pytest.raises((TypeError, ValueError)):
        check(Unprepared, rows, tmp_path, monkeypatch)


def check(engine, rows, tmp_path, monkeypatch) -> None:
    """Check an engine that is declared like the sound one."""
    fields = {name: getattr(TOLERANT, name) for name in EngineDeclaration.__dataclass_fields__}
    made_up = Registry("engine", EngineDeclaration, (EngineDeclaration(**{**fields, "engine": engine}),))
    for module in (contract, creation, registry):
        monkeypatch.setattr(module, "ENGINES", made_up)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    resources = contract.Resources(seed=1, scratch=scratch)
    check_engine("tolerant", {}, rows, FACETS, OBJECTIVES, tmp_path, resources)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"foundation_learns": True}, "also declare foundation=True"),
        ({"foundation_cost": Cost(mb=1)}, "also declare foundation=True"),
        ({"missing": True, "is_baseline": True}, "declares `missing`"),
        ({"missing": True, "blends": True}, "declares `missing`"),
    ],
)
def test_a_contradictory_declaration_is_rejected(fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        EngineDeclaration("made", Settings, Tolerant, lambda facet: True, Cost(mb=1), **fields)
