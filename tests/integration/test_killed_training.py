"""A training is killed in the middle of an epoch, and ends with the weights of one that was not."""

from pathlib import Path

import pytest
from held_training import kill_once_held, start_and_hold
from rock_salts import FILES, fit, rock_salt_graphs, rock_salt_properties, write_inputs

from polyfacet.networks import loop

EPOCHS = 15


def train(folder: Path, processes: int) -> None:
    loop.SAVE_EVERY_S = 0
    training = {"epochs": EPOCHS, "batch_size": 4, "validation_fraction": 0.25, "processes": processes}
    fit(folder, training=training)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_training_ends_with_the_same_weights(tmp_path, processes, monkeypatch, capfd):
    monkeypatch.setattr(loop, "SAVE_EVERY_S", loop.SAVE_EVERY_S)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    graphs = rock_salt_graphs()
    for folder in (whole, killed):
        folder.mkdir()
        write_inputs(folder, graphs, rock_salt_properties(graphs))
    training = start_and_hold("test_killed_training", killed, processes, state="network.safetensors.training")
    train(whole, processes)
    kill_once_held(training, killed)
    assert not (killed / "network.safetensors").exists()
    capfd.readouterr()
    train(killed, processes)
    said = capfd.readouterr().err
    assert "resumes after epoch" in said
    assert "steps" in said.split("resumes after")[1].splitlines()[0]
    for name in FILES:
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
