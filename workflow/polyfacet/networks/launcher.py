"""Start the processes of a training with PyTorch's launcher, here or on the nodes of a SLURM job."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import polyfacet
from polyfacet.runtime.errors import UserError

# prctl(2): the kernel sends this signal when the parent process ends, however it ends.
PR_SET_PDEATHSIG = 1
# Ports of the launchers of several nodes; jobs that share a node have different numbers.
FIRST_PORT, N_PORTS = 20_000, 10_000


def launch(module: str, folder: Path, processes: int, nodes: int = 1) -> None:
    """Run a module in several processes, and wait for them.

    Parameters
    ----------
    module
        Module that each process runs, with the folder as its argument.
    folder
        Folder that all processes see.
    processes
        Number of processes on each node.
    nodes
        Number of nodes; more than one are those of the SLURM job in which this is called.

    Raises
    ------
    UserError
        If several nodes are asked for outside a SLURM job.
    RuntimeError
        If a process fails; its message is in the log.
    """
    meeting = _on_this_machine(folder) if nodes == 1 else _on_nodes(nodes)
    launcher = [
        *(_on_each_node(nodes, processes) if nodes > 1 else []),
        *(sys.executable, "-m", "torch.distributed.run"),
        *(f"--nnodes={nodes}", f"--nproc-per-node={processes}", "--max-restarts=0"),
        *("--rdzv-backend=c10d", *meeting),
        *("-m", module, str(folder)),
    ]
    finished = subprocess.run(  # noqa: S603 - the command is ours
        launcher, env=_environment(nodes), preexec_fn=_end_with_parent, stdin=subprocess.DEVNULL, check=False
    )
    if finished.returncode:
        raise RuntimeError(f"a process of the training failed; its message is above ({' '.join(launcher)})")


def end_with_launcher() -> None:
    """End this process when its launcher ends, so that no training goes on by itself."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with_parent() -> None:
    # The launcher handles this signal: it ends its processes.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _on_this_machine(folder: Path) -> list[str]:
    """Meet in a file: no port is opened."""
    return ["--rdzv-id=training", "--rdzv-conf=store_type=file", f"--rdzv-endpoint={folder / 'launcher'}"]


def _on_nodes(nodes: int) -> list[str]:
    """Meet on the node on which this is called, the first one of the job."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        raise UserError(
            f"graphs.training.nodes is {nodes}, but this is not a SLURM job. Start the run with "
            "`--workflow-profile profiles/slurm`, or set it to 1."
        )
    port = FIRST_PORT + int(job) % N_PORTS
    return [f"--rdzv-id={job}", f"--rdzv-endpoint={socket.gethostname()}:{port}"]


def _on_each_node(nodes: int, processes: int) -> list[str]:
    """Start one launcher on each node, with all cores that the job has there."""
    tasks = (f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1")
    return ["srun", *tasks, f"--cpus-per-task={processes}", "--kill-on-bad-exit=1"]


def _environment(nodes: int) -> dict[str, str]:
    """Return the variables of the processes: the package of this one, and this machine's own network."""
    package = str(Path(polyfacet.__file__).parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    if nodes > 1:
        return variables
    here = {"GLOO_SOCKET_IFNAME": "lo", "NCCL_SOCKET_IFNAME": "lo"}
    return {**variables, **here, "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
