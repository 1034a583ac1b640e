"""Tokenize texts with the tokenizer of an encoder, and count what it does not know."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from polyfacet.runtime.errors import UserError
from polyfacet.training.encoders.dropped_words import dropped_words
from polyfacet.training.encoders.token_counts import TokenCounts

# AutoGluon's own limit in tokens, unless its settings or the encoder have a smaller one.
LONGEST_TEXT = 512
_TOGETHER = 1000
_FREQUENT = 5


def load_tokenizer(checkpoint: Path) -> Any:
    """Load the tokenizer of a checkpoint folder, without contacting a hub.

    Raises
    ------
    UserError
        If the folder has no readable tokenizer.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import AutoTokenizer  # noqa: PLC0415 - reads its environment on import

    try:
        return AutoTokenizer.from_pretrained(str(checkpoint))
    except (OSError, ValueError) as error:
        raise UserError(f"the text encoder {checkpoint} has no readable tokenizer: {error}") from error


def longest_text(checkpoint: Path, tokenizer: Any, told: Any) -> int:
    """Return how many tokens of a text an encoder reads, as AutoGluon determines it.

    Parameters
    ----------
    checkpoint
        Folder with the encoder's ``config.json``.
    tokenizer
        Its tokenizer.
    told
        ``model.hf_text.max_text_len`` of the configuration; None for AutoGluon's default.

    Raises
    ------
    UserError
        If ``told`` is not a whole number.
    """
    try:
        limit = LONGEST_TEXT if told is None else int(str(told))
    except ValueError:
        raise UserError(
            f"settings.hyperparameters: model.hf_text.max_text_len is {told!r}, not a whole number. Write "
            f"for example\n      model.hf_text.max_text_len: {LONGEST_TEXT}"
        ) from None
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    relative = config.get("relative_attention") or "relative" in str(config.get("position_embedding_type"))
    own = None if relative else config.get("max_position_embeddings")
    own = own or tokenizer.model_max_length
    return int(min(own, limit) if limit > 0 else own)


def count_tokens(
    texts: Iterable[str], tokenizer: Any, max_tokens: int, *, facet: str, form: str, encoder: str
) -> TokenCounts:
    """Count what a tokenizer does not know in texts, and the texts that it would truncate.

    Unknown parts are unknown tokens and stretches of a text without a token.  The latter are found from the
    offsets of the tokens; for a tokenizer that does not report offsets (a slow one of
    transformers), only in texts without any token, where each word counts.  A tokenizer that spells
    unknown words in bytes or characters knows everything.

    Raises
    ------
    UserError
        If the tokenizer fails at an unknown word.
    """
    n_texts = n_tokens = n_unknown = n_dropped = n_cut = 0
    words: Counter[str] = Counter()
    special, unknown = _n_special(tokenizer), _unknown_tokens(tokenizer)
    for text, ids, places in _encoded(texts, tokenizer, encoder):
        n_texts += 1
        n_tokens += len(ids)
        n_cut += len(ids) + special > max_tokens
        found = [i for i, number in enumerate(ids) if number in unknown]
        n_unknown += len(found)
        if places is not None:
            words.update(text[slice(*places[i])] for i in found)
        if places is not None or not ids:
            dropped = dropped_words(text, places or [])
            n_dropped += len(dropped)
            words.update(dropped)
    return TokenCounts(
        facet=facet,
        form=form,
        encoder=encoder,
        n_texts=n_texts,
        n_tokens=n_tokens,
        n_unknown=n_unknown,
        n_dropped=n_dropped,
        tells_places=tokenizer.is_fast,
        unknown_words=dict(words.most_common(_FREQUENT)),
        max_tokens=max_tokens,
        n_cut=n_cut,
    )


def _n_special(tokenizer: Any) -> int:
    """Count the special tokens of a text: AutoGluon adds one at each end if the tokenizer has them."""
    around = [token for token in (tokenizer.cls_token_id, tokenizer.sep_token_id) if token is not None]
    return max(len(around), int(tokenizer.num_special_tokens_to_add()))


def _unknown_tokens(tokenizer: Any) -> set[int]:
    """Collect the tokens of unknown words: transformers' and, where that is not set, the model's own."""
    found = {tokenizer.unk_token_id}
    if tokenizer.is_fast:
        backend = tokenizer.backend_tokenizer
        model = json.loads(backend.to_str())["model"]
        found.add(model.get("unk_id"))
        if model.get("unk_token") is not None:
            found.add(backend.token_to_id(model["unk_token"]))
    return found - {None}


def _encoded(
    texts: Iterable[str], tokenizer: Any, encoder: str
) -> Iterator[tuple[str, list[int], list[tuple[int, int]] | None]]:
    """Yield each text, its tokens, and their offsets where the tokenizer reports them."""
    waiting = iter(texts)
    while together := list(islice(waiting, _TOGETHER)):
        try:
            encoded = tokenizer(together, add_special_tokens=False, return_offsets_mapping=tokenizer.is_fast)
        except Exception as error:
            # Errors of tokenizers have no class of their own.
            if type(error) is not Exception:
                raise
            raise UserError(
                f"the tokenizer of the text encoder {encoder} cannot read the texts: {error}. It has no "
                "token for unknown words. Choose another encoder (encoders.checkpoints.text)."
            ) from error
        places = encoded.get("offset_mapping") or [None] * len(together)
        yield from zip(together, encoded["input_ids"], places, strict=True)
