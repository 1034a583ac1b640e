"""Each check of `make doctor` in a simulated environment: the right line and the right exit status."""

import bz2
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from project import PROJECT

from polyfacet.facets.image import browser as browser_module
from polyfacet.runtime.errors import UserError
from polyfacet.use import doctor
from polyfacet.use.doctor import Finding, Status

SCRIPT = PROJECT / "setup" / "install-browser.sh"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """Return an empty project."""
    monkeypatch.setattr(doctor, "PROJECT", tmp_path)
    return tmp_path


@pytest.fixture
def commands(tmp_path, monkeypatch) -> Path:
    """Return the only folder in PATH."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def add_command(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ((3, 10), Status.MISSING),
        ((3, 11), Status.OK),
        ((3, 13), Status.OK),
        ((3, 14), Status.MISSING),
    ],
)
def test_the_version_of_python_decides(monkeypatch, version, status):
    monkeypatch.setattr(doctor.sys, "version_info", (*version, 0))
    finding = doctor.check_python()
    assert finding.status is status
    assert ("PYTHON=" in finding.fix) is (status is Status.MISSING)


LOCK = """\
# a comment
Pytest=={pytest} ; python_full_version < '4' \\
    --hash=sha256:00
not-for-this-machine==1 ; sys_platform == 'nowhere' \\
    --hash=sha256:00
