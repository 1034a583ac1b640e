"""Pretraining of the local text encoder: it fills in masked elements and amounts of formulas.

As BERT (Devlin et al. 2019, arXiv:1810.04805), without its second task, and with the larger share of masked
tokens of Wettig et al. (2023, arXiv:2202.08005), as formulas are short.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import BertForMaskedLM, BertModel, DataCollatorForLanguageModeling, PreTrainedTokenizerFast

from polyfacet.networks import loop
from polyfacet.networks.descent import descend
from polyfacet.networks.held_out import NothingToLearnError, hold_out
from polyfacet.networks.properties import batches
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.identifiers import stable_hash

# Fewest materials to train on, and the most distinct texts: more would take hours on one core.
FEWEST, MOST = 60, 5_000
# Share of the materials whose texts choose the epoch.
HELD_OUT = 0.1
MASKED = 0.4
BATCH = 32
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 0.01
# Labels that the loss of transformers leaves out.
IGNORED = -100

Tokens = list[int]


def pretrain(
    encoder: BertModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: Mapping[str, str],
    groups: Mapping[str, str],
    *,
    epochs: int,
    seed: int,
) -> dict[str, float]:
    """Train an encoder in place; it ends with the weights of the best epoch.

    Parameters
    ----------
    encoder, tokenizer
        The encoder with its initial weights, and its tokenizer.
    texts
        mat_id to text, of the training part.
    groups
        mat_id to group, to hold materials out by.
    epochs
        Number of epochs.
    seed
        Seed of the head, the held-out texts, the order, the masks and the dropout.

    Returns
    -------
    dict
        A perplexity is the number of equally likely tokens that are as hard to choose from as a masked token
        of the held-out texts: ``perplexity`` with the pretrained encoder, ``perplexity_of_frequencies`` if
        nothing but the frequency of each token is known.

    Raises
    ------
    NothingToLearnError
        If there are too few materials, or the training diverges.
    """
    trained_on, held_out = _divided(texts, groups, seed)
    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        model = BertForMaskedLM(encoder.config)
        model.bert = encoder
        model.tie_weights()
        epoch = _Epoch.of(model, tokenizer, trained_on, epochs, seed)
        questions = _questions(tokenizer, held_out)
        ended = loop.train(
            model,
            epoch.optimizer,
            loop.Plan("masked tokens", "", None, epochs, patience=epochs),
            epoch.run,
            lambda: _nats(model, questions),
        )
    if not ended.epoch:
        raise NothingToLearnError("the training diverged in its first epoch")
    of_frequencies = _nats_of_frequencies(tokenizer, trained_on, held_out)
    return {"perplexity": math.exp(ended.error), "perplexity_of_frequencies": math.exp(of_frequencies)}


def _divided(texts: Mapping[str, str], groups: Mapping[str, str], seed: int) -> tuple[list[str], list[str]]:
    """Return the distinct texts to train on, and those held out."""
    parts = hold_out(
        {mat_id: groups[mat_id] for mat_id in texts},
        HELD_OUT,
        seed,
        purpose="validation of masked tokens",
        what="a text",
        fewest=FEWEST,
    )
    trained_on, held_out = (_drawn({texts[mat_id] for mat_id in part}) for part in parts)
    return trained_on, held_out


def _drawn(texts: Iterable[str]) -> list[str]:
    """Return all texts, or a draw that does not depend on their order."""
    return sorted(texts, key=lambda text: stable_hash("masked tokens", text))[:MOST]


@dataclass(frozen=True, eq=False)
class _Epoch:
    """What every epoch trains on."""

    model: BertForMaskedLM
    optimizer: torch.optim.Optimizer
    mask: DataCollatorForLanguageModeling
    tokens: Sequence[Tokens]
    epochs: int
    seed: int

    @classmethod
    def of(
        cls,
        model: BertForMaskedLM,
        tokenizer: PreTrainedTokenizerFast,
        texts: Sequence[str],
        epochs: int,
        seed: int,
    ) -> "_Epoch":
        optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        mask = DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASKED)
        return cls(model, optimizer, mask, _tokens(tokenizer, texts), epochs, seed)

    def run(self, epoch: int) -> bool:
        """Train on every text once; return False if loss or gradient is not finite."""
        torch.manual_seed(stable_hash("masks", self.seed, epoch) % 2**32)
        cut = batches(np.random.default_rng([self.seed, epoch]).permutation(len(self.tokens)), BATCH)
        self.model.train()
        losses = (
            self.model(**self.mask([{"input_ids": self.tokens[row]} for row in rows])).loss for rows in cut
        )
        return descend(
            self.model,
            self.optimizer,
            losses,
            len(cut),
            learning_rate=LEARNING_RATE,
            epoch=epoch,
            epochs=self.epochs,
        )


def _tokens(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[Tokens]:
    found: list[Tokens] = tokenizer(list(texts), truncation=True)["input_ids"]
    return found


def _words(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> Iterator[Tokens]:
    """Yield the tokens of each text without those that stand for its start and end."""
    special = set(tokenizer.all_special_ids)
    for tokens in _tokens(tokenizer, texts):
        yield [token for token in tokens if token not in special]


def _questions(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> dict[str, torch.Tensor]:
    """Mask each token of each text once; the same questions after every epoch."""
    special = set(tokenizer.all_special_ids)
    asked = [
        (tokens, place)
        for tokens in _tokens(tokenizer, texts)
        for place, token in enumerate(tokens)
        if token not in special
    ]
    masked = [[*tokens[:place], tokenizer.mask_token_id, *tokens[place + 1 :]] for tokens, place in asked]
    padded = tokenizer.pad({"input_ids": masked}, return_tensors="pt")
    labels = torch.full_like(padded["input_ids"], IGNORED)
    for row, (tokens, place) in enumerate(asked):
        labels[row, place] = tokens[place]
    return {"input_ids": padded["input_ids"], "attention_mask": padded["attention_mask"], "labels": labels}


def _nats(model: BertForMaskedLM, questions: Mapping[str, torch.Tensor]) -> float:
    """Return the mean negative log-likelihood of the masked tokens."""
    model.eval()
    with torch.inference_mode():
        return float(model(**questions).loss)


def _nats_of_frequencies(
    tokenizer: PreTrainedTokenizerFast, trained_on: Sequence[str], held_out: Sequence[str]
) -> float:
    """Return the same if each token is as likely as it is frequent; one is added to each count."""
    counts = np.ones(len(tokenizer))
    for tokens in _words(tokenizer, trained_on):
        np.add.at(counts, tokens, 1)
    asked = [token for tokens in _words(tokenizer, held_out) for token in tokens]
    return float(-np.log(counts / counts.sum())[asked].mean())
