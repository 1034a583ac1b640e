"""The roles that cells have in tested comparisons."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from polyfacet.facets.columns.declaration import COMPOSITION
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import facets_of
from polyfacet.training.cells import NO_FACET
from polyfacet.training.engines.registry import ENGINES

SINGLE, MULTI, BASELINE = "single", "multi", "baseline"
# Any cell, whatever its role.
ANY = "any"


def roles_of(
    combination: str,
    engine: str,
    forms: Mapping[str, str],
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, bool]:
    """Return which roles a cell has, by column of ``CELLS``.

    Parameters
    ----------
    combination
        Its combination of facets.
    engine
        Name of its engine.
    forms
        Facet to the form of it that is used where a combination names none.
    settings
        Settings of the engine, which name the members of a blend or an ensemble.

    Returns
    -------
    dict
        ``role_single``: it looks at one facet; ``role_multi``: at several; ``role_baseline``: at nothing, or
        with a cheap engine at nothing but the composition.
    """
    facets = _facets(combination)
    return {
        "role_single": len(facets) == 1,
        "role_multi": len(facets) > 1,
        "role_baseline": not facets
        or (looks_only_at_composition(combination, forms) and _is_cheap(engine, settings)),
    }


def looks_only_at_composition(combination: str, forms: Mapping[str, str]) -> bool:
    """Return whether all facets of a combination, if any, are made from the composition alone."""
    return all(_shows_only_composition(facet, forms) for facet in _facets(combination))


def _is_cheap(engine: str, settings: Mapping[str, Any]) -> bool:
    """Return whether an engine and all engines that it averages are cheap."""
    declared = ENGINES.get(engine)
    return declared.cheap and all(_is_cheap(*member) for member in declared.members(settings))


def _facets(combination: str) -> tuple[Facet, ...]:
    return () if combination == NO_FACET else facets_of(combination)


def _shows_only_composition(facet: Facet, forms: Mapping[str, str]) -> bool:
    if facet == COMPOSITION:
        return True
    form = facet.form or forms.get(facet.base, "")
    return facet.needs == "formula" and not facet.form_needs_structure(form)
