"""Pictures from a real browser: correct, each of its own structure, and the same whatever goes wrong."""

import gc
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.sync_api import Error, Page, TimeoutError
from pymatgen.core import Lattice, Structure
from watched_processes import DEADLINE_S, browsers_of, command_line

from polyfacet.facets.image.browser import BrowserError, HeadlessBrowser
from polyfacet.facets.image.capture import SceneCamera, _digest
from polyfacet.facets.image.checks import picture_fault
from polyfacet.facets.image.cif_scene import scene_of_cif
from polyfacet.facets.image.drawable import CrystalScene
from polyfacet.facets.image.drawing_failures import PictureError, failure_of
from polyfacet.facets.image.finding import BROWSER_VARIABLE, find_browser
from polyfacet.facets.image.launching import last_words
from polyfacet.facets.image.pictures import render_structures
from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.studio import open_studio
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.rejects import Reject

pytestmark = pytest.mark.usefixtures("browser")

SETTINGS = RenderSettings(size=96, sphere_segments=16)
WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"

LOSE_CONTEXT = """() => document.querySelector("canvas").getContext("webgl2")
    .getExtension("WEBGL_lose_context").loseContext()"""
HANG = "() => { setTimeout(() => { while (true); }) }"
SHRINK_CANVAS = """() => { document.querySelector("canvas").parentElement.style.width = "50px";
    window.dispatchEvent(new Event("resize")); }"""
DROP_HALF = """() => { const context = WebGL2RenderingContext.prototype; let n = 0;
    const draw = context.drawElements;
    context.drawElements = function (...parameters) { if (n++ % 2) draw.apply(this, parameters); } }"""
THROW = "() => { setTimeout(() => { throw new Error('thrown on purpose') }) }"


@pytest.fixture(scope="module")
def structures() -> dict[str, Structure]:
    """Return crystals that look nothing like each other."""
    return {
        "rock_salt": Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        ),
        "perovskite": Structure.from_spacegroup(
            "Pm-3m", Lattice.cubic(3.905), ["Sr", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
        ),
        "chain": Structure(Lattice.hexagonal(17, 3.5), ["Co", "O"], [[0.45, 0.5, 0.2], [0.55, 0.5, 0.7]]),
        "iron": Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
    }


@pytest.fixture(scope="module")
def scenes(structures: dict[str, Structure]) -> dict[str, str]:
    return {name: only_view(crystal_scene(structure, SETTINGS)) for name, structure in structures.items()}


@pytest.fixture(scope="module")
def reference(scenes: dict[str, str]) -> dict[str, bytes]:
    """Return the picture of each scene, drawn by a fresh browser for each."""
    pictures = {}
    for name, scene in scenes.items():
        with SceneCamera(SETTINGS) as camera:
            pictures[name] = camera.take_picture(scene)
    return pictures


@pytest.fixture(autouse=True)
def no_futures_of_killed_drivers() -> Iterator[None]:
    """Collect them between tests.

    They log a traceback when they are collected. CPython up to 3.11.8 fails if that happens while it parses
    the routes of an app (python/cpython issue 106905).
    """
    yield
    gc.collect()


@pytest.fixture
def camera(scenes: dict[str, str]) -> Iterator[SceneCamera]:
    """Yield a camera that has just taken a picture of the chain, which a stale picture would show."""
    with SceneCamera(SETTINGS, picture_limit_s=10) as camera:
        camera.take_picture(scenes["chain"])
        yield camera


def only_view(scene: CrystalScene) -> str:
    (text,) = scene.views.values()
    return text


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def open_page(camera: SceneCamera) -> Page:
    assert camera.page is not None
    return camera.page


def main_process(browser: HeadlessBrowser) -> psutil.Process:
    return next(process for process in browser.processes if "chrom" in process.name())


def gpu_process(browser: HeadlessBrowser) -> psutil.Process:
    driver = browser.processes[0]
    return next(p for p in driver.children(recursive=True) if "--type=gpu-process" in command_line(p))


def test_different_structures_give_clearly_different_pictures(reference):
    names = sorted(reference)
    for one in names:
        assert picture_fault(reference[one], SETTINGS.size) is None
        for other in names[names.index(one) + 1 :]:
            difference = np.abs(pixels(reference[one]) - pixels(reference[other])).max(axis=-1)
            assert (difference > 20).mean() > 0.02, f"{one} looks like {other}"


