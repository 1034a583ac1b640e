"""Small encoders with local checkpoints, for machines that cannot reach a model hub.

They are untrained but informed: the text encoder starts from element embeddings that carry tabulated element
properties, so that chemically similar elements start close to each other.  No material is used here.
"""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import timm
import torch
from pymatgen.core import Element
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from polyfacet.config.encoders import ImageEncoderSettings, TextEncoderSettings
from polyfacet.facets.declaration import Facet
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.training.encoders.own_checkpoints import encoder_of

ELEMENTS = tuple(Element.from_Z(z).symbol for z in range(1, 119))
# Counts above the largest are spelled by digits.
LARGEST_COUNT_TOKEN = 200
SPECIAL_TOKENS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
ELEMENT_PROPERTIES = (
    "row",
    "group",
    "X",
    "atomic_mass",
    "atomic_radius",
    "mendeleev_no",
    "melting_point",
    "boiling_point",
    "ionization_energy",
    "electron_affinity",
    "molar_volume",
    "thermal_conductivity",
)
TEXT_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
IMAGE_FILES = ("config.json", "pytorch_model.bin")


def save_text_encoder(folder: Path, settings: TextEncoderSettings, seed: int) -> None:
    """Create the text encoder and its tokenizer, and save both to ``folder``."""
    torch.manual_seed(seed)
    tokenizer = make_tokenizer(settings.max_tokens)
    model = BertModel(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=settings.hidden_size,
            num_hidden_layers=settings.n_layers,
            num_attention_heads=settings.n_heads,
            intermediate_size=2 * settings.hidden_size,
            max_position_embeddings=settings.max_tokens,
        )
    )
    if settings.element_properties:
        _set_property_embeddings(model, tokenizer, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def make_tokenizer(max_tokens: int) -> PreTrainedTokenizerFast:
    """Create a tokenizer for composition texts such as ``Ag 2 F 3``: one token per element and per count."""
    counts = [str(count) for count in range(LARGEST_COUNT_TOKEN + 1)]
    pieces = [f"##{piece}" for piece in (*"0123456789", ".")]
    words = [*SPECIAL_TOKENS.values(), *ELEMENTS, *counts, ".", *pieces]
    vocabulary = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token=SPECIAL_TOKENS["unk_token"]))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=max_tokens, **SPECIAL_TOKENS)


def element_property_table() -> np.ndarray:
    """Tabulate properties of the elements, standardised over the elements.

    Returns
    -------
    numpy.ndarray
        Shape ``(118, n_properties)``; each column has mean 0 and variance 1; unknown values are 0, the mean.
    """
    with warnings.catch_warnings():
        # pymatgen warns about every value that it lacks.
        warnings.simplefilter("ignore", UserWarning)
        rows = [[_property(Element(symbol), name) for name in ELEMENT_PROPERTIES] for symbol in ELEMENTS]
    table = np.array(rows)
    table = (table - np.nanmean(table, axis=0)) / np.nanstd(table, axis=0)
    return np.nan_to_num(table)


def _property(element: Element, name: str) -> float:
    try:
        value = getattr(element, name)
    except (AttributeError, KeyError):
        return float("nan")
    return float("nan") if value is None else float(value)


def _set_property_embeddings(model: BertModel, tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
    """Initialise element and count tokens with random projections of their properties.

    A random projection keeps distances (Johnson and Lindenstrauss 1984), so similar elements start similar.
    """
    generator = np.random.default_rng(seed)
    counts = np.arange(LARGEST_COUNT_TOKEN + 1)
    count_features = np.column_stack([np.log1p(counts), counts == 1, counts == 0]).astype(np.float64)
    weights = model.get_input_embeddings().weight.data
    for words, features in ((ELEMENTS, element_property_table()), (map(str, counts), count_features)):
        projection = generator.normal(size=(features.shape[1], weights.shape[1])) / np.sqrt(features.shape[1])
        rows = torch.as_tensor(tokenizer.convert_tokens_to_ids(list(words)))
        weights[rows] = torch.as_tensor(features @ projection, dtype=weights.dtype)


def save_image_encoder(folder: Path, settings: ImageEncoderSettings, seed: int) -> None:
    """Create an untrained timm model without a head; save it to ``folder`` in the format AutoGluon reads.

    Raises
    ------
    UserError
        If timm does not know the architecture, or it does not accept pictures of this size.
    """
    if settings.architecture not in timm.list_models():
        raise UserError(f"timm has no architecture {settings.architecture!r}. See timm.list_models().")
    torch.manual_seed(seed)
    model = timm.create_model(settings.architecture, pretrained=False, num_classes=0)
    size = (3, settings.size_px, settings.size_px)
    _check_size(model, settings)
    # Use the same size in training and test; otherwise AutoGluon uses the model's own test size.
    looks = {"input_size": size, "test_input_size": size, "mean": (0.5,) * 3, "std": (0.5,) * 3}
    folder.mkdir(parents=True)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    config = {
        "architecture": settings.architecture,
        "num_classes": 0,
        "num_features": model.num_features,
        "pretrained_cfg": {**looks, "interpolation": "bicubic", "crop_pct": 1.0},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _check_size(model: torch.nn.Module, settings: ImageEncoderSettings) -> None:
    """Run the model on an empty picture: some accept a single size, or none below a minimum."""
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, 3, settings.size_px, settings.size_px))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise_machine_failure(error)
        own = getattr(model, "pretrained_cfg", {}).get("input_size", ("?",))[-1]
        raise UserError(
            f"{settings.architecture} does not accept pictures of {settings.size_px} px ({error}). "
            f"Set size_px; its own size is {own}."
        ) from error


def checkpoint_of(encoders: Path, facet: Facet) -> Path:
    """Return the checkpoint folder of a facet's encoder after checking that it is complete.

    AutoGluon reports every defect of a checkpoint as "does not exist or model is invalid".

    Raises
    ------
    UserError
        If a file is missing; the message names it.
    """
    folder = encoders / encoder_of(facet)
    files: Sequence[str] = TEXT_FILES if facet.kind == "text" else IMAGE_FILES
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"the local encoder {folder} lacks {', '.join(missing)}. Delete {encoders} and run again."
        )
    return folder
