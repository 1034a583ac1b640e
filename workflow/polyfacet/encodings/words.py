"""Texts as weighted words, reduced to few numbers: TF-IDF and truncated SVD, fitted on the training part."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer

from polyfacet.encodings.base import Encoded, Encoder, Fitting, Tensors
from polyfacet.networks.threads import one_thread

# Decimal numbers, words (case matters: Co is not CO), and single other characters, so that no text is empty.
WORD = r"\d+\.\d+|\w+|[^\w\s]"
# Single words and pairs; the most frequent ones are kept.
N_GRAMS, MAX_TERMS = (1, 2), 20_000
# Of terms in a file; no term contains it.
SEPARATOR = "\n"
# Numbers per material; fewer if there are fewer texts or terms.
SIZE = 64
# Power iterations of the randomized SVD.
ITERATIONS = 7


class WordEncoder(Encoder):
    """Terms of a text, weighted by TF-IDF and projected on the leading singular vectors."""

    def __init__(
        self, record: Mapping[str, Any], terms: Sequence[str], weights: Encoded, components: Encoded
    ) -> None:
        super().__init__(record)
        self._terms, self._weights, self._components = list(terms), weights, components
        self._vectorizer = _vectorizer(vocabulary=self._terms)
        self._vectorizer.idf_ = weights

    @classmethod
    def fit(cls, fitting: Fitting) -> Self:
        """Fit vocabulary, weights and singular vectors on the texts of the training part.

        Objectives are not looked at.
        """
        texts = _texts(fitting.rows, fitting.columns)
        vectorizer = _vectorizer(max_features=MAX_TERMS)
        weighted = csr_array(vectorizer.fit_transform(texts))
        components = _singular_vectors(weighted, min(SIZE, *weighted.shape), fitting.seed)
        terms = vectorizer.get_feature_names_out()
        record = {"n_fitted": len(texts), "n_terms": len(terms), "seed": fitting.seed}
        return cls(record, terms, vectorizer.idf_.astype(np.float32), components)

    def encode(self, rows: pd.DataFrame, columns: Sequence[str]) -> Encoded:
        """Return the projections of the texts, shape ``(rows, SIZE)`` or fewer numbers."""
        weighted = self._vectorizer.transform(_texts(rows, columns))
        return np.asarray(weighted @ self._components, dtype=np.float32)

    def tensors(self) -> Tensors:
        """Return the terms, as the bytes of a text with one per line, their weights, the singular vectors."""
        lines = np.frombuffer(SEPARATOR.join(self._terms).encode(), dtype=np.uint8)
        return {"terms": lines, "weights": self._weights, "components": self._components}

    @classmethod
    def restored(cls, record: Mapping[str, Any], tensors: Tensors) -> Self:
        """Create the encoder that had this record and these tensors."""
        terms = tensors["terms"].tobytes().decode().split(SEPARATOR)
        return cls(record, terms, tensors["weights"], tensors["components"])


def _vectorizer(**options: Any) -> TfidfVectorizer:
    return TfidfVectorizer(
        lowercase=False,
        token_pattern=WORD,
        ngram_range=N_GRAMS,
        sublinear_tf=True,
        dtype=np.float32,
        **options,
    )


def _texts(rows: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    (name,) = columns
    return [str(text) for text in rows[name]]


def _singular_vectors(weighted: csr_array, size: int, seed: int) -> Encoded:
    """Return the leading right singular vectors, shape ``(terms, size)``, the same for any thread count."""
    entries = weighted.tocoo()
    places = torch.from_numpy(np.stack(entries.coords).astype(np.int64))
    values = torch.from_numpy(entries.data.astype(np.float64))
    with torch.sparse.check_sparse_tensor_invariants(), torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        matrix = torch.sparse_coo_tensor(places, values, entries.shape)
        _, _, vectors = torch.svd_lowrank(matrix, size, niter=ITERATIONS)
    return vectors.numpy().astype(np.float32)
