"""Encoders from the hub: asked for once, recorded, used offline; against a stand-in on this machine."""

import os
import sys
from collections.abc import Iterator

import pytest
from hub_server import REVISION, Hub, add_snapshot, serve_hub

from polyfacet.facets.registry import GRAPH, IMAGE, TEXT
from polyfacet.runtime.errors import UserError
from polyfacet.training.encoders.hub_cache import (
    HubEncoder,
    HubEncoders,
    read_record,
    work_offline,
    write_record,
)

OTHER_REVISION = "f" * 40


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve a stand-in of the hub in place of the real one."""
    with serve_hub(monkeypatch, {}) as served:
        yield served


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub be at a port where nobody listens."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")


def preset_encoders(**settings):
    """Give facets, settings and files of the hub for a preset's text and image encoder."""
    from polyfacet.training.encoders.hub import checkpoints_of, repository_of
    from polyfacet.training.engines.automm.hyperparameters import AutoMMSettings

    facets = (TEXT, IMAGE, GRAPH)
    chosen = AutoMMSettings(**settings)
    checkpoints = checkpoints_of(facets, chosen)
    repositories = {facet: repository_of(facet, name) for facet, name in checkpoints.items()}
    return facets, chosen, repositories


FILES = {
    "config.json": b"{}",
    "vocab.txt": b"[PAD]\n",
    "model.safetensors": b"safe weights",
    "pytorch_model.bin": b"the same weights again",
    "tf_model.h5": b"and again",
}


@pytest.mark.parametrize(
    ("preset", "text", "image"),
    [
        ("medium_quality", "google/electra-small-discriminator", "timm/mobilenetv3_large_100.ra_in1k"),
        ("high_quality", "google/electra-base-discriminator", "timm/caformer_b36.sail_in22k_ft_in1k"),
        (
            "best_quality",
            "microsoft/deberta-v3-base",
            "timm/swin_large_patch4_window7_224.ms_in22k_ft_in1k",
        ),
    ],
)
def test_autogluon_says_which_encoders_a_preset_has(preset, text, image):
    _, _, repositories = preset_encoders(preset=preset)
    assert repositories == {TEXT: text, IMAGE: image}


def test_given_checkpoints_come_before_the_presets(tmp_path):
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).touch()
    given = {
        "model.hf_text.checkpoint_name": str(tmp_path),
        "model.timm_image_structure.checkpoint_name": "hf-hub:some/model",
    }
    _, _, repositories = preset_encoders(hyperparameters=given)
    assert repositories == {TEXT: None, IMAGE: "some/model"}


@pytest.mark.parametrize("checkpoint", ["resnet11", "resnet10t.unknown_weights"])
def test_an_image_encoder_unknown_to_timm_raises_user_error(checkpoint):
    from polyfacet.training.encoders.hub import repository_of

    with pytest.raises(UserError, match=f"{checkpoint}.*list_models"):
        repository_of(IMAGE, checkpoint)


def test_encoders_are_fetched_once_and_recorded(hub, tmp_path):
    from fetch_hub_encoders import main

    facets, settings, repositories = preset_encoders()
    hub.repositories = dict.fromkeys(repositories.values(), FILES)
    arguments = {
        "cache": tmp_path / "hub",
        "combinations": ["text", "text+image"],
        "settings": settings.model_dump(),
    }
    main(tmp_path / "first.json", **arguments)
    record = read_record(tmp_path / "first.json")
    assert [(e.facet, e.repository, e.revision) for e in record.encoders] == [
        (facet.name, repositories[facet], REVISION) for facet in facets[:2]
    ]
    folder = tmp_path / "hub" / "models--google--electra-small-discriminator" / "snapshots" / REVISION
    assert {path.name for path in folder.iterdir()} == {"config.json", "vocab.txt", "model.safetensors"}
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert hub.requests
    hub.requests.clear()
    main(tmp_path / "second.json", **arguments)
    assert not hub.requests
    assert (tmp_path / "second.json").read_bytes() == (tmp_path / "first.json").read_bytes()


def test_an_engine_of_a_plug_in_gets_the_encoders_of_the_preset(hub, tmp_path):
    from fetch_hub_encoders import main

    _, _, repositories = preset_encoders()
    hub.repositories = dict.fromkeys(repositories.values(), FILES)
    main(tmp_path / "record.json", cache=tmp_path / "hub", combinations=["text"], settings={"k": 3})
    (encoder,) = read_record(tmp_path / "record.json").encoders
    assert encoder.repository == repositories[TEXT]


