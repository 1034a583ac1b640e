"""Reject a POSCAR whose lines pymatgen would read as another crystal, with the line and what is wrong."""

import re
from collections.abc import Sequence
from itertools import takewhile

from polyfacet.sources.structure_checks import element_of
from polyfacet.sources.values import InvalidEntryError, as_float, shown

# Title, scale and three lattice vectors.
N_LINES_BEFORE_ELEMENTS = 5
# How a line begins that says how positions are written, or that some atoms are fixed.
MODES = "sSdDcCkK"
FIXED_MODES = "sS"
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?"
# A scale, three vectors, elements, their numbers, and how positions are written.
ANOTHER_POSCAR = re.compile(
    rf"^\s*{NUMBER}\s*\n(?:\s*{NUMBER}\s+{NUMBER}\s+{NUMBER}\s*\n){{3}}(?:\s*[A-Z].*\n)?"
    r"\s*\d+(?:\s+\d+)*\s*\n\s*[A-Za-z]",
    re.M,
)
# How an XDATCAR begins a frame; velocities follow a blank line, `Direct` or `Cartesian`.
ANOTHER_FRAME = re.compile(r"^\s*\w+ configuration\s*=", re.M | re.I)
# Whether the coordinates of an atom may change.
FLAG = re.compile(r"[TF]|\.(?:TRUE|FALSE)\.", re.I)
# A label is an element, perhaps with the number or the kind of the site.
LABEL = re.compile(r"(?P<element>[A-Z][a-z]?)(?:[\d_/+-]\S*)?")
# A title, a scale and three vectors, perhaps with comments.
_BEGINNING = re.compile(
    rf"[^\n]*\n[ \t]*{NUMBER}(?:[ \t][^\n]*)?\n"
    rf"(?:[ \t]*{NUMBER}[ \t]+{NUMBER}[ \t]+{NUMBER}(?:[ \t][^\n]*)?\n){{3}}"
)


def begins_like_a_poscar(text: str) -> bool:
    """Return whether a text has a scale and a cell below its first line."""
    return _BEGINNING.match(text) is not None


def check_lines(text: str) -> None:
    """Reject a POSCAR whose parts do not fit together.

    Raises
    ------
    InvalidEntryError
        If a vector, an element, a number of atoms or the line `Direct` is missing or wrong, if labels
        contradict the elements, or if there are more positions than atoms, other frames, or a second POSCAR.
    """
    if text.startswith("\n"):
        # The title may be blank.
        text = f"title{text}"
    first, *others = re.split(r"\n\s*\n", text.rstrip(), maxsplit=1)
    lines = [line.partition("#")[0].strip() for line in first.split("\n")]
    _check_cell(lines)
    symbols, counts, n_before = _counts(lines)
    n_before = _check_mode(lines, n_before)
    n_atoms = sum(counts)
    positions = lines[n_before:]
    if len(positions) < n_atoms:
        raise InvalidEntryError(
            f"the POSCAR has {_n(n_atoms, 'atom')}, but only {_n(len(positions), 'line')} of positions"
        )
    for number, line in enumerate(positions[:n_atoms], start=n_before + 1):
        _check_three_numbers(f"the position in line {number}", line, line.split()[:3])
    _check_labels(symbols, counts, positions[:n_atoms])
    rest = positions[n_atoms:]
    if rest and len(list(takewhile(lambda word: as_float(word) is not None, rest[0].split()))) >= 3:
        raise InvalidEntryError(
            f"the POSCAR has {_n(n_atoms, 'atom')}, but more lines of positions: correct the numbers of "
            f"atoms, or put a blank line above velocities (line {n_before + n_atoms + 1})"
        )
    following = "\n".join([*rest, *others, ""])
    if ANOTHER_FRAME.search(following):
        raise InvalidEntryError(
            "the POSCAR is followed by other frames, as in an XDATCAR: write each into a file of its own"
        )
    if ANOTHER_POSCAR.search(following):
        raise InvalidEntryError("the POSCAR is followed by a second one: write each into a file of its own")