def test_the_crystal_fills_the_frame(reference):
    for name in ("rock_salt", "perovskite", "iron", "chain"):
        drawn = (pixels(reference[name]) < 255).any(axis=-1)
        rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
        extent = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 0.7 * SETTINGS.size < extent < SETTINGS.size, name


def test_colours_are_those_of_the_elements(reference):
    """Strontium green and oxygen red (VESTA) in the perovskite, neither in iron."""
    red, green, blue = np.moveaxis(pixels(reference["perovskite"]), -1, 0)
    assert ((red > 2 * green) & (red > 2 * blue) & (red > 100)).any()
    assert ((green > 1.3 * red) & (green > 1.3 * blue) & (green > 100)).any()
    red, green, blue = np.moveaxis(pixels(reference["iron"]), -1, 0)
    assert not ((green > 1.3 * red) & (green > 1.3 * blue)).any()


@pytest.mark.parametrize("order", [sorted, lambda names: sorted(names, reverse=True)])
def test_pictures_do_not_depend_on_what_was_drawn_before(camera, scenes, reference, order):
    for _ in range(2):
        for name in order(scenes):
            assert camera.take_picture(scenes[name]) == reference[name], name


@pytest.mark.parametrize("size", [64, 300, 1024])
def test_pictures_have_the_requested_size(size, structures):
    settings = RenderSettings(size=size, sphere_segments=16)
    with SceneCamera(settings) as camera:
        png = camera.take_picture(only_view(crystal_scene(structures["rock_salt"], settings)))
    assert Image.open(io.BytesIO(png)).size == (size, size)


def malformed(scene: str, change: Callable[[dict], object]) -> str:
    data = json.loads(scene)
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda scene: scene.pop("contents"),
        lambda scene: scene.update(contents="atoms"),
        lambda scene: scene["contents"].append(None),
        lambda scene: scene["contents"][0]["contents"][0].update(positions=None),
        lambda scene: scene["contents"][0]["contents"][0].update(positions=[[0, 0]], color=7, radius="x"),
    ],
)
def test_a_malformed_scene_gives_its_own_picture_or_none(camera, scenes, reference, change):
    with suppress(PictureError):
        png = camera.take_picture(malformed(scenes["iron"], change))
        assert png not in reference.values()
    assert camera.take_picture(scenes["rock_salt"]) == reference["rock_salt"]


def test_invalid_scene_is_rejected(camera, scenes, reference):
    with pytest.raises(PictureError):
        camera.take_picture("{")
    assert camera.take_picture(scenes["iron"]) == reference["iron"]


@pytest.mark.parametrize(
    "mishap",
    [LOSE_CONTEXT, SHRINK_CANVAS, THROW, DROP_HALF],
    ids=["context lost", "canvas too narrow", "page error", "half of the atoms and bonds missing"],
)
def test_after_a_mishap_in_the_page_the_next_picture_is_correct(camera, scenes, reference, mishap):
    open_page(camera).evaluate(mishap)
    assert camera.take_picture(scenes["iron"]) == reference["iron"]


def test_one_invalid_scene_does_not_affect_others_taken_with_it(camera, scenes, reference):
    wrong = malformed(scenes["iron"], lambda scene: scene["contents"].append(None))
    taken = camera.take_pictures([scenes["rock_salt"], wrong, scenes["iron"], wrong, scenes["chain"]])
    expected = [reference["rock_salt"], PictureError, reference["iron"], PictureError, reference["chain"]]
    for picture, right in zip(taken, expected, strict=True):
        assert isinstance(picture, right) if right is PictureError else picture == right


def test_half_a_picture_is_detected(camera, scenes):
    open_page(camera).evaluate(DROP_HALF)
    pictures, error = camera._attempt([scenes["iron"]])
    assert not pictures
    assert "atoms and bonds were drawn" in str(error)


def test_a_page_that_hangs_is_given_up(scenes, reference):
    with SceneCamera(SETTINGS, picture_limit_s=3) as camera:
        camera.take_picture(scenes["chain"])
        open_page(camera).evaluate(HANG)
        assert camera.take_picture(scenes["iron"]) == reference["iron"]


def test_killed_browser_is_restarted(camera, scenes, reference):
    os.kill(main_process(camera.browser).pid, signal.SIGKILL)
    assert camera.take_picture(scenes["iron"]) == reference["iron"]


