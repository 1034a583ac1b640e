"""Encoders of texts and pictures."""

from typing import Literal

from pydantic import Field

from polyfacet.config.section import Section, Text

EncoderSource = Literal["local", "hub"]


class Checkpoints(Section):
    """Checkpoints that facets use instead of those of `source`."""

    text: Text | None = Field(
        default=None,
        description="A repository on the Hugging Face hub (`m3rg-iitd/matscibert`), or a local folder "
        "(configuration, weights, tokenizer).",
    )
    image: Text | None = Field(
        default=None,
        description="A timm model with weights (`resnet18.a1_in1k`, `hf-hub:<repository>`), or a local "
        "folder (`config.json`, `pytorch_model.bin`).",
    )
    compimage: Text | None = Field(default=None, description="As `image`, for the composition images.")


class TextEncoderSettings(Section):
    """Local text encoder: a BERT with few layers (Devlin et al. 2019, arXiv:1810.04805)."""

    hidden_size: int = Field(default=96, ge=8, description="Width of the hidden layers.")
    n_layers: int = Field(default=2, ge=1, description="Number of layers.")
    n_heads: int = Field(
        default=4, ge=1, description="Number of attention heads; `hidden_size` must be a multiple of it."
    )
    max_tokens: int = Field(default=64, ge=8, description="Maximum length of a text, tokens.")
    element_properties: bool = Field(
        default=True,
        description="Whether element embeddings are initialized from element properties instead of noise.",
    )


class ImageEncoderSettings(Section):
    """Local encoder of pictures (timm)."""

    architecture: Text = Field(default="resnet10t", description="Name of the architecture in timm.")
    size_px: int = Field(default=64, ge=16, description="Edge length of the square input picture, pixels.")


class Encoders(Section):
    """Where the text and image encoders come from, and how large local ones are."""

    source: EncoderSource = Field(
        default="local",
        description="`local` makes small untrained encoders, `hub` uses those of the engine's preset "
        "from the Hugging Face hub.",
    )
    cache: Text = Field(
        default="data/hub",
        description="Folder for the encoders from the hub (a Hugging Face cache); they are downloaded once "
        "and used offline from then on.",
    )
    checkpoints: Checkpoints = Field(
        default=Checkpoints(), description="Checkpoints that facets use instead of those of `source`."
    )
    text: TextEncoderSettings = Field(default=TextEncoderSettings(), description="Local text encoder (BERT).")
    image: ImageEncoderSettings = Field(
        default=ImageEncoderSettings(), description="Local encoder of the structure pictures (timm)."
    )
    compimage: ImageEncoderSettings = Field(
        default=ImageEncoderSettings(), description="Local encoder of the composition images (timm)."
    )
