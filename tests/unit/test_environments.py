"""Conda environments and the lock hold the same versions."""

import re

import pytest
import yaml
from project import PROJECT

LOCKED = {
    re.sub(r"[-_.]+", "-", name).lower(): version
    # Where the lock has a version per Python, the oldest Python, that of the environments, comes first.
    for name, version in reversed(
        re.findall(r"^([\w.-]+)==([^\s;]+)", (PROJECT / "requirements.lock").read_text(), re.MULTILINE)
    )
}


@pytest.mark.parametrize("path", sorted((PROJECT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_environment_is_pinned_to_the_versions_of_the_lock(path):
    environment = yaml.safe_load(path.read_text())
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    packages = [item for item in environment["dependencies"] if isinstance(item, str)]
    assert all("=" in item for item in packages)
    for requirement in (
        item for part in environment["dependencies"] if isinstance(part, dict) for item in part["pip"]
    ):
        name, version = requirement.split("==")
        assert LOCKED[re.sub(r"[-_.]+", "-", name).lower()] == version, name


def test_every_environment_is_used():
    rules = "".join(path.read_text() for path in PROJECT.rglob("*.smk")) + "".join(
        path.read_text() for path in (PROJECT / "embedded").rglob("Snakefile")
    )
    for path in (PROJECT / "envs").glob("*.yaml"):
        assert path.name in rules, path.name
