"""The methods of splitting a sample, each declared once."""

from collections.abc import Callable, Iterable, Mapping
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
from polyfacet.splits.highest import highest
from polyfacet.splits.parts import PARTS, TEST, TRAIN, VALID, divide
from polyfacet.splits.positional import fold_by_position, split_by_position
from polyfacet.splits.symmetry import by_prototype, by_space_group


@dataclass(frozen=True)
class SplitSettings:
    """Settings of a split in the configuration (``splits.<name>``), and the run's seed."""

    train_fraction: float
    # Share of the materials outside the test part.
    validation_fraction: float
    seed: int
    # Number of the repeat; each has its own test rows, validation rows and seeds.
    repeat: int
    # Whether formulas may be rounded; see `composition_groups`.
    rounded: bool = False
    # For ``scikit_learn``: state for all repeats; None uses the sum of seed and repeat.  For ``k_fold``:
    # state of the first ``n_folds`` repeats; None uses the seed.
    random_state: int | None = None
    # For ``column``: the column whose values must not be divided.
    column: str | None = None
    # For ``folds``: CSV of the parts.
    file: Path | None = None
    # For ``highest``: column of the objective whose highest values are held out.
    objective: str | None = None
    # For ``k_fold``: number of folds.
    n_folds: int | None = None


@dataclass(frozen=True)
class SplitMethod(Declaration):
    """A method of splitting.

    Attributes
    ----------
    name
        Name in a configuration.
    label
        Name in tables and figures.
    group
        Groups that must not be divided: from the materials (see `split_materials`) and the settings,
        mat_id to group.  Twins are joined by the caller: no method ever divides them.
    assign
        Part of each material, if groups and fractions do not determine it; None leaves it to them.  It must
        not divide a group.  Materials without a part are left out of the split.
    held_out
        Whether each material is in the test part, if groups and fractions do not determine that; None leaves
        it to them.  Twins of a test material are test materials, too; the others are divided into training
        and validation part by groups.  Materials that it does not name are left out of the split.
    reveals
        Identifiers of materials outside the sample that show what the split holds out: from the sample with
        its ``part``, the others, and the settings; it returns None if they are unknown.  Without it: those of
        groups of the held-out parts, or unknown with `assign` or `held_out`.
    needs
        Settings (`column`, `file`, `objective`, `n_folds`) without which the method does not work.
    takes
        Further settings that it accepts, in addition to the fractions, the seed and ``needs``.
    reads
        Columns of the sample that it uses in addition to ``mat_id`` and ``formula``.
    if_twins_are_divided
        What to do if the parts of `assign` divide twins, for the message.
    """

    name: str
    label: str
    group: Callable[[pd.DataFrame, SplitSettings], Mapping[str, str]]
    assign: Callable[[pd.DataFrame, SplitSettings], Mapping[str, str]] | None = None
    held_out: Callable[[pd.DataFrame, SplitSettings], Mapping[str, bool]] | None = None
    reveals: Callable[[pd.DataFrame, pd.DataFrame, SplitSettings], Iterable[str] | None] | None = None
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    if_twins_are_divided: str = "Let its `assign` put them into one part."

    def __post_init__(self) -> None:
        """Reject a name that is invalid in configurations, and contradictions."""
        check_name("a way to split", self.name)
        if self.assign is not None and self.held_out is not None:
            raise ValueError(f"the way to split {self.name!r} has both `assign` and `held_out`: choose one")


def _by_formula(materials: pd.DataFrame, *, rounded: bool) -> dict[str, str]:
    """Group materials by formula; equal formulas are spelled the same unless they may be rounded.

    Parameters
    ----------
    materials
        ``mat_id`` and ``formula``; for crystals also ``n_sites``.
    rounded
        Whether formulas may be rounded, so that compositions must be compared pairwise, which is infeasible
        for millions of materials.  Otherwise only crystals with shared or half-empty sites are compared.
    """
    # Planning a run reads the declarations and must not import pymatgen and SciPy.
    from polyfacet.materials.disordered_compositions import disordered_groups  # noqa: PLC0415
    from polyfacet.materials.same_composition import composition_groups  # noqa: PLC0415

    formulas = dict(zip(materials["mat_id"], materials["formula"], strict=True))
    if rounded:
        return composition_groups(formulas)
    if "n_sites" not in materials:
        return formulas
    return disordered_groups(formulas, dict(zip(materials["mat_id"], materials["n_sites"], strict=True)))


