"""The attacked readers: each target gets one hostile document and must accept it or reject it with a message.

A target returns the reason for rejection (None if it accepted the document).  Any other exception is a
finding, and so is an accepted document that would break a later stage.
"""

import bz2
import gzip
import json
import lzma
import math
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from fuzz.campaign import Target, refused
from fuzz.chains import (
    build_graph,
    hostile_crystal,
    hostile_geometry,
    hostile_picture,
    make_scene,
    write_structure,
    write_texts,
)
from fuzz.mutation import as_json, mutated_bytes, mutated_cif, mutated_value
from handmade import entries as handmade_entries
from handmade import structures
from project import PROJECT

import read_composition_table
from polyfacet.config.completion import complete_config
from polyfacet.config.sources import Source
from polyfacet.facets.text.composition import composition_text
from polyfacet.materials.crystal import read_crystal
from polyfacet.materials.material import Material, sample_table
from polyfacet.runtime.errors import UserError
from polyfacet.sources.alexandria.entry_part import EntryPart
from polyfacet.sources.alexandria.material import material_from_entry
from polyfacet.sources.alexandria.remote_files import remote_files
from polyfacet.sources.draw import Draw, Filters
from polyfacet.sources.items import Item, Rejected
from polyfacet.sources.reading_pass import pass_over
from polyfacet.sources.structures.files import open_files
from polyfacet.sources.structures.matbench import open_matbench
from polyfacet.sources.tables.description import table_source
from polyfacet.sources.values import InvalidEntryError
from polyfacet.training.methods import checked_methods

FILTERS = Filters(
    elements_excluded=frozenset({"Tc"}), sites_max=50, e_hull_max=1.0, space_groups=frozenset({225})
)
# Small valid tables of compositions: their descriptions and their bytes.
TABLES: dict[str, tuple[dict[str, Any], bytes]] = {
    "columns": (
        {
            "composition": {"columns": ["C", "Mn"], "unit": "weight_percent", "balance": "Fe"},
            "process": ["Tempering"],
            "objectives": {
                "hardness": {"column": "Hardness"},
                "grade": {"column": "Class", "classes": ["hard", "soft"]},
            },
        },
        b"C,Mn,Tempering,Hardness,Class\n0.2,0.4,550,228.5,soft\n0.2,0.8,600,241,soft\n0.4,1.2,450,311.5,hard\n",
    ),
    "formula": (
        {
            "id": "name",
            "composition": {"formula": "alloy", "brackets": "shares"},
            "objectives": {"class": {"column": "class", "classes": ["CRA", "BMG"]}},
        },
        b'name,alloy,class\na-1,Zr65Cu17.5Ni10Al7.5,BMG\na-2,(Fe0.5Co0.5)75B25,"CRA"\na-3,NiTi,CRA\n',
    ),
}


@cache
def entry_seeds() -> list[bytes]:
    """Return small valid entries, as JSON."""
    return [as_json(entry) for entry in handmade_entries()]


@cache
def config_seeds() -> list[bytes]:
    """Return the project's own configurations, as JSON."""
    paths = sorted((PROJECT / "config").glob("*.yaml"))
    given = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]
    return [as_json(config) for config in [*given, *map(complete_config, given)]]


@cache
def cif_seeds() -> list[str]:
    """Return the CIFs of small valid crystals."""
    return [structure.to(fmt="cif") for structure in structures().values()]


FORMS = (
    b"[%s]",
    b'{"entries": [%s]}',
    b'{"x": {"y": []}, "entries": [%s], "z": 1}',
    b'{"entries": {"a": %s}}',
    b'{"@module": "m", "a": %s}',
    b"%s",
)
COMPRESSIONS: tuple[Callable[[bytes], bytes], ...] = (
    bytes,
    gzip.compress,
    bz2.compress,
    lzma.compress,
    lambda content: pa.compress(content, codec="zstd", asbytes=True),
)


