"""Serve the page with a run's materials: 3D view, facts, picture."""

import logging
from pathlib import Path
from typing import Annotated

from werkzeug.serving import make_server

from polyfacet.config.images import Cell, ColorScheme, Vacuum
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.progress import tell
from polyfacet.use.structure_page.catalog import Catalog
from polyfacet.use.structure_page.page import structure_page

LOCALHOST = "127.0.0.1"
VIEW_PX = 520


def main(
    run: Path,
    *,
    n_shards: Annotated[int, Key("shards")],
    port: Annotated[int | None, Key("structure_page.port")] = None,
    colors: ColorScheme = "VESTA",
    cell: Cell = "given",
    vacuum: Vacuum = "trim",
) -> None:
    """Serve the page on this machine until Ctrl-C.

    Parameters
    ----------
    run
        Folder of the run's results; missing results are not shown.
    n_shards
        Number of shards of the run's stages.
    port
        Port on 127.0.0.1; None uses a free one.
    colors, cell, vacuum
        How the 3D view draws (see ``RenderSettings``).
    """
    settings = RenderSettings(
        size=VIEW_PX, colors=colors, cell=cell, vacuum=vacuum, views=["oblique"], show_compass=True
    )
    page = structure_page(Catalog(run, n_shards), run.name, settings)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    try:
        server = make_server(LOCALHOST, port or 0, page.server, threaded=True)
    except (OSError, SystemExit) as error:  # werkzeug exits if the port is in use
        raise UserError(f"port {port} on {LOCALHOST} cannot be used; omit it to use a free one") from error
    tell(f"\nThe structures of {run}: http://{LOCALHOST}:{server.server_port}/\nPress Ctrl-C to stop.")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        tell("Stopped.")
    finally:
        server.server_close()


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