def _by_column(materials: pd.DataFrame, settings: SplitSettings) -> Mapping[str, str]:
    """Group materials by a column; group formulas, which may have several spellings, as compositions."""
    if settings.column == "formula":
        return _by_formula(materials, rounded=settings.rounded)
    return by_column(materials, str(settings.column))


def _by_chemical_system(materials: pd.DataFrame, settings: SplitSettings) -> Mapping[str, str]:
    from polyfacet.materials.disordered_compositions import chemical_system  # noqa: PLC0415 - imports SciPy

    return {
        mat_id: chemical_system(formula)
        for mat_id, formula in materials[["mat_id", "formula"]].itertuples(index=False)
    }


def _positional(materials: pd.DataFrame, settings: SplitSettings) -> Mapping[str, str]:
    state = settings.random_state
    return split_by_position(
        list(materials["mat_id"]),
        settings.train_fraction,
        settings.validation_fraction,
        settings.seed + settings.repeat if state is None else state,
    )


def _fold(materials: pd.DataFrame, settings: SplitSettings) -> Mapping[str, str]:
    """Test on the folds in turn; once all have been tested on, divide anew."""
    n_folds = int(settings.n_folds or 0)
    divided, fold = divmod(settings.repeat, n_folds)
    state = settings.seed if settings.random_state is None else settings.random_state
    return fold_by_position(
        list(materials["mat_id"]), n_folds, fold, settings.validation_fraction, state + divided
    )


def _higher_than_learned(
    sampled: pd.DataFrame, others: pd.DataFrame, settings: SplitSettings
) -> Iterable[str] | None:
    """Return materials with higher values than all outside the test part.

    An objective with a table of its own has values for materials of the sample only: None.
    """
    if settings.objective not in others:
        return None
    learned = sampled.loc[sampled["part"] != TEST, settings.objective].astype(float).max()
    return others.loc[others[settings.objective].astype(float) > learned, "mat_id"]


RANDOM = SplitMethod("random", "random", lambda materials, settings: by_material(materials))
FORMULA = SplitMethod(
    "formula",
    "by formula",
    lambda materials, settings: _by_formula(materials, rounded=settings.rounded),
)
CHEMICAL_SYSTEM = SplitMethod("chemical_system", "by chemical system", _by_chemical_system)
SPACE_GROUP = SplitMethod(
    "space_group",
    "by space group",
    lambda materials, settings: by_space_group(materials),
    reads=("structure",),
)
PROTOTYPE = SplitMethod(
    "prototype",
    "by prototype",
    lambda materials, settings: by_prototype(materials),
    reads=("structure",),
)
HIGHEST = SplitMethod(
    "highest",
    "highest values held out",
    FORMULA.group,
    held_out=lambda materials, settings: highest(
        materials, str(settings.objective), 1 - settings.train_fraction
    ),
    reveals=_higher_than_learned,
    needs=("objective",),
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
    if_twins_are_divided="Put them into one part in its file.",
)
SCIKIT_LEARN = SplitMethod(
    "scikit_learn",
    "scikit-learn",
    lambda materials, settings: by_material(materials),
    assign=_positional,
    # It promises nothing but other rows.
    reveals=lambda sampled, others, settings: (),
    takes=("random_state",),
    if_twins_are_divided=(
        "Rows by position cannot keep them together. Use `random`, which does, or limit the split to tables: "
        "`sources: [<table>]`."
    ),
)
K_FOLD = SplitMethod(
    "k_fold",
    "k-fold",
    SCIKIT_LEARN.group,
    assign=_fold,
    reveals=SCIKIT_LEARN.reveals,
    needs=("n_folds",),
    takes=("random_state",),
    if_twins_are_divided=SCIKIT_LEARN.if_twins_are_divided,
)
# If a smaller share of the identifiers that could match does, the parts are for other materials.
MIN_KNOWN_SHARE = 0.1
SPLIT_METHODS = Registry(
    "way to split",
    SplitMethod,
    (
        RANDOM,
        FORMULA,
        CHEMICAL_SYSTEM,
        SPACE_GROUP,
        PROTOTYPE,
        HIGHEST,
        COLUMN,
        FOLDS,
        SCIKIT_LEARN,
        K_FOLD,
    ),
)


