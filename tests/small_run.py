"""A small run on embedded crystals, made by the scripts of the stages without Snakemake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
from project import PROJECT

import blend_cells
import build_element_table
import build_graphs
import bundle_cells
import compute_composition_statistics
import describe_compositions
import draw_composition_images
import embed_graphs
import encode_facet
import fit_grey_levels
import fit_network
import render_images
import sample
import split_materials
import train_cells
import write_structures
from polyfacet.config.completion import complete_config
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, GRAPH, IMAGE, TEXT, combination_name
from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.objectives import Objective
from polyfacet.training.cells import NO_FACET
from polyfacet.training.engines.registry import reads_encoding
from polyfacet.use.prediction.tables import NEW_MATERIALS

FACETS = (TEXT, GRAPH, COMPIMAGE)
OF_SHARD: dict[str, Any] = {"shard": 0, "n_shards": 1, "max_rejected_fraction": 1.0}
ENTRIES = PROJECT / "embedded" / "entries.json.bz2"
DRAWING = {"size": 64, "sphere_segments": 12}
CONFIG = complete_config(
    {"graphs": {"embedding": "random", "width": 16}, "composition": {"scale": 1}, "images": DRAWING}
)
FORMS = {"text": "composition"}


@dataclass(frozen=True)
class SmallRun:
    """The files of a run: everything but its cells."""

    folder: Path

    def file(self, name: str) -> Path:
        """Return the path of a file of the run."""
        return self.folder / name

    def as_new(self) -> pd.DataFrame:
        """Return the materials as new ones."""
        rows = pd.read_parquet(self.file("sample.parquet"))
        rows = rows.rename(columns={"source_position": "position"})
        of_tables = dict.fromkeys(("stated_id", "composition", "process", "microstructure"))
        return rows.assign(**of_tables)[NEW_MATERIALS.names]

    def tables(self, facets: Sequence[Facet]) -> list[Path]:
        """Return the tables of facets."""
        return [self.file(f"{facet.name}.parquet") for facet in facets if facet.stage]

    def train(
        self,
        method: str,
        engine: str,
        settings: Mapping[str, Any],
        facets: Sequence[Facet],
        objective: Objective,
        **options: Any,
    ) -> str:
        """Train a cell; return its folder, relative to that of all cells."""
        combination = combination_name(facets) or NO_FACET
        name = f"{method}/{combination}/{objective.column}"
        train_cells.main(
            self.file("sample.parquet"),
            self.file("split.parquet"),
            self.tables(facets),
            self.file("cells") / name,
            place=_place(method),
            facets=[facet.name for facet in facets],
            grid=[{"combination": combination, "objective": objective.learned, "folder": "."}],
            engine=engine,
            settings=settings,
            seed=1,
            statistics=[self.file("statistics.parquet")] if "features" in settings else [],
            encodings=[self.encoded(facet) for facet in facets if reads_encoding(facet, engine, settings)],
            **options,
        )
        return name

    def blend(
        self,
        method: str,
        settings: Mapping[str, Any],
        facets: Sequence[Facet],
        objectives: Sequence[Objective],
    ) -> list[str]:
        """Make cells of a blend of finished cells; return their folders, relative to that of all cells."""
        combination = combination_name(facets)
        names = [f"{combination}/{objective.column}" for objective in objectives]
        blend_cells.main(
            self.file("split.parquet"),
            self.file("cells") / method,
            members=str(self.file("cells")),
            place=_place(method),
            grid=[
                {"combination": combination, "objective": objective.learned, "folder": name}
                for objective, name in zip(objectives, names, strict=True)
            ],
            engine="blend",
            settings=settings,
            seed=1,
        )
        return [f"{method}/{name}" for name in names]

    def draw_pictures(self) -> None:
        """Draw the pictures of the structures."""
        render_images.main(
            self.file("structures"),
            self.file("structures.parquet"),
            self.file(IMAGE.name),
            self.file(f"{IMAGE.name}.parquet"),
            self.file(f"{IMAGE.name}.rejected"),
            provenance=self.file(f"{IMAGE.name}.json"),
            **DRAWING,
        )

    def encoded(self, facet: Facet) -> Path:
        """Return the encodings of a facet of texts or pictures, made when they are first asked for."""
        path, name = self.file(f"encodings/{facet.name}.parquet"), facet.name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            encode_facet.main(
                self.file("sample.parquet"),
                self.file("split.parquet"),
                self.tables([facet]),
                path,
                path.with_name(f"{name}.safetensors"),
                path.with_name(f"{name}.json"),
                facet=name,
                seed=1,
                form=FORMS.get(name, ""),
                objectives=[each.objective.learned for each in PREDEFINED],
            )
        return path

    def bundle(
        self,
        cells: Sequence[str],
        bundles: Path,
        facets: Sequence[Facet] = FACETS,
        representations: Mapping[str, Path] = MappingProxyType({}),
        **shown: Any,
    ) -> Path:
        """Make the bundles of cells; return their folder."""
        columns = {Path(name).name for name in cells}
        encoded = [facet.name for facet in facets if self.file(f"encodings/{facet.name}.parquet").exists()]
        bundle_cells.main(
            self.file("sample.parquet"),
            self.tables(facets),
            self.file("elements.parquet"),
            bundles,
            cells=str(self.file("cells")),
            grid=cells,
            facets=[facet.name for facet in facets],
            objectives={name: {"label": name, "unit": "eV", **shown} for name in columns},
            settings={name: CONFIG[name] for name in ("max_sites", "graphs", "images", "composition")},
            forms=FORMS,
            network=self.file("network.safetensors"),
            grey_levels=self.file("grey_levels.json"),
            encoders=[self.file(f"encodings/{name}.safetensors") for name in encoded],
            encoded=encoded,
            representations=list(representations.values()),
            representing=list(representations),
            files=[str(ENTRIES)],
        )
        return bundles


def _place(method: str) -> dict[str, Any]:
    return {
        "run": "small",
        "source": "crystals",
        "split": "random",
        "split_method": "random",
        "repeat": 0,
        "method": method,
    }


def small_run(folder: Path, n_materials: int) -> SmallRun:
    """Make a run with texts, embeddings of an untrained network and composition images."""
    run = SmallRun(folder)
    file = run.file
    sample.main(
        [ENTRIES],
        file("sample.parquet"),
        file("sample.rejected"),
        file("sample.json"),
        n_materials=n_materials,
        seed=1,
        filters={},
        magnetization="absolute",
        max_rejected_fraction=1.0,
    )
    split_materials.main(
        file("sample.parquet"), file("split.parquet"), method="random", train_fraction=0.7, seed=1, repeat=0
    )
    describe_compositions.main(
        file("sample.parquet"),
        file("text.parquet"),
        file("text.rejected"),
        provenance=file("text.json"),
        form="composition",
        **OF_SHARD,
    )
    _make_embeddings(run)
    _make_composition_images(run)
    return run


def _make_embeddings(run: SmallRun) -> None:
    file, graphs = run.file, CONFIG["graphs"]
    write_structures.main(
        file("sample.parquet"),
        file("structures"),
        file("structures.parquet"),
        file("structures.rejected"),
        provenance=file("structures.json"),
        **OF_SHARD,
    )
    build_graphs.main(
        file("structures"),
        file("structures.parquet"),
        file("graphs.parquet"),
        file("graphs.rejected"),
        provenance=file("graphs.json"),
        max_rejected_fraction=1.0,
        **{name: graphs[name] for name in ("pauli", "neighbours", "min_radius", "across_vacuum")},
    )
    fit_network.main(
        [],
        file("split.parquet"),
        file("network.safetensors"),
        file("network.json"),
        kind="random",
        seed=1,
        device="cpu",
        width=graphs["width"],
        layers=graphs["layers"],
    )
    embed_graphs.main(
        file("graphs.parquet"),
        file("network.safetensors"),
        file("graph.parquet"),
        provenance=file("graph.json"),
        device="cpu",
    )


def _make_composition_images(run: SmallRun) -> None:
    file, composition = run.file, CONFIG["composition"]
    build_element_table.main(file("elements.parquet"), file("elements.json"))
    compute_composition_statistics.main(
        file("sample.parquet"),
        file("elements.parquet"),
        file("statistics.parquet"),
        file("statistics.rejected"),
        provenance=file("statistics.json"),
        backend=composition["backend"],
        statistics=composition["statistics"],
        **OF_SHARD,
    )
    fit_grey_levels.main(
        [file("statistics.parquet")],
        file("split.parquet"),
        file("grey_levels.json"),
        fit="train",
        origin={},
    )
    draw_composition_images.main(
        file("statistics.parquet"),
        file("grey_levels.json"),
        file("compimage"),
        file("compimage.parquet"),
        provenance=file("compimage.json"),
        layout=composition["layout"],
        scale=composition["scale"],
    )
