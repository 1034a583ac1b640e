"""Names of files of entries."""

from polyfacet.sources.compression import COMPRESSIONS, stated_compression

JSON_ENDINGS = (".json", ".jsonl", ".ndjson")
COMPRESSED_ENDINGS = tuple(ending for known in COMPRESSIONS for ending in known.endings)
NAMES_OF_ENTRY_FILES = f"{', '.join(JSON_ENDINGS)}; also compressed: {', '.join(COMPRESSED_ENDINGS)}"


def is_entry_file_name(name: str) -> bool:
    """Return whether a file is named like a file of entries, in upper or lower case."""
    lower = name.lower()
    compression = stated_compression(lower)
    for ending in compression.endings if compression else ():
        lower = lower.removesuffix(ending)
    return lower.endswith(JSON_ENDINGS)
