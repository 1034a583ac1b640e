"""A small SLURM cluster on this machine, in its own namespaces, which leaves nothing behind.

The daemons see a network with only a loopback interface, and their own ``/run`` and ``/etc/slurm``.  Each
node is a process namespace: killing its first process kills everything on the node, as in a power cut.
"""

import os
import shutil
import socket
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = (
    "slurmctld",
    "slurmd",
    "slurmdbd",
    "sbatch",
    "sacct",
    "munged",
    "mungekey",
    "mariadbd",
    "mariadb-install-db",
)
ACCOUNT = "lab"
START_DEADLINE_S = 300

SLURM_CONF = """
    ClusterName=lab
    SlurmctldHost={host}(127.0.0.1)
    SlurmUser=root
    SlurmdUser=root
    StateSaveLocation=/run/slurmctld
    SlurmdSpoolDir=/run/slurmd-%n
    SlurmctldPidFile=/run/slurmctld.pid
    SlurmdPidFile=/run/slurmd-%n.pid
    MpiDefault=none
    ProctrackType=proctrack/linuxproc
    TaskPlugin=task/none
    JobAcctGatherType=jobacct_gather/none
    AccountingStorageType=accounting_storage/slurmdbd
    AccountingStorageHost=127.0.0.1
    AccountingStorageTRES=gres/gpu
    AccountingStoreFlags=job_comment
    SelectType=select/cons_tres
    SelectTypeParameters=CR_Core_Memory
    SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,bf_interval=1
    SlurmdParameters=config_overrides
    # Long enough for the daemon of a live node to answer on a loaded machine.
    SlurmdTimeout=30
    ReturnToService=2
    KillWait=1
    GresTypes=gpu
    NodeName=c1 Port=17001 {node}
    NodeName=c2 Port=17002 {node}
    NodeName=g1 Port=17003 Gres=gpu:1 {node}
    PartitionName=cpu Nodes=c1,c2 Default=YES
    PartitionName=gpu Nodes=g1
"""
NODE = "NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=16000 State=UNKNOWN"
NODES = ("c1", "c2", "g1")
# A device that exists on every machine replaces the GPU; SLURM sets CUDA_VISIBLE_DEVICES for it.
GRES_CONF = "NodeName=g1 Name=gpu File=/dev/null Flags=nvidia_gpu_env"
SLURMDBD_CONF = """
    AuthType=auth/munge
    DbdHost={host}
    DbdAddr=127.0.0.1
    SlurmUser=root
    PidFile=/run/slurmdbd.pid
    StorageType=accounting_storage/mysql
    StorageHost=localhost
    StorageUser=root
"""


def missing() -> str | None:
    """Return what this machine lacks to start a cluster, if anything."""
    if os.geteuid() != 0:
        return "needs root to start a SLURM cluster"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"needs {', '.join(absent)}: apt-get install slurm-wlm slurmdbd munge mariadb-server"
    if subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], check=False).returncode:
        return "needs permission to create namespaces"
    return None


