"""Documents of which a command writes a part."""

import pytest
from project import PROJECT

from polyfacet.comparison import document
from polyfacet.marked_section import with_section


def test_only_what_is_between_the_markers_changes():
    assert with_section("a\n<b>\nold\n<e>\nz\n", "<b>", "<e>", "new\n") == "a\n<b>\nnew\n<e>\nz\n"
    for text in ("no markers", "<b> only", "<b>\n<b>\n<e>"):
        with pytest.raises(ValueError, match="once each"):
            with_section(text, "<b>", "<e>", "new")


def test_results_of_a_run_get_into_the_document(tmp_path):
    written = (PROJECT / "docs" / "mcvn.md").read_text(encoding="utf-8")
    (tmp_path / "mcvn.md").write_text(written, encoding="utf-8")
    (tmp_path / "tables.md").write_text("| method |\n", encoding="utf-8")
    document.main(tmp_path / "tables.md", tmp_path / "mcvn.md")
    changed = (tmp_path / "mcvn.md").read_text(encoding="utf-8")
    assert f"{document.BEGIN}\n| method |\n{document.END}" in changed
    assert changed.split(document.BEGIN)[0] == written.split(document.BEGIN)[0]
    assert changed.split(document.END)[1] == written.split(document.END)[1]