def split_materials(
    materials: pd.DataFrame,
    method: SplitMethod,
    settings: SplitSettings,
    twins: Mapping[str, str] = MappingProxyType({}),
) -> tuple[pd.DataFrame, Coverage]:
    """Assign a part to each material.

    Parameters
    ----------
    materials
        ``mat_id``, ``formula``, for crystals ``n_sites``, and the columns that the method reads, in the order
        of their source.
    method, settings
        Method of the split, and its settings.
    twins
        mat_id to the name of its twins, of materials that have any.

    Returns
    -------
    tuple of pandas.DataFrame and Coverage
        Rows of ``SPLIT``, ordered by mat_id; materials without a part, and identifiers not in the sample.

    Raises
    ------
    UserError
        If a part would be empty, groups do not match the materials, or given parts divide twins or groups
        or are for other materials.
    """
    own = dict(method.group(materials, settings))
    check_groups(own, materials["mat_id"], method.name)
    groups = with_twins(own, twins)
    if method.held_out is not None:
        groups, parts = _beside(dict(method.held_out(materials, settings)), own, twins, settings)
        given: Mapping[str, str] = parts
    elif method.assign is None:
        given = parts = _drawn(groups, settings)
    else:
        given = dict(method.assign(materials, settings))
        parts = _in_sample(given, materials, method)
        check_twins_are_whole(parts, twins, method.name, method.if_twins_are_divided)
        check_groups_are_whole(parts, own, method.name)
    rows = [(mat_id, groups[mat_id], parts[mat_id]) for mat_id in sorted(parts)]
    return pd.DataFrame(rows, columns=["mat_id", "group", "part"]), coverage_of(given, materials["mat_id"])


def _drawn(groups: Mapping[str, str], settings: SplitSettings) -> dict[str, str]:
    rest, test = divide(groups, settings.train_fraction, "split", settings.seed, settings.repeat)
    inner = {mat_id: groups[mat_id] for mat_id in rest}
    return _drawn_validation(inner, settings) | dict.fromkeys(test, TEST)


def _drawn_validation(groups: Mapping[str, str], settings: SplitSettings) -> dict[str, str]:
    """Divide the materials outside the test part."""
    fraction = 1 - settings.validation_fraction
    try:
        train, valid = divide(groups, fraction, "validation", settings.seed, settings.repeat)
    except UserError as error:
        raise UserError(
            f"the {len(groups)} materials outside the test part are one group, "
            f"{next(iter(groups.values()), '')!r}, which cannot be divided into training and validation "
            "part. A split needs at least three groups. Use a method with smaller groups, such as `formula`."
        ) from error
    return dict.fromkeys(train, TRAIN) | dict.fromkeys(valid, VALID)


def _beside(
    held_out: Mapping[str, bool],
    own: Mapping[str, str],
    twins: Mapping[str, str],
    settings: SplitSettings,
) -> tuple[dict[str, str], dict[str, str]]:
    """Return groups and parts of materials if the test part is given; it may divide groups, but no twins."""
    chosen = {mat_id for mat_id, is_chosen in held_out.items() if is_chosen}
    of_chosen = {twins[mat_id] for mat_id in chosen if mat_id in twins}
    test = {mat_id for mat_id in held_out if mat_id in chosen or twins.get(mat_id) in of_chosen}
    rest = with_twins({mat_id: own[mat_id] for mat_id in held_out if mat_id not in test}, twins)
    groups = rest | {mat_id: f"{own[mat_id]} (held out)" for mat_id in test}
    return groups, _drawn_validation(rest, settings) | dict.fromkeys(test, TEST)


def _in_sample(given: Mapping[str, str], materials: pd.DataFrame, method: SplitMethod) -> dict[str, str]:
    """Select the given parts of materials in the sample."""
    for mat_id, part in given.items():
        if part not in PARTS:
            raise UserError(
                f"the split {method.name!r} puts {mat_id} into the part {part!r}; use {', '.join(PARTS)}."
            )
    known = set(materials["mat_id"])
    parts = {mat_id: part for mat_id, part in given.items() if mat_id in known}
    # Folds may cover many more materials than the sample, or only a few of them.
    if len(parts) < MIN_KNOWN_SHARE * min(len(given), len(known)):
        raise UserError(
            f"the split {method.name!r} names {len(given)} materials, {len(parts)} of which are in this "
            f"sample of {len(known)}: it is for other materials. Its identifiers are like "
            f"{next(iter(given))}, those of the sample like {materials['mat_id'].iloc[0]}."
        )
    for part in (TRAIN, TEST):
        if part not in parts.values():
            raise UserError(
                f"the split {method.name!r} leaves no material of this sample in the part {part!r}: "
                f"it names {len(given)} materials, {len(parts)} of which are in the sample."
            )
    return parts