def test_an_interrupted_fetch_is_completed(hub, tmp_path):
    from polyfacet.training.encoders.hub import cached_revision, fetch_encoders

    facets, settings, repositories = preset_encoders()
    hub.repositories = dict.fromkeys(repositories.values(), FILES)
    fetch_encoders(facets, settings, tmp_path)
    folder = tmp_path / "models--google--electra-small-discriminator" / "snapshots" / REVISION
    (folder / "vocab.txt").unlink()
    assert cached_revision("google/electra-small-discriminator", tmp_path) is None
    fetch_encoders(facets, settings, tmp_path)
    assert (folder / "vocab.txt").exists()


def test_a_repository_without_weights_is_named(hub, tmp_path):
    from polyfacet.training.encoders.hub import fetch_encoders

    facets, settings, repositories = preset_encoders()
    hub.repositories = {repositories[TEXT]: {"config.json": b"{}"}}
    with pytest.raises(UserError, match="electra-small-discriminator.*has no weights"):
        fetch_encoders(facets, settings, tmp_path)


def test_a_repository_that_is_not_there_is_named(hub, tmp_path):
    from polyfacet.training.encoders.hub import fetch_encoders

    facets, settings, _ = preset_encoders()
    with pytest.raises(UserError, match="electra-small-discriminator is not in(.|\n)*RepositoryNotFound"):
        fetch_encoders(facets, settings, tmp_path)


@pytest.mark.usefixtures("offline")
def test_a_cache_that_somebody_else_filled_is_enough_offline(tmp_path):
    from polyfacet.training.encoders.hub import fetch_encoders

    facets, settings, repositories = preset_encoders()
    weights = {TEXT: "pytorch_model.bin", IMAGE: "model.safetensors"}
    for facet, repository in repositories.items():
        add_snapshot(tmp_path, repository, {"config.json": b"{}", weights[facet]: b"weights"})
    record = fetch_encoders(facets, settings, tmp_path)
    assert [encoder.revision for encoder in record.encoders] == [REVISION, REVISION]


@pytest.mark.usefixtures("offline")
def test_offline_without_cache_the_error_names_the_encoder_and_the_ways_out(tmp_path):
    from polyfacet.training.encoders.hub import fetch_encoders

    facets, settings, _ = preset_encoders()
    with pytest.raises(UserError, match=r"electra-small.*encoders\.cache.*encoders\.source: local") as raised:
        fetch_encoders(facets, settings, tmp_path / "hub")
    assert str(tmp_path / "hub") in str(raised.value)


@pytest.fixture
def record(tmp_path) -> HubEncoders:
    encoder = HubEncoder(facet="text", checkpoint="a/b", repository="a/b", revision=REVISION)
    return HubEncoders(cache=tmp_path / "hub", encoders=(encoder,))


@pytest.fixture
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub's library look as if nothing had imported it, and undo changes of the environment."""
    monkeypatch.delitem(sys.modules, "huggingface_hub", raising=False)
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "before")


def test_a_record_is_read_as_it_was_written(record, tmp_path):
    write_record(tmp_path / "record.json", record)
    assert read_record(tmp_path / "record.json") == record
    assert record.encoders[0].identity == f"a/b@{REVISION}"


@pytest.mark.usefixtures("fresh_process")
def test_working_offline_sets_the_environment_of_the_hubs_library(record):
    add_snapshot(record.cache, "a/b", {"config.json": b"{}"})
    work_offline(record)
    assert os.environ["HF_HUB_CACHE"] == str(record.cache)
    assert os.environ["HF_HUB_OFFLINE"] == "1"


@pytest.mark.usefixtures("fresh_process")
@pytest.mark.parametrize(("there", "found"), [(None, "no copy"), (OTHER_REVISION, OTHER_REVISION)])
def test_an_encoder_that_is_gone_or_another_one_is_named(record, there, found):
    if there:
        add_snapshot(record.cache, "a/b", {"config.json": b"{}"}, revision=there)
    with pytest.raises(UserError, match=rf"{found}.*a/b.*{REVISION}.*encoders\.cache"):
        work_offline(record)
    assert os.environ["HF_HUB_OFFLINE"] == "before"


def test_working_offline_must_come_before_the_hubs_library(record):
    import huggingface_hub

    assert huggingface_hub.__name__ in sys.modules
    with pytest.raises(RuntimeError, match="already imported"):
        work_offline(record)
