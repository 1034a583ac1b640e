"""Download one file of published entries."""

from pathlib import Path
from typing import Annotated

from polyfacet.runtime.arguments import Key
from polyfacet.sources.alexandria.download import download
from polyfacet.sources.alexandria.remote_files import RemoteFile


def main(
    entry_file: Path,
    *,
    url: str,
    sha256: str | None = None,
    attempts: Annotated[int, Key("download.attempts")] = 6,
    stall_timeout_s: Annotated[float, Key("download.stall_timeout_s")] = 60.0,
    max_size_gb: Annotated[float, Key("download.max_size_gb")] = 10.0,
    allow_http: bool = False,
) -> None:
    """Download the file.

    Parameters
    ----------
    entry_file
        Output: the unchanged file.
    url
        Address of the file.
    sha256
        Digest of the file, if known.
    attempts, stall_timeout_s, max_size_gb, allow_http
        See `polyfacet.sources.alexandria.download.download`.
    """
    download(
        RemoteFile(url, sha256),
        entry_file,
        attempts=attempts,
        stall_timeout_s=stall_timeout_s,
        max_size_gb=max_size_gb,
        allow_http=allow_http,
    )


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
