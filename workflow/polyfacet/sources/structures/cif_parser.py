"""Pymatgen's parser of CIFs, which derives the operations of each stated symmetry only once."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from pymatgen.core.operations import MagSymmOp, SymmOp
from pymatgen.io.cif import CifBlock, CifParser

from polyfacet.sources.structures.cif_form import MAGNETIC_OPERATIONS, OPERATIONS
from polyfacet.sources.structures.cif_group import Group, NoGroupError, check_form, group_of
from polyfacet.sources.structures.cif_sites import ATTACHED_HYDROGENS, check_hydrogens
from polyfacet.sources.values import InvalidEntryError

# Each of the 230 space groups is enough for most folders; a list has at most 192 operations.
KEPT_SYMMETRIES = 256
# Parts of all keys from which the parser derives operations.
KEYS_OF_SYMMETRY = ("symmetry", "space_group")
# The parser would look these symbols up as Hermann-Mauguin symbols: `P 4 2` is the group P 4 2 2, not P 42.
HALL = re.compile(r"_(symmetry[._])?space_group[._]name_Hall_?", re.I)


class StatedSymmetry(NamedTuple):
    """Symmetry operations, what the parser warned of when it derived them, and their group.

    The group is a text that says what is wrong if they are none.
    """

    operations: Sequence[SymmOp]
    warnings: Sequence[str]
    group: Group | str


class CachingCifParser(CifParser):
    """A parser for many files, of which most state the same few symmetries.

    Attributes
    ----------
    group
        The group of the operations that were read last, without time reversal; None before any were read.
    """

    group: Group | None = None

    @property
    def is_magnetic(self) -> bool:
        """Whether operations are those of a magnetic CIF."""
        return bool(vars(self)["feature_flags"]["magcif"])

    @property
    def warned(self) -> list[str]:
        """What the parser warned of so far."""
        warned: list[str] = vars(self)["warnings"]
        return warned

    @property
    def replaced_sites(self) -> bool:
        """Whether sites such as `0.8Nb + 0.2Zr` were replaced, so that their numbers are not as written."""
        return any("Pauling file corrections" in warning for warning in self.warned)

    def get_symops(self, data: CifBlock) -> list[SymmOp]:
        """Return the symmetry operations of a data block.

        Raises
        ------
        InvalidEntryError
            If they are not a group.
        """
        stated = tuple(
            (key, tuple(value) if isinstance(value, list) else value)
            for key, value in data.data.items()
            if any(part in key for part in KEYS_OF_SYMMETRY) and not HALL.fullmatch(key)
        )
        symmetry = _symmetry(stated)
        if isinstance(symmetry.group, str):
            raise InvalidEntryError(symmetry.group)
        self.group = symmetry.group
        self.warned.extend(symmetry.warnings)
        return list(symmetry.operations)

    def get_magsymops(self, data: CifBlock) -> list[MagSymmOp]:
        """Return the symmetry operations of a magnetic data block.

        Raises
        ------
        InvalidEntryError
            If, without time reversal, they are not a group.
        """
        try:
            check_form([text.rpartition(",")[0] for text in _listed(data.data, MAGNETIC_OPERATIONS)])
            operations = super().get_magsymops(data)
            self.group = group_of(operations)
        except NoGroupError as error:
            raise InvalidEntryError(str(error)) from error
        return operations

    def _sanitize_data(self, data: CifBlock) -> CifBlock:
        """Return a data block after pymatgen's corrections, for which unknown hydrogens are no number."""
        check_hydrogens(data.data)
        data.data.pop(ATTACHED_HYDROGENS, None)
        return super()._sanitize_data(data)


def _listed(data: Mapping[str, str | list[str]], keys: Iterable[str]) -> list[str]:
    """Return the symmetry operations of a data block as they are written, in a loop or alone."""
    values = [data[key] for key in keys if key in data]
    return [text for value in values for text in (value if isinstance(value, list) else [value])]


@lru_cache(maxsize=KEPT_SYMMETRIES)
def _symmetry(stated: tuple[tuple[str, str | tuple[str, ...]], ...]) -> StatedSymmetry:
    parser = CifParser.from_str("")
    data = {key: list(value) if isinstance(value, tuple) else value for key, value in stated}
    group: Group | str
    operations: Sequence[SymmOp] = []
    try:
        check_form(_listed(data, OPERATIONS))
        operations = parser.get_symops(CifBlock(data, [], ""))
        group = group_of(operations)
    except NoGroupError as error:
        group = str(error)
    return StatedSymmetry(operations, vars(parser)["warnings"], group)
