"""Plug-ins that a bundle needs: it names them, and never holds their code."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import FACETS
from polyfacet.runtime.code_digest import code_digest
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.plugins import Registry
from polyfacet.training.bundles.description import BundledPlugin
from polyfacet.training.engines.registry import ENGINES, engine_origins

_REGISTRIES: Mapping[str, Registry[Any]] = {registry.kind: registry for registry in (ENGINES, FACETS)}


def bundled_plugins(
    engine: str, settings: Mapping[str, Any], facets: Iterable[Facet]
) -> tuple[BundledPlugin, ...]:
    """Name the plug-ins that an engine, its members and facets come from, with digests of their code."""
    origins = [*engine_origins(engine, settings), *FACETS.origins_of(facet.base for facet in facets)]
    return tuple(
        BundledPlugin(
            kind=origin.kind,
            name=origin.name,
            plugin=origin.plugin,
            package=origin.package,
            code=_code(origin.kind, origin.name),
        )
        for origin in origins
    )


def check_plugins(folder: Path, plugins: Sequence[BundledPlugin]) -> None:
    """Check that the plug-ins of a bundle are loaded.

    Raises
    ------
    UserError
        If one is missing, or has other code than the bundle was made with.
    """
    for each in plugins:
        what = f"the {each.kind} {each.name!r} of the plug-in {each.plugin}"
        if each.name not in _REGISTRIES[each.kind].all():
            way = f"install {each.package}" if each.package else f"add --plugins {each.plugin}"
            raise UserError(
                f"the bundle {folder} needs {what}. A bundle holds no code: get the plug-in from its author, "
                f"read it, and {way}."
            )
        if _code(each.kind, each.name) != each.code:
            raise UserError(
                f"the bundle {folder} was made with another version of {what}. Get the version that it was "
                "made with, or train the cell again."
            )


def _code(kind: str, name: str) -> str:
    return code_digest(*_REGISTRIES[kind].files_of([name]))
