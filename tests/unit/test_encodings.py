"""Frozen encodings: what is declared, what texts become, and what cells make of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import encode_facet
from polyfacet.elements.symbols import ELEMENTS
from polyfacet.elements.vectors import matscholar_vectors
from polyfacet.encodings.base import Encoder, Fitting
from polyfacet.encodings.fractions import FractionEncoder, fractions_of
from polyfacet.encodings.matscholar import MatscholarEncoder
from polyfacet.encodings.words import WordEncoder
from polyfacet.facets.aligned import label_of_encodings, with_encodings
from polyfacet.facets.declaration import FRACTIONS, MATSCHOLAR, NETWORK, WORDS, Facet
from polyfacet.facets.registry import (
    COMPIMAGE,
    FACETS,
    GRAPH,
    IMAGE,
    TEXT,
    encoding_column,
    shown_columns,
)
from polyfacet.facets.text.variants import FORMULA_TEXTS, STRUCTURE_TEXTS
from polyfacet.materials.crystal_objectives import E_FORM, VOL_ATOM
from polyfacet.materials.objectives import Objective
from polyfacet.materials.stage_tables import TEXTS, encodings_schema
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_arrow, write_table
from polyfacet.splits.hidden_facets import HiddenFacets
from polyfacet.splits.parts import SPLIT
from polyfacet.training.cells import Cell, Place
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create
from polyfacet.training.learnable import check_not_shown
from polyfacet.training.provenance import InputDigests
from polyfacet.training.seen_rows import what_engines_see

WORDS_OF_ROWS = [f"crystal {'ABC'[i % 3]} with {i % 5} bonds of 1.{i % 4}5 A" for i in range(30)]
ROWS = pd.DataFrame({"mat_id": [f"m{i:02d}" for i in range(30)], "formula": "NaCl", "text": WORDS_OF_ROWS})


def test_every_form_of_the_text_has_its_encoding():
    assert {TEXT.encoded_as(form) for form in FORMULA_TEXTS} == {FRACTIONS, MATSCHOLAR}
    assert TEXT.variant("matscholar").encoded_as("matscholar") is MATSCHOLAR
    assert "pretrained on abstracts" in MATSCHOLAR.label
    assert {TEXT.encoded_as(form) for form in STRUCTURE_TEXTS} == {WORDS}
    assert TEXT.variant("cif").encoded_as("cif") is WORDS
    assert TEXT.variant("crabnet").encoded_as("crabnet") is FRACTIONS
    assert IMAGE.encoded_as("") is NETWORK
    assert NETWORK.learns
    assert "trained on the training part, on all objectives" in NETWORK.label


def test_every_facet_has_numbers_and_only_texts_and_pictures_have_encodings():
    assert all(facet.has_numbers for facet in FACETS.all().values())
    assert [name for name, facet in FACETS.all().items() if facet.encoded_as("")] == ["text", "image"]
    with pytest.raises(ValueError, match="consists of numbers"):
        Facet("own", "own", "vector", needs="formula", make=len, encoding=WORDS)


def test_plug_in_facets_get_the_encoding_of_their_kind():
    assert Facet("note", "note", "text", needs="formula", make=str).encoded_as("") is WORDS
    assert Facet("drawn", "drawn", "image", needs="formula", make=str).encoded_as("") is NETWORK
    grey = Facet("drawn", "drawn", "image", needs="formula", make=str, pixels_are_numbers=True)
    assert grey.encoded_as("") is None


def test_an_encoding_is_not_a_view():
    columns = ["image_a", "image_b", "image_a_sha256", encoding_column(IMAGE)]
    assert shown_columns(IMAGE, columns) == ["image_a", "image_b"]


def test_a_text_of_the_formula_becomes_atomic_fractions(tmp_path: Path):
    rows = pd.DataFrame({"mat_id": ["a", "b"], "formula": ["Fe2O3", "NaCl"], "text": ["x", "y"]})
    encoder = FractionEncoder.fit(Fitting(rows, ["text"]))
    encoder.save(tmp_path / "encoder.safetensors")
    found = FractionEncoder.load(tmp_path / "encoder.safetensors").encode(rows, ["text"])
    assert found.shape == (2, 118)
    assert found[0, ELEMENTS.index("Fe")] == pytest.approx(0.4)
    assert found[1, ELEMENTS.index("Cl")] == pytest.approx(0.5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_a_formula_is_encoded_as_its_fractions_and_the_mean_of_its_elements_vectors():
    rows = pd.DataFrame({"mat_id": list("abc"), "formula": ["Fe2O3", "NaCl", "Na"]})
    encoder = MatscholarEncoder.fit(Fitting(rows, ["text"]))
    found = encoder.encode(rows, ["text"])
    np.testing.assert_array_equal(found[:, :118], fractions_of(rows["formula"]))
    vectors = matscholar_vectors()
    np.testing.assert_array_equal(found[2, 118:], vectors[ELEMENTS.index("Na")])
    half = (vectors[ELEMENTS.index("Na")] + vectors[ELEMENTS.index("Cl")]) / 2
    np.testing.assert_allclose(found[1, 118:], half, rtol=1e-5, atol=1e-6)


def test_vectors_of_elements_are_saved_and_a_formula_is_encoded_alone_as_with_others(tmp_path: Path):
    rows = pd.DataFrame({"mat_id": list("ab"), "formula": ["Fe2O3", "Ca3Al2Si3O12"]})
    encoder = MatscholarEncoder.fit(Fitting(rows, ["text"]))
    encoder.save(tmp_path / "encoder.safetensors")
    loaded = MatscholarEncoder.load(tmp_path / "encoder.safetensors")
    found = encoder.encode(rows, ["text"])
    np.testing.assert_array_equal(loaded.encode(rows[1:], ["text"]), found[1:])


def fitted(seed: int = 1) -> Encoder:
    return WordEncoder.fit(Fitting(ROWS[:20], ["text"], seed=seed))


def test_words_are_the_same_when_saved_and_for_single_texts(tmp_path: Path):
    encoder = fitted()
    found = encoder.encode(ROWS, ["text"])
    encoder.save(tmp_path / "encoder.safetensors")
    loaded = WordEncoder.load(tmp_path / "encoder.safetensors")
    np.testing.assert_array_equal(loaded.encode(ROWS, ["text"]), found)
    singly = [loaded.encode(ROWS[i : i + 1], ["text"])[0] for i in range(len(ROWS))]
    np.testing.assert_array_equal(singly, found)


def test_words_do_not_depend_on_the_number_of_threads():
    found = fitted().encode(ROWS, ["text"])
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 2)
    try:
        np.testing.assert_array_equal(fitted().encode(ROWS, ["text"]), found)
    finally:
        torch.set_num_threads(threads)


def test_similar_texts_have_similar_numbers_and_unknown_words_have_none():
    encoder = fitted()
    texts = ["crystal A with 0 bonds of 1.05 A", "crystal A with 0 bonds of 1.15 A", "nothing known here"]
    first, second, unknown = encoder.encode(pd.DataFrame({"text": texts}), ["text"])
    assert np.dot(first, second) > 0.5 * np.linalg.norm(first) * np.linalg.norm(second)
    assert not unknown.any()


def test_a_damaged_encoder_is_described(tmp_path: Path):
    (tmp_path / "encoder.safetensors").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"encoder\.safetensors"):
        WordEncoder.load(tmp_path / "encoder.safetensors")


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Write a sample of compounds, their split and their texts."""
    parts = ["train"] * 20 + ["valid"] * 5 + ["test"] * 5
    split = ROWS[["mat_id"]].assign(group=ROWS["mat_id"], part=parts)
    write_table(tmp_path / "split.parquet", split, SPLIT)
    ROWS[["mat_id", "formula"]].to_parquet(tmp_path / "sample.parquet", index=False)
    write_table(tmp_path / "text.parquet", ROWS[["mat_id", "text"]][:-1], TEXTS)
    return tmp_path


