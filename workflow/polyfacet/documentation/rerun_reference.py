"""The tables of docs/reruns.md, written from the workflow by this module: what a change reruns.

The workflow is planned twice by Snakemake, as it is and with one key changed; a job whose inputs, outputs or
parameters differ is one that runs again.  Nothing is run, and no finished run is needed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from snakemake.api import SnakemakeApi
from snakemake.dag import DAG
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

from polyfacet.code_digest import WORKFLOW, code_of
from polyfacet.config import load_schema
from polyfacet.documentation.config_reference import documented_keys
from polyfacet.documentation.generated_text import with_generated

PROJECT = WORKFLOW.parent
PAGE = PROJECT / "docs" / "reruns.md"
# What a run reads from its working folder: parts of the project, and stand-ins.
READ_FROM_THERE = ("config", "embedded")
ELEMENT_TABLE, BROWSER = "elements.csv", "browser"
DOWNLOADED = "data/alexandria/alexandria_000.json.bz2"
TRAINING = frozenset({"train_cell", "train_methods"})

# Where the schema does not tell a second value that is valid.
OTHER_VALUES: dict[str, Any] = {
    "run_name": "another",
    "sources": ["embedded"],
    "download.base_url": "https://example.org/entries/",
    "download.files": ["alexandria_{000..001}.json.bz2"],
    "n_materials": 30,
    "shards": 3,
    "shard_size": 10,
    "images.browser": BROWSER,
    "composition.element_table": ELEMENT_TABLE,
    "combinations": "full",
    "targets": ["gap", "e_form"],
    "graphs.pretrain": 20,
    "encoders.cache": "data/other",
    **{f"encoders.checkpoints.{facet}": "owner/name" for facet in ("text", "image", "compimage")},
    "encoders.text.hidden_size": 48,
    "encoders.text.n_heads": 2,
    "engine.ensemble.members": [{"engine": "classical"}],
    "encoders.image.architecture": "resnet18",
    "encoders.compimage.architecture": "resnet18",
    "tables.<name>.file": ELEMENT_TABLE,
    "tables.<name>.id": "Name",
    "tables.<name>.composition.formula": "Alloy",
    "tables.<name>.composition.columns": ["C", "Mn"],
    "tables.<name>.composition.balance": "Ni",
    "tables.<name>.targets.<name>.column": "HV",
    "tables.<name>.targets.<name>.label": "HV",
    "tables.<name>.targets.<name>.unit": "MPa",
    "comparison.reference": "tree_e",
    "comparison.methods.<name>.engine": "classical",
    "comparison.methods.<name>.settings": {"model": "svm"},
    "comparison.methods.<name>.settings_of_tables": {"steels": {"model": "svm"}},
    "comparison.methods.<name>.tables": ["steels"],
    "comparison.published": [
        {"table": "steels", "method": "tree_e", "metric": "r2", "value": 0.9, "source": "none"}
    ],
}
# A run on a table, and one on a table with a formula in a column.
TABLE_RUN = yaml.safe_load((PROJECT / "config" / "test_tables.yaml").read_text(encoding="utf-8"))
(_TABLE,) = TABLE_RUN["tables"]
FORMULA_RUN = {
    **TABLE_RUN,
    "tables": {_TABLE: {**TABLE_RUN["tables"][_TABLE], "composition": {"formula": "Name"}}},
}
# In what runs a key matters, if not in the default one.
CONTEXTS: dict[str, dict[str, Any]] = {
    "download": {"sources": ["data/alexandria"], "download": {"files": [Path(DOWNLOADED).name]}},
    "targets": {"targets": ["gap"]},
    "encoders.cache": {"encoders": {"source": "hub"}},
    "composition.backend": {"composition": {"statistics": "xenonpy"}},
    "engine.name": {"combinations": ["tabular"]},
    **{
        f"engine.{name}": {"engine": {"name": name}, "combinations": ["tabular"]}
        for name in ("classical", "mcvn", "ensemble")
    },
    # A composition has a formula or columns.
    **{f"tables.<name>.composition.{key}": FORMULA_RUN for key in ("formula", "brackets", "partial")},
    # Another engine has other settings.
    "comparison.methods.<name>.engine": {**TABLE_RUN, "comparison": {"methods": {"any": {"engine": "mcvn"}}}},
    "tables": TABLE_RUN,
    "comparison": TABLE_RUN,
}

JobName = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Plan:
    """The jobs of a run.

    Attributes
    ----------
    jobs
        Rule and wildcards of a job to all that makes it run again when it changes.
    followers
        Rule to the rules that use what it makes, directly or not.
    """

    jobs: Mapping[JobName, Any]
    followers: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Reruns:
    """What a change makes of a finished run.

    Attributes
    ----------
    changed
        Rules whose jobs run again because of the change itself; what follows from them runs again, too.
    added
        Rules that get more jobs.
    trained
        Which cells are trained: ``all``, ``new ones`` or ``none``.
    """

    changed: frozenset[str]
    added: frozenset[str]
    trained: str


@contextmanager
def planning_folder() -> Iterator[Path]:
    """Make a folder in which runs can be planned."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for part in READ_FROM_THERE:
            (folder / part).symlink_to(PROJECT / part)
        (folder / DOWNLOADED).parent.mkdir(parents=True)
        for stand_in in (ELEMENT_TABLE, BROWSER, DOWNLOADED):
            (folder / stand_in).touch(mode=0o755)
        yield folder