def test_a_browser_killed_while_it_starts_is_started_again_with_the_same_back_end(monkeypatch):
    with HeadlessBrowser() as browser:
        renderer = browser.webgl_renderer
    usual = HeadlessBrowser._watch_crashes
    killed: list[psutil.Process] = []

    def killed_once(browser: HeadlessBrowser) -> None:
        if not killed:
            killed.append(main_process(browser))
            killed[0].kill()
        usual(browser)

    monkeypatch.setattr(HeadlessBrowser, "_watch_crashes", killed_once)
    with HeadlessBrowser() as browser:
        assert browser.webgl_renderer == renderer
    assert len(killed) == 1


def test_a_killed_gpu_process_is_survived(camera, scenes, reference):
    for name in ("iron", "perovskite", "rock_salt", "chain"):
        gpu_process(camera.browser).kill()
        assert camera.take_picture(scenes[name]) == reference[name]


def test_page_with_a_different_renderer_is_not_used(camera, scenes, reference):
    """Chromium switches to its own renderer if the system's has failed too often."""
    camera._drop_page()
    camera.browser.webgl_renderer = "another"
    with pytest.raises(UserError, match="drew with another, but draws with"):
        camera.take_picture(scenes["iron"])


def test_browser_killed_while_it_draws_is_restarted(camera, scenes, reference):
    victim = main_process(camera.browser)
    killer = threading.Timer(0.02, victim.kill)
    killer.start()
    for name in ("iron", "perovskite", "rock_salt"):
        assert camera.take_picture(scenes[name]) == reference[name]
    killer.join()
    assert not victim.is_running()


def test_killed_driver_is_restarted(camera, scenes, reference):
    camera.browser.processes[0].kill()
    assert camera.take_picture(scenes["iron"]) == reference["iron"]


def test_pages_are_renewed(scenes, reference):
    with SceneCamera(SETTINGS, pictures_per_page=2) as camera:
        pages = set()
        for name in ("iron", "chain", "perovskite", "rock_salt"):
            assert camera.take_picture(scenes[name]) == reference[name]
            pages.add(camera.page)
        assert camera.page is None
        assert len(pages - {None}) == 2


