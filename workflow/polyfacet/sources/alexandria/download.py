"""Download of a large file over HTTP that survives stalls, cuts and restarts."""

import math
from collections.abc import Callable
from pathlib import Path

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.file_state import Origin
from polyfacet.runtime.files import move_into_place, sha256_of_file
from polyfacet.runtime.progress import tell, track
from polyfacet.sources.alexandria.remote_files import RemoteFile, is_encrypted, is_local
from polyfacet.sources.compression import MAGIC_BYTES, found_compression, stated_compression

CHUNK_BYTES = 1 << 20
LONGEST_WAIT_S = 60.0
# Without a network every file fails, and waiting does not help.
ATTEMPTS_TO_CONNECT = 3
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class _InterruptedError(Exception):
    """The transfer failed, but another attempt may succeed."""


class _RefusedError(Exception):
    """The server does not send the file, or sends a different one: trying again would not help."""


def download(
    file: RemoteFile,
    path: Path,
    *,
    attempts: int = 6,
    stall_timeout_s: float = 60.0,
    first_wait_s: float = 1.0,
    max_size_gb: float = 10.0,
    allow_http: bool = False,
) -> None:
    """Download a file, resuming where an earlier attempt or an earlier run stopped.

    Received data are kept in ``<path>.part``; ``path`` appears when the file is complete.  An interrupted
    download is resumed only if the server confirms that its file is unchanged (RFC 9110, If-Range).  If no
    digest is given, that of the first download is stored next to the file, and a different one is rejected
    later.

    Parameters
    ----------
    file
        Address and, if known, the digest.
    path
        Destination.
    attempts
        Attempts before giving up; the waits between them double.
    stall_timeout_s
        Time without data after which the server counts as unreachable, seconds.
    first_wait_s
        Wait after the first failed attempt, seconds.
    max_size_gb
        Size above which a file is rejected, GB.
    allow_http
        Whether requests and redirects may be unencrypted; those to this machine always may.

    Raises
    ------
    UserError
        If the server cannot be reached, does not have the file or sends a different one; the message says
        where to put a file obtained in another way.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    retrying = _retrying(file.name, attempts, first_wait_s)
    # A compressed transfer could not be resumed: ranges count the bytes of the file itself.
    headers = {"Accept-Encoding": "identity"}
    guard = _only_encrypted(file, allow_http)
    with httpx.Client(
        follow_redirects=True, timeout=stall_timeout_s, headers=headers, event_hooks={"request": [guard]}
    ) as client:
        try:
            digest = retrying(_attempt, client, file, path, part, round(max_size_gb * 1e9))
        except (_InterruptedError, httpx.RequestError) as error:
            raise UserError(
                f"{file.url} cannot be downloaded: {_reason(error)} "
                f"({retrying.statistics['attempt_number']} attempts). {_by_hand(path)}"
            ) from error
        except _RefusedError as error:
            raise UserError(f"{file.url} cannot be downloaded: {error}. {_by_hand(path)}") from error
    # Written first, because a file without its origin counts as one that a user put there.
    Origin.write(path, file.url, digest, part)
    move_into_place(part, path)
    _validator_path(part).unlink(missing_ok=True)


def _only_encrypted(file: RemoteFile, allow_http: bool) -> Callable[[httpx.Request], None]:
    """Return a check of every request, including redirects."""

    def check(request: httpx.Request) -> None:
        url = str(request.url)
        if not (allow_http or is_encrypted(url) or (is_local(url) and is_local(file.url))):
            raise _RefusedError(
                f"the server redirects to {url}, which is not encrypted. Use the direct address of the file, "
                "or set `download.allow_http: true`"
            )

    return check


def _retrying(name: str, attempts: int, first_wait_s: float) -> Retrying:
    def give_up(state: RetryCallState) -> bool:
        unreachable = isinstance(_error(state), httpx.ConnectError)
        return state.attempt_number >= (min(attempts, ATTEMPTS_TO_CONNECT) if unreachable else attempts)

    def announce(state: RetryCallState) -> None:
        wait_s = state.next_action.sleep if state.next_action else 0.0
        tell(f"{name}: {_reason(_error(state))}; trying again in {wait_s:.0f} s")

    return Retrying(
        retry=retry_if_exception_type((_InterruptedError, httpx.RequestError)),
        stop=give_up,
        wait=wait_exponential(multiplier=first_wait_s, max=LONGEST_WAIT_S),
        before_sleep=announce,
        reraise=True,
    )


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _reason(error: BaseException | None) -> str:
    return f"{error}" or type(error).__name__


def _by_hand(path: Path) -> str:
    return f"Run again when the server can be reached, or get the file in another way and put it at {path}."


def _attempt(client: httpx.Client, file: RemoteFile, path: Path, part: Path, max_bytes: int) -> str:
    """Download the file, or the missing part of it, into ``part``, check it and return its digest."""
    offset, validator = _resumable(part)
    headers = {"Range": f"bytes={offset}-", "If-Range": validator} if offset else {}
    with client.stream("GET", file.url, headers=headers) as response:
        resumed = _goes_on(response, offset, part)
        if not resumed:
            _discard(part)
            _remember_validator(response, part)
        left = max_bytes - (offset if resumed else 0)
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > left:
            raise _too_large(max_bytes)
        with part.open("ab") as stream:
            chunks = response.iter_raw(CHUNK_BYTES)
            for chunk in track(chunks, f"{file.name}, MiB", _n_chunks(response)):
                left -= len(chunk)
                if left < 0:
                    _discard(part)
                    raise _too_large(max_bytes)
                stream.write(chunk)
    return _check_content(file, path, part, resumed)


def _too_large(max_bytes: int) -> _RefusedError:
    return _RefusedError(
        f"it is larger than {max_bytes / 1e9:g} GB. Increase `download.max_size_gb` if it is the right file"
    )


def _goes_on(response: httpx.Response, offset: int, part: Path) -> bool:
    """Return whether the response continues at ``offset`` (else it is the file from its beginning)."""
    status = response.status_code
    if status == httpx.codes.OK:
        return False
    if status == httpx.codes.PARTIAL_CONTENT and offset:
        if response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            return True
        _discard(part)
        raise _InterruptedError("the server sent a different part of the file than was requested")
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        _discard(part)
        raise _InterruptedError("the partial file is longer than the file of the server")
    answer = f"the server answers {status} {response.reason_phrase}"
    raise _InterruptedError(answer) if status in RETRIED_STATUS else _RefusedError(answer)


def _check_content(file: RemoteFile, path: Path, part: Path, resumed: bool) -> str:
    stated = stated_compression(file.name)
    with part.open("rb") as stream:
        found = stream.read(MAGIC_BYTES)
    if stated and found_compression(found) is not stated:
        _discard(part)
        begins = found[: len(stated.magic)]
        raise _RefusedError(
            f"the server did not send a {Path(file.name).suffix} file (the data begin with {begins!r})"
        )
    digest = sha256_of_file(part)
    expected, why = _expected_digest(file, path)
    if expected is None or digest == expected.lower():
        return digest
    _discard(part)
    if resumed:
        raise _InterruptedError("the parts of the file do not fit together")
    raise _RefusedError(f"its SHA-256 is {digest}, {why}")


def _expected_digest(file: RemoteFile, path: Path) -> tuple[str | None, str]:
    """Return the digest that a file must have, if known, and where it is stated."""
    if file.sha256:
        return file.sha256, f"but `download.files` states {file.sha256}"
    origin = Origin.read(path)
    if origin is None or origin.url != file.url:
        return None, ""
    where = Origin.path(path)
    return origin.sha256, (
        f"but it was {origin.sha256} when the file was first downloaded ({where}). "
        "Delete that record if you want the new version of the server"
    )


def _resumable(part: Path) -> tuple[int, str]:
    """Return the size of the partial file and the validator of the server's file; 0 if that is unknown."""
    validator = _validator_path(part)
    if part.exists() and validator.exists():
        return part.stat().st_size, validator.read_text(encoding="utf-8")
    return 0, ""


def _remember_validator(response: httpx.Response, part: Path) -> None:
    """Store the strong ETag or the date of the server's file, without which a download is not resumed."""
    tag = response.headers.get("ETag", "W/")
    validator = response.headers.get("Last-Modified", "") if tag.startswith("W/") else tag
    if validator:
        _validator_path(part).write_text(validator, encoding="utf-8")


def _discard(part: Path) -> None:
    for path in (part, _validator_path(part)):
        path.unlink(missing_ok=True)


def _validator_path(part: Path) -> Path:
    return part.with_name(f".{part.name}.validator")


def _n_chunks(response: httpx.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return math.ceil(int(length) / CHUNK_BYTES) if length.isdigit() else None
