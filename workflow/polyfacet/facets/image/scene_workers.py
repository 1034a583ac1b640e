"""Worker processes that make scenes, separate from the process that draws them.

Making a scene means reading a CIF file, finding bonds and arranging primitives: work in Python that takes a
third of a picture's time.  One process imports Crystal Toolkit (seconds) and forks the workers from itself;
each answers in JSON over its own socket.  A worker that dies is replaced, and its successor's greeting
reports how it ended, since a crystal can cause only some of these ends.

A pool from the standard library, or one built on it, does not suffice: its fork server runs the script of the
job again in every worker, inherits the environment of the job unchanged, and outlives the pool.
"""

import ctypes
import json
import math
import os
import resource
import signal
import socket
import subprocess
import sys
import traceback
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from polyfacet.facets.image.drawable import CrystalScene, SceneError
from polyfacet.facets.image.scene_cache import SceneMaker, remove_abandoned
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.worker_ends import ADVICE, SCENE_LIMIT_S, SceneWorkerError, end_of, given_up
from polyfacet.runtime.machine_failures import machine_failure

# Wall time: a worker that has not used up its CPU time by then is stuck waiting.
SILENCE_LIMIT_S = 10.0 * SCENE_LIMIT_S
END_TIMEOUT_S = 10.0
PR_SET_PDEATHSIG = 1
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class SceneWorker:
    """One worker, as seen from the process that draws."""

    def __init__(self, connection: Connection, silence_limit_s: float = SILENCE_LIMIT_S) -> None:
        self._connection = connection
        self._silence_limit_s = silence_limit_s
        self._n_asked = 0
        self.pid: int | None = None

    def scene(self, cif: Path) -> CrystalScene:
        """Have the worker make the scene of a CIF file.

        Raises
        ------
        SceneError
            If no scene can be made of it; also if it crashes its worker or exceeds the time limit twice.
        SceneWorkerError
            If a worker is killed twice or does not answer, the machine fails, or no worker is left.
        """
        self._n_asked += 1
        ends: list[int] = []
        answer = self._ask(cif)
        while "pid" in answer:
            ends.append(answer["former"])
            if len(ends) == 2:
                raise given_up(cif, ends)
            answer = self._ask(cif)
        if "failure" in answer:
            raise SceneWorkerError(f"No scene of {cif.name} could be made: {answer['failure']}")
        if "reason" in answer:
            raise SceneError(answer["reason"])
        return CrystalScene(**answer["scene"])

    def _ask(self, cif: Path) -> dict[str, Any]:
        """Return the worker's answer, or the greeting of its successor if it died."""
        try:
            if self.pid is None:
                self.pid = json.loads(self._connection.recv_bytes())["pid"]
            request = {"number": self._n_asked, "cif": str(cif)}
            self._connection.send_bytes(json.dumps(request).encode())
            while True:
                if not self._connection.poll(self._silence_limit_s):
                    raise SceneWorkerError(
                        f"The process that makes the scene of {cif.name} did not answer for "
                        f"{self._silence_limit_s:g} s, during which it could not use {SCENE_LIMIT_S} s of "
                        f"CPU time: the machine is overloaded, or a file system hangs. {ADVICE}"
                    )
                answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
                self.pid = answer.get("pid", self.pid)
                # If a worker died before it read a request, its successor also answers that one.
                if "pid" in answer or answer["number"] == self._n_asked:
                    return answer
        except (EOFError, OSError) as error:
            raise SceneWorkerError(
                "The processes that make the scenes have ended; if the log does not say why, memory ran out. "
                f"{ADVICE}"
            ) from error


