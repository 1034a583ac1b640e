"""Published files of entries and how they are downloaded."""

from pydantic import Field

from polyfacet.config.section import Section, Text


class PublishedFile(Section):
    """A published file, given by its address."""

    url: str = Field(
        pattern=r"^https?://",
        description="Address of the file.",
        examples=["https://example.org/entries.json.bz2"],
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-fA-F]{64}$",
        description="SHA-256 of the file; `null` leaves it unchecked.",
    )


class Download(Section):
    """Published files of entries; those in `sources` below `data/alexandria` are downloaded."""

    base_url: str = Field(
        default="https://alexandria.icams.rub.de/data/pbe/2024.12.15/",
        pattern=r"^https?://",
        description="Address of the folder with the files that are given by name: a release of Alexandria "
        "(PBE, 3D).",
    )
    files: list[Text | PublishedFile] = Field(
        default=["alexandria_{000..049}.json.bz2"],
        description="Names, with ranges where useful, or `{url, sha256}`; the source `data/alexandria` means "
        "all of them.",
    )
    attempts: int = Field(
        default=6,
        ge=1,
        description="Attempts per file before the download fails; the next run resumes it.",
    )
    stall_timeout_s: float = Field(
        default=60.0, gt=0, description="Time without data after which an attempt is given up, seconds."
    )
    max_size_gb: float = Field(default=10.0, gt=0, description="Largest accepted file size, GB.")
    allow_http: bool = Field(
        default=False,
        description="Whether unencrypted addresses (`http://`) may be used, or redirected to; "
        "those of this machine are always allowed.",
    )