def _check_cell(lines: Sequence[str]) -> None:
    if len(lines) <= N_LINES_BEFORE_ELEMENTS:
        raise InvalidEntryError(
            "the POSCAR cannot be read: it ends before the elements (expected: a title, a scale, three "
            "lattice vectors, elements, their numbers, `Direct` or `Cartesian`, positions)"
        )
    if as_float(lines[1]) is None:
        raise InvalidEntryError(f"the POSCAR cannot be read: the scale {shown(lines[1])} is not a number")
    for number, line in enumerate(lines[2:5], start=3):
        _check_three_numbers(f"the vector in line {number}", line, line.split())


def _check_three_numbers(what: str, line: str, words: Sequence[str]) -> None:
    if len(words) != 3 or any(as_float(word) is None for word in words):
        raise InvalidEntryError(f"{what} is {shown(line)}, not three numbers")


def _check_labels(symbols: Sequence[str], counts: Sequence[int], positions: Sequence[str]) -> None:
    """Reject labels of positions that contradict the elements of the header.

    Words after positions may also be comments: only elements after all positions are labels.
    """
    named = [symbol for symbol, count in zip(symbols, counts, strict=False) for _ in range(count)]
    labels = [_label(line) for line in positions]
    if not named or None in labels:
        return
    for number, (symbol, label) in enumerate(zip(named, labels, strict=True), start=1):
        if _element(symbol) != label:
            raise InvalidEntryError(
                f"atom {number} of the POSCAR is {symbol} by the line of elements, but {label} by the label "
                "of its position: correct one of them"
            )


def _label(line: str) -> str | None:
    """Return the element after a position; None if there is none."""
    words = line.split()[3:]
    if len(words) >= 3 and all(map(FLAG.fullmatch, words[:3])):
        words = words[3:]
    found = LABEL.fullmatch(words[0]) if len(words) == 1 else None
    return element_of(found["element"]) if found else None


def _element(name: str) -> str | None:
    """Return the element of a header; names of potentials count as their elements: Na_pv, Na/1a2b3c."""
    return element_of(re.split("[/_]", name)[0])


def _counts(lines: Sequence[str]) -> tuple[list[str], list[int], int]:
    """Return the elements, the number of atoms of each, and the number of lines so far.

    Long lists go over as many lines of elements as of numbers.  Files of VASP 4 have no elements there.
    """
    below = lines[N_LINES_BEFORE_ELEMENTS:]
    with_symbols = list(takewhile(lambda line: not _is_whole(line.split()[:1]), below))
    n_lines = len(with_symbols) or 1
    end = len(with_symbols) + n_lines
    symbols = [word for line in with_symbols for word in line.split()]
    counts = [word for line in below[len(with_symbols) : end] for word in line.split()]
    if not counts:
        raise InvalidEntryError("the POSCAR has no line with the numbers of atoms below its elements")
    if not _is_whole(counts) or not any(map(int, counts)):
        raise InvalidEntryError(f"{shown(' '.join(counts))} is where the POSCAR should have numbers of atoms")
    unknown = next((word for word in symbols if _element(word) is None), None)
    if unknown is not None:
        raise InvalidEntryError(f"unknown element {shown(unknown)} in the POSCAR; write Na, not NA")
    if symbols and len(symbols) != len(counts):
        raise InvalidEntryError(
            f"the POSCAR names {_n(len(symbols), 'element')} ({shown(' '.join(symbols))}), but has "
            f"{_n(len(counts), 'number')} of atoms ({shown(' '.join(counts))}): write one below each element"
        )
    return symbols, list(map(int, counts)), N_LINES_BEFORE_ELEMENTS + end


def _check_mode(lines: Sequence[str], n_before: int) -> int:
    """Return the number of lines before the positions."""
    for line in lines[n_before : n_before + 2]:
        n_before += 1
        if not line or line[0] not in MODES:
            break
        if line[0] not in FIXED_MODES:
            return n_before
    raise InvalidEntryError("the POSCAR has no line `Direct` or `Cartesian` above the positions")


def _is_whole(words: Sequence[str]) -> bool:
    return bool(words) and all(word.isdecimal() and word.isascii() for word in words)


def _n(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
