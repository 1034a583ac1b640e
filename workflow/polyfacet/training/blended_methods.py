"""Resolve the members of blends, which a configuration names, and the combinations that they can blend."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polyfacet.facets.registry import combination_name, facets_of
from polyfacet.runtime.errors import UserError
from polyfacet.training.complete_methods import Method
from polyfacet.training.engines.blend.parts import facets_without_part, parts_of
from polyfacet.training.engines.blend.settings import BlendMember, Of
from polyfacet.training.engines.registry import ENGINES


@dataclass(frozen=True)
class MethodsOfSource:
    """The methods of a source, complete except for the members of blends.

    Attributes
    ----------
    source
        Name of the source.
    methods
        Its methods by name.
    repeats
        Largest number of repeats of its splits.
    classes
        Names of its objectives that have classes.
    """

    source: str
    methods: Mapping[str, Method]
    repeats: int
    classes: Collection[str]

    def with_members(self) -> dict[str, Method]:
        """Replace the names in the settings of blends by the methods that they mean.

        A blend without ``combinations`` gets all combinations of its members that it can blend.

        Raises
        ------
        UserError
            If a member is unknown or cannot be one, has too few repeats, has settings of its own for an
            objective of the blend, or has no cells of some facet.
        """
        return {
            name: self._resolved(name, method) if ENGINES.get(method["engine"]).blends else method
            for name, method in self.methods.items()
        }

    def _resolved(self, name: str, method: Method) -> Method:
        settings, where = method["settings"], f"methods.{name}.settings.members"
        members = [self._member(where, each, method["engine"]) for each in settings["members"]]
        if len({member.method for member in members}) < len(members):
            raise UserError(f"{where} names a method twice. Name each once.")
        for member in members:
            self._check_repeats(name, member.method)
            self._check_objectives(name, member.method)
            self._check_settings(name, member.method)
            self._check_classes(name, member)
        combinations = self._combinations(name, members, settings["of"])
        used = [part for each in combinations for part in parts_of(facets_of(each), members, settings["of"])]
        # Other cells of a member do not matter: changes of these rerun no blend.
        resolved = [
            {**member.model_dump(mode="json"), "combinations": own}
            for member in members
            if (own := list(dict.fromkeys(part.combination for part in used if part.method == member.method)))
        ]
        return {**method, "combinations": combinations, "settings": {**settings, "members": resolved}}

    def _member(self, where: str, named: Any, blend: str) -> BlendMember:
        """Return the method that a blend names."""
        faults = {
            name: ENGINES.get(blend).fault_of_member(ENGINES.get(method["engine"]))
            for name, method in self.methods.items()
        }
        possible = [name for name, fault in faults.items() if not fault]
        available = f"methods that can be blended: {', '.join(possible) or 'none'}"
        if not isinstance(named, str):
            raise UserError(f"{where} must hold names of methods of the run; {available}.")
        if named not in faults:
            raise UserError(f"{where} names {named!r}, which is not trained on {self.source}; {available}.")
        if faults[named]:
            raise UserError(
                f"{where}: {named!r} cannot be blended, as its engine {faults[named]}; {available}."
            )
        method = self.methods[named]
        return BlendMember(
            method=named,
            engine=method["engine"],
            settings=method["settings"],
            combinations=tuple(method["combinations"]),
        )

    def _check_repeats(self, name: str, member: str) -> None:
        """Reject a member that lacks repeats on which the blend has cells."""
        of_blend, of_member = (
            min(self.methods[each]["repeats"] or self.repeats, self.repeats) for each in (name, member)
        )
        if of_member < of_blend:
            raise UserError(
                f"methods.{name} has cells on {of_blend} repeats, but its member {member} only on "
                f"{of_member} (methods.{member}.repeats). Leave {member} out, or write\n"
                f"      methods: {{{name}: {{repeats: {of_member}}}}}"
            )

    def _check_objectives(self, name: str, member: str) -> None:
        """Reject a member that lacks objectives for which the blend has cells."""
        has = self.methods[member]["objectives"]
        if lacking := [each for each in self.methods[name]["objectives"] if each not in has]:
            raise UserError(
                f"methods.{name} has cells of {', '.join(lacking)}, but its member {member} has none "
                f"(methods.{member}.objectives). Leave {member} out, or write\n"
                f"      methods: {{{name}: {{objectives: [{', '.join(has)}]}}}}"
            )

    def _check_settings(self, name: str, member: str) -> None:
        """Reject a member whose settings differ between objectives of the blend."""
        own = self.methods[member]["settings_of_objectives"]
        if differing := [each for each in self.methods[name]["objectives"] if each in own]:
            raise UserError(
                f"methods.{name} cannot blend {member}, which has settings of its own for "
                f"{', '.join(differing)} (methods.{member}.settings_of_objectives): a member has the same "
                f"settings for all objectives. Leave {member} out, leave {', '.join(differing)} out of "
                f"methods.{name}.objectives, or write another method for these settings."
            )

    def _check_classes(self, name: str, member: BlendMember) -> None:
        classes = [each for each in self.methods[name]["objectives"] if each in self.classes]
        if classes and not ENGINES.get(member.engine).probabilities:
            raise UserError(
                f"methods.{name}.settings.members: classes ({', '.join(classes)} of {self.source}) are "
                f"blended by their probabilities, which the engine {member.engine!r} of {member.method!r} "
                f"does not predict. Leave {member.method} out, or {', '.join(classes)} out of "
                f"methods.{name}.objectives."
            )

    def _combinations(self, name: str, members: Sequence[BlendMember], of: Of) -> list[str]:
        """Return the combinations of a blend, after checking that members look at all of their facets."""
        chosen = self.methods[name]["combinations"]
        combinations = chosen or dict.fromkeys(each for member in members for each in member.combinations)
        lacking = {each: _lacking(each, members, of) for each in combinations}
        first = next((each for each in combinations if lacking[each]), None)
        if first is None or not chosen:
            return [each for each in combinations if not lacking[each]]
        alone = " alone" if of == "facets" else ""
        raise UserError(
            f"methods.{name} cannot blend {first} on {self.source}: no member is trained on {lacking[first]}"
            f"{alone}. Add {lacking[first].split('+')[0]} to the `combinations` of a member, or leave "
            f"{first} out of those of {name}."
        )


def _lacking(combination: str, members: Sequence[BlendMember], of: Of) -> str:
    """Return the facets of a combination that no member is trained on, joined by ``+``."""
    facets = facets_of(combination)
    return combination_name(facets_without_part(facets, parts_of(facets, members, of)))