@dataclass
class Cluster:
    """A running cluster; commands and daemons are started inside its namespaces."""

    folder: Path
    namespaces: int
    daemons: ExitStack
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def inside(self, *command: str, folder: Path | None = None) -> list[str]:
        """Return the command line that runs a command in a folder inside the cluster's namespaces."""
        namespaces = (f"--target={self.namespaces}", "--mount", "--net")
        return ["nsenter", *namespaces, f"--wdns={folder or self.folder}", *command]

    def ask(self, *command: str) -> str:
        """Run one of SLURM's commands and return its output."""
        return subprocess.run(self.inside(*command), check=True, capture_output=True, text=True).stdout

    def accounting(self, *fields: str) -> list[dict[str, str]]:
        """List the jobs in the cluster's accounting, one row per start of a job."""
        table = self.ask("sacct", "-D", "-X", "-n", "-P", "-o", ",".join(fields))
        return [dict(zip(fields, line.split("|"), strict=True)) for line in table.splitlines()]

    def kill(self, name: str) -> None:
        """Kill a daemon; the daemon of a node takes everything on the node with it."""
        self.processes[name].kill()
        self.processes[name].wait()

    def start(self, name: str, *command: str, ready: Callable[[], bool]) -> None:
        """Start a daemon and wait until it works; it ends when the test ends, even on failure."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as stream:
            self.processes[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.inside(*command)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        self.daemons.callback(self.kill, name)
        deadline = time.monotonic() + START_DEADLINE_S
        while not ready():
            if self.processes[name].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start: {log.read_text()[-3000:]}")
            time.sleep(0.1)

    def works(self, *command: str) -> bool:
        """Return whether a command inside the namespaces succeeds."""
        return subprocess.run(self.inside(*command), check=False, capture_output=True).returncode == 0


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[Cluster]:
    """Run a cluster with two nodes in the partition ``cpu`` and one with a simulated GPU in ``gpu``.

    Parameters
    ----------
    folder
        Empty folder for configuration and logs; state and database are in the namespaces' ``/run``.

    Raises
    ------
    RuntimeError
        If a daemon does not start, with the end of its log.
    """
    _write_configuration(folder)
    with ExitStack() as daemons:
        cluster = Cluster(folder, _make_namespaces(folder, daemons), daemons)
        _start_munge(cluster)
        _start_accounting(cluster)
        cluster.start("slurmctld", "slurmctld", "-D", ready=lambda: cluster.works("scontrol", "ping"))
        for name in NODES:
            # All processes of the node are in a process namespace that ends with its first process, slurmd.
            node = ("unshare", "--pid", "--mount-proc", "--fork", "--kill-child", "slurmd", "-D", "-N", name)
            cluster.start(name, *node, ready=lambda name=name: _is_idle(cluster, name))
        yield cluster


def _write_configuration(folder: Path) -> None:
    host = socket.gethostname().split(".")[0]
    node = NODE.format(host=host)
    (folder / "etc").mkdir()
    for name, text in (
        ("slurm.conf", SLURM_CONF),
        ("gres.conf", GRES_CONF),
        ("slurmdbd.conf", SLURMDBD_CONF),
    ):
        path = folder / "etc" / name
        path.write_text(textwrap.dedent(text).format(host=host, node=node))
        path.chmod(0o600)


def _make_namespaces(folder: Path, daemons: ExitStack) -> int:
    """Create the network and mount namespaces; return the process that holds them."""
    steps = (
        # The daemons need an address besides the loopback's own to listen on.
        "ip link set lo up",
        "ip address add 192.0.2.1/32 dev lo",
        "mount -t tmpfs tmpfs /run",
        "mkdir /run/munge /run/mysqld",
        f"mount --bind {folder}/etc /etc/slurm",
        f"touch {folder}/prepared",
        "exec sleep infinity",
    )
    holder = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "sh", "-c", " && ".join(steps)]
    )
    daemons.callback(holder.wait)
    daemons.callback(holder.kill)
    while not (folder / "prepared").exists():
        if holder.poll() is not None:
            raise RuntimeError("the namespaces of the cluster could not be created: see the messages above")
        time.sleep(0.05)
    return holder.pid


def _start_munge(cluster: Cluster) -> None:
    key = str(cluster.folder / "munge.key")
    cluster.ask("mungekey", "--create", "--keyfile", key)
    cluster.start(
        "munged",
        "munged",
        "--foreground",
        f"--key-file={key}",
        f"--seed-file={cluster.folder}/munge.seed",
        "--pid-file=/run/munge/munged.pid",
        ready=lambda: cluster.works("munge", "-n"),
    )


def _start_accounting(cluster: Cluster) -> None:
    """Start the database and slurmdbd, and create the account of the jobs."""
    database = ("--datadir=/run/database", "--user=root")
    cluster.ask("mariadb-install-db", "--no-defaults", *database, "--auth-root-authentication-method=socket")
    cluster.start(
        "mariadbd",
        "mariadbd",
        "--no-defaults",
        *database,
        "--socket=/run/mysqld/mysqld.sock",
        "--pid-file=/run/mysqld/mysqld.pid",
        "--skip-networking",
        ready=lambda: cluster.works("mariadb-admin", "--no-defaults", "ping"),
    )
    cluster.start("slurmdbd", "slurmdbd", "-D", ready=lambda: cluster.works("sacctmgr", "list", "cluster"))
    for thing in (("cluster", "lab"), ("account", ACCOUNT), ("user", "root", f"account={ACCOUNT}")):
        cluster.ask("sacctmgr", "--immediate", "add", *thing)


def _is_idle(cluster: Cluster, node: str) -> bool:
    return cluster.ask("sinfo", "-h", "-N", "-n", node, "-o", "%t").strip() == "idle"
