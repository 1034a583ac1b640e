"""MCVN as an engine: what it learns, that it learns the same again, and the network as published."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import r2_score
from synthetic_cells import PHASE, STRENGTH, synthetic_cells

from polyfacet.evaluation.metrics import scores_of_classes
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, GRAPH, IMAGE, TEXT, facets_of
from polyfacet.materials.objectives import Objective
from polyfacet.networks.state import TrainingState
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import EngineError, Resources
from polyfacet.training.engines.creation import load
from polyfacet.training.engines.mcvn import training
from polyfacet.training.engines.mcvn.engine import MCVNEngine
from polyfacet.training.engines.mcvn.network import MCVN, SampleAttention
from polyfacet.training.engines.mcvn.settings import MCVNSettings
from polyfacet.training.engines.scaling import Scaling

N_TRAIN, N_VALID = 160, 40
N_SAVED = 2
QUICK = MCVNSettings(max_epochs=2)


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Rows with both facets."""
    return synthetic_cells(280, tmp_path_factory.mktemp("compimages"))


@pytest.fixture
def fit(frame: pd.DataFrame, tmp_path: Path):
    def run(
        combination: str, settings: MCVNSettings, objective: Objective = STRENGTH, seed: int = 1
    ) -> MCVNEngine:
        engine = MCVNEngine(settings, Resources(seed=seed), "mcvn")
        train, valid = frame[:N_TRAIN], frame[N_TRAIN : N_TRAIN + N_VALID]
        engine.fit(train, valid, facets_of(combination), objective)
        engine.save(tmp_path / "model")
        return engine

    return run


@pytest.mark.parametrize("variant", ["published", "fixed"])
def test_it_learns_numbers_from_features_and_picture(fit, frame: pd.DataFrame, variant: str) -> None:
    settings = MCVNSettings(variant=variant, max_epochs=20, learning_rate=0.01)
    test = frame[N_TRAIN + N_VALID :]
    both = r2_score(test["strength"], fit("graph+compimage", settings).predict(test))
    assert both > 0.6
    # The picture holds part of the answer.
    assert r2_score(test["strength"], fit("graph", settings).predict(test)) < both


def test_it_learns_classes(fit, frame: pd.DataFrame) -> None:
    engine = fit("graph+compimage", MCVNSettings(max_epochs=25, learning_rate=0.01), PHASE)
    test = frame[N_TRAIN + N_VALID :]
    predicted = engine.predict(test)
    assert scores_of_classes(test["phase"], predicted, PHASE.classes)["all"]["macro_f1"] > 0.6
    probabilities = engine.predict_probabilities(test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert [PHASE.classes[index] for index in probabilities.argmax(axis=1)] == predicted.tolist()


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(fit, frame: pd.DataFrame) -> None:
    before = torch.get_num_threads()
    first = fit("graph+compimage", QUICK).predict(frame)
    try:
        torch.set_num_threads(2)
        torch.manual_seed(99)
        second = fit("graph+compimage", QUICK).predict(frame)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, fit("graph+compimage", QUICK, seed=2).predict(frame))


@pytest.mark.parametrize("combination", ["graph", "compimage", "graph+compimage"])
@pytest.mark.parametrize("objective", [STRENGTH, PHASE], ids=["numbers", "classes"])
def test_a_saved_network_predicts_the_same(
    fit, frame: pd.DataFrame, tmp_path: Path, combination: str, objective: Objective
) -> None:
    engine = fit(combination, QUICK, objective)
    files = sorted(path.name for path in (tmp_path / "model").iterdir())
    assert files == ["engine.json", "mcvn.json", "weights.safetensors"]
    moved = (tmp_path / "model").rename(tmp_path / "elsewhere")
    np.testing.assert_array_equal(load(moved).predict(frame), engine.predict(frame))


def test_more_epochs_never_validate_worse(fit, frame: pd.DataFrame) -> None:
    valid = frame[N_TRAIN : N_TRAIN + N_VALID]
    engines = [fit("graph", MCVNSettings(max_epochs=n, learning_rate=0.05)) for n in range(1, 9)]
    scores = [r2_score(valid["strength"], engine.predict(valid)) for engine in engines]
    assert scores == sorted(scores)
    assert len(set(scores)) > 2


def test_impatient_training_ends_with_the_weights_before_the_first_worse_epoch(
    fit, frame: pd.DataFrame, tmp_path: Path
) -> None:
    stopped = fit("graph", MCVNSettings(max_epochs=60, learning_rate=0.05, patience=1))
    best = json.loads((tmp_path / "model" / "mcvn.json").read_text())["training"]["epoch"]
    assert best < 59
    up_to_best = fit("graph", MCVNSettings(max_epochs=best, learning_rate=0.05))
    np.testing.assert_array_equal(stopped.predict(frame), up_to_best.predict(frame))


