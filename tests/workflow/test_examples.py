"""The examples of the documentation, from nothing to predictions, as a reader types them."""

import os
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pandas as pd
import pytest
from project import PROJECT
from report_page import ReportPage

from polyfacet.use import examples

PAGE = (PROJECT / "docs" / "examples.md").read_text(encoding="utf-8")
COMMANDS = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
CONFIGURATIONS = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
READ_FROM_THERE = ("Snakefile", "config", "embedded", "profiles", "rules", "workflow", "envs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Run all commands of the page."""
    home = tmp_path_factory.mktemp("examples")
    for part in READ_FROM_THERE:
        (home / part).symlink_to(PROJECT / part)
    script = home / "commands.sh"
    script.write_text("set -eu\n" + "\n".join(COMMANDS.findall(PAGE)))
    commands = home / "bin"
    commands.mkdir()
    started = f"import sys; sys.path.insert(0, {str(PROJECT / 'workflow')!r}); "
    for name, module in (("polyfacet", "polyfacet.use.command"), ("snakemake", "snakemake.cli")):
        path = commands / name
        path.write_text(f"#!{sys.executable}\n{started}from {module} import main; sys.exit(main())\n")
        path.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", script],
        cwd=home,
        env={**os.environ, "PATH": f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    (home / "said.txt").write_text(done.stdout)
    return home


def test_the_page_shows_the_configurations_that_are_written():
    written = [text.format(folder="examples") for text in (examples.CIF_RUN, examples.TABLE_RUN)]
    assert [text.split("\n", 1)[1] for text in written] == CONFIGURATIONS.findall(PAGE)


def test_the_page_shows_the_csv_that_is_written(tmp_path):
    examples.main(Namespace(folder=tmp_path / "examples"))
    written = (tmp_path / "examples" / "crystals" / "properties.csv").read_text().splitlines()
    shown = PAGE.split("```text\n")[1].split("```")[0].splitlines()
    assert written[: len(shown)] == shown


def test_objectives_of_the_user_are_described_and_reported(folder):
    said = (folder / "said.txt").read_text()
    assert "objectives of crystals, 151 materials:" in said
    report = ReportPage.of(folder / "results" / "crystals" / "report" / "report.html").text
    assert "Formation energy" in report
    scores = pd.read_csv(folder / "results" / "table" / "report" / "tables" / "scores.csv")
    assert set(scores["objective"]) >= {"gap", "e_form"}
    assert scores["reason"].isna().all()


def test_new_crystals_are_predicted_from_their_files(folder):
    found = pd.read_csv(folder / "predictions.csv")
    assert len(found) == len(list((folder / "examples" / "new").iterdir()))
    assert ((found["lower"] <= found["prediction"]) & (found["prediction"] <= found["upper"])).all()
    assert set(found["unit"]) == {"eV/atom"}
    # Potassium, as the page says.
    assert found.set_index("formula")["unlike"]["K"]
