"""Recognize, by its bytes, a file that is not a CSV in UTF-8, and reject it by the name of its format."""

import re
from pathlib import Path

from polyfacet.runtime.errors import UserError

_ADVICE = "Save it as `CSV UTF-8 (comma delimited)`."
_START_BYTES = 4096
# First bytes of files that are not UTF-8 text.
_SIGNATURES = {
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed with gzip",
    b"BZh91AY&SY": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"PAR1\x15": "a Parquet file",
    b"%PDF": "a PDF file",
}
# How the text of other formats begins, apart from white space and case; a header may begin with a bracket.
_BEGINNINGS = {
    re.compile(rb"<(?:!doctype|html|head|meta|style|body|div|table)\b"): "an HTML page",
    re.compile(rb"<!--"): "an HTML page",
    re.compile(rb"<\?xml"): "an XML file",
    re.compile(rb"version https://git-lfs"): "a Git LFS pointer",
    re.compile(rb"\{\\rtf"): "an RTF document",
    re.compile(rb"\[\s*[\[{\"]|\{\s*[\"}]"): "a JSON file",
}
_LINE_END = re.compile(rb"\r\n|\r|\n")


def check_kind(path: Path) -> None:
    """Reject a file that begins like one of another format.

    Raises
    ------
    UserError
        If it does; the message names the format.
    """
    with path.open("rb") as stream:
        start = stream.read(_START_BYTES)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    found = [what for signature, what in _SIGNATURES.items() if start.startswith(signature)]
    found += [what for beginning, what in _BEGINNINGS.items() if beginning.match(text)]
    if not found and b"\0" in start:
        found = _of_wide_characters(start)
    if found:
        raise UserError(f"the table {path} is {found[0]}, not a CSV. {_ADVICE}")
    if b"\0" in start:
        raise UserError(f"the table {path} contains zero bytes: it is damaged or not text. {_ADVICE}")


def _of_wide_characters(start: bytes) -> list[str]:
    """Recognize text whose characters are padded with zero bytes, without a byte order mark."""
    zeros = start.count(0) / len(start)
    if zeros > 0.6:
        return ["UTF-32 text"]
    return ["UTF-16 text"] if zeros > 0.3 else []


def wrong_encoding(path: Path) -> str:
    """Return a message that says which line and byte of a file are not UTF-8."""
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = 1 + len(_LINE_END.findall(content[: error.start]))
        return (
            f"the table {path} is not UTF-8: line {number} has the byte 0x{content[error.start]:02x}. It may "
            f"be Latin-1 or Windows-1252, as older versions of Excel write. {_ADVICE}"
        )
    return f"the table {path} changed while it was read. Run the same command again."