def hostile_file(rng: random.Random) -> bytes:
    """Draw a file of one to three entries, in any form and compression, with damaged bytes."""
    form = rng.choice(FORMS)
    between = b"\n" if form == b"%s" else b', "b": ' if b'"a"' in form else b","
    content = form % between.join(rng.choice(entry_seeds()) for _ in range(rng.randrange(1, 4)))
    if rng.random() < 0.1:
        content = ("\ufeff" + content.decode()).encode(rng.choice(("utf-8", "utf-16-le", "utf-32-be")))
    compress = rng.choice(COMPRESSIONS) if rng.random() < 0.3 else bytes
    # The JSON reader finds damage inside a compressed file, the decompressor damage outside.
    if rng.random() < 0.5:
        return compress(mutated_bytes(content, rng, rng.randrange(1, 5)))
    return mutated_bytes(compress(content), rng, rng.randrange(1, 5))


def read_file(content: bytes, folder: Path) -> str | None:
    """Read a file of entries as the stage for sampling does."""
    path = folder / "entries.json"
    path.write_bytes(content)
    try:
        found = pass_over(EntryPart(path), folder, Draw(None, 0, FILTERS))
    except UserError as error:
        return refused("damaged file", error, str(path))
    assert found.invalid.num_rows == found.counts["invalid"]
    return None if found.eligible.num_rows else "no valid entry"


def hostile_entry(rng: random.Random) -> Any:
    """Draw an entry with wrong values."""
    return mutated_value(orjson.loads(rng.choice(entry_seeds())), rng, rng.randrange(1, 4))


def read_entry(value: Any, folder: Path) -> str | None:
    """Check an entry; one that passes must not break a later stage."""
    try:
        material = material_from_entry(value)
    except InvalidEntryError as error:
        return refused("invalid entry", error)
    _check_material(material, folder)
    return None


def _check_material(material: Material, folder: Path) -> None:
    (row,) = sample_table([material], "file", [0]).to_pylist()
    assert all(math.isfinite(value) for value in row.values() if isinstance(value, float))
    assert math.isfinite(material.volume)
    json.dumps(row, allow_nan=False, ensure_ascii=False).encode("utf-8")
    cif = folder / "structures" / f"{material.mat_id}.cif"
    assert cif.resolve().parent == folder.resolve() / "structures"
    assert cif.name.isprintable()
    assert "/" not in material.mat_id
    FILTERS.failed_by(material)
    assert composition_text(material.formula, "composition")


def hostile_config(rng: random.Random) -> Any:
    """Draw a configuration with wrong values."""
    return mutated_value(orjson.loads(rng.choice(config_seeds())), rng, rng.randrange(1, 4))


def read_config(config: Any, folder: Path) -> str | None:
    """Check a configuration as the workflow does; one that passes must not change when checked again."""
    if not isinstance(config, Mapping):
        return "no mapping"  # Snakemake accepts nothing else
    try:
        completed = complete_config(config)
        methods = checked_methods(completed)
        for name, section in completed["tables"].items():
            table_source(name, section)
        remote_files(completed["download"]["base_url"], completed["download"]["files"])
    except UserError as error:
        return refused("wrong configuration", error)
    assert methods
    assert complete_config(completed) == completed
    assert (Path("results") / completed["run_name"]).parent == Path("results")
    return None


def hostile_cif(rng: random.Random) -> str:
    """Draw a CIF with wrong lines and numbers."""
    return mutated_cif(rng.choice(cif_seeds()), rng, rng.randrange(1, 5))


def read_cif_file(text: str, folder: Path) -> str | None:
    """Read a CIF as the stage for graphs does."""
    path = folder / "crystal.cif"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read_crystal(path, primitive=True)
    except ValueError as error:
        return refused("no crystal", error)
    return None


def hostile_table(rng: random.Random) -> tuple[str, bytes]:
    """Draw a table with damaged bytes; return it with the kind of its composition."""
    kind = rng.choice(sorted(TABLES))
    return kind, mutated_bytes(TABLES[kind][1], rng, rng.randrange(1, 6))


