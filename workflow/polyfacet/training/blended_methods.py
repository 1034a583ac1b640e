"""Resolve the members of blends, which a configuration names, and the combinations that they can blend."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from polyfacet.facets.registry import combination_name, facets_of
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.blend.parts import facets_without_part, parts_of
from polyfacet.training.engines.blend.settings import BlendMember, Of
from polyfacet.training.engines.registry import ENGINES

Method = Mapping[str, Any]


def with_members(
    methods: Mapping[str, Method], source: str, repeats: Sequence[int], classes: Collection[str]
) -> dict[str, Method]:
    """Replace the names in the settings of blends by the methods that they mean.

    A blend without ``combinations`` gets all combinations of its members that can be blended.

    Parameters
    ----------
    methods
        Methods of a source by name, complete except for this.
    source
        Name of the source, for messages.
    repeats
        Number of repeats of each split of the source.
    classes
        Names of the objectives of the source that have classes.

    Raises
    ------
    UserError
        If a member is unknown or cannot be one, has too few repeats, or has no cells of some facet.
    """
    return {
        name: _resolved(name, method, methods, source, repeats, classes)
        if ENGINES.get(method["engine"]).blends
        else method
        for name, method in methods.items()
    }


def _resolved(
    name: str,
    method: Method,
    methods: Mapping[str, Method],
    source: str,
    repeats: Sequence[int],
    classes: Collection[str],
) -> Method:
    settings, where = method["settings"], f"methods.{name}.settings.members"
    members = [_member(where, each, method["engine"], methods, source) for each in settings["members"]]
    if len({member.method for member in members}) < len(members):
        raise UserError(f"{where} names a method twice. Name each once.")
    for member in members:
        _check_repeats(name, method, member.method, methods[member.method], repeats)
        _check_classes(where, member, source, classes)
    combinations = _combinations(name, method["combinations"], members, settings["of"], source)
    used = [part for each in combinations for part in parts_of(facets_of(each), members, settings["of"])]
    # Other cells of a member do not matter: a change of these reruns no blend.
    resolved = [
        {**member.model_dump(mode="json"), "combinations": own}
        for member in members
        if (own := list(dict.fromkeys(part.combination for part in used if part.method == member.method)))
    ]
    return {**method, "combinations": combinations, "settings": {**settings, "members": resolved}}


def _member(where: str, named: Any, blend: str, methods: Mapping[str, Method], source: str) -> BlendMember:
    """Return the method that a blend names."""
    possible = [
        name
        for name, method in methods.items()
        if not ENGINES.get(blend).fault_of_member(ENGINES.get(method["engine"]))
    ]
    available = f"methods that can be blended: {', '.join(possible) or 'none'}"
    if not isinstance(named, str):
        raise UserError(f"{where} must hold names of methods of the run; {available}.")
    if named not in methods:
        raise UserError(f"{where} names {named!r}, which is not trained on {source}; {available}.")
    method = methods[named]
    if fault := ENGINES.get(blend).fault_of_member(ENGINES.get(method["engine"])):
        raise UserError(f"{where}: the method {named!r} {fault}, so it cannot be blended; {available}.")
    return BlendMember(
        method=named,
        engine=method["engine"],
        settings=method["settings"],
        combinations=tuple(method["combinations"]),
    )


def _check_repeats(name: str, blend: Method, member: str, method: Method, repeats: Sequence[int]) -> None:
    """Reject a member that lacks repeats on which the blend has cells."""
    of_blend, of_member = (
        max(repeats) if each["repeats"] is None else min(each["repeats"], max(repeats))
        for each in (blend, method)
    )
    if of_member < of_blend:
        raise UserError(
            f"methods.{name} blends {member}, which has only {of_member} of {of_blend} repeats "
            f"(methods.{member}.repeats). Leave it out, or write\n"
            f"      methods: {{{name}: {{repeats: {of_member}}}}}"
        )


def _check_classes(where: str, member: BlendMember, source: str, classes: Collection[str]) -> None:
    if classes and not ENGINES.get(member.engine).probabilities:
        raise UserError(
            f"{where}: {source} has the classes of {', '.join(classes)}, which are blended by their "
            f"probabilities, but the engine {member.engine!r} of {member.method!r} has none. Leave it out."
        )


def _combinations(
    name: str, chosen: Sequence[str], members: Sequence[BlendMember], of: Of, source: str
) -> list[str]:
    """Return the combinations of a blend, after checking that members look at all of their facets."""
    combinations = chosen or dict.fromkeys(each for member in members for each in member.combinations)
    lacking = {each: _lacking(each, members, of) for each in combinations}
    possible = [each for each in combinations if not lacking[each]]
    if possible and (not chosen or len(possible) == len(chosen)):
        return possible
    worst = next(each for each in combinations if lacking[each])
    alone = " alone" if of == "facets" else ""
    raise UserError(
        f"methods.{name} cannot blend {worst} on {source}: no member is trained on {lacking[worst]}{alone}. "
        f"Add {lacking[worst].split('+')[0]} to the combinations of a member, or restrict the `combinations` "
        f"or `sources` of {name}."
    )


def _lacking(combination: str, members: Sequence[BlendMember], of: Of) -> str:
    """Return the facets of a combination that no member is trained on, joined by ``+``."""
    facets = facets_of(combination)
    return combination_name(facets_without_part(facets, parts_of(facets, members, of)))
