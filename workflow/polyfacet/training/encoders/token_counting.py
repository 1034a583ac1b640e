"""Reads texts with the tokenizer of an encoder, and counts what it does not know."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from polyfacet.runtime.errors import UserError
from polyfacet.training.encoders.token_counts import TokenCounts

# AutoGluon's own limit where neither its settings nor the encoder have a smaller one, tokens.
LONGEST_TEXT = 512
_TOGETHER = 1000
_FREQUENT = 5


def load_tokenizer(checkpoint: Path) -> Any:
    """Load the tokenizer of a checkpoint folder, asking no hub.

    Raises
    ------
    UserError
        If the folder has no tokenizer that can be read.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import AutoTokenizer  # noqa: PLC0415 - reads its environment when it is imported

    try:
        return AutoTokenizer.from_pretrained(str(checkpoint))
    except (OSError, ValueError) as error:
        raise UserError(
            f"the text encoder {checkpoint} has no tokenizer that can be read: {error}"
        ) from error


def longest_text(checkpoint: Path, tokenizer: Any, told: int | None) -> int:
    """Find how many tokens of a text an encoder reads, as AutoGluon does.

    Parameters
    ----------
    checkpoint
        Folder with the encoder's ``config.json``.
    tokenizer
        Its tokenizer.
    told
        ``model.hf_text.max_text_len`` of the configuration; None for AutoGluon's default.
    """
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    relative = config.get("relative_attention") or "relative" in str(config.get("position_embedding_type"))
    own = None if relative else config.get("max_position_embeddings")
    own = own or tokenizer.model_max_length
    limit = LONGEST_TEXT if told is None else told
    return int(min(own, limit) if limit > 0 else own)


def count_tokens(
    texts: Iterable[str], tokenizer: Any, max_tokens: int, *, facet: str, form: str, encoder: str
) -> TokenCounts:
    """Count what a tokenizer does not know in texts, and the texts that it would cut.

    A tokenizer that spells unknown words by bytes or characters knows everything.
    """
    n_texts = n_tokens = n_unknown = n_cut = 0
    words: Counter[str] = Counter()
    # AutoGluon puts these two around a text, also where the tokenizer itself does not.
    around = [token for token in (tokenizer.cls_token_id, tokenizer.sep_token_id) if token is not None]
    special = max(len(around), tokenizer.num_special_tokens_to_add())
    unknown = tokenizer.unk_token_id
    waiting = iter(texts)
    while together := list(islice(waiting, _TOGETHER)):
        encoded = tokenizer(together, add_special_tokens=False, return_offsets_mapping=tokenizer.is_fast)
        offsets = encoded.get("offset_mapping") or [None] * len(together)
        for text, ids, places in zip(together, encoded["input_ids"], offsets, strict=True):
            n_texts += 1
            n_tokens += len(ids)
            n_cut += len(ids) + special > max_tokens
            found = [i for i, number in enumerate(ids) if number == unknown]
            n_unknown += len(found)
            if places:
                words.update(text[slice(*places[i])] for i in found)
    return TokenCounts(
        facet=facet,
        form=form,
        encoder=encoder,
        n_texts=n_texts,
        n_tokens=n_tokens,
        n_unknown=n_unknown,
        unknown_words=dict(words.most_common(_FREQUENT)),
        max_tokens=max_tokens,
        n_cut=n_cut,
    )
