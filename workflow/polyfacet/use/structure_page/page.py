"""The page: a Dash app with Crystal Toolkit's viewer that needs no network access."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash_mp_components import CrystalToolkitScene
from flask import abort, request

from polyfacet.facets.image.drawable import SceneError
from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.materials.cif import CifError, read_cif
from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.material import IDENTITY_COLUMNS
from polyfacet.use.structure_page.catalog import Catalog

# Names of this machine; any other host in a request means that a foreign page is trying to read this one.
LOCAL_NAMES = ("127.0.0.1", "localhost")
NUMBER = re.compile(r"(\d+(?:\.\d+)?)")
LABELS = {
    "mat_id": "Identifier",
    "formula": "Formula",
    "prototype_id": "Prototype",
    "space_group": "Space group",
    "n_sites": "Sites in the cell",
    "volume": "Cell volume",
}
NO_SCENE: dict[str, Any] = {"name": "crystal", "contents": []}
REMEMBERED_SCENES = 64


def structure_page(catalog: Catalog, title: str, settings: RenderSettings) -> Dash:
    """Build the page.

    Parameters
    ----------
    catalog
        The materials.
    title
        Title of the page.
    settings
        Settings of the 3D view.
    """
    app = Dash(
        "structure_page",
        title=f"{title} - Polyfacet",
        update_title="",
        assets_folder=str(Path(__file__).parent / "assets"),
        serve_locally=True,
    )
    app.layout = _layout(catalog, title, settings)
    app.server.before_request(_refuse_other_names)
    _connect_search(app, catalog)
    _connect_material(app, catalog, settings)
    return app


def _refuse_other_names() -> None:
    if request.host.rsplit(":", 1)[0] not in LOCAL_NAMES:
        abort(403)


def _layout(catalog: Catalog, title: str, settings: RenderSettings) -> Component:
    name = html.Div([html.H1(title), html.P(f"{len(catalog):,} materials")])
    return html.Div(
        [
            dcc.Store(id="position", data=0),
            html.Header([name, _search_field()]),
            _navigation(),
            html.Main(
                [
                    _view(settings),
                    html.Section([html.Table(id="facts"), html.Div(id="pictures"), html.Div(id="cif")]),
                ]
            ),
        ]
    )


def _search_field() -> Component:
    field = dcc.Input(
        id="query",
        type="search",
        placeholder="Identifier or formula",
        debounce=0.3,
        maxLength=80,
        autoComplete="off",
    )
    return html.Div([field, html.Div(id="results", role="status")], className="search")


def _navigation() -> Component:
    return html.Nav(
        [
            html.Button("← Previous", id="previous"),
            html.Span(id="place"),
            html.Button("Next →", id="next"),
        ]
    )


def _view(settings: RenderSettings) -> Component:
    viewer = settings.component_properties()
    # The user will rotate it: leave room for it from every side.
    viewer["settings"] = viewer["settings"] | {"zoomToFit2D": False, "defaultZoom": 1.2}
    scene = CrystalToolkitScene(id="view", data=NO_SCENE, **viewer)
    return html.Section(
        [html.H2(id="formula"), html.Div(scene, className="view"), html.P(id="note", className="note")]
    )


def _connect_search(app: Dash, catalog: Catalog) -> None:
    @app.callback(Output("results", "children"), Input("query", "value"))
    def search(query: str | None) -> list[Component]:
        if not isinstance(query, str) or not query.strip():
            return []
        found = catalog.search(query)
        if not found.n_found:
            return [html.P(f"No identifier or formula contains “{query.strip()}”.")]
        buttons = [_result(catalog, position) for position in found.positions]
        hidden = found.n_found - len(buttons)
        return [*buttons, *([html.P(f"and {hidden:,} more")] if hidden else [])]

    @app.callback(
        Output("position", "data"),
        Input("previous", "n_clicks"),
        Input("next", "n_clicks"),
        Input({"result": ALL}, "n_clicks"),
        State("position", "data"),
        prevent_initial_call=True,
    )
    def go(previous: int, following: int, results: Sequence[int | None], position: Any) -> Any:
        if ctx.triggered_id == "previous":
            return _inside(catalog, _inside(catalog, position) - 1)
        if ctx.triggered_id == "next":
            return _inside(catalog, _inside(catalog, position) + 1)
        # New results arrive as unclicked buttons.
        return _inside(catalog, ctx.triggered_id["result"]) if any(results) else no_update


def _connect_material(app: Dash, catalog: Catalog, settings: RenderSettings) -> None:
    @lru_cache(maxsize=REMEMBERED_SCENES)
    def scene_of(cif: Path) -> tuple[dict[str, Any], str]:
        return _scene(cif, settings)

    @app.callback(
        Output("formula", "children"),
        Output("facts", "children"),
        Output("pictures", "children"),
        Output("cif", "children"),
        Output("place", "children"),
        Output("previous", "disabled"),
        Output("next", "disabled"),
        Input("position", "data"),
    )
    def show(position: Any) -> tuple[Any, ...]:
        position = _inside(catalog, position)
        facts, cif = catalog.facts(position), catalog.structure(position)
        return (
            _formula(facts["formula"]),
            _facts(facts),
            _pictures(catalog.pictures(position)),
            _cif(cif),
            f"{position + 1:,} of {len(catalog):,}",
            position == 0,
            position == len(catalog) - 1,
        )

    # Finding the bonds of a large cell takes seconds: the facts do not wait for it.
    @app.callback(Output("view", "data"), Output("note", "children"), Input("position", "data"))
    def draw(position: Any) -> tuple[dict[str, Any], str]:
        cif = catalog.structure(_inside(catalog, position))
        return scene_of(cif) if cif else (NO_SCENE, "There is no structure file for this material yet.")


def _inside(catalog: Catalog, position: Any) -> int:
    """Return the nearest existing position; a browser may send anything."""
    return min(max(position, 0), len(catalog) - 1) if isinstance(position, int) else 0


def _result(catalog: Catalog, position: int) -> Component:
    facts = catalog.facts(position)
    return html.Button(
        [html.Span(_formula(facts["formula"])), html.Code(facts["mat_id"])], id={"result": position}
    )


def _formula(formula: str) -> list[Any]:
    """Set the numbers of a formula as subscripts."""
    return [html.Sub(part) if NUMBER.fullmatch(part) else part for part in NUMBER.split(formula) if part]


def _facts(facts: dict[str, Any]) -> Component:
    identity = [
        (
            LABELS[field.name],
            facts[field.name],
            field.metadata[b"unit"].decode(),
            field.metadata[b"meaning"],
        )
        for field in IDENTITY_COLUMNS
    ]
    targets = [(each.label, facts[each.name], each.unit, each.meaning.encode()) for each in PREDEFINED]
    return html.Tbody(
        [
            html.Tr(
                [html.Th(name), html.Td(_text(value)), html.Td(_unit(unit))],
                title=meaning.decode(),
                className=kind,
            )
            for kind, rows in (("identity", identity), ("target", targets))
            for name, value, unit, meaning in rows
        ]
    )


def _text(value: Any) -> str:
    if value is None:
        return "not given"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _unit(unit: str) -> str:
    return unit.replace("A^3", "Å³").replace("uB", "µB")


def _pictures(urls: list[str]) -> list[Component]:
    if not urls:
        return [
            html.P(
                "There is no picture of this material (yet); see the rejects of the image stage.",
                className="note",
            )
        ]
    images = [html.Img(src=url, alt="picture of the structure") for url in urls]
    return [html.Figure([*images, html.Figcaption("What the image facet shows")])]


def _cif(cif: Path | None) -> list[Component]:
    if cif is None:
        return []
    return [html.Details([html.Summary("CIF"), html.Pre(cif.read_text(encoding="utf-8", errors="replace"))])]


def _scene(cif: Path, settings: RenderSettings) -> tuple[dict[str, Any], str]:
    """Return the scene of a CIF file, and a note for the viewer."""
    try:
        scene = crystal_scene(read_cif(cif), settings)
    except (CifError, SceneError) as error:
        return NO_SCENE, f"It cannot be drawn: {error}"
    (drawn,) = scene.views.values()
    note = (
        f"Without bonds: {scene.bonding_failure}"
        if scene.bonding_failure
        else "Drag to rotate, scroll to zoom."
    )
    return json.loads(drawn), note
