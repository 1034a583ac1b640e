"""Extended XYZ, read frame by frame through ASE."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from polyfacet.config.sources import Source
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.machine_failures import machine_failure
from polyfacet.sources.file_text import ANY_BEGINNING, FileText, UnreadableTextError
from polyfacet.sources.items import Item
from polyfacet.sources.listing import Listing
from polyfacet.sources.structure_checks import ISOTOPES, cell_volume
from polyfacet.sources.structures.columns import IDENTIFIERS
from polyfacet.sources.structures.crystals import Crystal
from polyfacet.sources.structures.formula_columns import formula_columns
from polyfacet.sources.structures.numbered_ids import numbered_id
from polyfacet.sources.structures.opened import OpenedSource, StatedItem, checked_items
from polyfacet.sources.structures.tables import existing_file, plain
from polyfacet.sources.values import InvalidEntryError, as_float, check_reserved, shown

# A key and its value in the comment of a frame; values in quotation marks or brackets may hold other pairs.
PAIR = re.compile(
    r"""(?<![^\s="'])(?P<key>[^\s="']+)\s*=\s*"""
    r"""(?:(?P<mark>["'])(?P<quoted>.*?)(?<!\\)(?P=mark)|\{(?P<braced>.*?)\}|\[(?P<listed>.*?)\]|(?P<bare>[^\s"']+))"""
)
VALUES = ("quoted", "braced", "listed", "bare")
# More digits than any number of atoms has are damage.
N_ATOMS = re.compile(r"[0-9]{1,9}")
# Keys that ASE knows only in this spelling; others would become data, and a slab a crystal.
SPELLINGS = {"pbc": "pbc", "properties": "Properties", "lattice": "Lattice"}
# Of atoms whose frame does not name any.
USUAL_COLUMNS = "species:S:1:pos:R:3"
# Between the numbers of a lattice.
SEPARATORS = re.compile(r"[\s,\[\]{}]+")
MARK_OF_JSON = "_JSON"
# Names of columns that ASE reads as atomic numbers.
ATOMIC_NUMBERS = {"Z", "numbers"}
# Names of a column of occupancies.
OCCUPANCIES = {"occupancy", "occupancies", "occ", "occu", "site_occupancy"}
# Frames that show which keys state formulas.
FRAMES_LOOKED_AT = 20
# Names of the charge of a cell.
CHARGES = {"charge", "total_charge", "tot_charge", "net_charge"}


@dataclass(frozen=True)
class FramesPart:
    """All frames of a file.

    Parameters
    ----------
    path
        The file.
    name
        How it calls frames without identifiers; see `polyfacet.sources.structures.numbered_ids`.
    id_key
        Key of the identifiers; None to find it.
    """

    path: Path
    name: str
    id_key: str | None

    @property
    def label(self) -> str:
        """What is read, for messages about the progress."""
        return f"frames of {self.path.name}"

    def items(self) -> Iterator[Item]:
        """Yield the checked crystals in the order of the frames.

        Raises
        ------
        UserError
            If the file is damaged.
        """
        return checked_items(self._stated())

    def _stated(self) -> Iterator[StatedItem]:
        frames = _frames(self.path)
        beginning = list(islice(frames, FRAMES_LOOKED_AT))
        formulas = formula_columns(_statements_of(beginning), self.id_key)
        for position, frame in enumerate(chain(beginning, frames)):
            stated_id: object = None
            crystal: Crystal | InvalidEntryError
            try:
                atoms = _atoms(frame)
                data = _statements(frame, atoms)
                stated_id = self._identifier(frame, data, position)
                crystal = _crystal(atoms, data, formulas)
            except InvalidEntryError as error:
                crystal = error
            yield StatedItem(str(self.path), position, stated_id, crystal)

    def _identifier(self, frame: str, data: Mapping[str, Any], position: int) -> str:
        """Return what a frame calls itself; otherwise the name of the file and the number of the frame."""
        if self.id_key is not None and self.id_key not in data:
            raise InvalidEntryError(f"the frame has no {self.id_key}, which its source names as `id`")
        usual = [key for key in IDENTIFIERS if key in data]
        known = usual or [key for key in data if key.endswith("_id")]
        key = self.id_key or next(iter(known), None)
        if key is None:
            return numbered_id(self.name, position + 1)
        # A key without a value is true for ASE, and an empty list if spaces follow it.
        stated = (_literal(frame, key) or "").strip()
        if not stated:
            raise InvalidEntryError(f"the identifier is missing: {key} is empty")
        return stated


def open_extended_xyz(source: Source, name: str) -> OpenedSource:
    """Open a file.

    Parameters
    ----------
    source
        The source.
    name
        How it calls frames without identifiers.

    Raises
    ------
    UserError
        If there is no such file.
    """
    path = existing_file(source)
    return OpenedSource([FramesPart(path, name, source.id)], Listing([path], []))


def _frames(path: Path) -> Iterator[str]:
    """Yield the text of each frame: a number of atoms, a comment, a line per atom."""
    number = 1
    try:
        with FileText(path, ANY_BEGINNING) as text:
            lines = text.lines()
            for line in lines:
                if line.strip():
                    n_atoms = _n_atoms(path, number, line)
                    rest = list(islice(lines, n_atoms + 1))
                    if len(rest) <= n_atoms:
                        raise UserError(
                            f"{path}: the file ends inside the frame of line {number}. Get it again."
                        )
                    yield "".join([line, _as_ase_spells_it(rest[0]), *rest[1:]])
                    number += len(rest)
                number += 1
    except UnreadableTextError as error:
        raise UserError(f"{path}: {error}. {error.advice}") from error
    if number == 1:
        raise UserError(f"{path} is empty.")


def _as_ase_spells_it(comment: str) -> str:
    """Spell the keys of a comment as ASE does; a `lattice` beside a `Lattice` is the name of one."""
    keys = {pair["key"] for pair in PAIR.finditer(comment)}
    spellings = {name: key for name, key in SPELLINGS.items() if name != "lattice" or key not in keys}

    def spelled(pair: re.Match[str]) -> str:
        return spellings.get(pair["key"].lower(), pair["key"]) + pair.group()[len(pair["key"]) :]

    return PAIR.sub(spelled, comment)


def _n_atoms(path: Path, number: int, line: str) -> int:
    if not N_ATOMS.fullmatch(line.strip()):
        raise UserError(
            f"{path}, line {number}: {line.strip()[:40]!r} is not a number of atoms. A frame of extended XYZ "
            "begins with one, followed by a comment and a line per atom; correct the file."
        )
    return int(line)


def _atoms(frame: str) -> Atoms:
    properties = _literal(frame, "Properties") or USUAL_COLUMNS
    _check_comment(frame, properties)
    _check_values(frame, _words_by_column(properties))
    try:
        atoms = ase.io.read(StringIO(frame), index=0, format="extxyz")
    except KeyError as error:
        symbol = error.args[0]
        advice = ": write H for deuterium and tritium, which count as hydrogen" if symbol in ISOTOPES else ""
        raise InvalidEntryError(f"unknown element {symbol!r}{advice}") from error
    except Exception as error:
        # ASE's own errors are errors of the operating system without a number.
        failure = machine_failure(error)
        if failure is not None:
            raise failure from error
        reason = " ".join(str(error).split()) or type(error).__name__
        if "could not assign tuple" in reason:
            reason = "an atom has too few or too many values"
        raise InvalidEntryError(f"the frame cannot be read: {reason[:200]}") from error
    if not isinstance(atoms, Atoms):
        raise InvalidEntryError("the frame holds no atoms")
    return atoms


def _check_comment(frame: str, properties: str) -> None:
    """Reject missing positions, reserved keys, and keys that are stated twice: ASE would take the last."""
    counts = Counter(pair["key"] for pair in PAIR.finditer(frame.split("\n", 2)[1]))
    check_reserved(counts)
    for key, count in counts.items():
        if count > 1:
            raise InvalidEntryError(f"the comment of the frame states {key} {count} times: keep one")
    if "pos" not in properties.split(":")[::3]:
        raise InvalidEntryError("the frame has no positions: `Properties` names no column pos")


def _check_values(frame: str, words: Mapping[str, slice]) -> None:
    """Check the lattice and the values of the atoms, which are words of their lines.

    Too few values of an atom are an error of ASE.
    """
    for word in filter(None, SEPARATORS.split(_literal(frame, "Lattice") or "")):
        if as_float(word) is None:
            raise InvalidEntryError(f"the frame cannot be read: Lattice has {shown(word)}, not a number")
    for index, line in enumerate(frame.split("\n")[2:]):
        values = line.split()
        by_column = {name: values[place] for name, place in words.items()}
        _check_numbers(index, by_column)
        _check_species(index, by_column)


def _check_numbers(index: int, values: Mapping[str, Sequence[str]]) -> None:
    """Reject positions and occupancies of which Python would read, for example, 0_5 as 5."""
    for name, own in values.items():
        if name == "pos" or name.lower() in OCCUPANCIES:
            wrong = next((word for word in own if as_float(word) is None), None)
            if wrong is not None:
                raise InvalidEntryError(
                    f"the frame cannot be read: {name} of site {index} is {shown(wrong)}, not a number"
                )


def _check_species(index: int, values: Mapping[str, Sequence[str]]) -> None:
    """Reject symbols that are not spelled like an element, of which ASE would make cobalt from CO.

    Also those that contradict a column of atomic numbers, which ASE would read in their place.
    """
    symbols = values.get("species", ())
    wrong = next((word for word in symbols if word != word.capitalize()), None)
    if wrong is not None:
        raise InvalidEntryError(f"unknown element {shown(wrong)} at site {index}; write Na, not NA or na")
    for name in sorted(values.keys() & ATOMIC_NUMBERS):
        if symbols and values[name] != [str(atomic_numbers.get(word)) for word in symbols]:
            raise InvalidEntryError(
                f"species and {name} differ at site {index}: rename or remove one of the columns"
            )


def _words_by_column(properties: str) -> dict[str, slice]:
    """Return which words of an atom's line are the values of each column; none if ASE will complain."""
    stated = properties.split(":")
    names, widths = stated[::3], stated[2::3]
    if len(names) != len(widths) or not all(map(N_ATOMS.fullmatch, widths)):
        return {}
    ends = list(accumulate(map(int, widths), initial=0))
    return {name: slice(*ends[number : number + 2]) for number, name in enumerate(names)}


def _literal(frame: str, key: str) -> str | None:
    """Return the value of a key as the comment has it: ASE makes 1 of 001, and True of T."""
    comment = frame.split("\n", 2)[1]
    pairs = [pair for pair in PAIR.finditer(comment) if pair["key"] == key]
    return _value(pairs[-1]) if pairs else None


def _value(pair: re.Match[str]) -> str:
    return next(pair[name] for name in VALUES if pair[name] is not None)


def _check_occupancies(atoms: Atoms) -> None:
    """Reject partly occupied sites, which ASE keeps as a column without a meaning."""
    for name in (name for name in atoms.arrays if name.lower() in OCCUPANCIES):
        for index, value in enumerate(atoms.arrays[name].tolist()):
            if as_float(value) != 1:
                raise InvalidEntryError(
                    f"the {name} of site {index} is {shown(value)}: fractional occupancies of extended XYZ "
                    "are not supported"
                )


def _statements_of(frames: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield what frames state; those that cannot be read state nothing."""
    for frame in frames:
        with suppress(InvalidEntryError):
            yield _statements(frame, _atoms(frame))


def _crystal(atoms: Atoms, data: Mapping[str, Any], formulas: Sequence[str]) -> Crystal:
    if not atoms.cell.any():
        raise InvalidEntryError("the frame has no Lattice: a molecule?")
    if any(name.lower() == "occupancy" for name in data):
        raise InvalidEntryError("fractional occupancies of extended XYZ are not supported")
    _check_occupancies(atoms)
    matrix = atoms.cell.array.tolist()
    cell_volume(matrix)
    positions = atoms.get_scaled_positions(wrap=False).tolist()
    sites = [
        {"species": [symbol], "abc": place}
        for symbol, place in zip(atoms.get_chemical_symbols(), positions, strict=True)
    ]
    structure = {
        "lattice": {"matrix": matrix, "pbc": atoms.pbc.tolist()},
        "sites": sites,
        "charge": _charge(data),
    }
    return Crystal(structure, data, formula_columns=formulas)


def _charge(data: Mapping[str, Any]) -> Any:
    """Return the charge of the cell, under any of its usual names; one that is not 0, if they differ."""
    stated = [value for name, value in data.items() if name.lower() in CHARGES and value is not None]
    return next((charge for charge in stated if as_float(charge) != 0), None)


def _statements(frame: str, atoms: Atoms) -> dict[str, Any]:
    """Return what the comment of a frame states; ASE keeps energies and stresses apart from the rest.

    Numbers of another form, of which ASE makes 15 of 1_5, stay texts: objectives reject them.
    """
    of_cell = {
        name: value
        for name, value in (atoms.calc.results if atoms.calc else {}).items()
        if np.shape(value)[:1] != (len(atoms),) or name == "stress"
    }
    texts = {pair["key"]: _value(pair) for pair in PAIR.finditer(frame.split("\n", 2)[1])}
    of_another_form = {
        name: text
        for name, text in texts.items()
        if ("_" in text or not text.isascii()) and not text.startswith(MARK_OF_JSON)
    }
    return {
        str(name): _plain(value if isinstance(value, str) else of_another_form.get(name, value))
        for name, value in {**atoms.info, **of_cell}.items()
    }


def _plain(value: Any) -> Any:
    return plain(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)
