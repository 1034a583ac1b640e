"""The page of a report in a browser: nothing fails or is requested, everything is drawn, and it prints."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluated_run import MadeUpRun
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import write_report
from polyfacet.reporting.exporting import export_figures

WIDTH = 1280
DRAWN_TIMEOUT_MS = 120_000


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report of a made-up run, with everything that a report can have."""
    folder = tmp_path_factory.mktemp("runs") / "full"
    objectives, classes = ("gap", "e_form", "vol_atom"), {"phase": ("soft", "hard")}
    methods = {"ridge": 3, "boosting": 3, "automm": 1}
    facets = "text+image+graph"
    run = MadeUpRun(folder, objectives=objectives, classes=classes, methods=methods, facets=facets)
    run.write().audit()
    sheet = folder / "sheet.png"
    Image.new("RGB", (1600, 900), (240, 240, 240)).save(sheet)
    home = folder / "report"
    nothing: list[Path] = []
    write_report.main(
        run.files,
        *[nothing] * 12,
        report=home / "report.html",
        figures=home / "figures",
        tables=home / "tables",
        twins_csv=home / "twins.csv",
        run_name="made up",
        seed=1,
        published=[],
        configuration={"seed": 1, "training": {"missing": {"share": 0.0}}},
        sheet=sheet,
    )
    return home


@pytest.fixture(scope="module")
def heard() -> dict[str, list[str]]:
    """Return what the page said and requested."""
    return {"console": [], "requests": []}


@pytest.fixture(scope="module")
def page(report: Path, browser: Path, heard: dict[str, list[str]]) -> Iterator[Page]:
    """Open the report."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--disable-dev-shm-usage"])
        page = chromium.new_page(viewport={"width": WIDTH, "height": 900})
        page.on("console", lambda message: heard["console"].append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard["console"].append(f"error: {error}"))
        page.on("request", lambda request: heard["requests"].append(request.url))
        page.goto((report / "report.html").as_uri())
        page.wait_for_selector("html.drawn", timeout=DRAWN_TIMEOUT_MS)
        yield page
        chromium.close()


def test_nothing_fails_and_nothing_is_requested(
    page: Page, report: Path, heard: dict[str, list[str]]
) -> None:
    assert heard["console"] == []
    address = (report / "report.html").as_uri()
    assert {url for url in heard["requests"] if not url.startswith(("data:", "blob:"))} == {address}


def test_every_figure_is_drawn_and_fits(page: Page) -> None:
    n = page.locator(".plot").count()
    assert n > 15
    for number in range(n):
        plot = page.locator(".plot").nth(number)
        assert plot.locator(".main-svg").count() >= 1
        assert plot.locator(".main-svg").first.bounding_box()["width"] > 100
        assert plot.evaluate("place => place.scrollWidth <= place.clientWidth + 1")


def test_the_page_does_not_scroll_sideways(page: Page) -> None:
    for width in (WIDTH, 900, 480):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": WIDTH, "height": 900})


def test_tables_are_sorted_by_mouse_and_keyboard(page: Page) -> None:
    table = page.locator("#scores-crystals-formula-all table")
    heading = table.locator("th", has_text="mean MASE")
    values = "rows => rows.map(row => row.cells[3].textContent)"
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    ascending = table.locator("tbody tr").evaluate_all(values)
    assert ascending == sorted(ascending)
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert table.locator("tbody tr").evaluate_all(values) == sorted(ascending, reverse=True)
    table.locator("th").first.locator("button").press("Space")
    assert heading.get_attribute("aria-sort") == "none"


def test_missing_values_are_last_in_both_orders(page: Page) -> None:
    table = page.locator("#tests-crystals-formula-multi-vs-single table")
    table.locator("tbody tr").first.evaluate("row => { row.cells[4].dataset.s = 'inf'; }")
    button = table.locator("th", has_text="difference").locator("button")
    for _ in range(2):
        button.click()
        assert table.locator("tbody tr").last.evaluate("row => row.cells[4].dataset.s") == "inf"


def test_rows_are_filtered(page: Page) -> None:
    box = page.locator("#scores-crystals-formula-numbers")
    total = box.locator("tbody tr").count()
    box.locator("input").fill("formation ridge")
    assert 0 < box.locator("tbody tr:visible").count() < total
    box.locator("input").fill("")
    assert box.locator("tbody tr:visible").count() == total


def test_it_prints_without_navigation_and_without_cutting_figures(page: Page, tmp_path: Path) -> None:
    page.emulate_media(media="print")
    # Width of A4 between the margins of the page.
    page.set_viewport_size({"width": 703, "height": 1000})
    assert not page.locator("nav").is_visible()
    for plot in page.locator(".plot").all():
        box = plot.locator(".main-svg").first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 703
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": WIDTH, "height": 900})


def test_figures_are_files_that_can_be_read(report: Path) -> None:
    names = {path.stem for path in (report / "figures").iterdir()}
    assert names
    for name in names:
        assert "<svg" in (report / "figures" / f"{name}.svg").read_text()[:200]
        with Image.open(report / "figures" / f"{name}.png") as picture:
            assert picture.width >= 2 * 466
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 8
    assert (report / "report.html").stat().st_size < 12e6


def test_without_a_browser_the_page_has_its_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLYFACET_BROWSER", str(tmp_path / "none"))
    assert export_figures({"a": {"data": [], "layout": {"width": 10, "height": 10}}}, tmp_path / "f") == []
    assert "Figures are on the page only" in capsys.readouterr().err
    assert (tmp_path / "f").is_dir()
