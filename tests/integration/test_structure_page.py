"""The page for people, in a browser: what it shows, how one gets about in it, what it does with odd input."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from handmade import entry, structures
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from pymatgen.core import Structure
from werkzeug.serving import make_server

import write_structures
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.materials.material import SAMPLE, sample_table
from polyfacet.materials.stage_tables import PICTURES
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import write_table
from polyfacet.sources.alexandria.material import material_from_entry
from polyfacet.use.structure_page.catalog import MAX_RESULTS, Catalog
from polyfacet.use.structure_page.page import structure_page

N_SHARDS = 2
MARKUP = "<img src=x onerror=document.title='broken'>"
COLORS = {"test000": (255, 0, 0), "test001": (0, 0, 255)}


def write_run(folder: Path, cells: dict[str, Structure], formulas: dict[str, str]) -> Path:
    """Write what a run has when its first pictures are drawn."""
    materials = []
    for mat_id, cell in cells.items():
        material = material_from_entry(entry(mat_id, cell))
        materials.append(replace(material, formula=formulas.get(mat_id, material.formula)))
    sample = folder / "sample" / "sample.parquet"
    write_table(sample, sample_table(materials, "handmade.json", range(len(materials))), SAMPLE)
    for shard in range(N_SHARDS):
        stem = folder / "structures" / f"shard-{shard}"
        write_structures.main(
            sample,
            stem,
            stem.with_suffix(".parquet"),
            stem.with_suffix(".rejected.parquet"),
            provenance=stem.with_suffix(".provenance.json"),
            shard=shard,
            n_shards=N_SHARDS,
            max_rejected_fraction=0,
        )
        draw(folder / "images" / f"shard-{shard}", [m for m in COLORS if shard_of(m, N_SHARDS) == shard])
    return folder


def draw(folder: Path, mat_ids: list[str]) -> None:
    """Write plain pictures and their manifest."""
    folder.mkdir(parents=True)
    pictures = []
    for mat_id in mat_ids:
        path = folder / f"{mat_id}.png"
        Image.new("RGB", (64, 64), COLORS[mat_id]).save(path)
        pictures.append(
            {
                "mat_id": mat_id,
                "view": "z",
                "image": path.name,
                "sha256": sha256_of_file(path),
                "n_bonds": 0,
                "bonding_failure": None,
            }
        )
    write_table(folder.with_suffix(".parquet"), pictures, PICTURES)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    run = write_run(tmp_path_factory.mktemp("results") / "mine", structures(), {"test002": MARKUP})
    return Catalog(run, N_SHARDS)


@pytest.fixture(scope="module")
def address(catalog: Catalog) -> Iterator[str]:
    """Address of the page, served."""
    app = structure_page(catalog, "mine", RenderSettings(size=520, show_compass=True))
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="module")
def window(browser: Path, address: str) -> Iterator[Page]:
    """A browser window; at the end it must have seen no error and contacted no other server."""
    errors: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        flags += ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        chromium = playwright.chromium.launch(executable_path=browser, args=flags)
        page = chromium.new_page(viewport={"width": 1200, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.set_default_timeout(60_000)
        yield page
        chromium.close()
    assert errors == []
    assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()


@pytest.fixture
def page(window: Page, address: str) -> Page:
    expect.set_options(timeout=60_000)
    window.goto(address)
    expect(window.locator("#place")).to_have_text("1 of 15")
    return window


def identifier(page: Page) -> str:
    return page.locator("#facts tr").first.locator("td").first.inner_text()


def test_a_material_is_shown_with_facts_structure_and_picture(page, catalog):
    assert page.locator("h1").inner_text() == "mine"
    assert page.locator("#formula").inner_text() == "NaCl"
    facts = page.locator("#facts").inner_text()
    for name, value, unit in (
        ("Identifier", "test000", ""),
        ("Space group", "225", ""),
        ("Band gap", "1.2", "eV"),
        ("Formation energy", "-0.7", "eV/atom"),
        ("Volume", "22.43", "Å³/atom"),
        ("DOS at Fermi level", "0.4", "states/eV/atom"),
    ):
        assert "\t".join([name, value, unit]).strip() in facts
    assert page.locator("#facts tr.target").count() == 7
    picture = page.locator("#pictures img")
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 64
    page.locator("summary").click()
    assert "_cell_length_a" in page.locator("pre").inner_text()


def test_the_view_shows_the_crystal(page):
    expect(page.locator("#note")).to_have_text("Drag to rotate, scroll to zoom.")
    box = page.locator(".view canvas").first
    expect(box).to_be_visible()
    page.wait_for_timeout(500)  # the viewer draws in an animation frame of its own
    pixels = Image.open(io.BytesIO(box.screenshot())).convert("RGB")
    assert len(pixels.getcolors(1 << 24)) > 100


def test_next_and_previous_go_through_the_materials(page):
    assert page.locator("#previous").is_disabled()
    page.locator("#next").click()
    expect(page.locator("#place")).to_have_text("2 of 15")
    expect(page.locator("#formula")).to_have_text("LiF")
    page.locator("#previous").click()
    expect(page.locator("#place")).to_have_text("1 of 15")
    assert identifier(page) == "test000"


def test_a_search_by_formula_leads_to_the_material(page):
    page.locator("#query").fill("gaas")
    page.locator("#results button").first.click()
    expect(page.locator("#formula")).to_have_text("GaAs")
    assert "no picture" in page.locator("#pictures").inner_text()


def test_a_search_by_identifier_leads_to_the_last_material(page):
    page.locator("#query").fill("test014")
    expect(page.locator("#results button")).to_have_count(1)
    page.locator("#results button").click()
    expect(page.locator("#place")).to_have_text("15 of 15")
    assert page.locator("#next").is_disabled()


def test_a_search_without_matches_is_reported(page):
    page.locator("#query").fill("../../etc/passwd")
    expect(page.locator("#results")).to_contain_text("No identifier or formula contains “../../etc/passwd”")
    assert identifier(page) == "test000"


def test_markup_is_text(page):
    page.locator("#query").fill(MARKUP[:10])
    page.locator("#results button").click()
    expect(page.locator("#formula")).to_have_text(MARKUP)
    page.locator("#query").fill("<b>bold</b>")
    expect(page.locator("#results")).to_contain_text("<b>bold</b>")
    assert page.title() == "mine - Polyfacet"
    assert page.locator("#formula img, #results img, #results b").count() == 0


@pytest.mark.parametrize("position", [-5, 10**9, "x", None, {"a": 1}, 1.5])
def test_a_position_that_does_not_exist_is_answered_with_one_that_does(window, address, position):
    outputs = ["formula", "facts", "pictures", "cif", "place"]
    ids = [f"{name}.children" for name in outputs] + ["previous.disabled", "next.disabled"]
    body = {
        "output": f"..{'...'.join(ids)}..",
        "outputs": [dict(zip(("id", "property"), one.split("."), strict=True)) for one in ids],
        "inputs": [{"id": "position", "property": "data", "value": position}],
        "changedPropIds": ["position.data"],
    }
    answer = window.request.post(f"{address}_dash-update-component", data=body)
    assert answer.ok
    place = json.loads(answer.text())["response"]["place"]["children"]
    assert place == ("15 of 15" if position == 10**9 else "1 of 15")


def test_another_host_name_is_refused(window, address):
    assert window.request.get(address, headers={"Host": "evil.example"}).status == 403


def test_results_are_limited_and_whole_matches_come_first(tmp_path):
    cell = structures()["test000"]
    cells = {f"m-{i}": cell for i in range(MAX_RESULTS + 20)}
    catalog = Catalog(write_run(tmp_path / "run", cells, {"m-7": "Na", "m-9": "na2Cl"}), N_SHARDS)
    found = catalog.search(" NA ")
    assert found.n_found == len(cells)
    assert len(found.positions) == MAX_RESULTS
    assert catalog.facts(found.positions[0])["mat_id"] == "m-7"
    assert catalog.search("m-3").positions[0] == 3
    assert catalog.search("  ").n_found == 0
    assert catalog.search(".*").n_found == 0


def test_a_run_without_a_sample_raises_user_error(tmp_path):
    with pytest.raises(UserError, match=r"sample\.parquet does not exist"):
        Catalog(tmp_path, N_SHARDS)


def test_a_run_that_has_only_been_sampled_is_shown(tmp_path):
    run = tmp_path / "run"
    material = material_from_entry(entry("m", structures()["test000"]))
    write_table(run / "sample" / "sample.parquet", sample_table([material], "handmade.json", [0]), SAMPLE)
    catalog = Catalog(run, N_SHARDS)
    assert catalog.structure(0) is None
    assert catalog.pictures(0) == []
