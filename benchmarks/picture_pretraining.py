"""Compare picture networks: untrained, trained on properties, pretrained on pictures alone, and both in turn.

Pretraining is VICReg (Bardes, Ponce and LeCun 2022): two views of a picture, each cropped, shifted, turned
and flipped at random, shall have similar embeddings, while each number of the embedding varies over the
pictures and no two vary together.  Colours stay as they are, because they stand for elements.  Only pictures
of the training part are used.

Usage: python benchmarks/picture_pretraining.py results/default/crystals

Reads the pictures and the splits by formula of a finished run.  Ridge regression and extremely randomised
trees learn from the embeddings, alone and beside atomic fractions.  Prints the MASE on the test part,
averaged over objectives and splits.  Finished splits are kept in the output, so that an interrupted
comparison continues; other materials or epochs need an --output of their own.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.functional import mse_loss, relu
from torchvision.transforms import v2

from polyfacet.config.default_methods import EXTRA_TREES, MEDIAN, RIDGE
from polyfacet.encodings.fractions import FractionEncoder
from polyfacet.encodings.picture_network import SIZE, PictureNetwork, embed, new_network
from polyfacet.encodings.picture_training import LEARNING_RATE, WEIGHT_DECAY, Pictures, train
from polyfacet.encodings.pictures import FEWEST, HELD_OUT
from polyfacet.encodings.pixels import SIZE as EDGE
from polyfacet.encodings.pixels import Pixels, PixelStore
from polyfacet.evaluation.metrics import scores_of_numbers
from polyfacet.facets.aligned import with_facets
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import IMAGE, TEXT, combination_name, encoding_column
from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES
from polyfacet.materials.objectives import Objective
from polyfacet.networks.descent import descend
from polyfacet.networks.held_out import hold_out
from polyfacet.networks.properties import batches
from polyfacet.splits.parts import TEST, TRAIN, VALID
from polyfacet.training.engines.base import Engine, Resources
from polyfacet.training.engines.creation import create

SEED = 42
OBJECTIVES = [CRYSTAL_OBJECTIVES.get(name).objective for name in CRYSTAL_OBJECTIVES.built_in]
LEARNERS: Mapping[str, dict[str, Any]] = {
    "ridge": {"model": "ridge", "hyperparameters": RIDGE},
    "extra trees": {"model": "extra_trees", **MEDIAN, "hyperparameters": EXTRA_TREES},
}
UNTRAINED, SUPERVISED, PRETRAINED, BOTH = "untrained", "supervised", "pretrained", "pretrained, supervised"
# Weights of the three terms of VICReg as published; its other settings are smaller, as network and data are.
INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0
EXPANDED, BATCH = 512, 32
WHITE = 255


def main() -> None:
    """Score the splits that the output lacks, and print all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder of a source of a finished run")
    parser.add_argument("--output", type=Path, default=Path("results/picture_pretraining.csv"))
    parser.add_argument("--epochs", type=int, default=20, help="epochs of pretraining")
    parser.add_argument("--splits", type=int, default=5, help="number of splits by formula")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    kept = set(pd.read_csv(options.output)["repeat"]) if options.output.exists() else set()
    for repeat in sorted(set(range(options.splits)) - kept):
        scores = scores_of_embeddings(rows_of(options.source, repeat), SEED + repeat, options.epochs)
        table = pd.DataFrame(scores).assign(repeat=repeat)
        table.to_csv(options.output, mode="a", header=not options.output.exists(), index=False)
    report(pd.read_csv(options.output))


def rows_of(source: Path, repeat: int) -> pd.DataFrame:
    """Read the materials of a split that have a picture, with its pixels and atomic fractions."""
    tables = [path for path in (source / "images").glob("shard-*.parquet") if "rejected" not in path.name]
    materials = pd.read_parquet(source / "sample" / "sample.parquet").drop(columns="structure")
    parts = pd.read_parquet(source / f"formula-{repeat}" / "split.parquet")
    rows = with_facets(materials.merge(parts, on="mat_id"), {IMAGE: sorted(tables)})
    rows = rows[rows["image"].notna()].sort_values("mat_id", ignore_index=True)
    pixels = list(PixelStore().each(rows, ["image"]))
    return rows.assign(
        pixels=pixels, **{encoding_column(TEXT): list(FractionEncoder({}).encode(rows, ["text"]))}
    )


def scores_of_embeddings(rows: pd.DataFrame, seed: int, epochs: int) -> Iterator[dict[str, Any]]:
    """Yield the errors of what learns from the embeddings of each network, and from atomic fractions."""
    yield from errors_on_numbers(rows, (TEXT,), {"network": "none", "seconds": 0.0})
    for name, network, seconds in networks_of(rows, seed, epochs):
        encoded = rows.assign(**{encoding_column(IMAGE): list(embed(network, rows["pixels"]))})
        for facets in ((IMAGE,), (TEXT, IMAGE)):
            yield from errors_on_numbers(encoded, facets, {"network": name, "seconds": seconds})


