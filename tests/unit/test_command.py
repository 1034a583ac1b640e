"""The command `polyfacet`: its subcommands, and its installation by the setup."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import distribution

import pytest
from project import PROJECT

from polyfacet.use import command, doctor
from polyfacet.use.doctor import Finding, Status


def test_setting_up_installs_the_command():
    (entry_point,) = distribution("polyfacet").entry_points.select(group="console_scripts", name="polyfacet")
    assert entry_point.load() is command.main


def test_the_command_has_the_version_of_the_project(capsys):
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    with pytest.raises(SystemExit) as exit_:
        command.main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"polyfacet {version}\n"


@pytest.mark.parametrize(("status", "expected"), [(Status.OK, 0), (Status.OPTIONAL, 0), (Status.MISSING, 1)])
def test_the_doctor_reports_what_is_missing(monkeypatch, capsys, status, expected):
    monkeypatch.setattr(doctor, "CHECKS", (lambda: Finding("browser", status, "what was found"),))
    assert command.main(["doctor"]) == expected
    assert "what was found" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["undo"], ["doctor", "--fix"]])
def test_an_unknown_command_shows_the_commands(capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        command.main(arguments)
    assert exit_.value.code == 2
    assert "usage: polyfacet" in capsys.readouterr().err


def test_starting_does_not_import_what_only_single_subcommands_need():
    code = "import sys; from polyfacet.use import command; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"matplotlib", "snakemake", "torch", "sklearn", "pymatgen"} & set(done.stdout.split())
