"""Scenes from worker processes, drawn by browsers: the same pictures, whatever happens to a process."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import psutil
import pytest
from project import PROJECT
from pymatgen.core import Lattice, Structure
from watched_processes import DEADLINE_S, command_line

from polyfacet.facets.image import scene_workers
from polyfacet.facets.image.drawable import CrystalScene, SceneError
from polyfacet.facets.image.scene_workers import SceneWorker, SceneWorkers
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.studio import open_studio
from polyfacet.facets.image.worker_ends import SceneWorkerError

SETTINGS = RenderSettings(size=64, sphere_segments=8)
ELEMENTS = ("Fe", "W", "Cr", "Mo", "V", "Nb", "Ta", "Na", "K", "Li", "Ba", "Cs")


@pytest.fixture(scope="module")
def cifs(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("structures")
    for element in ELEMENTS:
        crystal = Structure(Lattice.cubic(3.2), [element, element], [[0, 0, 0], [0.5, 0.5, 0.5]])
        crystal.to(filename=str(folder / f"{element}.cif"), fmt="cif")
    return [folder / f"{element}.cif" for element in ELEMENTS]


def pictures(cifs: list[Path], threads: int) -> dict[str, bytes]:
    with open_studio(SETTINGS, threads=threads) as studio:
        shots = list(studio.shoot(cifs))
    assert all(isinstance(shot, tuple) for shot in shots)
    return {cif.stem: next(iter(shot[1].values())) for cif, shot in zip(cifs, shots, strict=True)}


@pytest.mark.usefixtures("browser")
def test_pictures_do_not_depend_on_cores_order_or_batch(cifs):
    alone = pictures(cifs, threads=1)
    assert len(set(alone.values())) > len(cifs) / 2
    assert pictures(cifs[::-1], threads=2) == alone
    assert pictures(cifs[3:6], threads=3) == {cif.stem: alone[cif.stem] for cif in cifs[3:6]}


@pytest.mark.usefixtures("browser")
def test_studio_that_is_closed_early_leaves_no_process(cifs):
    before = set(psutil.Process().children(recursive=True))
    with open_studio(SETTINGS, threads=2) as studio:
        next(studio.shoot(cifs))
        started = set(psutil.Process().children(recursive=True)) - before
        assert any("scene_workers" in command_line(process) for process in started)
    _, alive = psutil.wait_procs(started, timeout=DEADLINE_S)
    assert not alive


@pytest.fixture(scope="module")
def worker() -> Iterator[SceneWorker]:
    with SceneWorkers(SETTINGS, 1) as (worker,):
        yield worker


def test_scene_that_cannot_be_made_has_a_reason_and_its_worker_continues(worker, cifs, tmp_path):
    with pytest.raises(SceneError, match="structure file absent.cif is missing"):
        worker.scene(tmp_path / "absent.cif")
    assert worker.scene(cifs[0]).n_bonds == 8


def test_worker_that_dies_is_replaced_and_answers_are_not_mixed_up(worker, cifs):
    expected = [worker.scene(cif) for cif in cifs[:3]]
    assert len({tuple(scene.views.values()) for scene in expected}) == 3
    for _ in range(3):
        first = worker.pid
        os.kill(first, signal.SIGKILL)
        assert [worker.scene(cif) for cif in cifs[:3]] == expected
        assert worker.pid != first


def answering(*answers: bytes) -> Connection:
    """Simulate a worker that greets and then answers any request with the next of these answers."""
    ours, theirs = Pipe()

    def answer() -> None:
        theirs.send_bytes(b'{"pid": 1}')
        for text in answers:
            theirs.recv_bytes()
            theirs.send_bytes(text)
        theirs.close()

    threading.Thread(target=answer, daemon=True).start()
    return ours


def greeting(pid: int, former: int) -> bytes:
    return json.dumps({"pid": pid, "former": former}).encode()


@pytest.mark.parametrize(
    ("former", "how"),
    [(signal.SIGSEGV, "SIGSEGV"), (signal.SIGABRT, "SIGABRT"), (signal.SIGXCPU, "300 s of CPU time")],
)
def test_a_crystal_that_crashes_its_worker_or_uses_up_its_time_twice_is_given_up(former, how):
    worker = SceneWorker(answering(greeting(2, -former), greeting(3, -former)))
    with pytest.raises(SceneError, match=f"ended twice by .*{how}"):
        worker.scene(Path("deadly.cif"))
    assert worker.pid == 3


@pytest.mark.parametrize(
    ("formers", "said"),
    [
        (
            (-signal.SIGKILL, -signal.SIGKILL),
            "of a.cif was ended twice by SIGKILL, .* lack of memory. Give the job",
        ),
        ((-signal.SIGSEGV, -signal.SIGKILL), "by SIGSEGV and then by SIGKILL"),
        ((-signal.SIGBUS, -signal.SIGBUS), "twice by SIGBUS. The log"),
        ((1, 1), r"an error \(exit status 1\). The log"),
    ],
)
def test_killed_worker_is_a_machine_failure(formers, said):
    worker = SceneWorker(answering(*(greeting(2 + k, former) for k, former in enumerate(formers))))
    with pytest.raises(SceneWorkerError, match=said):
        worker.scene(Path("a.cif"))


def test_worker_that_does_not_answer_in_time_is_a_machine_failure():
    ours, theirs = Pipe()
    theirs.send_bytes(b'{"pid": 1}')
    with pytest.raises(SceneWorkerError, match="the machine is overloaded"):
        SceneWorker(ours, silence_limit_s=0.01).scene(Path("a.cif"))


def test_limit_of_a_scene_is_cpu_time():
    pid = os.fork()
    if not pid:
        scene_workers._limit_time(1)
        while True:
            pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGXCPU


def test_crystal_whose_worker_is_killed_repeatedly_fails_the_job(cifs, monkeypatch, tmp_path):
    """The system does this when memory runs out."""
    large = tmp_path / "large.cif"  # takes seconds, so that no worker answers before it is killed
    Structure.from_file(cifs[0]).make_supercell([6, 6, 6]).perturb(0.01).to(filename=str(large), fmt="cif")
    with SceneWorkers(SETTINGS, 1) as (worker,):
        expected = worker.scene(cifs[0])
        ask = worker._ask

        def killed(cif: Path) -> dict[str, Any]:
            threading.Timer(0.05, os.kill, (worker.pid, signal.SIGKILL)).start()
            return ask(cif)

        monkeypatch.setattr(worker, "_ask", killed)
        with pytest.raises(SceneWorkerError, match="twice by SIGKILL"):
            worker.scene(large)
        monkeypatch.setattr(worker, "_ask", ask)
        assert worker.scene(cifs[0]) == expected


def test_a_crystal_that_killed_its_worker_once_is_tried_again():
    answer = b'{"number": 1, "scene": {"views": {"z": "{}"}, "n_bonds": 1}}'
    worker = SceneWorker(answering(greeting(2, -signal.SIGKILL), answer))
    assert worker.scene(Path("a.cif")) == CrystalScene({"z": "{}"}, 1)


def test_machine_failure_is_not_a_reject():
    answer = b'{"number": 1, "failure": "OSError: [Errno 24] Too many open files"}'
    with pytest.raises(SceneWorkerError, match=r"a\.cif could be made: OSError"):
        SceneWorker(answering(answer)).scene(Path("a.cif"))


def test_error_if_all_workers_have_ended():
    connection = answering()
    with pytest.raises(SceneWorkerError):
        SceneWorker(connection).scene(Path("a.cif"))


DRAW = """
import itertools, sys
from pathlib import Path
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.studio import open_studio
from polyfacet.facets.image.worker_ends import SceneWorkerError
cifs = itertools.islice(itertools.cycle(map(Path, sys.argv[1:])), 100_000)
with open_studio(RenderSettings(size=64, sphere_segments=8), threads=2) as studio:
    for _ in studio.shoot(cifs):
        print("drawn", flush=True)
"""


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_a_killed_stage(cifs, how):
    stage = subprocess.Popen(
        [sys.executable, "-c", DRAW, *map(str, cifs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
    )
    assert stage.stdout is not None
    assert stage.stdout.readline() == b"drawn\n"
    started = psutil.Process(stage.pid).children(recursive=True)
    kinds = " ".join(command_line(process) for process in started)
    assert all(kind in kinds for kind in ("scene_workers", "--type=gpu-process", "playwright"))
    stage.send_signal(how)
    stage.wait(timeout=DEADLINE_S)
    stage.stdout.close()
    _, alive = psutil.wait_procs(started, timeout=DEADLINE_S)
    assert not alive