def test_scaling_is_of_the_training_rows_and_blind_to_what_is_missing() -> None:
    values = np.array([[1.0, np.nan, 2.0, np.nan], [3.0, 4.0, 2.0, np.nan]])
    scaling = Scaling.fit(values)
    assert scaling == Scaling(mean=[2.0, 4.0, 2.0, 0.0], deviation=[1.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(scaling.scale(values), [[-1, 0, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(scaling.restore(scaling.scale(values))[:, 0], values[:, 0])


def test_scaling_of_inputs_limits_what_the_training_rows_do_not_know() -> None:
    known = np.array([[1.0, 0.0], [1.0 + 1e-8, 4.0], [1.0, np.nan]])
    new = np.array([[1.5, 100.0], [np.nan, -1.0]])
    scaling = Scaling.fit(known, limited=True)
    np.testing.assert_allclose(scaling.scale(known), [[0, -1], [0, 1], [0, 0]])
    np.testing.assert_allclose(scaling.scale(new), [[0, (8 - 2) / 2], [0, (-1 - 2) / 2]])
    assert Scaling.fit(known).scale(new)[0, 0] > 1e6


@pytest.mark.parametrize("exponent", [-700, 700])
def test_scaling_is_the_same_in_any_unit(exponent: int) -> None:
    values = np.array([[1.0, 5.0], [3.0, np.nan], [7.0, 5.0]])
    in_unit, plain = np.ldexp(values, exponent), Scaling.fit(values)
    scaling = Scaling.fit(in_unit)
    np.testing.assert_array_equal(scaling.scale(in_unit), plain.scale(values))
    np.testing.assert_array_equal(scaling.restore(scaling.scale(in_unit))[:, 0], in_unit[:, 0])


def test_scaling_knows_the_training_rows_alone(frame: pd.DataFrame, fit) -> None:
    engine = fit("graph", QUICK)
    assert engine._inputs == Scaling.fit(np.stack(frame["graph"][:N_TRAIN]), limited=True)
    assert engine._answers == Scaling.fit(frame[["strength"]][:N_TRAIN].to_numpy())


@pytest.mark.parametrize("facet", [TEXT, IMAGE])
def test_facets_that_are_no_numbers_are_refused(frame: pd.DataFrame, tmp_path: Path, facet: Facet) -> None:
    engine = MCVNEngine(QUICK, Resources(seed=1))
    with pytest.raises(UserError, match=rf"mcvn cannot use {facet.name}\+graph|graph\+{facet.name}"):
        engine.fit(frame, frame, (facet, GRAPH), STRENGTH)


def test_a_picture_that_is_no_composition_image_is_named(frame: pd.DataFrame, tmp_path: Path, fit) -> None:
    engine = fit("compimage", QUICK)
    wrong = tmp_path / "wrong.png"
    for content in (b"not a picture", (Path(frame["compimage"][0])).read_bytes()[:60]):
        wrong.write_bytes(content)
        with pytest.raises(UserError, match=r"alloy-000.*wrong\.png"):
            engine.predict(frame[:1].assign(compimage=str(wrong)))


def test_divergence_is_an_error(fit) -> None:
    with pytest.raises(EngineError, match="Lower learning_rate"):
        fit("graph", MCVNSettings(max_epochs=2, learning_rate=1e300))


def test_an_epoch_whose_loss_is_not_finite_is_not_kept(fit, monkeypatch, tmp_path: Path) -> None:
    losses = iter([math.nan, math.inf, 1.0, 2.0, math.nan])
    monkeypatch.setattr(training, "_validation_loss", lambda *_: next(losses))
    fit("graph", MCVNSettings(max_epochs=5))
    assert json.loads((tmp_path / "model" / "mcvn.json").read_text())["training"] == {
        "epoch": 3,
        "validation_loss": 1.0,
        "n_epochs": 5,
        "diverged": True,
    }


def n_parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_network_has_the_published_sizes() -> None:
    network = MCVN(16, True, 1, "published", "both")
    attention = lambda n: 4 * n * (n + 1) + 2 * n  # noqa: E731 - four linear maps and a normalisation
    branch = 3 * 10 + 8 * 28 + 4 * 73 + 17 + 7 * 4
    head = 2 * 12 + 13 * 8 + 9 * 4 + 5
    assert n_parameters(network) == attention(16) + 17 * 8 + branch + attention(12) + head
    shapes = []
    for layer in network.image:
        layer.register_forward_hook(lambda *call: shapes.append(tuple(call[-1].shape[1:])))
    network(torch.rand(2, 16).double(), torch.rand(2, 24, 21).double())
    sizes = [(3, 8, 7), (8, 6, 5), (4, 4, 3), (1, 3, 2)]
    assert [shape for shape in dict.fromkeys(shapes) if len(shape) == 3] == sizes


def test_published_attention_links_no_samples_and_is_linear_but_for_its_normalisation() -> None:
    torch.manual_seed(0)
    attention = SampleAttention(6).double()
    a, b = torch.rand(2, 6).double(), torch.rand(2, 6).double()
    torch.testing.assert_close(attention(torch.cat([a, b]))[:2], attention(a))
    attention(a).sum().backward()
    assert attention.attention.query.weight.grad.abs().max() == 0
    attention.attention.norm = torch.nn.Identity()
    torch.testing.assert_close(attention((a + b) / 2), (attention(a) + attention(b)) / 2)


def test_fixed_attention_and_convolutions_are_not_linear() -> None:
    torch.manual_seed(0)
    for variant, is_linear in (("published", True), ("fixed", False)):
        convolutions = MCVN(0, True, 1, variant, "none").image[:7]
        a, b = torch.rand(1, 1, 24, 21).double() - 0.5, torch.rand(1, 1, 24, 21).double() - 0.5
        middle, between = convolutions((a + b) / 2), (convolutions(a) + convolutions(b)) / 2
        assert torch.allclose(middle, between) is is_linear


@pytest.mark.parametrize("variant", ["published", "fixed"])
@pytest.mark.parametrize("attention", ["both", "original", "fusion", "none"])
@pytest.mark.parametrize("n_original", [0, 1, 7, 16])
def test_any_number_of_features_and_every_ablation(variant: str, attention: str, n_original: int) -> None:
    network = MCVN(n_original, True, 3, variant, attention)
    original = torch.rand(4, n_original).double() if n_original else None
    assert network(original, torch.rand(4, 24, 21).double()).shape == (4, 3)
    names = {name.split(".")[0] for name, _ in network.named_parameters() if ".query." in name}
    wanted = {
        "original": attention in ("both", "original") and n_original > 0,
        "head": attention in ("both", "fusion"),
    }
    assert names == {name for name, there in wanted.items() if there}


def test_a_training_that_is_killed_goes_on_and_ends_with_the_same_bits(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = MCVNSettings(max_epochs=5, batch_size=2, learning_rate=0.01)
    train, valid = frame[:N_TRAIN], frame[N_TRAIN : N_TRAIN + N_VALID]

    def fit(name: str, states: Path | None) -> MCVNEngine:
        engine = MCVNEngine(settings, Resources(seed=1, states=states), "mcvn")
        engine.fit(train, valid, (GRAPH, COMPIMAGE), STRENGTH)
        engine.save(tmp_path / name)
        return engine

    save, saved = TrainingState.save, []

    def save_and_die(state: TrainingState, *args: object) -> None:
        save(state, *args)
        saved.append(state.epoch)
        if state.epoch == N_SAVED:
            raise KeyboardInterrupt

    monkeypatch.setattr("polyfacet.networks.loop.SAVE_EVERY_S", 0)
    monkeypatch.setattr(TrainingState, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        fit("killed", tmp_path / "states")
    assert len(list((tmp_path / "states").glob("*.safetensors"))) == 1
    resumed = fit("resumed", tmp_path / "states")
    assert saved[N_SAVED] == N_SAVED + 1
    np.testing.assert_array_equal(resumed.predict(frame), fit("whole", None).predict(frame))
    # What is finished is not trained again.
    saved.clear()
    fit("again", tmp_path / "states")
    assert saved == [settings.max_epochs]


def test_inputs_are_taken_as_they_are_where_the_published_code_does(fit, frame: pd.DataFrame) -> None:
    settings = MCVNSettings(max_epochs=2, scaling="none", grey_values="byte")
    engine = fit("graph+compimage", settings)
    original, images = engine._parts(frame)
    np.testing.assert_array_equal(original.numpy(), np.stack(frame["graph"]))
    levels = images.numpy()
    np.testing.assert_array_equal(levels, levels.round())
    assert levels.max() > 250
    assert engine._answers == Scaling.identity(1)
    scaled = fit("graph+compimage", QUICK)
    np.testing.assert_allclose(scaled._parts(frame)[1].numpy() * 255, levels)


def test_training_gives_up_at_a_loss_that_is_not_finite(fit, monkeypatch, tmp_path: Path) -> None:
    run, steps = training._loss, []

    def fail_at_last(network: MCVN, examples: training.Examples) -> torch.Tensor:
        steps.append(None)
        return run(network, examples) * (math.nan if network.training and len(steps) > 12 else 1.0)

    monkeypatch.setattr(training, "_loss", fail_at_last)
    fit("graph", MCVNSettings(max_epochs=5))  # 160 rows are five steps and one validation per epoch
    outcome = json.loads((tmp_path / "model" / "mcvn.json").read_text())["training"]
    assert outcome["diverged"]
    assert outcome["n_epochs"] == 2
