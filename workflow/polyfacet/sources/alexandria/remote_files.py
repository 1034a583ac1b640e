"""Published entry files: their addresses, and the local folder to which they are downloaded."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from polyfacet.runtime.errors import UserError
from polyfacet.sources.alexandria.entry_file_names import NAMES_OF_ENTRY_FILES, is_entry_file_name

DOWNLOADS = Path("data/alexandria")
NAME_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
# A range of numbers in a name, as in a shell: {000..049}.
RANGE_PATTERN = re.compile(r"\{(\d{1,6})\.\.(\d{1,6})\}")


@dataclass(frozen=True)
class RemoteFile:
    """A file on a web server, and the digest that it must have, if known."""

    url: str
    sha256: str | None = None

    @property
    def name(self) -> str:
        """Name of the file: the last part of the address."""
        return PurePosixPath(urlsplit(self.url).path).name


def is_encrypted(url: str) -> bool:
    """Return whether an address is encrypted, so that nobody on the way can read or change its content."""
    return urlsplit(url).scheme == "https"


def is_local(url: str) -> bool:
    """Return whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def remote_files(
    base_url: str, files: Sequence[str | Mapping[str, Any]], *, allow_http: bool = False
) -> dict[str, RemoteFile]:
    """Return the published files by name.

    Parameters
    ----------
    base_url
        Address of the folder with the files that are given by name.
    files
        Names, which may contain a range such as ``{000..049}``, or mappings with ``url`` and ``sha256``.
    allow_http
        Whether addresses may be unencrypted; those on this machine always may.

    Raises
    ------
    UserError
        If an address is not https, a name cannot be that of an entry file, or two files share a name.
    """
    found: dict[str, RemoteFile] = {}
    for file in _expanded(base_url, files):
        _check(file, allow_http)
        if file.name in found:
            raise UserError(f"download.files: {file.url} and {found[file.name].url} have the same name.")
        found[file.name] = file
    return found


def _expanded(base_url: str, files: Sequence[str | Mapping[str, Any]]) -> Iterator[RemoteFile]:
    for file in files:
        if isinstance(file, str):
            for name in _names(file):
                # Checked before it becomes part of an address, in which it could lead to another folder.
                _check_name(name, file)
                yield RemoteFile(f"{base_url.rstrip('/')}/{name}")
        else:
            yield RemoteFile(file["url"], file.get("sha256"))


def _names(pattern: str) -> Iterator[str]:
    numbers = RANGE_PATTERN.search(pattern)
    if numbers is None:
        yield pattern
        return
    first, last = numbers.groups()
    for number in range(int(first), int(last) + 1):
        yield f"{pattern[: numbers.start()]}{number:0{len(first)}d}{pattern[numbers.end() :]}"


def _check(file: RemoteFile, allow_http: bool) -> None:
    parts = urlsplit(file.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"download: {file.url!r} is not the address of a file: it must begin with https://")
    if not (allow_http or is_encrypted(file.url) or is_local(file.url)):
        raise UserError(
            f"download: {file.url} is not encrypted: use an address that begins with https://, or set "
            "`download.allow_http: true` if there is none."
        )
    _check_name(file.name, file.url)


def _check_name(name: str, given: str) -> None:
    if not NAME_PATTERN.fullmatch(name) or not is_entry_file_name(name):
        raise UserError(
            f"download.files: {given!r} does not name an entry file. The name must consist of letters, "
            f"digits, '_', '.' and '-' and end in {NAMES_OF_ENTRY_FILES}."
        )
