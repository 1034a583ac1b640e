"""A copy of the workflow in a separate folder, which a test may run and change."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pyarrow.parquet as pq
from project import PROJECT
from warm_snakemake import forked_snakemake

PARTS = ("Snakefile", "rules", "workflow", "envs", "config", "profiles", "embedded")
JOB_LINE = re.compile(r"^(\w+)\s+(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Workflow:
    """A copy of the workflow that a test may run and change."""

    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of Snakemake with the tiny configuration."""
        return [sys.executable, "-m", "snakemake", *self.arguments(*arguments)]

    def arguments(self, *arguments: str) -> list[str]:
        """Return the arguments of this command line."""
        return ["--cores", "2", "--configfile", "config/test.yaml", *arguments]

    def run(self, *arguments: str, check: bool = True) -> str:
        """Run Snakemake and return its output."""
        status, output = self.typed(*self.arguments(*arguments))
        assert not check or status == 0, output[-5000:]
        return output

    def typed(self, *arguments: str, variables: Mapping[str, str] = MappingProxyType({})) -> tuple[int, str]:
        """Run Snakemake with only these arguments; return its exit status and output."""
        return snakemake(arguments, self.folder, variables)

    def jobs(self, *arguments: str, changes: Sequence[str] = ()) -> dict[str, int]:
        """Count the jobs per rule that a dry run would start; ``changes`` are ``--config`` values."""
        config = ["--config", *changes] if changes else []
        output = self.run("--dry-run", "--quiet", "rules", *arguments, *config)
        return {rule: int(n) for rule, n in JOB_LINE.findall(output) if rule not in ("total", "all")}

    def results(self, pattern: str) -> dict[str, bytes]:
        """Read the results that match a pattern."""
        folder = self.folder / "results" / "test"
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.glob(pattern))
        }

    def materials(self, pattern: str) -> set[tuple[str, str]]:
        """List the rows of materials in the tables that match a pattern, by table and identifier."""
        found = set()
        for name in self.results(pattern):
            path = self.folder / "results" / "test" / name
            if path.suffix == ".parquet" and "mat_id" in pq.read_schema(path).names:
                rows = pq.read_table(path, columns=["mat_id"])
                found.update((name, mat_id) for mat_id in rows["mat_id"].to_pylist())
        return found


def snakemake(
    arguments: Sequence[str], folder: Path, variables: Mapping[str, str] = MappingProxyType({})
) -> tuple[int | None, str]:
    """Run Snakemake in a folder; return its exit status and output."""
    return forked_snakemake(arguments, folder, {**environment(), **variables})


def environment() -> dict[str, str]:
    """Return the environment of a run: that of the user, with one thread per process."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


def copy_workflow(folder: Path) -> Workflow:
    """Copy the parts of the project that a run needs."""
    for name in PARTS:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".snakemake"))
        else:
            shutil.copy2(source, folder / name)
    return Workflow(folder)
