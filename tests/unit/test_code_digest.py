"""The code digest: changes with the code that a rule uses, and with nothing else."""

from pathlib import Path

import pytest

from polyfacet import code_digest as module

SCRIPT = "from polyfacet import progress\nfrom polyfacet.used import f\n\ndef main():\n    return f()\n"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    package = tmp_path / "polyfacet"
    package.mkdir()
    (tmp_path / "scripts").mkdir()
    (package / "__init__.py").write_text("")
    (package / "used.py").write_text("from polyfacet import deep\n\ndef f():\n    return deep.g()\n")
    (package / "deep.py").write_text('"""Doc."""\n\ndef g():\n    return 1\n')
    (package / "other.py").write_text("x = 1\n")
    (package / "progress.py").write_text('WORDS = "so far"\n')
    (tmp_path / "scripts" / "rule.py").write_text(SCRIPT)
    monkeypatch.setattr(module, "WORKFLOW", tmp_path)
    return tmp_path


def digest(tree: Path) -> str:
    for cached in (module._tree, module._meaning, module._imported):
        cached.cache_clear()
    return module.code_digest(tree / "scripts" / "rule.py")


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("polyfacet/deep.py", "def g():\n    return 2\n", True),
        ("polyfacet/used.py", "def f():\n    return 1\n", True),
        ("scripts/rule.py", SCRIPT + "\nmain()\n", True),
        ("polyfacet/__init__.py", "y = 1\n", True),
        ("polyfacet/other.py", "x = 2\n", False),
        ("polyfacet/progress.py", 'WORDS = "by now"\n', False),
        (
            "polyfacet/deep.py",
            '"""Other words."""\n\n\ndef g():\n    """Say one."""\n    return 1  # one\n',
            False,
        ),
    ],
)
def test_it_follows_the_code_and_nothing_else(tree, file, text, changes):
    before = digest(tree)
    (tree / file).write_text(text)
    assert (digest(tree) != before) is changes