def errors_on_numbers(
    rows: pd.DataFrame, facets: Sequence[Facet], about: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the errors of all learners on all objectives."""
    for learner, settings in LEARNERS.items():
        for objective in OBJECTIVES:
            engine = create("classical", settings, Resources(SEED))
            yield {**about, "learner": learner, **error_of(engine, rows, facets, objective)}


def error_of(
    engine: Engine, rows: pd.DataFrame, facets: Sequence[Facet], objective: Objective
) -> dict[str, Any]:
    """Return the MASE of an engine on the test part."""
    known = rows[np.isfinite(rows[objective.column].astype(float))]
    training, validation, test = (known[known["part"] == part] for part in (TRAIN, VALID, TEST))
    engine.fit(training, validation, facets, objective)
    mase = scores_of_numbers(test[objective.column], engine.predict(test))["mase"]
    return {"facets": combination_name(facets), "objective": objective.column, "mase": mase}


def networks_of(rows: pd.DataFrame, seed: int, epochs: int) -> Iterator[tuple[str, PictureNetwork, float]]:
    """Yield the name of each network, the network, and the processor time of its training, s."""
    random = new_network(len(OBJECTIVES), seed)
    yield UNTRAINED, random, 0.0
    start = time.process_time()
    yield SUPERVISED, on_properties(deepcopy(random), rows, seed), time.process_time() - start
    start = time.process_time()
    network = pretrained(deepcopy(random), rows, seed, epochs)
    seconds = time.process_time() - start
    yield PRETRAINED, network, seconds
    start = time.process_time()
    yield BOTH, on_properties(deepcopy(network), rows, seed), seconds + time.process_time() - start


def on_properties(network: PictureNetwork, rows: pd.DataFrame, seed: int) -> PictureNetwork:
    """Train on the properties of the training part, as the picture encoder of a run is trained."""
    known = rows[rows["part"] == TRAIN].set_index("mat_id")
    parts = hold_out(
        known["group"].to_dict(), HELD_OUT, seed, purpose="validation", what="a picture", fewest=FEWEST
    )
    names = [objective.column for objective in OBJECTIVES]
    training, validation = (
        Pictures(np.stack(known.loc[part, "pixels"].to_list()), known.loc[part, names].to_numpy(np.float64))
        for part in parts
    )
    train(network, training, validation, names, seed=seed, may_be_flipped=IMAGE.may_be_flipped, state=None)
    return network


def pretrained(network: PictureNetwork, rows: pd.DataFrame, seed: int, epochs: int) -> PictureNetwork:
    """Train backbone and embedding in place on the pictures of the training part."""
    pixels = np.concatenate(rows.loc[rows["part"] == TRAIN, "pixels"].to_list())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expander = nn.Sequential(
            nn.Linear(SIZE, EXPANDED), nn.BatchNorm1d(EXPANDED), nn.ReLU(), nn.Linear(EXPANDED, EXPANDED)
        )
        trained = nn.ModuleList([network.backbone, network.embedding, expander]).train()
        optimizer = torch.optim.AdamW(trained.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = {"learning_rate": LEARNING_RATE, "epochs": epochs}
        for epoch in range(epochs):
            cut = batches(torch.randperm(len(pixels)).numpy(), BATCH)
            pairs = ([expander(embedded(network, pixels[each])) for _ in range(2)] for each in cut)
            losses = (vicreg(first, second) for first, second in pairs)
            if not descend(trained, optimizer, losses, len(cut), epoch=epoch, **schedule):
                raise SystemExit("pretraining diverged")
    return network.eval()


def embedded(network: PictureNetwork, pixels: Pixels) -> torch.Tensor:
    """Embed a random view of each picture, in half precision, which takes half of the time."""
    with torch.autocast("cpu", torch.bfloat16):
        return network.embed(views(pixels)).float()


def views(pixels: Pixels) -> torch.Tensor:
    """Return a random view of each picture, shape ``(pictures, 1, 3, height, width)``."""
    flips = [v2.RandomHorizontalFlip()] if IMAGE.may_be_flipped else []
    view = v2.Compose(
        [
            v2.RandomAffine(degrees=10, translate=(0.1, 0.1), fill=WHITE),
            v2.RandomResizedCrop(EDGE, scale=(0.4, 1.0), ratio=(0.9, 1.1)),
            *flips,
        ]
    )
    return torch.stack([view(torch.from_numpy(each)) for each in pixels])[:, None]


def vicreg(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the loss of two views, each of shape ``(pictures, numbers)``."""
    loss = INVARIANCE * mse_loss(first, second)
    for view in (first, second):
        covariance = torch.cov(view.T)
        variances = covariance.diagonal()
        loss = loss + VARIANCE / 2 * relu(1 - torch.sqrt(variances + 1e-4)).mean()
        loss = loss + COVARIANCE * (covariance - torch.diag(variances)).square().sum() / view.shape[1]
    return loss


def report(scores: pd.DataFrame) -> None:
    """Print mean errors, and how much larger they are than those of the network trained on properties."""
    by_split = scores.groupby(["facets", "learner", "network", "repeat"])["mase"].mean().unstack("repeat")
    print(f"| facets | learner | network | MASE | minus {SUPERVISED} | standard deviation |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    for (facets, learner, network), errors in by_split.iterrows():
        beside = "text+image" if network == "none" else facets
        more = errors - by_split.loc[(beside, learner, SUPERVISED)]
        shown = f"{errors.mean():.3f} | {more.mean():+.3f} | {more.std():.3f}"
        print(f"| {facets} | {learner} | {network} | {shown} |")
    for network, seconds in scores.groupby("network")["seconds"].mean().items():
        print(f"{network}: {seconds:.0f} s to train")


if __name__ == "__main__":
    main()
