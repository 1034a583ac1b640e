"""Create the small encoders that replace those of a hub on machines without network access."""

from pathlib import Path
from typing import Annotated, Any

from polyfacet.config.encoders import ImageEncoderSettings, TextEncoderSettings
from polyfacet.facets.registry import COMPIMAGE, IMAGE, TEXT
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import atomic_path
from polyfacet.training.encoders.local import save_image_encoder, save_text_encoder


def main(
    encoders: Path,
    *,
    seed: Annotated[int, Key("seed")],
    text: Annotated[dict[str, Any], Key("encoders.text")],
    image: Annotated[dict[str, Any], Key("encoders.image")],
    compimage: Annotated[dict[str, Any], Key("encoders.compimage")],
) -> None:
    """Save a checkpoint for each facet that has an encoder, under the facet's name.

    Parameters
    ----------
    encoders
        Output folder.
    seed
        Seed of the weights.
    text
        Settings of the text encoder (``TextEncoderSettings``).
    image, compimage
        Settings of the two image encoders (``ImageEncoderSettings``).
    """
    with atomic_path(encoders) as folder:
        save_text_encoder(folder / TEXT.name, TextEncoderSettings(**text), seed)
        save_image_encoder(folder / IMAGE.name, ImageEncoderSettings(**image), seed)
        save_image_encoder(folder / COMPIMAGE.name, ImageEncoderSettings(**compimage), seed + 1)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
