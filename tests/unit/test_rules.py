"""Rules pass only arguments of their scripts: others would rerun jobs without changing results."""

import ast
import re
from collections.abc import Iterator

import pytest
from project import PROJECT

from polyfacet.runtime.names import one_of

# Inputs and params that a job waits for, or that rerun it, without being arguments: digests, and files that
# other values name.
ONLY_WATCHED = {
    "code",
    "packages",
    "state",
    "bundle_state",
    "file",
    "files",
    "pictures",
    "tokens",
    "described",
    "trained",
    "checkpoint_files",
}


def rules_with_values() -> Iterator[tuple[str, str, set[str]]]:
    """List the rules with a script, with the script and the names of inputs and params."""
    for path in (PROJECT / "rules").glob("*.smk"):
        for block in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            rule = block.split("\n\n\n")[0]
            if "    script:\n" not in rule:
                continue
            (script,) = re.findall(r'script_path\("(\w+)"\)', rule)
            parts = re.findall(r"^    (?:input|params):\n((?: {8}.*\n)+)", rule, re.MULTILINE)
            names = {name for part in parts for name in re.findall(r"^ {8}(\w+)=", part, re.MULTILINE)}
            yield rule.split(":")[0], script, names


def parameters_of_main(script: str) -> set[str]:
    """Return the names of a script's arguments; parsing it is faster than importing it."""
    tree = ast.parse((PROJECT / "workflow" / "scripts" / f"{script}.py").read_text())
    (main,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    return {argument.arg for argument in (*main.args.args, *main.args.kwonlyargs)}


def test_a_constraint_on_no_names_matches_none():
    assert re.fullmatch(one_of(["a.b", "c"]), "a.b")
    assert not re.fullmatch(one_of(["a.b", "c"]), "axb")
    assert not any(re.fullmatch(one_of([]), name) for name in ("", "nothing", "a"))


@pytest.mark.parametrize(("rule", "script", "names"), sorted(rules_with_values(), key=str))
def test_a_rule_passes_only_arguments_of_its_script(rule, script, names):
    assert names - parameters_of_main(script) <= ONLY_WATCHED, rule
