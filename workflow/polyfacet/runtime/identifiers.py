"""The identifier that joins all tables: ``mat_id``."""

import hashlib
import re
import unicodedata

MAT_ID_PATTERN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Characters of an identifier that replaces another one, and of the digest at its end.
REPLACED_CHARS, DIGEST_CHARS = 48, 8


def invalid_mat_id_reason(mat_id: object) -> str | None:
    """Return why an external value cannot be used as ``mat_id``; None if it can.

    The identifier becomes a file name, so anything that could leave its folder or hide a file is rejected.
    """
    if not isinstance(mat_id, str):
        return f"mat_id is {type(mat_id).__name__}, not a string"
    if not mat_id:
        return "the identifier is missing: mat_id is empty"
    if not MAT_ID_PATTERN.fullmatch(mat_id):
        return (
            f"mat_id {mat_id[:80]!r} does not match ^{MAT_ID_PATTERN.pattern}$: "
            "use 1 to 64 of the characters A-Z, a-z, 0-9, _, . and -"
        )
    if not mat_id.strip("."):
        return f"mat_id {mat_id!r} would name a folder"
    if mat_id.startswith("."):
        return f"mat_id {mat_id!r} would hide a file: begin it with another character than a point"
    return None


def usable_mat_id(stated: str) -> str:
    """Return an identifier as ``mat_id``: as it is if it can be one, otherwise with what it resembles.

    Characters that a ``mat_id`` must not have become ``_``, and a digest keeps it apart from others:
    ``iron oxide`` becomes ``iron_oxide-f6e1840d``.  An empty identifier stays empty, which is invalid.
    """
    if not stated or invalid_mat_id_reason(stated) is None:
        return stated
    written = stated.encode("utf-8", "backslashreplace").decode()
    plain = unicodedata.normalize("NFKD", written).encode("ascii", "ignore").decode()
    resembling = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).strip("._-")[:REPLACED_CHARS]
    return "-".join(filter(None, [resembling, text_digest(written)[:DIGEST_CHARS]]))


def stable_hash(*parts: object) -> int:
    """Hash parts to 64 bits, identically in every process and on every machine (unlike ``hash``)."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def text_digest(*parts: str) -> str:
    """Return one SHA-256 hex digest over several texts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def shard_of(mat_id: str, n_shards: int) -> int:
    """Return the shard of a material, which depends only on the material and not on the sample.

    Shards are equal intervals of hash values: each of n shards is the union of two of 2n shards.
    """
    return stable_hash("shard", mat_id) * n_shards >> 64
