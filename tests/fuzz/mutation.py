"""Hostile random variants of small real documents."""

import json
import random
import re
from collections.abc import Callable
from typing import Any

DEEP = 3000
STRINGS = [
    "",
    " ",
    "\x00",
    "\ufeffFe",
    "\ud800",
    "Fe\udfff",
    "\u202eeF",
    "Na\r\nCl",
    "0" * 300,
    "A" * 5000,
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    "a/b",
    "a\\b",
    "C:\\x",
    "~root",
    "$(id)",
    "`id`",
    "; rm -rf .",
    "%s%n",
    "{0}",
    "{wildcards.shard}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "| a | b |",
    "$\\frac{$",
    "Fe-1",
    "Fe1e999",
    "Fe99999999999999999999",
    "((((((((((Fe",
    "(" * 200 + "Fe" + ")" * 200,
    "nan",
    "null",
    "1e999",
    "0x1F",
    "!!python/object/apply:os.system [id]",
    "&a [*a]",
    "2001-01-01",
    "D",
    "Zz",
]
NUMBERS: list[Any] = [
    0, -0.0, 1, -1, 2, 3.5, 231, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1e-320, 1e-12, 1e12, 1e154,
    1e308, -1e308, float("nan"), float("inf"), float("-inf"), True, False,
]  # fmt: skip
TOKENS = [
    b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"\\u", b"\\ud800", b"NaN", b"-Infinity", b"1e999",
    b"-", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"9" * 5000, b"[" * DEEP, b'{"a":' * DEEP,
    b'"entries"', b"null",
]  # fmt: skip
CIF_NUMBERS = [
    "0", "-1", "1e-300", "1e300", "1e9", "1e5", "nan", "inf", "-inf", "1e999", "?", ".", "5.64(3)",
    "(3)", "1/3", "0.001", "abc", "89.9999999", "180", "360", "'", '"', ";", "9" * 400,
    "0.33333333333333",
]  # fmt: skip
CIF_LINES = [
    "data_", "data_x", "loop_", "loop_\n_a\n_b\n1 2 3", ";", ";\ntext\n;", "#", "'x, y, z'",
    "'x+1/0, y, z'", "'-x, -y, -z'", "'x*y, z, 1e9x'", "_cell_length_a 1e7", "_cell_length_b 0.01",
    "_cell_angle_alpha 0", "_symmetry_space_group_name_H-M 'F m -3 m'", "_space_group_IT_number 225",
    "_symmetry_Int_Tables_number 999", "Fe Fe1 1 0 0 0 1", "Fe Fe2 1 0 0 0 nan", "X X1 1 0 0 0 1",
    "\x00", "save_", "stop_", "global_", "_atom_site_label",
]  # fmt: skip


def mutated_value(value: Any, rng: random.Random, times: int) -> Any:
    """Change a JSON value in a few random places; the value itself is modified."""
    root = [value]
    for _ in range(times):
        holder, key = rng.choice(_places(root))
        rng.choice(_CHANGES)(holder, key, rng)
        root = root or [None]
    return root[0]


def mutated_bytes(content: bytes, rng: random.Random, times: int) -> bytes:
    """Change bytes in a few random places: flip, remove or double them, or insert a hostile token."""
    for _ in range(times):
        at = rng.randrange(len(content) + 1)
        end = min(len(content), at + rng.choice((1, 1, 4, 50)))
        middle = rng.choice(
            (
                b"",
                content[at:end] * 2,
                rng.choice(TOKENS),
                bytes(byte ^ (1 << rng.randrange(8)) for byte in content[at:end]),
            )
        )
        content = content[:at] + middle + content[end:]
    return content[: rng.randrange(len(content) + 1)] if rng.random() < 0.1 else content


def mutated_cif(text: str, rng: random.Random, times: int) -> str:
    """Change lines and numbers of a CIF in a few random places."""
    for _ in range(times):
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        kind = rng.random()
        if kind < 0.5:
            lines[at] = _with_other_number(lines[at], rng)
        elif kind < 0.65:
            lines[at] = rng.choice(CIF_LINES)
        elif kind < 0.75:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif kind < 0.85:
            del lines[at]
        elif kind < 0.95:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines[at] = lines[at] + rng.choice(STRINGS)
        text = "\n".join(lines)
    return text


def hostile_value(rng: random.Random) -> Any:
    """Draw a value that a careless reader would not handle."""
    return rng.choice(
        (
            lambda: rng.choice(STRINGS),
            lambda: rng.choice(NUMBERS),
            lambda: None,
            lambda: [],
            lambda: {},
            lambda: [rng.choice(NUMBERS)] * rng.randrange(5),
            lambda: {rng.choice(STRINGS): rng.choice(NUMBERS)},
            lambda: nested(rng.choice((5, 100, 900))),
            lambda: rng.random() * 10 ** rng.randrange(-20, 20),
        )
    )()


def nested(depth: int) -> Any:
    """Nest lists and objects."""
    value: Any = 0
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def as_json(value: Any) -> bytes:
    """Write a value as JSON, lone surrogates and NaN included."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _places(root: list[Any]) -> list[tuple[Any, Any]]:
    """List all places in a JSON value as pairs of container and key."""
    waiting: list[Any] = [root]
    found: list[tuple[Any, Any]] = []
    for holder in waiting:
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        found.extend((holder, key) for key in keys)
        waiting.extend(holder[key] for key in keys if isinstance(holder[key], dict | list))
    return found


def _replace(holder: Any, key: Any, rng: random.Random) -> None:
    holder[key] = hostile_value(rng)


def _remove(holder: Any, key: Any, rng: random.Random) -> None:
    del holder[key]


def _rename(holder: Any, key: Any, rng: random.Random) -> None:
    if isinstance(holder, dict):
        holder[rng.choice(STRINGS)] = holder.pop(key)


def _wrap(holder: Any, key: Any, rng: random.Random) -> None:
    holder[key] = [holder[key]] * rng.randrange(4)


def _scale(holder: Any, key: Any, rng: random.Random) -> None:
    if isinstance(holder[key], int | float) and abs(holder[key]) < 2**53:
        holder[key] = holder[key] * rng.choice((-1, 0, 1e-9, 1e9, 1e300))


def _as_text(holder: Any, key: Any, rng: random.Random) -> None:
    if not isinstance(holder[key], dict | list):
        holder[key] = str(holder[key])


_CHANGES: list[Callable[[Any, Any, random.Random], None]] = [
    _replace,
    _replace,
    _replace,
    _remove,
    _rename,
    _wrap,
    _scale,
    _as_text,
]
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def _with_other_number(line: str, rng: random.Random) -> str:
    found = list(_NUMBER.finditer(line))
    if not found:
        return line + " " + rng.choice(CIF_NUMBERS)
    number = rng.choice(found)
    return line[: number.start()] + rng.choice(CIF_NUMBERS) + line[number.end() :]