class SceneWorkers:
    """Several workers; a context manager that ends every process it started.

    They end by themselves when the process that started them ends, for whatever reason.

    Parameters
    ----------
    settings
        What the scenes show.
    n_workers
        Number of processes.
    scenes
        Folder that keeps scenes (see ``SceneMaker``); None to keep none.
    """

    def __init__(self, settings: RenderSettings, n_workers: int, scenes: Path | None = None) -> None:
        self._settings = settings
        self._n_workers = n_workers
        self._scenes = scenes
        self._connections: list[Connection] = []
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> list[SceneWorker]:
        """Start the workers without waiting until they are ready."""
        pairs = [socket.socketpair() for _ in range(self._n_workers)]
        theirs = [pair[1].fileno() for pair in pairs]
        code = "from polyfacet.facets.image.scene_workers import serve; serve()"
        package = str(Path(__file__).resolve().parents[3])
        self._process = subprocess.Popen(  # noqa: S603 - this Python, with fixed arguments
            [
                sys.executable,
                "-c",
                code,
                self._settings.model_dump_json(),
                str(self._scenes or ""),
                *map(str, theirs),
            ],
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")])),
                **dict.fromkeys(THREAD_VARIABLES, "1"),
            },
        )
        for _, other in pairs:
            other.close()
        self._connections = [Connection(mine.detach()) for mine, _ in pairs]
        return [SceneWorker(connection) for connection in self._connections]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers."""
        if self._process is not None:
            self._process.kill()  # its workers end with it
            self._process.wait(timeout=END_TIMEOUT_S)
        for connection in self._connections:
            _wait_for_end(connection)
            connection.close()
        if self._scenes is not None:
            remove_abandoned(self._scenes)


def _wait_for_end(connection: Connection) -> None:
    """Wait until the worker at the other end has ended and released its files."""
    with suppress(EOFError, OSError):
        while connection.poll(END_TIMEOUT_S):
            connection.recv_bytes()


def serve() -> None:
    """Fork a worker for each socket on the command line, and replace workers that die."""
    _die_with_parent()
    import polyfacet.facets.image.cif_scene  # noqa: F401, PLC0415 - once, for all workers

    settings, scenes, *sockets = sys.argv[1:]
    maker = SceneMaker(RenderSettings.model_validate_json(settings), Path(scenes) if scenes else None)
    numbers = [int(number) for number in sockets]
    workers = {_fork_worker(number, numbers, maker): number for number in numbers}
    while workers:
        pid, status = os.wait()
        number, former = workers.pop(pid), os.waitstatus_to_exitcode(status)
        if former:
            print(f"a scene worker ended ({end_of(former)}): starting another", file=sys.stderr, flush=True)
            workers[_fork_worker(number, numbers, maker, former)] = number


def _fork_worker(number: int, sockets: list[int], maker: SceneMaker, former: int | None = None) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _die_with_parent()
        for other in sockets:
            if other != number:
                os.close(other)
        _answer_requests(Connection(number), maker, former)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _answer_requests(connection: Connection, maker: SceneMaker, former: int | None) -> None:
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send_bytes(json.dumps({"pid": os.getpid(), "former": former}).encode())
        while True:
            request = json.loads(connection.recv_bytes())
            answer = {"number": request["number"]}
            _limit_time(SCENE_LIMIT_S)
            try:
                answer["scene"] = asdict(maker.scene(Path(request["cif"])))
            except Exception as error:
                failure = machine_failure(error)
                if isinstance(error, SceneError) and failure is None:
                    answer["reason"] = str(error)
                else:
                    traceback.print_exc()
                    advice = "The log has the full traceback." if failure is None else ADVICE
                    answer["failure"] = f"{type(error).__name__}: {error}. {advice}"
            connection.send_bytes(json.dumps(answer).encode())


def _limit_time(seconds: int) -> None:
    """Let the system end this process (SIGXCPU) once it has used this much more CPU time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    limit = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(
        resource.RLIMIT_CPU, (limit if most == resource.RLIM_INFINITY else min(limit, most), most)
    )


def _die_with_parent() -> None:
    """Have this process killed when its parent ends, for whatever reason (Linux)."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
