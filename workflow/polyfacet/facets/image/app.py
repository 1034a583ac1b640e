"""The page that draws: a Dash app with Crystal Toolkit's viewer, served to this machine only."""

from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from dash import Dash, Input, State, html
from dash_mp_components import CrystalToolkitScene
from werkzeug.serving import WSGIRequestHandler, make_server

from polyfacet.facets.image.dash_mp_components_compat import assets_to_ignore
from polyfacet.facets.image.drawable import SCENE_NAME
from polyfacet.facets.image.settings import RenderSettings

LOCALHOST = "127.0.0.1"
VIEWER_ID = "viewer"

# Without the style sheets of Dash and Crystal Toolkit: they need the network, and the page is one canvas.
PAGE = """<!DOCTYPE html>
<html>
  <head>{%metas%}<title>{%title%}</title><style>body {margin: 0}</style></head>
  <body>{%app_entry%}{%config%}{%scripts%}{%renderer%}</body>
</html>
"""

# Called when a picture has been taken; ``assets/capture.js`` passes it on to the caller.
DELIVER_PICTURE = "(timestamp, picture, request) => window.polyfacet.deliver(picture, request)"


def viewer_app(settings: RenderSettings) -> Dash:
    """Create the app: one empty viewer that draws with these settings and takes pictures on request."""
    app = Dash(
        "polyfacet",
        title="Polyfacet",
        update_title="",
        index_string=PAGE,
        assets_folder=str(Path(__file__).parent / "assets"),
        assets_ignore=assets_to_ignore(settings),
        serve_locally=True,
    )
    app.layout = html.Div(
        CrystalToolkitScene(
            id=VIEWER_ID, data={"name": SCENE_NAME, "contents": []}, **settings.component_properties()
        ),
        style={"width": settings.size, "height": settings.size},
    )
    app.clientside_callback(
        DELIVER_PICTURE,
        Input(VIEWER_ID, "imageDataTimestamp"),
        State(VIEWER_ID, "imageData"),
        State(VIEWER_ID, "imageRequest"),
        prevent_initial_call=True,
    )
    return app


class AppServer:
    """Serves an app on a free port of 127.0.0.1, from a thread, for the duration of a ``with`` block."""

    def __init__(self, app: Dash) -> None:
        self._server = make_server(
            LOCALHOST, 0, app.server, threaded=True, request_handler=_QuietRequestHandler
        )
        self._thread = Thread(target=self._server.serve_forever, name="viewer app", daemon=True)

    @property
    def url(self) -> str:
        """Address of the app."""
        return f"http://{LOCALHOST}:{self._server.server_port}/"

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _QuietRequestHandler(WSGIRequestHandler):
    """Does not log requests: the only client is our own browser."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""