def encode(folder: Path, **options) -> pd.DataFrame:
    encode_facet.main(
        folder / "sample.parquet",
        folder / "split.parquet",
        [folder / "text.parquet"],
        folder / "encodings.parquet",
        folder / "encoder.safetensors",
        folder / "encoder.json",
        **{"facet": "text", "form": "cif", "seed": 1, **options},
    )
    return pd.read_parquet(folder / "encodings.parquet").set_index("mat_id")


def test_only_the_training_part_is_fitted_on(inputs: Path):
    found = encode(inputs)
    changed = ROWS.assign(text=[text if i < 20 else f"other {i}" for i, text in enumerate(ROWS["text"])])
    write_table(inputs / "text.parquet", changed[["mat_id", "text"]][:-1], TEXTS)
    again = encode(inputs)
    for mat_id in ROWS["mat_id"][:20]:
        np.testing.assert_array_equal(again["encoding"][mat_id], found["encoding"][mat_id])


def test_hidden_texts_are_not_fitted_on(inputs: Path):
    fields = {"share": 0.5, "parts": ["train"], "facets": ["text"], "seed": 1, "keeps_one": False}
    is_hidden = HiddenFacets.from_settings(fields).hides("text", list(ROWS["mat_id"]), ["train"] * len(ROWS))
    is_hidden[20:] = False
    assert 5 <= is_hidden.sum() <= 15
    found = encode(inputs, hidden=fields)
    texts = ROWS["text"].mask(is_hidden, ROWS["mat_id"])
    write_table(inputs / "text.parquet", ROWS.assign(text=texts)[["mat_id", "text"]][:-1], TEXTS)
    again = encode(inputs, hidden=fields)
    for mat_id in ROWS["mat_id"][:-1][~is_hidden[:-1]]:
        np.testing.assert_array_equal(again["encoding"][mat_id], found["encoding"][mat_id])


