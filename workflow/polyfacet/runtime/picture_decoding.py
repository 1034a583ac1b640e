"""Strict decoding of PNG pictures: damaged and truncated files are rejected."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image, ImageFile

from polyfacet.runtime.machine_failures import machine_failure


class PictureDecodingError(ValueError):
    """Bytes that are not one complete PNG; the message is the reason."""


def decode_png(content: bytes) -> Image.Image:
    """Decode a PNG completely.

    Raises
    ------
    PictureDecodingError
        If a checksum is wrong, or pixels are missing.
    """
    try:
        with _no_truncated_pictures():
            # verify() checks the checksums and leaves the picture unusable; only load() decodes the pixels.
            with Image.open(BytesIO(content), formats=["PNG"]) as picture:
                picture.verify()
            picture = Image.open(BytesIO(content), formats=["PNG"])
            picture.load()
            return picture
    except (OSError, SyntaxError, ValueError) as error:
        if failure := machine_failure(error):
            raise failure from error
        raise PictureDecodingError(f"not a PNG: {error}") from error


@contextmanager
def _no_truncated_pictures() -> Iterator[None]:
    """Make PIL reject truncated pictures: importing AutoGluon switches this check off."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
