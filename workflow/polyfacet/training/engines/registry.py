"""The engines by name, and properties that follow from their declarations."""

from collections.abc import Mapping, Sequence
from importlib import util
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from polyfacet.config.completion import checked_section
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import facets_of
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.plugins import Origin, Registry
from polyfacet.training.engines.attention.declaration import ATTENTION
from polyfacet.training.engines.automm.declaration import AUTOMM
from polyfacet.training.engines.blend.declaration import BLEND
from polyfacet.training.engines.classical.declaration import CLASSICAL
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.dummy.declaration import DUMMY
from polyfacet.training.engines.ensemble.declaration import ENSEMBLE
from polyfacet.training.engines.joint.declaration import JOINT
from polyfacet.training.engines.mcvn.declaration import MCVN
from polyfacet.training.engines.tabicl.declaration import TABICL

ENGINES = Registry(
    "engine", EngineDeclaration, (ATTENTION, AUTOMM, BLEND, CLASSICAL, DUMMY, ENSEMBLE, JOINT, MCVN, TABICL)
)


def complete_settings(
    name: str, settings: Mapping[str, Any], where: Sequence[str | int] = ()
) -> dict[str, Any]:
    """Check the settings of an engine and fill in its defaults.

    Parameters
    ----------
    name
        Name of the engine.
    settings
        Settings in a configuration.
    where
        Path of configuration keys to the settings, for messages.

    Raises
    ------
    UserError
        If a setting is unknown or wrong; the message names it and shows what to write.  Also if a setting
        would reach the jobs as another value, because JSON cannot hold it: an infinite default, for example.
    """
    declared = ENGINES.get(name)
    checked = checked_section(declared.settings, settings, where)
    written = checked.model_dump(mode="json")
    if changed := _changed_by_json(checked, written):
        raise UserError(
            f"the engine {name!r} has settings that its jobs would read differently, because JSON cannot "
            f"hold them: {', '.join(changed)}. Declare them with finite, plain values, such as "
            "null for no limit."
        )
    for number, (member, own) in enumerate(declared.members(written)):
        _check_member(declared, member, own, [*where, "members", number])
    return written


def _check_member(
    whole: EngineDeclaration, name: str, settings: Mapping[str, Any], where: Sequence[str | int]
) -> None:
    """Check the engine and the settings of a member of another engine."""
    known, place = ENGINES.all(), ".".join(map(str, where))
    if name not in known:
        raise UserError(f"{place} names an unknown engine {name!r}; available: {', '.join(known)}.")
    if fault := whole.fault_of_member(known[name]):
        raise UserError(f"{place}: the engine {name!r} {fault}, so {whole.name!r} cannot use it.")
    complete_settings(name, settings, [*where, "settings"])


def _changed_by_json(checked: BaseModel, written: dict[str, Any]) -> list[str]:
    """Name the settings that are not the same after they have been written and read again."""
    try:
        again = type(checked).model_validate(written)
    except ValidationError as error:
        return sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]})
    names = type(checked).model_fields
    return [name for name in names if getattr(checked, name) != getattr(again, name)]


def needs_statistics(name: str, settings: Mapping[str, Any]) -> bool:
    """Return whether an engine, or a member of it, uses the composition statistics."""
    declared = ENGINES.get(name)
    return declared.needs_statistics(settings) or any(
        needs_statistics(*member) for member in declared.members(settings)
    )


def needs_graphs(name: str, settings: Mapping[str, Any]) -> bool:
    """Return whether an engine, or a member of it, reads crystal graphs."""
    declared = ENGINES.get(name)
    return declared.needs_graphs(settings) or any(
        needs_graphs(*member) for member in declared.members(settings)
    )


def reads_encoding(facet: Facet, name: str, settings: Mapping[str, Any]) -> bool:
    """Return whether an engine, or a member of it, reads the frozen encoding of a facet."""
    declared = ENGINES.get(name)
    if facet.is_numeric:
        return False
    on_facet = declared.members_on
    members = on_facet(facet, settings) if on_facet else declared.members(settings)
    return declared.reads_encoding(facet, settings) or any(
        reads_encoding(facet, *member) for member in members
    )


def engine_files(name: str, settings: Mapping[str, Any]) -> tuple[Path, ...]:
    """Return the files of an engine and of its members, for digests of code."""
    declared = ENGINES.get(name)
    own = [declared.file] if declared.file else []
    members = [file for member in declared.members(settings) for file in engine_files(*member)]
    return tuple(dict.fromkeys([*own, *ENGINES.files_of([name]), *members]))


def explaining_files(name: str) -> tuple[Path, ...]:
    """Return the file of what explains an engine, for digests of code."""
    module = ENGINES.get(name).explained_by.split(":")[0]
    spec = util.find_spec(module) if module else None
    return (Path(spec.origin),) if spec and spec.origin else ()


def engine_origins(name: str, settings: Mapping[str, Any]) -> tuple[Origin, ...]:
    """Return the origins of an engine and its members, as far as plug-ins declare them."""
    members = ENGINES.get(name).members(settings)
    found = (*ENGINES.origins_of([name]), *(each for member in members for each in engine_origins(*member)))
    return tuple(dict.fromkeys(found))


def check_combinations(name: str, combinations: Sequence[str], known: Sequence[Facet]) -> None:
    """Reject combinations of facets that an engine cannot use.

    Parameters
    ----------
    name
        Name of the engine.
    combinations
        Names of the combinations.
    known
        The available facets, for the message.

    Raises
    ------
    UserError
        If there are such combinations; names them, and the facets that the engine accepts.
    """
    looks_at = ENGINES.get(name).looks_at
    refused = [each for each in combinations if not all(map(looks_at, facets_of(each)))]
    if refused:
        taken = [facet.name for facet in known if looks_at(facet)]
        example = f": write for example\n      combinations: [{taken[0]}]" if taken else "."
        raise UserError(
            f"engine {name!r} cannot use {', '.join(refused)}. It accepts the facets "
            f"{', '.join(taken) or 'of no source of this run'}{example}"
        )
