"""The ways to split a sample, each declared once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.names import check_name
from polyfacet.runtime.plugins import Declaration, Registry
from polyfacet.splits.checks import check_groups, check_groups_are_whole, check_twins_are_whole
from polyfacet.splits.coverage import Coverage, coverage_of
from polyfacet.splits.folds import read_folds
from polyfacet.splits.grouping import by_column, by_material, with_twins
from polyfacet.splits.parts import PARTS, TEST, TRAIN, VALID, divide
from polyfacet.splits.positional import split_by_position


@dataclass(frozen=True)
class SplitSettings:
    """What a split of the configuration says (``splits.<name>``), and the run's seed."""

    train_fraction: float
    # Share of what is not tested on.
    validation_fraction: float
    seed: int
    # Which repeat: each has its own test rows, validation rows and seeds.
    repeat: int
    # Whether formulas are as someone rounded them; see `composition_groups`.
    rounded: bool = False
    # Of ``scikit_learn``: state of all repeats; None takes seed and repeat added.
    random_state: int | None = None
    # Of ``column``: what must not be divided.
    column: str | None = None
    # Of ``folds``: CSV of the parts.
    file: Path | None = None


@dataclass(frozen=True)
class SplitMethod(Declaration):
    """A way to split.

    Attributes
    ----------
    name
        Name in a configuration.
    label
        Name in tables and figures.
    group
        What must not be divided: from the materials (see `split_materials`) and the settings,
        mat_id to group.  Twins are added by the frame: they are never divided, whatever the method.
    assign
        Part of each material, where groups and fractions do not decide it; None leaves it to them.  It may
        not divide a group.  A material without a part is left out of the split.
    needs
        Settings (`column`, `file`) without which the method does not work.
    takes
        Settings that it may be given beside the fractions, the seed and these.
    reads
        Columns of the sample that it looks at beside ``mat_id`` and ``formula``.
    """

    name: str
    label: str
    group: Callable[[pd.DataFrame, SplitSettings], Mapping[str, str]]
    assign: Callable[[pd.DataFrame, SplitSettings], Mapping[str, str]] | None = None
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a name that no configuration could ask for."""
        check_name("a way to split", self.name)


def _by_formula(materials: pd.DataFrame, *, rounded: bool) -> dict[str, str]:
    """Group materials by formula, all in one spelling.

    Parameters
    ----------
    materials
        ``mat_id`` and ``formula``; of crystals also ``n_sites``.
    rounded
        Whether formulas are as someone rounded them, so that compositions must be compared: each with each,
        which is not for millions of materials.  Of crystals only those of shared or half-empty sites are.
    """
    # Every plan of a run reads the declarations, and does without pymatgen and SciPy.
    from polyfacet.materials.disordered_compositions import disordered_groups  # noqa: PLC0415
    from polyfacet.materials.same_composition import composition_groups  # noqa: PLC0415

    formulas = dict(zip(materials["mat_id"], materials["formula"], strict=True))
    if rounded:
        return composition_groups(formulas)
    if "n_sites" not in materials:
        return formulas
    return disordered_groups(formulas, dict(zip(materials["mat_id"], materials["n_sites"], strict=True)))


def _by_column(materials: pd.DataFrame, settings: SplitSettings) -> Mapping[str, str]:
    """Group materials by a column; formulas, which may have several spellings, as compositions."""
    if settings.column == "formula":
        return _by_formula(materials, rounded=settings.rounded)
    return by_column(materials, str(settings.column))


def _positional(materials: pd.DataFrame, settings: SplitSettings) -> Mapping[str, str]:
    state = settings.random_state
    return split_by_position(
        list(materials["mat_id"]),
        settings.train_fraction,
        settings.validation_fraction,
        settings.seed + settings.repeat if state is None else state,
    )


RANDOM = SplitMethod("random", "random", lambda materials, settings: by_material(materials))
FORMULA = SplitMethod(
    "formula",
    "by formula",
    lambda materials, settings: _by_formula(materials, rounded=settings.rounded),
)
COLUMN = SplitMethod(
    "column",
    "by column",
    _by_column,
    needs=("column",),
)
FOLDS = SplitMethod(
    "folds",
    "given folds",
    lambda materials, settings: by_material(materials),
    assign=lambda materials, settings: read_folds(Path(str(settings.file)), settings.repeat),
    needs=("file",),
)
SCIKIT_LEARN = SplitMethod(
    "scikit_learn",
    "scikit-learn",
    lambda materials, settings: by_material(materials),
    assign=_positional,
    takes=("random_state",),
)
# Where fewer of the identifiers that could match do, the parts are those of other materials.
MIN_KNOWN_SHARE = 0.1
SPLIT_METHODS = Registry("way to split", SplitMethod, (RANDOM, FORMULA, COLUMN, FOLDS, SCIKIT_LEARN))


def split_materials(
    materials: pd.DataFrame,
    method: SplitMethod,
    settings: SplitSettings,
    twins: Mapping[str, str] = MappingProxyType({}),
) -> tuple[pd.DataFrame, Coverage]:
    """Give each material its part.

    Parameters
    ----------
    materials
        ``mat_id``, ``formula``, of crystals ``n_sites``, and the columns that the method reads, in the order
        of their source.
    method, settings
        How to split.
    twins
        mat_id to the name of its twins, of materials that have any.

    Returns
    -------
    tuple of pandas.DataFrame and Coverage
        Rows of ``SPLIT``, ordered by mat_id; which materials have none, and what is of no material.

    Raises
    ------
    UserError
        If a part would be empty, groups are not those of the materials, or given parts divide twins or groups
        or are of other materials.
    """
    own = dict(method.group(materials, settings))
    check_groups(own, materials["mat_id"], method.name)
    groups = with_twins(own, twins)
    if method.assign is None:
        given = parts = _drawn(groups, settings)
    else:
        given = dict(method.assign(materials, settings))
        parts = _in_sample(given, materials, method)
        check_twins_are_whole(parts, twins, method.name)
        check_groups_are_whole(parts, own, method.name)
    rows = [(mat_id, groups[mat_id], parts[mat_id]) for mat_id in sorted(parts)]
    return pd.DataFrame(rows, columns=["mat_id", "group", "part"]), coverage_of(given, materials["mat_id"])


def _drawn(groups: Mapping[str, str], settings: SplitSettings) -> dict[str, str]:
    key = settings.seed, settings.repeat
    rest, test = divide(groups, settings.train_fraction, "split", *key)
    inner = {mat_id: groups[mat_id] for mat_id in rest}
    train, valid = divide(inner, 1 - settings.validation_fraction, "validation", *key)
    return dict.fromkeys(train, TRAIN) | dict.fromkeys(valid, VALID) | dict.fromkeys(test, TEST)


def _in_sample(given: Mapping[str, str], materials: pd.DataFrame, method: SplitMethod) -> dict[str, str]:
    """Select the given parts of materials that there are."""
    for mat_id, part in given.items():
        if part not in PARTS:
            raise UserError(
                f"the split {method.name!r} puts {mat_id} into the part {part!r}; there are: "
                f"{', '.join(PARTS)}."
            )
    known = set(materials["mat_id"])
    parts = {mat_id: part for mat_id, part in given.items() if mat_id in known}
    # Folds may be of many more materials than the sample, or of a few of them.
    if len(parts) < MIN_KNOWN_SHARE * min(len(given), len(known)):
        raise UserError(
            f"the split {method.name!r} names {len(given)} materials, {len(parts)} of which are in this "
            f"sample of {len(known)}: it is of other materials. Its identifiers are like "
            f"{next(iter(given))}, those of the sample like {materials['mat_id'].iloc[0]}."
        )
    for part in (TRAIN, TEST):
        if part not in parts.values():
            raise UserError(
                f"the split {method.name!r} leaves no material of this sample in the part {part!r}: "
                f"it names {len(given)} materials, {len(parts)} of which are in the sample."
            )
    return parts
