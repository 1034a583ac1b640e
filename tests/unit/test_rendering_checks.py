"""Checks that a PNG is a valid picture of a crystal."""

import io

import numpy as np
import pytest
from PIL import Image

from polyfacet.facets.image.checks import picture_fault

SIZE = 64


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def white(channels: int = 3, size: int = SIZE) -> np.ndarray:
    return np.full((size, size, channels), 255, dtype=np.uint8)


def with_disc(pixels: np.ndarray) -> np.ndarray:
    y, x = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    pixels[(x - SIZE // 2) ** 2 + (y - SIZE // 2) ** 2 < 100, :3] = (30, 90, 200)
    return pixels


@pytest.mark.parametrize("channels", [3, 4])
def test_a_disc_on_white_is_a_picture(channels):
    assert picture_fault(png(with_disc(white(channels))), SIZE) is None


def test_thin_lines_alone_are_a_picture():
    pixels = white()
    pixels[10, 10:54] = 0
    assert picture_fault(png(pixels), SIZE) is None


@pytest.mark.parametrize("value", [0, 128, 255])
def test_uniform_picture_is_rejected(value):
    assert picture_fault(png(np.full((SIZE, SIZE, 3), value, dtype=np.uint8)), SIZE) is not None


def test_blank_picture_is_reported_as_blank():
    assert "blank" in picture_fault(png(white()), SIZE)


def test_a_single_speck_is_blank():
    pixels = white()
    pixels[30, 30] = 0
    assert "blank" in picture_fault(png(pixels), SIZE)


@pytest.mark.parametrize("alpha", [0, 128, 254])
def test_transparency_anywhere_is_rejected(alpha):
    pixels = with_disc(white(channels=4))
    pixels[5, 5, 3] = alpha
    assert "transparent" in picture_fault(png(pixels), SIZE)


@pytest.mark.parametrize(("y", "x"), [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_background_that_is_not_white_is_rejected(y, x):
    pixels = with_disc(white())
    pixels[y, x] = (254, 255, 255)
    assert "corner" in picture_fault(png(pixels), SIZE)


@pytest.mark.parametrize("expected", [63, 65, 300])
def test_wrong_size_is_rejected(expected):
    assert f"instead of {expected} x {expected}" in picture_fault(png(with_disc(white())), expected)


def test_picture_that_is_not_square_is_rejected():
    assert "64 x 32" in picture_fault(png(with_disc(white())[:32]), SIZE)


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "spoil", [lambda b: b"", lambda b: b[: len(b) // 2], damaged, lambda b: b"GIF89a" + b]
)
def test_file_that_cannot_be_decoded_is_rejected(spoil):
    assert "not a PNG" in picture_fault(spoil(png(with_disc(white()))), SIZE)
