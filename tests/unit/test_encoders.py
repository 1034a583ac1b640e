"""Local encoders: the tokenizer, what the embeddings know, and the form on disk."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from timm import create_model
from transformers import AutoModel, AutoTokenizer

from make_local_encoders import main
from polyfacet.config.encoders import ImageEncoderSettings, TextEncoderSettings
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import IMAGE, TEXT
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_folder
from polyfacet.training.encoders.local import (
    ELEMENTS,
    checkpoint_of,
    element_property_table,
    make_tokenizer,
    save_image_encoder,
    save_text_encoder,
)
from polyfacet.training.encoders.own_checkpoints import named_hyperparameters
from polyfacet.training.encoders.timm_names import architectures

SMALL_TEXT = {"hidden_size": 32, "n_layers": 1, "n_heads": 2}
SMALL_IMAGE = {"architecture": "lcnet_035", "size_px": 32}


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Ac Hg 2 Cd 2", ["Ac", "Hg", "2", "Cd", "2"]),
        ("Co 12", ["Co", "12"]),
        ("C O 207", ["C", "O", "20", "##7"]),
        ("Ag 0.25", ["Ag", "0", "##.", "##2", "##5"]),
        ("ag Xx", ["[UNK]", "[UNK]"]),
        ("", []),
    ],
)
def test_composition_texts_are_tokenized_by_element_and_count(text: str, tokens: list[str]) -> None:
    assert make_tokenizer(max_tokens=16).tokenize(text) == tokens


def test_every_element_has_a_token_of_its_own() -> None:
    tokenizer = make_tokenizer(max_tokens=16)
    ids = tokenizer.convert_tokens_to_ids(list(ELEMENTS))
    assert len(set(ids)) == 118
    assert tokenizer.unk_token_id not in ids


def test_element_properties_are_standardised_and_whole() -> None:
    table = element_property_table()
    assert table.shape[0] == 118
    assert np.isfinite(table).all()
    np.testing.assert_allclose(table.mean(axis=0), 0, atol=0.5)
    assert (table.std(axis=0) > 0.5).all()


def test_similar_elements_start_similar(tmp_path: Path) -> None:
    save_text_encoder(tmp_path, TextEncoderSettings(**SMALL_TEXT), seed=0)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    weights = AutoModel.from_pretrained(tmp_path).get_input_embeddings().weight.detach()
    k, rb, f = (weights[tokenizer.convert_tokens_to_ids(symbol)] for symbol in ("K", "Rb", "F"))
    assert torch.dist(k, rb) < torch.dist(k, f)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for name, seed in (("first", 3), ("second", 3), ("third", 4)):
        main(tmp_path / name, seed=seed, text=SMALL_TEXT, image=SMALL_IMAGE, compimage=SMALL_IMAGE)
        digests.add((seed, sha256_of_folder(tmp_path / name)))
    assert len(digests) == 2
    assert len({digest for _, digest in digests}) == 2


def test_the_image_checkpoint_is_the_model(tmp_path: Path) -> None:
    save_image_encoder(tmp_path / "image", ImageEncoderSettings(**SMALL_IMAGE), seed=0)
    path = tmp_path / "image" / "pytorch_model.bin"
    model = create_model(SMALL_IMAGE["architecture"], checkpoint_path=str(path), num_classes=0).eval()
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, model.num_features)


def test_an_unknown_architecture_raises_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="resnet11"):
        save_image_encoder(tmp_path / "image", ImageEncoderSettings(architecture="resnet11"), seed=0)


@pytest.mark.parametrize(("architecture", "size_px"), [("vit_tiny_patch16_224", 32)])
def test_an_unsupported_picture_size_raises_user_error(tmp_path, architecture, size_px) -> None:
    settings = ImageEncoderSettings(architecture=architecture, size_px=size_px)
    with pytest.raises(UserError, match="vit_tiny_patch16_224 does not accept pictures of 32 px.*224"):
        save_image_encoder(tmp_path / "image", settings, seed=0)


def test_the_names_of_architectures_are_those_of_timm() -> None:
    assert architectures() == set(timm.list_models())


@pytest.mark.parametrize(("facet", "file"), [(TEXT, "tokenizer.json"), (IMAGE, "pytorch_model.bin")])
def test_a_checkpoint_that_lacks_a_file_is_named(facet: Facet, file: str, tmp_path: Path) -> None:
    main(tmp_path / "encoders", seed=0, text=SMALL_TEXT, image=SMALL_IMAGE, compimage=SMALL_IMAGE)
    assert checkpoint_of(tmp_path / "encoders", facet) == tmp_path / "encoders" / facet.name
    (tmp_path / "encoders" / facet.name / file).unlink()
    with pytest.raises(UserError, match=file):
        checkpoint_of(tmp_path / "encoders", facet)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"hyperparameters": {"optim.lr": 1, "model": {"hf_text": {"max_text_len": 9}}}}, 2),
        ({"hyperparameters": {}}, 0),
        # An engine of a plug-in has the settings that it likes.
        ({"k": 3}, 0),
        ({"hyperparameters": None}, 0),
        ({"hyperparameters": "tuned"}, 0),
    ],
)
def test_hyperparameters_are_those_that_settings_have(settings, named):
    assert len(named_hyperparameters(settings)) == named
