"""A result that is cut short is found when it is read, and the message says which file to delete."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from handmade import list_structures, structures

from polyfacet.facets.graph.embedding import load_network, save_network
from polyfacet.facets.graph.network import NetworkConfig, PotNet
from polyfacet.materials.cif import write_cif
from polyfacet.materials.stage_tables import intact_structures
from polyfacet.reporting.page.records import read_json
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import iterate_table, read_table
from polyfacet.runtime.rejects import REJECTS, write_rejects
from polyfacet.training.cards import read_card
from polyfacet.training.encoders.hub_cache import HubEncoders, read_record, write_record


def write_network(path: Path) -> None:
    save_network(PotNet(NetworkConfig(width=8, layers=1)), path, {})


RESULTS: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "table": (lambda path: write_rejects(path, []), lambda path: read_table(path, REJECTS)),
    "long table": (lambda path: write_rejects(path, []), lambda path: list(iterate_table(path, REJECTS))),
    "card": (lambda path: write_text(path, "{}"), read_card),
    "record": (lambda path: write_record(path, HubEncoders(cache=Path("c"), encoders=())), read_record),
    "network": (write_network, lambda path: load_network(path, torch.device("cpu"))),
    "summary": (lambda path: write_text(path, json.dumps({"read": 1})), read_json),
}


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[: len(whole) // 2], lambda _: b"", lambda _: b"\xff{"]
)
@pytest.mark.parametrize(("write", "read"), RESULTS.values(), ids=RESULTS)
def test_a_damaged_result_is_named(tmp_path, write, read, damage):
    path = tmp_path / "result"
    write(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match="(?s)result cannot be read.*Delete it and run again"):
        read(path)


@pytest.mark.parametrize("damage", [lambda path: path.write_text(path.read_text()[:-20]), Path.unlink])
def test_a_damaged_structure_is_no_reject(tmp_path, damage):
    path = tmp_path / "test000.cif"
    write_cif(structures()["test000"], path)
    manifest = list_structures(tmp_path, ["test000"], tmp_path / "manifest.parquet")
    assert list(intact_structures(manifest, tmp_path)) == ["test000"]
    damage(path)
    with pytest.raises(UserError, match=r"test000\.cif is damaged or missing\. Delete its folder"):
        intact_structures(manifest, tmp_path)
