"""Texts with and without pretrained knowledge of the elements: errors on crystals split by formula.

Two comparisons, each with its own table: AutoGluon on the text, from encoders with and without pretraining;
and classical methods on frozen encodings of the same text, with statistics of tabulated element properties
beside them.  Scores are MASE on the test part.  The repeat decides split, initial weights and seeds; finished
cells in the folder are kept.

Usage: python benchmarks/pretrained_text.py --folder results/pretrained-text
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import scripts_path  # noqa: F401
import torch
from embeddings import REFERENCE, TARGETS, once
from masked_tokens import pretrain
from transformers import AutoTokenizer, BertModel

import sample
from polyfacet.config.encoders import TextEncoderSettings
from polyfacet.elements.symbols import ELEMENTS
from polyfacet.elements.vectors import matscholar_vectors
from polyfacet.encodings.base import Fitting
from polyfacet.evaluation.metrics import scores_of_numbers
from polyfacet.facets.declaration import FRACTIONS, MATSCHOLAR
from polyfacet.facets.registry import TEXT, encoding_column
from polyfacet.facets.text.composition import composition_text
from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES
from polyfacet.runtime.parquet import read_table
from polyfacet.splits.methods import SPLIT_METHODS, SplitSettings, split_materials
from polyfacet.splits.parts import TEST, TRAIN, VALID
from polyfacet.training.encoders import local
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create

SEED = 42
# Long enough for the learning rate to come down.
TUNING = {"batch_size": 64, "max_epochs": 40, "learning_rate": 1e-3, "patience": 40}
# Element vectors that the embeddings start from, and epochs of masked-token pretraining.
STARTS: Mapping[str, tuple[str, int]] = {
    "properties": ("properties", 0),
    "matscholar": ("matscholar", 0),
    "properties, masked tokens": ("properties", 100),
    "matscholar, masked tokens": ("matscholar", 100),
}
METHODS: Mapping[str, dict[str, Any]] = {
    "ridge": {"model": "ridge", "hyperparameters": {"alpha": 100.0}},
    "extra_trees": {
        "model": "extra_trees",
        "statistic": "median",
        "hyperparameters": {"n_estimators": 60, "max_features": 0.3},
    },
}


def main() -> None:
    """Compute what is missing, then print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--entries", type=Path, default=REFERENCE / "alexandria_1d")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--starts", nargs="*", choices=STARTS, default=list(STARTS))
    parser.add_argument("--objectives", nargs="*", choices=TARGETS, default=["e_form", "gap", "e_hull"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    materials = materials_of(options)
    frozen, tuned = (Scores(options.folder / f"{name}.jsonl") for name in ("frozen", "tuned"))
    for repeat in range(options.repeats):
        rows = divided(materials, repeat)
        compare_encodings(rows, repeat, encodings_of(rows), frozen)
        for start in options.starts:
            compare_start(rows, repeat, start, options.objectives, tuned, frozen)
    frozen.print("encoding")
    tuned.print("start")


class Scores:
    """Scores of finished cells, one JSON object per line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def has(self, **cell: Any) -> bool:
        """Return whether a cell is finished."""
        return any(cell.items() <= row.items() for row in self.rows)

    def add(self, **row: Any) -> None:
        """Keep the score of a cell."""
        self.rows.append(row)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(row, flush=True)

    def print(self, compared: str) -> None:
        """Print means over the repeats, and the mean paired difference to the first of what is compared.

        The standard error is that over the repeats, of means over the objectives.
        """
        table = pd.DataFrame(self.rows)
        first = table[compared].iloc[0]
        paired = table.pivot_table("mase", ["method", "repeat", "objective"], compared, sort=False)
        differences = paired.sub(paired[first], axis="index").groupby(["method", "repeat"]).mean()
        shown = table.pivot_table("mase", ["method", compared], "objective", sort=False)
        shown["mean"] = shown.mean(axis="columns")
        shown[f"against {first}"] = differences.groupby("method").mean().stack()
        shown["standard error"] = differences.groupby("method").sem().stack()
        print(shown.round(3).to_string())


def materials_of(options: argparse.Namespace) -> pd.DataFrame:
    """Sample the materials and write their texts."""
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "sample.parquet"
    once(
        path,
        lambda part: sample.main(
            [options.entries],
            part,
            options.folder / "rejected.parquet",
            options.folder / "summary.json",
            n_materials=options.n,
            seed=SEED,
            filters={},
            magnetization="absolute",
            max_rejected_fraction=0.05,
        ),
    )
    materials = read_table(path, columns=["mat_id", "formula", "n_sites", *TARGETS])
    return materials.assign(text=[composition_text(each, "composition") for each in materials["formula"]])


def divided(materials: pd.DataFrame, repeat: int) -> pd.DataFrame:
    """Split the materials by formula as the default run does."""
    parts, _ = split_materials(
        materials, SPLIT_METHODS.get("formula"), SplitSettings(0.85, 0.15, SEED, repeat)
    )
    return materials.merge(parts, on="mat_id").sort_values("mat_id", ignore_index=True)


def score(
    rows: pd.DataFrame, name: str, engine: str, settings: dict[str, Any], resources: Resources
) -> float:
    """Train an engine on the text and return its MASE on the test part."""
    objective = CRYSTAL_OBJECTIVES.get(name).objective
    known = rows[np.isfinite(rows[objective.column].astype(float))]
    train, valid, test = (known[known["part"] == part] for part in (TRAIN, VALID, TEST))
    fitted = create(engine, settings, resources)
    fitted.fit(train, valid, (TEXT,), objective)
    return scores_of_numbers(test[objective.column], fitted.predict(test))["mase"]


def compare_encodings(
    rows: pd.DataFrame, repeat: int, encodings: Mapping[str, np.ndarray], scores: Scores
) -> None:
    """Score classical methods on encodings of the text."""
    for encoding, values in encodings.items():
        encoded = rows.assign(**{encoding_column(TEXT): list(values)})
        for cell in cells_of_encoding(encoding, repeat):
            if not scores.has(**cell):
                settings, resources = METHODS[cell["method"]], Resources(SEED + repeat)
                scores.add(**cell, mase=score(encoded, cell["objective"], "classical", settings, resources))


def cells_of_encoding(encoding: str, repeat: int) -> list[dict[str, Any]]:
    """List the cells of the classical methods on an encoding."""
    return [
        {"method": method, "encoding": encoding, "repeat": repeat, "objective": objective}
        for method in METHODS
        for objective in TARGETS
    ]


def encodings_of(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the encodings that the facet declares for formulas, and statistics of tabulated properties.

    The latter are means and mean absolute deviations of the element properties that the local text encoder
    starts from.
    """
    fractions, vectors = (
        encoding.load().fit(Fitting(rows, [TEXT.name])).encode(rows, [TEXT.name])
        for encoding in (FRACTIONS, MATSCHOLAR)
    )
    by_symbol = dict(zip(local.ELEMENTS, local.element_property_table(), strict=True))
    properties = np.array([by_symbol[symbol] for symbol in ELEMENTS])
    means = fractions @ properties
    deviations = (fractions[:, :, None] * np.abs(properties - means[:, None])).sum(axis=1)
    return {
        "fractions": fractions,
        "matscholar": vectors,
        "fractions, properties": np.hstack([fractions, means, deviations]),
        "matscholar, properties": np.hstack([vectors, means, deviations]),
    }


def compare_start(
    rows: pd.DataFrame, repeat: int, start: str, objectives: Iterable[str], tuned: Scores, frozen: Scores
) -> None:
    """Score AutoGluon from one start of its encoder, and classical methods on the encoder as it is."""
    cell = {"method": "automm", "start": start, "repeat": repeat}
    missing = [{**cell, "objective": each} for each in objectives if not tuned.has(**cell, objective=each)]
    pooled = f"encoder from {start}"
    if not missing and all(frozen.has(**each) for each in cells_of_encoding(pooled, repeat)):
        return
    with TemporaryDirectory() as folder:
        home = Path(folder) / TEXT.name
        perplexities = save_encoder(home, start, rows[rows["part"] == TRAIN], SEED + repeat)
        compare_encodings(rows, repeat, {pooled: pooled_outputs(home, rows["text"])}, frozen)
        for each in missing:
            began = time.process_time()
            resources = Resources(SEED + repeat, encoders=Path(folder))
            mase = score(rows, each["objective"], "automm", TUNING, resources)
            tuned.add(**each, mase=mase, seconds=time.process_time() - began, **perplexities)


def pooled_outputs(folder: Path, texts: Iterable[str]) -> np.ndarray:
    """Return the mean output of an encoder over the tokens of each text, shape ``(texts, hidden size)``."""
    encoder, tokenizer = BertModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer(list(texts), padding=True, return_tensors="pt")
    present = tokens["attention_mask"][..., None]
    with torch.inference_mode():
        outputs = encoder(tokens["input_ids"], tokens["attention_mask"]).last_hidden_state
    mean: np.ndarray = ((outputs * present).sum(dim=1) / present.sum(dim=1)).numpy()
    return mean


def save_encoder(folder: Path, start: str, rows: pd.DataFrame, seed: int) -> dict[str, float]:
    """Save a text encoder; return the perplexities of its pretraining, if there is one."""
    vectors, epochs = STARTS[start]
    tables: Mapping[str, Callable[[], np.ndarray]] = {
        "properties": local.element_property_table,
        "matscholar": lambda: matscholar_vectors()[[ELEMENTS.index(each) for each in local.ELEMENTS]],
    }
    settings = TextEncoderSettings()
    with patch.object(local, "element_property_table", tables[vectors]):
        local.save_text_encoder(folder, settings, seed)
    if not epochs:
        return {}
    encoder, tokenizer = BertModel.from_pretrained(folder), local.make_tokenizer(settings.max_tokens)
    texts, groups = (dict(zip(rows["mat_id"], rows[name], strict=True)) for name in ("text", "group"))
    perplexities = pretrain(encoder, tokenizer, texts, groups, epochs=epochs, seed=seed)
    encoder.save_pretrained(folder)
    return perplexities


if __name__ == "__main__":
    main()