def read_table_of_compositions(table: tuple[str, bytes], folder: Path) -> str | None:
    """Read a table as its stage does; every row is in one of the two tables that the stage writes."""
    kind, content = table
    path = folder / "compositions.csv"
    path.write_bytes(content)
    outputs = [folder / "table" / name for name in ("rows", "rejected", "summary")]
    section = {**TABLES[kind][0], "file": str(path)}
    try:
        read_composition_table.main(*outputs, source=kind, description=section, max_rejected_fraction=1)
    except UserError as error:
        return refused("no table", error)
    facts = json.loads(outputs[2].read_text(encoding="utf-8"))
    rows, rejected = (pq.read_metadata(path).num_rows for path in outputs[:2])
    assert rows + rejected == facts["n_read"]
    assert rejected == facts["n_rejected"]
    return None if rows else "no sound row"


def hostile_folder(rng: random.Random) -> tuple[str, bytes]:
    """Draw a CIF with wrong lines and numbers, and a damaged CSV of properties."""
    rows = rng.choice((b"crystal,1.5\nother,2\n", b"id,gap\ncrystal.cif,1.5\n", b"gap;file\n1,5;crystal\n"))
    csv = mutated_bytes(rows, rng, rng.randrange(3))
    return mutated_cif(rng.choice(cif_seeds()), rng, rng.randrange(4)), csv


def read_folder(content: tuple[str, bytes], folder: Path) -> str | None:
    """Read a CIF with a CSV as the stage for sampling does; the CIF is one material or one reject."""
    crystals = folder / "crystals"
    crystals.mkdir(exist_ok=True)
    (crystals / "crystal.cif").write_bytes(content[0].encode("utf-8", "surrogatepass"))
    (crystals / "id_prop.csv").write_bytes(content[1])
    try:
        parts = open_files(Source(path=str(crystals))).parts
    except UserError as error:
        return refused("no CSV", error, str(crystals))
    found = [item for part in parts for item in part.items()]
    assert sum(item.source_file.endswith(".cif") for item in found) == 1
    return _checked_items(found, folder)


def hostile_task(rng: random.Random) -> bytes:
    """Draw a matbench task with wrong values or damaged bytes."""
    rows = [[structure.as_dict(), 1.5] for structure in list(structures().values())[:2]]
    content = as_json({"index": ["a", "b"], "columns": ["structure", "gap"], "data": rows})
    # Values may be nested too deeply to be written.
    with suppress(RecursionError):
        if rng.random() < 0.5:
            return as_json(mutated_value(orjson.loads(content), rng, rng.randrange(1, 4)))
    return mutated_bytes(content, rng, rng.randrange(1, 5))


def read_task(content: bytes, folder: Path) -> str | None:
    """Read a matbench task as the stage for sampling does."""
    path = folder / "task.json"
    path.write_bytes(content)
    try:
        (part,) = open_matbench(Source(path=str(path)), "task").parts
        found = list(part.items())
    except UserError as error:
        return refused("no task", error, str(path))
    return _checked_items(found, folder)


def _checked_items(found: Sequence[Item], folder: Path) -> str | None:
    materials = [item.content for item in found if isinstance(item.content, Material)]
    for material in materials:
        _check_material(material, folder)
    for item in found:
        if isinstance(item.content, Rejected):
            assert item.content.reason
            item.content.reason.encode("utf-8")
    return None if materials else "no sound crystal"


# Shares are chosen so that cheap cases (a millisecond or less) do not crowd out those of slower readers.
TARGETS = {
    "entry": Target(0.25, hostile_entry, read_entry),
    "file": Target(0.25, hostile_file, read_file),
    "config": Target(0.1, hostile_config, read_config),
    "cif": Target(0.15, hostile_cif, read_cif_file),
    "structure": Target(0.05, hostile_geometry, write_structure),
    "graph": Target(0.04, hostile_crystal, build_graph),
    "text": Target(0.04, hostile_crystal, write_texts),
    "scene": Target(0.02, hostile_picture, make_scene),
    "table": Target(0.1, hostile_table, read_table_of_compositions),
    "folder": Target(0.05, hostile_folder, read_folder),
    "task": Target(0.05, hostile_task, read_task),
}