def open_page_script(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Run a script in every page before anything else does."""
    plain = HeadlessBrowser.new_page

    def with_script(self: HeadlessBrowser, size: int) -> Page:
        page = plain(self, size)
        page.add_init_script(script)
        return page

    monkeypatch.setattr(HeadlessBrowser, "new_page", with_script)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "HTMLCanvasElement.prototype.toDataURL = function () { const canvas = "
            "Object.assign(document.createElement('canvas'), {width: this.width, height: this.height}); "
            "const pen = canvas.getContext('2d'); pen.fillStyle = 'white'; "
            "pen.fillRect(0, 0, this.width, this.height); "
            "return original.call(canvas, 'image/png'); };",
            "blank",
        ),
        (
            "HTMLCanvasElement.prototype.toDataURL = function () { const canvas = "
            "Object.assign(document.createElement('canvas'), {width: this.width, height: this.height}); "
            "return original.call(canvas, 'image/png'); };",
            "transparent",
        ),
        ("HTMLCanvasElement.prototype.toDataURL = () => 'data:image/png;base64,AAAA';", "not a PNG"),
        ("HTMLCanvasElement.prototype.toDataURL = () => { throw new Error('no memory') };", "."),
    ],
    ids=["blank", "transparent", "garbage", "error"],
)
def test_browser_that_makes_only_wrong_pictures_fails_the_job(monkeypatch, scenes, script, reason):
    open_page_script(monkeypatch, "const original = HTMLCanvasElement.prototype.toDataURL;" + script)
    with SceneCamera(SETTINGS, picture_limit_s=3) as camera, pytest.raises(BrowserError, match=reason):
        camera.take_picture(scenes["iron"])


SPOIL = """const original = HTMLCanvasElement.prototype.toDataURL;
HTMLCanvasElement.prototype.toDataURL = function (...parameters) {
  const spoil = document.body.textContent.includes(DIGEST);
  return spoil ? "data:image/png;base64,AAAA" : original.apply(this, parameters);
};"""


def test_a_wrong_picture_of_one_scene_is_its_own_fault(monkeypatch, scenes, reference):
    open_page_script(monkeypatch, SPOIL.replace("DIGEST", json.dumps(_digest(scenes["iron"]))))
    with SceneCamera(SETTINGS) as camera:
        taken = camera.take_pictures([scenes["iron"], scenes["chain"]])
    assert isinstance(taken[0], PictureError)
    assert "not a PNG" in str(taken[0])
    assert taken[1] == reference["chain"]


def end_pages(monkeypatch: pytest.MonkeyPatch, how: signal.Signals, scene: str) -> None:
    """End the page's process whenever the scene is about to be drawn."""
    capture = SceneCamera._capture

    def end_and_capture(self: SceneCamera, page: Page, tokens: list[str], waiting: list[str]) -> object:
        if scene in waiting:
            for child in psutil.Process().children(recursive=True):
                if "--type=renderer" in command_line(child):
                    child.send_signal(how)
        return capture(self, page, tokens, waiting)

    monkeypatch.setattr(SceneCamera, "_capture", end_and_capture)


def test_a_page_that_is_killed_twice_fails_the_job(camera, monkeypatch, scenes, reference):
    """The system does this when memory runs out, even if another scene can be drawn."""
    end_pages(monkeypatch, signal.SIGKILL, scenes["iron"])
    with pytest.raises(BrowserError, match="was killed, probably for lack of memory. Give the job"):
        camera.take_picture(scenes["iron"])
    assert camera.take_picture(scenes["chain"]) == reference["chain"]


def test_a_scene_that_crashes_its_page_twice_is_given_up(camera, monkeypatch, scenes, reference):
    end_pages(monkeypatch, signal.SIGSEGV, scenes["iron"])
    with pytest.raises(PictureError, match="crashes the page"):
        camera.take_picture(scenes["iron"])
    assert camera.take_picture(scenes["chain"]) == reference["chain"]


def test_job_fails_if_nothing_is_drawn_of_a_scene_or_after_it(camera, monkeypatch, scenes):
    monkeypatch.setattr(SceneCamera, "_attempt", lambda *_: ([], PictureError("blank")))
    with pytest.raises(BrowserError, match=r"cannot draw a single sphere \(blank\) after it failed to draw"):
        camera.take_picture(scenes["iron"])


def test_browser_that_ends_twice_fails_the_job(camera, monkeypatch, scenes):
    capture = SceneCamera._capture

    def kill_and_capture(self: SceneCamera, *arguments: object) -> object:
        main_process(self.browser).kill()
        return capture(self, *arguments)

    monkeypatch.setattr(SceneCamera, "_capture", kill_and_capture)
    with pytest.raises(BrowserError, match="The browser does not work: "):
        camera.take_picture(scenes["iron"])


def test_a_page_that_cannot_be_loaded_fails_the_job(camera, monkeypatch, scenes):
    def fail(_: SceneCamera) -> Page:
        raise TimeoutError("Page.goto: Timeout 60000ms exceeded.")

    camera._drop_page()
    monkeypatch.setattr(SceneCamera, "_load_page", fail)
    with pytest.raises(BrowserError, match="cannot load the page that draws: Timeout 60000ms"):
        camera.take_picture(scenes["iron"])


@pytest.mark.parametrize(("pace", "failure"), [(1.0, PictureError), (0.01, BrowserError)])
def test_time_counts_only_if_the_browser_could_use_it(camera, monkeypatch, scenes, pace, failure):
    """A slow scene keeps the CPU busy; an overloaded or hanging machine does not let the browser use it."""
    now = count()
    monkeypatch.setattr("polyfacet.facets.image.capture.time.monotonic", lambda: float(next(now)))
    monkeypatch.setattr(HeadlessBrowser, "processor_time", property(lambda _: pace * next(now)))
    monkeypatch.setattr(Page, "wait_for_function", raising(TimeoutError("Timeout 2500ms exceeded.")))
    page = open_page(camera)
    with pytest.raises(TimeoutError) as caught:
        camera._capture(page, ["token"], [scenes["iron"]])
    assert isinstance(failure_of(caught.value, [], 10.0), failure)


def test_cpu_time_includes_all_processes_of_the_browser(camera, scenes):
    before = camera.browser.processor_time
    open_page(camera).evaluate(
        "() => { const end = performance.now() + 300; while (performance.now() < end); }"
    )
    assert camera.browser.processor_time > before > 0


def raising(error: Error) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


def test_viewer_that_ignores_a_scene_is_detected(monkeypatch, scenes):
    """The viewer then returns the picture of the previous scene: complete, of the right size, but stale."""
    with SceneCamera(SETTINGS, picture_limit_s=3) as camera:
        camera.take_picture(scenes["chain"])
        open_page(camera).evaluate(
            """() => { const set = window.dash_clientside.set_props;
            window.dash_clientside.set_props = (id, props) => { if (!props.data) set(id, props); } }"""
        )
        pictures, error = camera._attempt([scenes["iron"]])
        assert not pictures
        assert "did not draw the scene" in str(error)


@pytest.mark.parametrize("threads", [1, 2])
def test_rendering_a_folder_names_pictures_after_materials(structures, tmp_path, threads):
    for name, structure in structures.items():
        structure.to(filename=str(tmp_path / f"{name}.cif"), fmt="cif")
    (tmp_path / "damaged.cif").write_text("data_\n_cell_length_a what\n")
    images = tmp_path / "images"
    images.mkdir()
    names = ["rock_salt", "damaged", "iron", "absent", "../../etc/passwd"]
    with open_studio(SETTINGS, threads=threads) as studio:
        results = list(
            render_structures([(n, tmp_path / f"{n}.cif") for n in names], images, studio, SETTINGS)
        )
    assert [type(result) for result in results] == [list, Reject, list, Reject, Reject]
    assert [getattr(result, "mat_id", None) or result[0].mat_id for result in results] == names
    assert sorted(path.name for path in images.iterdir()) == ["iron.png", "rock_salt.png"]
    with SceneCamera(SETTINGS) as camera:
        for (result,) in results[0], results[2]:
            content = (images / result.image).read_bytes()
            scene = scene_of_cif(tmp_path / f"{result.mat_id}.cif", SETTINGS)
            assert content == camera.take_picture(only_view(scene))
            assert result.n_bonds == scene.n_bonds > 0
            assert hashlib.sha256(content).hexdigest() == result.sha256
    for reject, word in zip(
        (results[1], results[3], results[4]), ("damaged", "absent", "match"), strict=True
    ):
        assert word in reject.reason


def test_no_process_is_left_after_an_error(scenes):
    before = set(browsers_of(psutil.Process()))
    started = []

    def draw_and_fail() -> None:
        with SceneCamera(SETTINGS) as camera:
            camera.take_picture(scenes["iron"])
            started.extend(camera.browser.processes)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        draw_and_fail()
    assert started
    left = set(browsers_of(psutil.Process())) - before
    _, alive = psutil.wait_procs({*started, *left}, timeout=DEADLINE_S)
    assert not alive


DRAW_FOREVER = """
import signal, sys
# The process that starts the tests may ignore SIGINT, which its children inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
from polyfacet.facets.image.capture import SceneCamera
from polyfacet.facets.image.settings import RenderSettings
with SceneCamera(RenderSettings(size=96)) as camera:
    while True:
        camera.take_picture(sys.argv[2])
        print("drawn", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_browser_outlives_a_killed_job(scenes, how):
    job = subprocess.Popen(
        [sys.executable, "-c", DRAW_FOREVER, str(WORKFLOW), scenes["iron"]],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert job.stdout is not None
    assert job.stdout.readline() == b"drawn\n"
    started = browsers_of(psutil.Process(job.pid))
    assert started
    job.send_signal(how)
    job.wait(timeout=DEADLINE_S)
    job.stdout.close()
    _, alive = psutil.wait_procs(started, timeout=DEADLINE_S)
    assert not alive


def test_nothing_listens_beyond_this_machine(camera):
    listening = [
        connection.laddr.ip
        for process in [psutil.Process(), *camera.browser.processes]
        if process.is_running()
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def test_provenance_records_browser_and_renderer(camera):
    provenance = camera.provenance()
    assert int(provenance["browser"].split(".")[0]) > 100
    assert provenance["webgl_renderer"]
    assert json.loads(provenance["settings"])["size"] == SETTINGS.size


def test_swiftshader_draws_too(structures, reference):
    settings = RenderSettings(size=96, sphere_segments=16, webgl="swiftshader")
    with SceneCamera(settings) as camera:
        assert "SwiftShader" in camera.provenance()["webgl_renderer"]
        png = camera.take_picture(only_view(crystal_scene(structures["iron"], settings)))
    assert np.abs(pixels(png) - pixels(reference["iron"])).mean() < 10


@pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="needs an NVIDIA GPU with its driver")
def test_gpu_draws_if_there_is_one(camera):
    renderer = camera.provenance()["webgl_renderer"]
    assert "NVIDIA" in renderer, f"draws with {renderer}"


def test_missing_configured_browser_raises_user_error(tmp_path):
    with pytest.raises(UserError, match="not an executable.*apt install chromium"):
        find_browser(tmp_path / "own", tmp_path / "chromium")


def test_machine_without_a_browser_raises_user_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(BROWSER_VARIABLE, raising=False)
    with pytest.raises(UserError, match=f"No browser was found.*apt install chromium.*{BROWSER_VARIABLE}"):
        find_browser(tmp_path / "own")


def browser_script(folder, script):
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_messages_of_a_browser_that_cannot_start_are_quoted(tmp_path):
    fake = browser_script(tmp_path, "echo 'error while loading shared libraries: libnss3.so' >&2; exit 1")
    with pytest.raises(UserError, match=r"cannot draw: egl: .*libnss3\.so; swiftshader: .*libnss3") as error:
        HeadlessBrowser(executable=fake).start()
    assert "Install Chromium" not in str(error.value)


def test_long_path_of_the_temporary_folder_is_avoided(tmp_path, monkeypatch):
    """Batch systems create such folders, whose paths are too long for Chromium's socket."""
    before = set(Path("/tmp").glob("polyfacet-*"))
    long = tmp_path / ("w" * 100)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr("tempfile.tempdir", None)
    with HeadlessBrowser() as browser:
        (folder,) = set(Path("/tmp").glob("polyfacet-*")) - before
        assert folder.stat().st_mode & 0o777 == 0o700
        assert browser.webgl_renderer
    assert set(Path("/tmp").glob("polyfacet-*")) == before
    assert not list(long.iterdir())


def test_browser_runs_without_a_refused_sandbox_and_records_why(browser, tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    refusing = browser_script(
        tmp_path,
        f"""case "$*" in *--no-sandbox*) exec {browser} "$@";; esac
        echo "[1:1:1129/013915.65:FATAL:zygote_host_impl_linux.cc:128] No usable sandbox!" >&2; exit 1""",
    )
    with HeadlessBrowser(executable=refusing) as running:
        assert running.no_sandbox == "launching with it fails: Chromium sandboxing failed"
        assert running.webgl_renderer


DRAW_IN_SANDBOX = """
import psutil
from polyfacet.facets.image.browser import BrowserError, HeadlessBrowser
with HeadlessBrowser() as browser:
    main = next(p for p in browser.processes if "chrom" in p.name())
    print(browser.no_sandbox or "sandbox", "--no-sandbox" in main.cmdline(), browser.webgl_renderer)
"""


@pytest.fixture
def world_writable_home():
    """Yield a folder that every user may write to; pytest's own folders are private to its user."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def test_sandbox_is_used_unless_by_root_if_the_system_allows_it(browser, world_writable_home):
    python, user = sys.executable, {}
    if os.geteuid() == 0:
        user = {"user": "nobody", "group": "nogroup", "extra_groups": (), "cwd": "/"}
        python = next((name for name in (sys.executable, "/usr/bin/python3") if nobody_runs(name)), None)
        if python is None:
            pytest.skip("no Python that the user nobody may run")
    packages = os.pathsep.join([str(WORKFLOW), *(path for path in sys.path if "site-packages" in path)])
    done = subprocess.run(
        [python, "-c", DRAW_IN_SANDBOX],
        env={"PATH": os.environ["PATH"], "HOME": str(world_writable_home), "PYTHONPATH": packages},
        capture_output=True,
        text=True,
        check=False,
        **user,
    )
    assert done.returncode == 0, done.stderr
    if not done.stdout.startswith("sandbox"):
        pytest.skip(f"this system does not allow the sandbox: {done.stdout}")
    assert done.stdout.startswith("sandbox False ANGLE")


def nobody_runs(python):
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        done = subprocess.run(
            [python, "--version"], user="nobody", capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return f"Python {version}." in done.stdout


LOGS = """BrowserType.launch: Target page, context or browser has been closed
Browser logs:

<launched> pid=15060
[pid=15060][err] [15060:15060:1129/013915.653570:FATAL:chrome/process_singleton_posix.cc:315] Socket too long
[pid=15060][err] [1129/013915.817972:ERROR:third_party/file_io_posix.cc:145] open cpufreq: No such file
Call log:
  - <launching> chromium
"""


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (LOGS, "Socket too long"),
        (LOGS.replace("FATAL", "ERROR"), "Socket too long / open cpufreq: No such file"),
        (
            "[pid=1][err] chromium: error while loading: libnss3.so",
            "chromium: error while loading: libnss3.so",
        ),
        ("Timeout 60000ms exceeded.\nCall log:", "Timeout 60000ms exceeded."),
    ],
)
def test_last_words_of_a_browser_are_its_fatal_messages(message, words):
    assert last_words(message) == words
