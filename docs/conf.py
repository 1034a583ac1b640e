"""Sphinx configuration of the documentation site, which builds offline: `make docs`."""

import sys
import tomllib
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT_FOLDER / "workflow"))

project = "Polyfacet"
author = "The Polyfacet maintainers"
copyright = author
release = version = tomllib.loads((PROJECT_FOLDER / "pyproject.toml").read_text())["project"]["version"]
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

myst_enable_extensions = ["attrs_inline"]
# Anchors as code hosts make them, so that links work there and on the site.
myst_heading_anchors = 4
# A page may begin with what it includes, and an included file has headings of its own.
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
add_module_names = False
nitpicky = False

html_theme = "furo"
html_title = f"Polyfacet {release}"
html_copy_source = False
html_show_sourcelink = False
