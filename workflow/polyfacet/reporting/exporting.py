"""Figures as PNG and SVG, drawn by plotly.js in the browser that draws the structure pictures."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from polyfacet.facets.image.browser import HeadlessBrowser
from polyfacet.reporting.page.rendering import plotly_js
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.progress import tell

# Pixels of a PNG per pixel of the figure.
SCALE = 2
_DRAW = """async ([spec, format, scale]) => {
  const { width, height } = spec.layout;
  return Plotly.toImage({ data: spec.data, layout: spec.layout }, { format, width, height, scale });
}"""


def export_figures(specs: Mapping[str, Any], folder: Path) -> list[str]:
    """Write figures as PNG and SVG; without a browser, say so and write none.

    Parameters
    ----------
    specs
        Name to specification for plotly.js.
    folder
        Folder of the files.

    Returns
    -------
    list of str
        Names of the figures that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not specs:
        return []
    try:
        with HeadlessBrowser() as browser:
            page = browser.new_page(1000)
            page.add_script_tag(content=plotly_js())
            for name, spec in specs.items():
                for form in ("png", "svg"):
                    address = page.evaluate(_DRAW, [spec, form, SCALE if form == "png" else 1])
                    with atomic_path(folder / f"{name}.{form}") as part:
                        part.write_bytes(bytes_of(address))
    except UserError as error:
        tell(f"Figures are on the page only, not as PNG and SVG: {error}")
        return []
    return list(specs)


def bytes_of(address: str) -> bytes:
    """Return the content of an address that holds it (``data:...``)."""
    kind, _, content = address.partition(",")
    return base64.b64decode(content) if kind.endswith(";base64") else unquote_to_bytes(content)
