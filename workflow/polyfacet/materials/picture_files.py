"""Read the pictures of a table's rows; errors name the material."""

from pathlib import Path

from PIL import Image

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.picture_decoding import PictureDecodingError, decode_png


def read_picture(mat_id: str, path: Path) -> Image.Image:
    """Decode the picture of a material completely.

    Raises
    ------
    UserError
        If the file is missing, damaged or truncated; the message names the material and the file.
    """
    try:
        return decode_png(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError(
            f"material {mat_id}: picture {path} is missing. Delete its folder and run again."
        ) from error
    except PictureDecodingError as error:
        raise UserError(
            f"material {mat_id}: picture {path} cannot be decoded ({error}). Delete it and run again."
        ) from error
