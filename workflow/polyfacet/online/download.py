"""Download of a large file over HTTP that survives stalls, cuts and restarts."""

import math
from pathlib import Path

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from polyfacet.errors import UserError
from polyfacet.files import move_into_place, sha256_of_file
from polyfacet.online.remote_files import RemoteFile
from polyfacet.progress import tell, track

CHUNK_BYTES = 1 << 20
LONGEST_WAIT_S = 60.0
# Without a network there are many files to fail, and nothing to wait for.
ATTEMPTS_TO_CONNECT = 3
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
# How the formats begin; a web page in place of the file does not.
MAGIC_BYTES = {".bz2": b"BZh", ".gz": b"\x1f\x8b"}


class _InterruptedError(Exception):
    """The transfer failed in a way that another attempt may mend."""


class _RefusedError(Exception):
    """The server does not give the file, or gives another one: trying again would not help."""


def download(
    file: RemoteFile,
    path: Path,
    *,
    attempts: int = 6,
    stall_timeout_s: float = 60.0,
    first_wait_s: float = 1.0,
) -> None:
    """Download a file, going on where an earlier attempt or an earlier run stopped.

    What has arrived is kept in ``<path>.part``; ``path`` appears when the file is whole.  An interrupted
    download goes on only if the server says that its file is still the same (RFC 9110, If-Range).

    Parameters
    ----------
    file
        Address and, where it is known, the digest.
    path
        Where to put it.
    attempts
        Attempts before giving up; the waits between them double.
    stall_timeout_s
        A server that sends nothing for so long counts as gone, seconds.
    first_wait_s
        Wait after the first failed attempt, seconds.

    Raises
    ------
    UserError
        If the server cannot be reached, does not have the file or sends another one; says where to put the
        file by hand.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    retrying = _retrying(file.name, attempts, first_wait_s)
    # A compressed transfer could not be resumed: ranges count the bytes of the file itself.
    headers = {"Accept-Encoding": "identity"}
    with httpx.Client(follow_redirects=True, timeout=stall_timeout_s, headers=headers) as client:
        try:
            retrying(_attempt, client, file, part)
        except (_InterruptedError, httpx.RequestError) as error:
            raise UserError(
                f"{file.url} cannot be downloaded: {_reason(error)} "
                f"({retrying.statistics['attempt_number']} attempts). {_by_hand(path)}"
            ) from error
        except _RefusedError as error:
            raise UserError(f"{file.url} cannot be downloaded: {error}. {_by_hand(path)}") from error
    move_into_place(part, path)
    _validator_path(part).unlink(missing_ok=True)


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


def _attempt(client: httpx.Client, file: RemoteFile, part: Path) -> None:
    """Get the file, or what is missing of it, into ``part`` and check it."""
    offset, validator = _resumable(part)
    headers = {"Range": f"bytes={offset}-", "If-Range": validator} if offset else {}
    with client.stream("GET", file.url, headers=headers) as response:
        resumed = _goes_on(response, offset, part)
        if not resumed:
            _discard(part)
            _remember_validator(response, part)
        with part.open("ab") as stream:
            chunks = response.iter_raw(CHUNK_BYTES)
            for chunk in track(chunks, f"{file.name}, MiB", _n_chunks(response)):
                stream.write(chunk)
    _check_content(file, part, resumed)


def _goes_on(response: httpx.Response, offset: int, part: Path) -> bool:
    """Say whether the answer goes on at ``offset`` (else it is the file from its beginning)."""
    status = response.status_code
    if status == httpx.codes.OK:
        return False
    if status == httpx.codes.PARTIAL_CONTENT and offset:
        if response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            return True
        _discard(part)
        raise _InterruptedError("the server sent another part of the file than it was asked for")
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        _discard(part)
        raise _InterruptedError("more is here than the server has")
    answer = f"the server answers {status} {response.reason_phrase}"
    raise _InterruptedError(answer) if status in RETRIED_STATUS else _RefusedError(answer)


def _check_content(file: RemoteFile, part: Path, resumed: bool) -> None:
    begins = MAGIC_BYTES.get(Path(file.name).suffix, b"")
    with part.open("rb") as stream:
        found = stream.read(len(begins))
    if found != begins:
        _discard(part)
        raise _RefusedError(
            f"what the server sends is no {Path(file.name).suffix} file (it begins {found!r})"
        )
    if file.sha256 is None:
        return
    digest = sha256_of_file(part)
    if digest != file.sha256.lower():
        _discard(part)
        if resumed:
            raise _InterruptedError("the parts of the file do not fit together")
        raise _RefusedError(f"its SHA-256 is {digest}, `download.files` says {file.sha256}")


def _resumable(part: Path) -> tuple[int, str]:
    """Give the size of what is there and what identifies the server's file; 0 if that is not known."""
    validator = _validator_path(part)
    if part.exists() and validator.exists():
        return part.stat().st_size, validator.read_text(encoding="utf-8")
    return 0, ""


def _remember_validator(response: httpx.Response, part: Path) -> None:
    """Keep the strong ETag or the date of the server's file, without which nothing is resumed."""
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
