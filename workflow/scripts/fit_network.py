"""Create the network that embeds graphs, fitted on the training part of a split."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import pandas as pd

from polyfacet.config.graphs import Device, EmbeddingKind, NetworkTraining
from polyfacet.facets.graph.devices import choose_device
from polyfacet.facets.graph.embedding import calibrate_on, make_network, save_network
from polyfacet.facets.graph.example_store import ExampleStore, ids_of_graphs
from polyfacet.facets.graph.network import NetworkConfig, PotNet
from polyfacet.facets.graph.training import Trained, train_on_properties
from polyfacet.facets.graph.training_examples import held_out_materials
from polyfacet.facets.registry import GRAPH
from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.derived_objectives import with_derived
from polyfacet.materials.disordered_compositions import KnownCompositions
from polyfacet.materials.material import SAMPLE
from polyfacet.networks.held_out import NothingToLearnError
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import column_names, read_by_material, read_table
from polyfacet.runtime.progress import tell
from polyfacet.splits.compositions import groups_by_composition
from polyfacet.splits.hidden_facets import HiddenFacets
from polyfacet.splits.methods import SPLIT_METHODS, SplitSettings
from polyfacet.splits.outside import of_held_out
from polyfacet.splits.parts import SPLIT, TEST, TRAIN

# By default all of these, whatever a run predicts: requesting one more must not change the embedding.
PREDEFINED_NAMES = [each.name for each in PREDEFINED]


def main(
    graphs: list[Path],
    split: Path,
    network: Path,
    record: Path,
    *,
    kind: EmbeddingKind,
    seed: Annotated[int, Key("seed")],
    device: Device,
    width: Annotated[int, Key("graphs.width")],
    layers: Annotated[int, Key("graphs.layers")],
    sample: Path | None = None,
    training: Annotated[Mapping[str, Any] | None, Key("graphs.training")] = None,
    columns: Sequence[str] = (),
    pretraining: Path | None = None,
    pretraining_graphs: list[Path] | None = None,
    split_method: str | None = None,
    split_settings: Mapping[str, Any] | None = None,
    derived: Sequence[Path] = (),
    hidden: Mapping[str, Any] | None = None,
) -> None:
    """Create the network, and fit it if its kind requires this.

    If a network cannot learn from the training part, it stays untrained (``calibrated``, or
    ``random`` without any graphs), and ``record`` says so: cells without embeddings can still be trained.

    Parameters
    ----------
    graphs
        Tables of graphs, one per shard; their number and order do not matter.
    split
        Table of mat_id and part.
    network, record
        Outputs: weights and statistics; JSON that says what the network was fitted on, how large its
        validation errors are, and in its ``notes`` what it could not learn.  Trainings keep their state
        next to the network until all are done.
    kind, seed
        See `polyfacet.facets.graph.embedding.make_network`.
    device
        ``auto`` uses a GPU if there is one.
    width, layers
        See `polyfacet.facets.graph.network.NetworkConfig`.
    sample
        Table of the sampled materials, for ``trained``.
    training
        Fields of `polyfacet.config.graphs.NetworkTraining`.
    columns
        Columns to learn beside those predefined objectives that have a value in the sample.
    pretraining, pretraining_graphs
        Table of materials outside the sample to pretrain on, and their graphs.
    split_method, split_settings
        Method of the split, and fields of `polyfacet.splits.methods.SplitSettings`; for pretraining, which
        leaves out what the split holds out.
    derived
        Tables of the objectives that have one of their own: those to learn, and that of the split for
        pretraining.
    hidden
        Fields of `polyfacet.splits.hidden_facets.HiddenFacets`: the network is not fitted on hidden graphs.

    Raises
    ------
    UserError
        If a formula of the test part is among those to pretrain on, or a training diverges.
    """
    parts = read_table(split, SPLIT).set_index("mat_id")["part"]
    is_fitted_on = parts == TRAIN
    if excluded := HiddenFacets.from_settings(hidden):
        is_fitted_on &= excluded.shown(parts, GRAPH.name)
    fitted_on = _among(graphs, parts.index[is_fitted_on])
    result: dict[str, Any] = {"asked": kind, "kind": kind, "seed": seed, "notes": []}
    if kind != "random" and not fitted_on:
        result["kind"] = "random"
        result["notes"].append(f"The network is random, not {kind}: no training material has a graph.")
    sizes = NetworkConfig(width=width, layers=layers)
    potnet = make_network("random", seed, [], choose_device(device), sizes)
    stages = [_Stage(network, name) for name in ("pretraining", "training")]
    before, last = stages
    trained = None
    if result["kind"] == "trained":
        if sample is None:
            raise ValueError("a trained network needs the sample's targets")
        settings = NetworkTraining(**training or {})
        targets = list(dict.fromkeys([*(settings.objectives or PREDEFINED_NAMES), *columns]))
        sampled = _read_materials(sample, targets, derived, read_by_material(split, SPLIT, "group"))
        if columns:
            targets = [name for name in targets if name in columns or sampled[name].notna().any()]
        if pretraining is not None:
            others = _read_materials(pretraining, targets)
            _check_overlap(others, sampled.loc[parts.index[parts == TEST]])
            others, result["outside"] = _without_held_out(
                others, sample, pretraining, parts, _named_by(derived), split_method, split_settings
            )
            outside = pretraining_graphs or []
            known = others.loc[_among(outside, others.index)]
            if pretrained := before.train(potnet, outside, known, settings, targets, seed, result["notes"]):
                result["pretraining"] = pretrained.record(settings.batch_size)
            del others, known
        sampled = sampled.loc[fitted_on]
        trained = last.train(potnet, graphs, sampled, settings, targets, seed, result["notes"])
        if not trained:
            result["kind"] = "pretrained" if "pretraining" in result else "calibrated"
        result["settings"] = settings.model_dump() | ({"objectives": targets} if columns else {})
    if result["kind"] != "random":
        store = last.store if trained else last.write_untaught(graphs, fitted_on)
        calibrate_on(potnet, store.inputs, len(fitted_on))
    if trained:
        # Measured last, because the calibration has replaced the statistics from training.
        result["training"] = trained.record(settings.batch_size)
    save_network(potnet, network, result)
    write_text(record, json.dumps(result, indent=2, allow_nan=False) + "\n")
    for stage in stages:
        stage.clean_up()


def _among(shards: Sequence[Path], mat_ids: Iterable[str]) -> list[str]:
    """Return the materials that have a graph, in alphabetical order."""
    wanted = set(mat_ids)
    return sorted(mat_id for ids in ids_of_graphs(shards) for mat_id in ids if mat_id in wanted)


class _Stage:
    """A training of the network, with the files that it keeps next to the network until all are done."""

    def __init__(self, network: Path, name: str) -> None:
        self.name = name
        self.state = network.with_name(f"{network.name}.{name}")
        self.examples = network.with_name(f"{network.name}.{name}.examples")
        self.store: ExampleStore

    def write_untaught(self, shards: Sequence[Path], mat_ids: Sequence[str]) -> ExampleStore:
        """Write materials of which nothing is learned but the statistics of their graphs."""
        held_out = dict.fromkeys(mat_ids, False)
        return ExampleStore.write(self.examples, shards, held_out, pd.DataFrame(index=list(held_out)))

    def train(
        self,
        potnet: PotNet,
        shards: Sequence[Path],
        materials: pd.DataFrame,
        settings: NetworkTraining,
        targets: Sequence[str],
        seed: int,
        notes: list[str],
    ) -> Trained | None:
        """Train on all objectives that vary; return None if there is nothing to learn.

        What is left out is added to ``notes``.
        """
        try:
            groups = dict(materials["group"])
            held_out = held_out_materials(groups, settings.validation_fraction, seed)
            self.store = ExampleStore.write(self.examples, shards, held_out, materials[list(targets)])
            trained = train_on_properties(potnet, self.store, targets, settings, seed=seed, state=self.state)
        except NothingToLearnError as error:
            advice = "" if settings.objectives else " `graphs.training.objectives` can name others to learn."
            notes.append(f"There was no {self.name} of the network: {error}.{advice}")
            tell(notes[-1])
            return None
        self._note(trained, notes)
        return trained

    def _note(self, trained: Trained, notes: list[str]) -> None:
        """Note how a training differs from what was asked."""
        if trained.diverged:
            notes.append(
                f"The {self.name} diverged after epoch {trained.epochs}; the network keeps epoch "
                f"{trained.epoch}."
            )
        if trained.chosen_by == "training":
            notes.append(
                f"The {self.name} of the network has no validation values that differ from the median: its "
                "epoch was selected on the training materials."
            )
        notes.extend(
            f"The {self.name} of the network left out `{target}`: {why}."
            for target, why in trained.left_out.items()
        )

    def clean_up(self) -> None:
        """Remove the files."""
        for path in (self.state, self.examples):
            path.unlink(missing_ok=True)


def _read_materials(
    path: Path,
    targets: Sequence[str],
    derived: Sequence[Path] = (),
    groups: Mapping[str, str] = MappingProxyType({}),
) -> pd.DataFrame:
    """Read formulas, targets, and groups that stay together: compositions joined with the split's groups.

    Materials outside the sample have no values of the objectives that have tables of their own.
    """
    elsewhere = _named_by(derived)
    own = [name for name in targets if name in SAMPLE.names and name not in elsewhere]
    materials = read_table(path, SAMPLE, columns=["mat_id", "formula", "n_sites", *own])
    materials = with_derived(materials, derived).reindex(columns=["mat_id", "formula", "n_sites", *targets])
    together = groups_by_composition(materials, groups)
    return materials.assign(group=materials["mat_id"].map(together)).set_index("mat_id")


def _named_by(derived: Sequence[Path]) -> set[str]:
    """Return the objectives that have tables of their own; a sample may have other values by these names."""
    return {name for table in derived for name in column_names(table)} - {"mat_id"}


def _without_held_out(
    others: pd.DataFrame,
    sample: Path,
    pretraining: Path,
    parts: pd.Series,
    elsewhere: Collection[str],
    name: str | None,
    fields: Mapping[str, Any] | None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Leave out what the split holds out; record how many materials that are, None if nobody knows."""
    if name is None or fields is None:
        raise ValueError("pretraining needs the method and the settings of the split")
    file = fields.get("file")
    method, settings = SPLIT_METHODS.get(name), SplitSettings(**{**fields, "file": file and Path(file)})
    asked = ["mat_id", "formula", "n_sites", settings.column, settings.objective, *method.reads]
    known = set(SAMPLE.names) - set(elsewhere)
    columns = [column for column in dict.fromkeys(asked) if column and column in known]
    sampled = read_table(sample, SAMPLE, columns=columns)
    sampled = sampled.assign(part=sampled["mat_id"].map(parts)).dropna(subset="part")
    found = of_held_out(sampled, read_table(pretraining, SAMPLE, columns=columns), method, settings)
    kept = others.drop(index=list(found or ()))
    return kept, {"method": name, "n_left_out": None if found is None else len(found)}


def _check_overlap(pretraining: pd.DataFrame, test: pd.DataFrame) -> None:
    """Reject pretraining on test materials, or on other structures of their formulas."""
    tested = KnownCompositions(test["formula"], test["n_sites"])
    overlap = [
        f"{mat_id} ({formula})"
        for mat_id, formula, n_sites in pretraining[["formula", "n_sites"]].itertuples()
        if tested.hold(formula, n_sites)
    ]
    if overlap:
        raise UserError(
            f"{len(overlap)} materials to pretrain on have a formula of the test part: "
            f"{', '.join(overlap[:5])}. They are of another sample: "
            "delete the folder `pretraining` and run again."
        )


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