"""


@pytest.mark.parametrize(
    ("pinned", "more", "status", "what"),
    [
        (pytest.__version__, "", Status.OK, "1 packages as in requirements.lock"),
        (f"{pytest.__version__}+local", "", Status.OK, "1 packages"),
        ("0.1", "", Status.OPTIONAL, "versions of 1 of 1 packages differ from requirements.lock: pytest"),
        (pytest.__version__, "no-such-package==1\n", Status.MISSING, "1 of 2 .* missing: no-such-package"),
    ],
)
def test_the_environment_is_compared_with_the_lock(project, pinned, more, status, what):
    (project / "requirements.lock").write_text(LOCK.format(pytest=pinned) + more)
    finding = doctor.check_environment()
    assert finding.status is status
    assert re.search(what, finding.what)
    assert ("make setup" in finding.fix) is (status is not Status.OK)


def test_a_bare_python_has_no_environment(project, monkeypatch):
    (project / "requirements.lock").write_text(LOCK.format(pytest="1"))
    monkeypatch.setitem(doctor.sys.modules, "packaging.requirements", None)
    finding = doctor.check_environment()
    assert finding.status is Status.MISSING
    assert "make setup" in finding.fix


class FakeBrowser:
    """A browser that starts at once."""

    version = "156.0"
    webgl_renderer = "ANGLE (Mesa, llvmpipe)"
    no_sandbox = ""

    def __enter__(self) -> "FakeBrowser":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_a_working_browser_is_reported_with_its_renderer(monkeypatch):
    monkeypatch.setattr(browser_module, "HeadlessBrowser", FakeBrowser)
    what = "Chromium 156.0, draws with ANGLE (Mesa, llvmpipe), in its sandbox"
    assert doctor.check_browser() == Finding("browser", Status.OK, what)


def test_a_browser_without_its_sandbox_is_reported_with_the_reason(monkeypatch):
    root = type("Root", (FakeBrowser,), {"no_sandbox": "the browser is run as root"})
    monkeypatch.setattr(browser_module, "HeadlessBrowser", root)
    finding = doctor.check_browser()
    assert finding.status is Status.OK
    assert finding.what.endswith(", without its sandbox (the browser is run as root)")


def test_a_slow_browser_is_sufficient(monkeypatch):
    slow = type("Slow", (FakeBrowser,), {"webgl_renderer": "ANGLE (Google, SwiftShader)"})
    monkeypatch.setattr(browser_module, "HeadlessBrowser", slow)
    finding = doctor.check_browser()
    assert finding.status is Status.OPTIONAL
    assert "libegl1" in finding.fix


def test_without_a_browser_the_fix_is_the_installer(monkeypatch):
    def start(self):
        raise UserError("No browser was found")

    monkeypatch.setattr(browser_module, "HeadlessBrowser", type("No", (FakeBrowser,), {"__enter__": start}))
    finding = doctor.check_browser()
    assert finding == Finding("browser", Status.MISSING, "No browser was found", "setup/install-browser.sh")
    assert SCRIPT.is_file()


def test_without_its_driver_no_browser_can_be_used(monkeypatch):
    monkeypatch.setitem(doctor.sys.modules, "polyfacet.facets.image.browser", None)
    finding = doctor.check_browser()
    assert finding.status is Status.MISSING
    assert "make setup" in finding.fix


@pytest.mark.parametrize(
    ("script", "status", "what"),
    [
        (None, Status.OPTIONAL, "none"),
        ("exit 9", Status.OPTIONAL, "none"),
        ("echo 'A100, 40960 MiB'; echo 'A100, 40960 MiB'", Status.OK, "A100, 40960 MiB; A100, 40960 MiB"),
    ],
)
def test_gpus_are_those_of_the_driver(commands, script, status, what):
    if script:
        add_command(commands, "nvidia-smi", script)
    finding = doctor.check_gpu()
    assert finding.status is status
    assert finding.what.startswith(what)
    assert bool(finding.fix) is (status is Status.OPTIONAL)


@pytest.mark.parametrize(
    ("script", "status", "what"),
    [
        (None, Status.OPTIONAL, "not found"),
        ("echo conda 23.11.0", Status.OPTIONAL, "23.11.0 is too old"),
        ("echo conda 24.7.1", Status.OK, "24.7.1"),
        ("echo conda 26.1.0", Status.OK, "26.1.0"),
    ],
)
def test_conda_must_be_new_enough(commands, script, status, what):
    if script:
        add_command(commands, "conda", script)
    finding = doctor.check_conda()
    assert finding.status is status
    assert finding.what.startswith(what)
    assert ("24.7.1" in finding.fix) is (status is Status.OPTIONAL)


@pytest.mark.parametrize(
    ("scripts", "status", "what"),
    [
        ({}, Status.OPTIONAL, "no sbatch and no sinfo"),
        ({"sbatch": "exit 0"}, Status.OPTIONAL, "no sinfo"),
        ({"sbatch": "exit 0", "sinfo": "exit 1"}, Status.OPTIONAL, "its controller does not answer"),
        ({"sbatch": "exit 0", "sinfo": "echo 'debug* 5'"}, Status.OK, "partitions and nodes: debug* 5"),
    ],
)
def test_partitions_are_those_of_slurm(commands, scripts, status, what):
    for name, script in scripts.items():
        add_command(commands, name, script)
    finding = doctor.check_slurm()
    assert (finding.status, finding.what) == (status, what)
    assert bool(finding.fix) is (status is Status.OPTIONAL)


def test_a_command_that_hangs_gives_no_answer(commands, monkeypatch):
    monkeypatch.setattr(doctor, "ANSWER_TIMEOUT_S", 0.1)
    add_command(commands, "nvidia-smi", "exec /bin/sleep 5")
    assert doctor.check_gpu().status is Status.OPTIONAL


@pytest.fixture(params=[200, 403])
def answering_hub(request, monkeypatch) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(request.param)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{listener.server_port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield
        listener.shutdown()
        thread.join()


@pytest.mark.usefixtures("answering_hub")
def test_a_hub_that_answers_can_be_reached():
    assert doctor.check_hub().status is Status.OK


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "nonsense"])
def test_without_hub_the_fix_is_the_cache(monkeypatch, endpoint):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    finding = doctor.check_hub()
    assert finding.status is Status.OPTIONAL
    assert endpoint in finding.what
    assert "encoders.cache" in finding.fix


def test_a_silent_hub_is_waited_for_no_longer_than_the_timeout(monkeypatch):
    monkeypatch.setattr(doctor, "HUB_TIMEOUT_S", 0.1)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        finding = doctor.check_hub()
    assert finding.status is Status.OPTIONAL
    assert "timed out" in finding.what


def test_embedded_entries_are_read(project):
    (project / "embedded").mkdir()
    path = project / doctor.EMBEDDED
    assert doctor.check_embedded_data().status is Status.MISSING
    path.write_bytes(b"BZh rubbish")
    assert doctor.check_embedded_data().fix == "git checkout -- embedded"
    path.write_bytes(bz2.compress(b'[{"a": 1}, {"b": 2}]'))
    finding = doctor.check_embedded_data()
    assert finding == Finding("embedded data", Status.OK, "2 entries in embedded/entries.json.bz2")


def test_downloaded_entries_are_counted(project):
    assert "data/alexandria" in doctor.check_alexandria_data().fix
    folder = project / "data" / "alexandria"
    folder.mkdir(parents=True)
    for name in ("a.json.bz2", "b.json", "c.json.part"):
        (folder / name).write_text("[]")
    finding = doctor.check_alexandria_data()
    assert finding == Finding("Alexandria data", Status.OK, "2 files, 0.0 GB in data/alexandria")


@pytest.mark.parametrize(("free_gb", "status"), [(1.9, Status.MISSING), (2.1, Status.OK)])
def test_the_disk_must_have_free_space(monkeypatch, free_gb, status):
    usage = doctor.shutil.disk_usage(".")._replace(free=int(free_gb * 1e9))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    finding = doctor.check_disk()
    assert finding.status is status
    assert bool(finding.fix) is (status is Status.MISSING)


@pytest.mark.parametrize(("memory_gb", "status"), [(3, Status.MISSING), (8, Status.OK)])
def test_memory_must_suffice_for_training(monkeypatch, memory_gb, status):
    pages = {"SC_PAGE_SIZE": 1000, "SC_PHYS_PAGES": memory_gb * 10**6}
    monkeypatch.setattr(doctor.os, "sysconf", pages.__getitem__)
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda pid: {0, 3, 5})
    finding = doctor.check_memory()
    assert finding.status is status
    assert finding.what.startswith(f"{memory_gb} GB, 3 cores")


@pytest.mark.parametrize(
    ("statuses", "exit_status", "last"),
    [
        ([Status.OK, Status.OPTIONAL], 0, "make run"),
        ([Status.OK, Status.MISSING, Status.OPTIONAL], 1, "see MISSING."),
    ],
)
def test_the_exit_status_tells_whether_the_default_run_can_work(
    monkeypatch, capsys, statuses, exit_status, last
):
    findings = [
        Finding(f"thing {i}", s, "as it is", "" if s is Status.OK else f"fix {i}")
        for i, s in enumerate(statuses)
    ]
    monkeypatch.setattr(doctor, "CHECKS", [lambda finding=finding: finding for finding in findings])
    assert doctor.main() == exit_status
    printed = capsys.readouterr().out
    assert printed.rstrip().endswith(last)
    assert printed.startswith(f"ok       thing 0          as it is\n{statuses[1].value:8} thing 1 ")
    for finding in findings:
        assert finding.name in printed
        assert finding.fix in printed


def install(commands: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installer of the browser with this Python and nothing else in PATH."""
    add_command(commands, "python", f'exec "{doctor.sys.executable}" "$@"')
    for name in ("bash", "dirname", "mktemp", "rm", "cat", "tail", "timeout"):
        (commands / name).symlink_to(_which(name))
    (commands / "empty").mkdir()
    return subprocess.run(
        [commands / "bash", SCRIPT, commands],
        env={"PATH": str(commands), "PLAYWRIGHT_BROWSERS_PATH": str(commands / "empty"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _which(name: str) -> Path:
    return next(path for folder in ("/bin", "/usr/bin") if (path := Path(folder, name)).exists())


BROWSER = "echo Chromium 156.0 built on Debian"


def test_an_existing_browser_is_left_alone(commands):
    add_command(commands, "chromium", BROWSER)
    done = install(commands)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Browser: Chromium 156.0 ({commands}/chromium)\n"


def test_the_browser_of_the_variable_comes_first(commands):
    add_command(commands, "chromium", BROWSER)
    add_command(commands, "mine", "echo Chrome 1.0")
    assert "Chrome 1.0" in install(commands, POLYFACET_BROWSER=str(commands / "mine")).stdout


def test_nothing_is_installed_if_the_variable_is_wrong(commands):
    add_command(commands, "playwright", f"touch {commands}/asked")
    done = install(commands, POLYFACET_BROWSER="/no/such/browser")
    assert done.returncode == 1
    assert "POLYFACET_BROWSER=/no/such/browser" in done.stderr
    assert not (commands / "asked").exists()


def test_the_browser_that_playwright_installs_is_used(commands):
    add_command(
        commands,
        "playwright",
        f"printf '#!/bin/sh\\n{BROWSER}\\n' > {commands}/chromium; /bin/chmod +x {commands}/chromium",
    )
    done = install(commands)
    assert done.returncode == 0
    assert done.stdout.endswith(f"Browser: Chromium 156.0 ({commands}/chromium)\n")


def test_if_no_browser_can_be_installed_the_alternatives_are_named(commands):
    add_command(commands, "playwright", "echo no network; exit 1")
    add_command(commands, "apt-get", "echo no mirror; exit 100")
    done = install(commands)
    assert done.returncode == 1
    assert "no network" in done.stderr
    for way in ("apt-get install", "playwright install --with-deps", "POLYFACET_BROWSER="):
        assert way in done.stderr


@pytest.fixture
def place(tmp_path):
    """Create a folder of this name with the files that `make` needs to check its own path."""

    def make(name):
        folder = tmp_path / name
        shutil.copytree(PROJECT / "workflow" / "polyfacet", folder / "workflow" / "polyfacet")
        shutil.copy(PROJECT / "Makefile", folder)
        (folder / "requirements.lock").touch()
        return folder

    return make


def make_in(folder, *arguments):
    return subprocess.run(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["two words", "pf[1]", "it's", 'a "b"', "a&b", "$HOME"])
def test_setup_rejects_a_folder_whose_path_is_special_to_the_shell(place, name):
    folder = place(name)
    done = make_in(folder, "setup")
    assert done.returncode != 0
    assert "The environment cannot be in" in done.stderr
    assert "make setup VENV=/some/folder/polyfacet" in done.stderr
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize("name", ["two words", "it's"])
def test_with_the_environment_elsewhere_any_folder_is_accepted(place, name):
    assert make_in(place(name), "environment-path", "VENV=/opt/polyfacet").returncode == 0


@pytest.mark.parametrize("name", ["größe", "a+b=c,d@e%"])
def test_letters_of_any_language_are_accepted(place, name):
    assert make_in(place(name), "environment-path").returncode == 0


def test_the_doctor_reports_a_path_that_is_special_to_the_shell(monkeypatch):
    monkeypatch.setattr(doctor.sys, "executable", "/home/me/two words/.venv/bin/python")
    monkeypatch.setattr(doctor.sys, "prefix", "/home/me/two words/.venv")
    finding = doctor.check_place()
    assert finding.status is Status.MISSING
    assert "'/home/me/two words/.venv/bin/python'" in finding.what
    assert "VENV=" in finding.fix
