"""A killed training of the joint network resumes mid-epoch and ends with the weights of one that was not."""

from pathlib import Path

import pytest
from held_training import kill_once_held, start_and_hold
from joint_rows import FACETS, GAP, KIND, SMALL, joint_rows

from polyfacet.networks import loop
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.joint.foundation import train_foundation
from polyfacet.training.engines.joint.settings import JointSettings

FILES = ("weights.safetensors", "network.json")


def train(folder: Path, processes: int) -> None:
    loop.SAVE_EVERY_S = 0
    settings = JointSettings(**{**SMALL, "max_epochs": 8, "batch_size": 8, "processes": processes})
    resources = Resources(seed=1, states=folder / "states", scratch=folder)
    train_foundation(settings, joint_rows(64), FACETS, (GAP, KIND), resources).save(folder)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_training_ends_with_the_same_weights(tmp_path, processes, monkeypatch, capfd, caplog):
    monkeypatch.setattr(loop, "SAVE_EVERY_S", loop.SAVE_EVERY_S)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    training = start_and_hold("test_killed_joint_training", killed, processes, state="joint.safetensors")
    train(whole, processes)
    kill_once_held(training, killed)
    assert not (killed / FILES[0]).exists()
    capfd.readouterr()
    with caplog.at_level("INFO"):
        train(killed, processes)
    said = caplog.text + capfd.readouterr().err
    assert "resumes after epoch" in said
    assert "steps" in said.split("resumes after")[1].splitlines()[0]
    for name in FILES:
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
