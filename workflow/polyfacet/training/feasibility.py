"""Check before a run whether a configuration of individually valid values can be run at all."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from polyfacet.config.run import CRYSTALS
from polyfacet.facets.declaration import Facet
from polyfacet.facets.graph.limits import MIN_MATERIALS
from polyfacet.facets.registry import COMPIMAGE, GRAPH, IMAGE, TEXT, facets_of, in_order
from polyfacet.facets.text.variants import TEXTS_OF_SYMBOLS
from polyfacet.materials.column_objectives import names_of, objectives_of_crystals
from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES
from polyfacet.runtime.errors import UserError
from polyfacet.splits.methods import SPLIT_METHODS
from polyfacet.training.columns_of_splits import columns_of_samples, facet_with_column, is_reserved
from polyfacet.training.complete_methods import Method, Methods, every_settings
from polyfacet.training.encoders.own_checkpoints import named_hyperparameters, own_checkpoints
from polyfacet.training.encoders.timm_names import architectures
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.sources import numbers_of_sources, splits_of_source

# Settings that only some split methods use, with examples.
OF_SOME_SPLITS = {
    "column": "space_group",
    "file": "folds.csv",
    "objective": "gap",
    "random_state": 0,
    "n_folds": 5,
}

# Names that are this similar to a known objective are taken for misspellings (difflib's ratio); fields of
# Alexandria's data are less similar, such as energy_total (0.74).
ALIKE = 0.8


def check_feasible(config: Mapping[str, Any], methods: Methods) -> None:
    """Reject a complete configuration that is bound to fail.

    Parameters
    ----------
    config
        The configuration.
    methods
        Its methods, from `polyfacet.training.methods.checked_methods`.

    Raises
    ------
    UserError
        If keys contradict each other; the message names them all and shows what to write.
    """
    problems = [
        *_splits(config),
        *_columns_of_splits(config),
        *_objectives_of_splits(config),
        *_names(config),
        *_packages(methods),
    ]
    if config["sources"]:
        of_crystals = list(methods[CRYSTALS].values())
        problems += [*_objectives(config), *_objectives_of_network(config), *_filters(config)]
        problems += [*_materials(config, of_crystals), *_encoders(config, of_crystals)]
    if problems:
        raise UserError("The configuration cannot be run:\n" + "\n".join(f"  - {line}" for line in problems))


def fewest_materials(config: Mapping[str, Any], methods: Iterable[Method]) -> int:
    """Return the sample size at which no part of any split is too small for its use.

    If groups stay together, more may be needed.

    Parameters
    ----------
    config
        The configuration.
    methods
        The methods that use crystals.
    """
    trains_network = config["graphs"]["embedding"] == "trained" and GRAPH in _facets_of(methods)
    n_trained = MIN_MATERIALS if trains_network else 1
    return max(_fewest_of_split(split, n_trained) for split in splits_of_source(config, CRYSTALS).values())


def _fewest_of_split(split: Mapping[str, Any], n_trained: int) -> int:
    fraction, held_out = split["train_fraction"], split["validation_fraction"]

    def enough(n: int) -> bool:
        n_train = round(fraction * n)
        n_fitted = round((1 - held_out) * n_train)
        return n_train < n and n_trained <= n_fitted < n_train

    return next(n for n in count(2) if enough(n))


def _splits(config: Mapping[str, Any]) -> Iterator[str]:
    known = SPLIT_METHODS.all()
    for name, split in config["splits"].items():
        if split["method"] not in known:
            yield from _unknown(f"splits.{name}.method", split["method"], list(known))
            continue
        method = known[split["method"]]
        for key, example in OF_SOME_SPLITS.items():
            if key in method.needs and split[key] is None:
                yield (
                    f"splits.{name} needs a `{key}`. Write for example\n"
                    f"      splits: {{{name}: {{method: {method.name}, {key}: {example}}}}}"
                )
            elif split[key] is not None and key not in (*method.needs, *method.takes):
                yield (
                    f"splits.{name}.{key} = {split[key]!r}: the method `{method.name}` does not use it. "
                    "Remove it, or choose another method."
                )


def _columns_of_splits(config: Mapping[str, Any]) -> Iterator[str]:
    """Check that samples have the columns that their splits use, or that files of tables may have them."""
    known = SPLIT_METHODS.all()
    columns = columns_of_samples(config)
    for name, split in config["splits"].items():
        if split["method"] not in known:
            continue
        method = known[split["method"]]
        given = [split["column"]] if split["column"] and "column" in (*method.needs, *method.takes) else []
        own = [source for source in columns if source in (split["sources"] or columns)]
        for wanted in dict.fromkeys([*given, *method.reads]):
            has = [source for source in own if wanted in columns[source]]
            # A split of all sources by a column of crystals, such as `space_group`, is meant for crystals.
            is_of_crystals = CRYSTALS in has and not split["sources"]
            if wanted in given and not is_reserved(wanted) and not is_of_crystals:
                # The reading of a table rejects a column that its file lacks.
                has = [source for source in own if source in has or source != CRYSTALS]
            for source in own:
                if source not in has:
                    yield _lacks_column(name, wanted, source, columns[source], has)


def _objectives_of_splits(config: Mapping[str, Any]) -> Iterator[str]:
    """Check that each source of a split has the objective by whose values it is split, a number."""
    numbers = numbers_of_sources(config)
    for name, split in config["splits"].items():
        objective = split["objective"]
        lacking = [
            source
            for source in (split["sources"] or numbers)
            if objective is not None and objective not in numbers[source]
        ]
        for source in lacking:
            has = [each for each, names in numbers.items() if objective in names]
            yield (
                f"splits.{name}.objective = {objective!r}: {source} has no such objective that is a number; "
                f"available: {', '.join(numbers[source]) or 'none'}.{_restricted(name, has)}"
            )


def _packages(methods: Methods) -> Iterator[str]:
    """Find facets and engines that need a package that is not installed, or files that do not exist."""
    used = {(name, method["engine"]): method for own in methods.values() for name, method in own.items()}
    facets = _facets_of(used.values())
    for facet in in_order(facets):
        if facet.network and (fault := facet.network.package.fault()):
            yield f"the facet {facet.name}: {fault}"
    for (name, engine), method in used.items():
        declared = ENGINES.get(engine)
        if declared.package and (fault := declared.package.fault()):
            yield f"methods.{name}: {fault}"
        for file in dict.fromkeys(file for each in every_settings(method) for file in declared.files(each)):
            if not Path(file).is_file():
                yield f"methods.{name}.settings names {file}, which is not a file. Correct the path."


def _lacks_column(name: str, wanted: str, source: str, columns: Sequence[str], has: Sequence[str]) -> str:
    near = difflib.get_close_matches(wanted, columns, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    if source != CRYSTALS and is_reserved(wanted):
        hint += " The name is reserved: if it is a column of the file, rename it there and here."
    hint += _restricted(name, has)
    lacking = "crystals have" if source == CRYSTALS else f"the table {source} has"
    return (
        f"splits.{name} uses the column {wanted!r}, but {lacking} no such column; available: "
        f"{', '.join(columns)}.{hint}"
    )


def _restricted(name: str, sources: Sequence[str]) -> str:
    """Show how to restrict a split to the sources that it can be applied to, if there are any."""
    if not sources:
        return ""
    return f" Name the sources it applies to:\n      splits: {{{name}: {{sources: [{', '.join(sources)}]}}}}"


def _names(config: Mapping[str, Any]) -> Iterator[str]:
    """Check names of facets against those of objectives: both are columns of the dataset."""
    objectives = [
        *CRYSTAL_OBJECTIVES.all(),
        *names_of(config["objectives"] if config["sources"] else ()),
        *(each for t in config["tables"].values() for each in t["objectives"]),
    ]
    for name in dict.fromkeys(objectives):
        facet = facet_with_column(name)
        if facet is not None:
            renamed = "facet" if name in CRYSTAL_OBJECTIVES.built_in else "objective"
            yield (
                f"the objective {name!r} has the name of a column of the facet {facet!r}, which would "
                f"reveal the answer. Rename the {renamed}."
            )


def _objectives(config: Mapping[str, Any]) -> Iterator[str]:
    """Find names that are likely misspelt, and columns that might be meant as predefined objectives.

    Which columns the sources have is not known before they are read.
    """
    known = list(CRYSTAL_OBJECTIVES.all())
    for named in config["objectives"]:
        if isinstance(named, str):
            near = difflib.get_close_matches(named, known, n=1, cutoff=ALIKE) if named not in known else []
            if near:
                yield (
                    f"objectives names the unknown {named!r}; available: {', '.join(known)}. Did you mean "
                    f"{near[0]}? If {named} is a column of the sources, write\n"
                    f"      objectives: [{{name: {named}, column: {named}}}]"
                )
        elif named["name"] in known and named["column"] is None:
            name = named["name"]
            yield (
                f"objectives: {name} is predefined. Write the name alone to predict it, or the column of the "
                f"sources that is meant instead:\n      objectives: [{{name: {name}, column: {name}}}]"
            )


def _objectives_of_network(config: Mapping[str, Any]) -> Iterator[str]:
    """Check the objectives that the network of the embedding learns: numbers that the run has."""
    objectives = objectives_of_crystals(config["objectives"])
    known = [*CRYSTAL_OBJECTIVES.built_in, *objectives]
    for name in config["graphs"]["training"]["objectives"] or ():
        yield from _unknown("graphs.training.objectives", name, list(dict.fromkeys(known)))
        if name in objectives and objectives[name].classes:
            yield f"graphs.training.objectives names {name}, which has classes: the network learns numbers."


def _unknown(where: str, name: str, known: Sequence[str]) -> Iterator[str]:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        yield f"{where} names the unknown {name!r}; available: {', '.join(known)}.{hint}"


def _facets_of(methods: Iterable[Method]) -> set[Facet]:
    """Return the facets that any of the methods uses."""
    return {facet for method in methods for name in method["combinations"] for facet in facets_of(name)}


def _materials(config: Mapping[str, Any], methods: Iterable[Method]) -> Iterator[str]:
    wanted, fewest = config["n_materials"], fewest_materials(config, methods)
    if wanted != "all" and wanted < fewest:
        yield (
            f"n_materials = {wanted} is too small: it is divided into training, validation and test parts "
            f"(`splits`), and graphs.embedding is {config['graphs']['embedding']}. Write at least\n"
            f"      n_materials: {fewest}"
        )
    pretrain = config["graphs"]["pretrain"]
    if config["graphs"]["embedding"] == "trained" and 0 < pretrain < MIN_MATERIALS:
        yield f"graphs.pretrain = {pretrain} is too few to train on. Write 0, or at least {MIN_MATERIALS}."


def _filters(config: Mapping[str, Any]) -> Iterator[str]:
    filters = config["filters"]
    least, most = filters["sites_min"], filters["sites_max"]
    if most is not None and least > most:
        yield f"filters.sites_min = {least} exceeds filters.sites_max = {most}: no material satisfies both."
    allowed, required = set(filters["elements_allowed"]), set(filters["elements_required"])
    for other, names in (
        ("elements_excluded", required & set(filters["elements_excluded"])),
        ("elements_allowed", required - allowed if allowed else set()),
    ):
        if names:
            yield (
                f"filters.elements_required ({', '.join(sorted(names))}) contradicts filters.{other}: "
                "no material is left."
            )


def _encoders(config: Mapping[str, Any], methods: Iterable[Method]) -> Iterator[str]:
    """Check the local encoders, which are made independently of the materials."""
    encoded = [method for method in methods if ENGINES.get(method["engine"]).encoders]
    if config["encoders"]["source"] != "local" or not encoded:
        return
    width, n_heads = (config["encoders"]["text"][name] for name in ("hidden_size", "n_heads"))
    if width % n_heads:
        multiple = -(-width // n_heads) * n_heads
        yield (
            f"encoders.text.hidden_size = {width} is not a multiple of encoders.text.n_heads = {n_heads}. "
            f"Write for example\n      encoders: {{text: {{hidden_size: {multiple}}}}}"
        )
    for facet in (IMAGE, COMPIMAGE):
        yield from _architecture(facet, config["encoders"][facet.name]["architecture"])
    for facet in in_order(facet for method in encoded for facet in _read_locally(config, method)):
        yield from _words(facet, config["composition"]["text"])


def _words(facet: Facet, usual_form: str) -> Iterator[str]:
    """Reject descriptions of structures for local encoders."""
    if facet.base != TEXT.name or (facet.form or usual_form) in TEXTS_OF_SYMBOLS:
        return
    readable = [TEXT.variant(form).name for form in TEXTS_OF_SYMBOLS] if facet.form else TEXTS_OF_SYMBOLS
    named = f"the facet {facet.name}" if facet.form else f"composition.text: {usual_form}"
    other = "look at" if facet.form else "choose a composition.text that local encoders can read:"
    yield (
        f"{named} needs an encoder that knows its words; encoders.source: local knows elements and numbers "
        "only. Write for example\n      encoders: {source: hub}\n"
        f"    or name your own checkpoint (encoders.checkpoints.text), or {other} {', '.join(readable)}"
    )


def _read_locally(config: Mapping[str, Any], method: Method) -> set[Facet]:
    """List the text facets that a method reads with the local encoder."""
    seen = _facets_of([method])
    named = named_hyperparameters(method["settings"])
    own = own_checkpoints(seen, config["encoders"]["checkpoints"], named)
    return {facet for facet in seen if facet.kind == "text" and facet not in own}


def _architecture(facet: Facet, name: str) -> Iterator[str]:
    known = architectures()
    if known and name not in known:
        near = difflib.get_close_matches(name, sorted(known), n=3)
        example = f" Did you mean {', '.join(near)}?" if near else " See timm.list_models()."
        yield f"encoders.{facet.name}.architecture = {name!r}: timm has no such architecture.{example}"