def test_materials_with_the_facet_are_encoded_and_the_table_says_how(inputs: Path):
    found = encode(inputs)
    assert list(found.index) == list(ROWS["mat_id"][:-1])
    assert label_of_encodings(inputs / "encodings.parquet") == WORDS.label
    frame = with_encodings(ROWS, {TEXT: read_arrow(inputs / "encodings.parquet")})
    assert frame["text_encoding"].isna().tolist() == [False] * 29 + [True]


def test_a_form_of_the_text_may_name_a_pretrained_encoding(inputs: Path):
    found = encode(inputs, facet="text:matscholar", form="")
    assert found["encoding"]["m00"].shape == (318,)
    assert label_of_encodings(inputs / "encodings.parquet") == MATSCHOLAR.label


def test_no_training_material_with_the_facet_is_described(inputs: Path):
    write_table(inputs / "text.parquet", ROWS[["mat_id", "text"]][20:], TEXTS)
    with pytest.raises(UserError, match="the facet text: no material of the training part"):
        encode(inputs)


def test_classes_are_learned_as_numbers():
    materials = ROWS.assign(kind=["a", "b", None] * 10, hard=np.arange(30.0))
    targets = encode_facet._targets(materials, [Objective("kind", classes=("a", "b")), Objective("hard")])
    assert list(targets) == ["kind=a", "kind=b", "hard"]
    assert targets["kind=a"][:2].tolist() == [1.0, 0.0]
    assert np.isnan(targets["kind=b"].iloc[2])


def encoded_frame(objective: str) -> pd.DataFrame:
    numbers = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    answers = numbers[:, 0].astype(float)
    encoded = pd.Series(list(numbers), dtype=object)
    return ROWS.assign(**{"text_encoding": encoded, objective: answers, "part": "train"})


def test_an_encoding_trained_on_the_answers_of_training_rows_is_no_leak():
    frame = encoded_frame("e_form")
    check_not_shown(frame, [TEXT], E_FORM.objective)


def test_an_encoding_reveals_what_its_facet_shows():
    place = Place("run", "crystals", "random", "random", 0, "ridge")
    cell = Cell(place, (TEXT,), VOL_ATOM.objective, "classical", 1, forms={"text": "composition"})
    assert not cell.contains_answer
    assert replace(cell, forms={"text": "cif"}).contains_answer


def test_engines_without_encoders_learn_from_encodings():
    frame = encoded_frame("e_form")
    seen = what_engines_see(frame, [TEXT])
    assert list(seen) == ["mat_id", "text", "text_encoding"]
    engine = create("classical", {"model": "ridge"}, Resources(seed=1))
    engine.fit(frame[:20], frame[20:25], (TEXT,), E_FORM.objective)
    np.testing.assert_allclose(engine.predict(seen), frame["e_form"], atol=0.3)


def test_a_cell_is_identified_by_the_encodings_that_it_read():
    frame = encoded_frame("e_form")
    other = frame.assign(text_encoding=frame["text_encoding"].map(lambda values: values + 1))
    plain = frame.drop(columns="text_encoding")
    read = [InputDigests(each).of([TEXT], E_FORM.objective).facets["text"] for each in (frame, other, plain)]
    assert len(set(read)) == 3


def test_the_schema_of_encodings_states_how_they_are_made():
    assert encodings_schema("as told").field("encoding").metadata[b"meaning"] == b"as told"


def test_numeric_facets_are_unchanged():
    assert GRAPH.encoded_as("") is None
    assert COMPIMAGE.encoded_as("") is None
