"""The files around the project: licences, citation, changelog, hosted checks, the workflow catalog."""

import re
import tomllib

import pytest
import yaml
from project import PROJECT

CITATION_TYPES = {"article", "thesis", "software", "data"}


def read_yaml(name: str) -> dict:
    return yaml.safe_load((PROJECT / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def metadata() -> dict:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_file_has_what_its_format_requires():
    citation = read_yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["authors"] == [{"name": "The Polyfacet maintainers"}]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", citation["date-released"])
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= reference.keys()
        assert reference["type"] in CITATION_TYPES
        assert all({"name", "family-names"} & author.keys() for author in reference["authors"])


def test_the_citation_file_names_the_works_that_readers_should_cite():
    cited = [
        (author["family-names"], reference["title"])
        for reference in read_yaml("CITATION.cff")["references"]
        for author in reference["authors"][:1]
    ]
    assert [author for author, _ in cited] == ["Costa", "Costa", "Yu"]
    page = " ".join((PROJECT / "docs" / "references.md").read_text(encoding="utf-8").split())
    assert all(title in page for _, title in cited)


def test_version_and_licence_are_the_same_everywhere(metadata):
    citation = read_yaml("CITATION.cff")
    assert metadata["version"] == citation["version"]
    assert metadata["license"] == citation["license"] == "Apache-2.0"
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{metadata['version']}] - {citation['date-released']}" in changelog


def test_the_licences_are_there():
    licence = (PROJECT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    data = (PROJECT / "embedded" / "LICENSE").read_text(encoding="utf-8")
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in data


def test_the_changelog_keeps_its_format():
    headings = re.findall(r"^##+ .*", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert headings[0] == "## [Unreleased]"
    assert {heading[4:] for heading in headings if heading.startswith("### ")} <= kinds


def test_the_workflow_catalog_finds_what_it_shows():
    usage = read_yaml(".snakemake-workflow-catalog.yml")["usage"]
    assert usage["software-stack-deployment"]["conda"] is True
    assert {"desc", "flags"} == usage["mandatory-flags"].keys()
    assert (PROJECT / "workflow" / "Snakefile").is_file()
    assert (PROJECT / "config" / "README.md").is_file()
    readme = (PROJECT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme


@pytest.mark.parametrize(("folder", "pattern"), [("config", "*.yaml"), ("profiles", "*/")])
def test_the_readme_of_a_folder_names_all_that_is_in_it(folder, pattern):
    readme = (PROJECT / folder / "README.md").read_text(encoding="utf-8")
    names = {path.name for path in (PROJECT / folder).glob(pattern)}
    assert {name for name in names if f"| `{name}` |" in readme} == names


def test_hosted_checks_call_make_with_pinned_actions_and_no_secrets():
    text = (PROJECT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    steps = {name: [step.get("run") for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert steps == {"check": ["make check"], "test": ["make test"]}
    assert all(job["strategy"]["matrix"]["python"] == ["3.11", "3.13"] for job in jobs.values())
    assert re.findall(r"uses: (?!\S+@v\d+\.\d+\.\d+$)(.*)", text, re.MULTILINE) == []
    assert "secrets." not in text


def test_the_hooks_limit_the_size_of_files():
    (hook,) = [
        hook
        for repository in read_yaml(".pre-commit-config.yaml")["repos"]
        for hook in repository["hooks"]
        if hook["id"] == "check-added-large-files"
    ]
    assert hook["args"] == ["--maxkb=1000"]