def plan(config: Mapping[str, Any], folder: Path) -> Plan:
    """Plan a run with a configuration that is laid over the default one.

    Raises
    ------
    snakemake.exceptions.WorkflowError
        If the configuration is wrong, or an input is missing.
    """
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow_api = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(config=dict(config)),
            snakefile=PROJECT / "Snakefile",
            workdir=folder,
        )
        workflow_api.dag(DAGSettings(forceall=True))
        # Snakemake's API prints a plan, but gives none.
        workflow = workflow_api._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True, nolock=True)
        workflow._build_dag()
        return Plan(
            jobs={
                (job.rule.name, tuple(sorted(job.wildcards_dict.items()))): (
                    sorted(job.input),
                    sorted(job.output),
                    job.non_derived_params,
                )
                for job in workflow.dag.jobs
                if job.rule.name != "all"
            },
            followers=_followers(workflow.dag),
        )


def reruns(before: Plan, after: Plan) -> Reruns:
    """Compare two plans."""
    changed = frozenset(
        name for (name, key), job in after.jobs.items() if before.jobs.get((name, key), job) != job
    )
    added = frozenset(name for name, key in after.jobs.keys() - before.jobs.keys())
    again = changed.union(*(after.followers.get(rule, frozenset()) for rule in changed))
    trained = "all" if TRAINING & again else "new ones" if TRAINING & added else "none"
    return Reruns(changed, added - again, trained)


def reruns_by_key(folder: Path) -> dict[str, tuple[Any, Reruns]]:
    """Change each key of the schema; give the value that it was changed to and what this reruns."""
    plan_before = cache(lambda context: plan(CONTEXTS.get(context, {}), folder))
    found = {}
    for key, facts in documented_keys():
        context = next((name for name in CONTEXTS if f"{key}.".startswith(f"{name}.")), "")
        value = OTHER_VALUES[key] if key in OTHER_VALUES else other_value(facts)
        after = plan(_laid_over(CONTEXTS.get(context, {}), key.split("."), value), folder)
        found[key] = value, reruns(plan_before(context), after)
    return found


def rules_by_module() -> dict[str, set[str]]:
    """Name the rules whose script is a module of the project, or imports it, directly or not."""
    users: dict[str, set[str]] = {}
    for script in sorted((WORKFLOW / "scripts").glob("*.py")):
        for path in code_of(script):
            users.setdefault(path.relative_to(WORKFLOW).as_posix(), set()).add(script.stem)
    return dict(sorted(users.items()))


def other_value(key: Mapping[str, Any]) -> Any:
    """Give a valid value of a key that is not its default (unless that is the only one).

    Raises
    ------
    ValueError
        If the schema does not tell one; then ``OTHER_VALUES`` must.
    """
    default = key.get("default")
    if key.get("enum") == [default]:
        return default
    candidates = [
        *key.get("enum", []),
        *([item] for item in key.get("items", {}).get("enum", [])),
        not default,
        *((default + 1, default - 1, default / 2) if isinstance(default, int | float) else ()),
        *(key.get(limit) for limit in ("minimum", "maximum")),
        1,
        ["O"],
        [225],
        {"any": 1},
    ]
    validator = Draft202012Validator({**key, "$defs": load_schema()["$defs"]})
    for candidate in candidates:
        if candidate != default and validator.is_valid(candidate):
            return candidate
    raise ValueError(f"no second value of {key['description']!r} is known")


def rerun_reference() -> str:
    """Write the three tables."""
    with planning_folder() as folder:
        by_key = reruns_by_key(folder)
        followers = plan({}, folder).followers
    rules, by_module = set(followers), rules_by_module()
    scripts = set().union(*by_module.values())
    return "\n".join(
        [
            "### Keys of the configuration\n",
            "| key | changed to | runs again first | gets more jobs | cells trained |",
            "| --- | --- | --- | --- | --- |",
            *(
                f"| `{key}` | `{_short(value)}` | {_names(found.changed, rules)} | "
                f"{_names(found.added, rules)} | {found.trained} |"
                for key, (value, found) in by_key.items()
            ),
            "\n### Modules\n",
            "| below `workflow/` | runs again first |",
            "| --- | --- |",
            *(
                f"| `{module}` | {_names(users, scripts)} |"
                for module, users in by_module.items()
                if not module.startswith("scripts/")
            ),
            "\n### What follows from a rule\n",
            "| rule | and so run again |",
            "| --- | --- |",
            *(f"| `{rule}` | {_names(later, rules)} |" for rule, later in sorted(followers.items())),
        ]
    )


def main(page: Path = PAGE) -> None:
    """Rewrite the tables in docs/reruns.md."""
    text = page.read_text(encoding="utf-8")
    page.write_text(with_generated(text, "rerun reference", rerun_reference()), encoding="utf-8")


def _followers(dag: DAG) -> dict[str, frozenset[str]]:
    """Follow the jobs of a plan to those that use what they make, rule by rule."""
    direct: dict[str, set[str]] = {}
    for job in dag.jobs:
        direct.setdefault(job.rule.name, set())
        for used in dag.dependencies[job]:
            direct.setdefault(used.rule.name, set()).add(job.rule.name)

    def follow(rule: str) -> frozenset[str]:
        return frozenset(direct[rule]).union(*map(follow, direct[rule]))

    return {rule: follow(rule) - {"all"} for rule in direct if rule != "all"}


def _laid_over(config: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """Copy a configuration with one more value in it; ``<name>`` is the first name that it has there."""
    name, *rest = path
    name = next(iter(config)) if name == "<name>" else name
    return {**config, name: _laid_over(config.get(name, {}), rest, value) if rest else value}


def _names(rules: Set[str], every: Set[str]) -> str:
    return "every rule" if rules >= every else ", ".join(f"`{rule}`" for rule in sorted(rules)) or "-"


def _short(value: Any) -> str:
    return json.dumps(value).replace('"', "")


if __name__ == "__main__":
    main()
