"""How much of the texts an encoder understands: unknown tokens, and texts longer than its limit."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from polyfacet.facets.declaration import FORM_SEPARATOR
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.records import read_record, write_record

# Texts with a larger unknown share are noise to the encoder rather than a facet.
MAX_UNKNOWN = 0.05


class TokenCounts(BaseModel):
    """Counts of how an encoder reads the texts of a run; special tokens at their ends do not count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Name of the facet as in combinations, its variant if it has several, and the identity of its encoder.
    facet: str
    form: str
    encoder: str
    n_texts: int
    n_tokens: int
    # Unknown tokens.
    n_unknown: int
    # Stretches of the texts without a token; where the tokenizer does not report the offsets of its
    # tokens, only those of texts without any token.
    n_dropped: int
    tells_places: bool
    # The most frequent unknown words, and how often they occur.
    unknown_words: dict[str, int]
    # Tokens read of each text, special ones included, and how many texts have more.
    max_tokens: int
    n_cut: int

    @property
    def unknown_share(self) -> float:
        """Unknown share of the tokens and of the stretches without a token."""
        return (self.n_unknown + self.n_dropped) / max(self.n_tokens + self.n_dropped, 1)


def check_known(counts: TokenCounts) -> None:
    """Reject texts that are noise to their encoder.

    Raises
    ------
    UserError
        If more than ``MAX_UNKNOWN`` of the tokens are unknown; names the words, and what to choose instead.
    """
    if counts.unknown_share > MAX_UNKNOWN:
        words = f", such as {', '.join(map(repr, counts.unknown_words))}" if counts.unknown_words else ""
        texts, other = f"the facet {counts.facet}", f"Leave {counts.facet} out of `combinations`"
        # The default variant applies where the combination names none.
        if counts.form and FORM_SEPARATOR not in counts.facet:
            texts, other = f"composition.text: {counts.form}", "Choose another composition.text"
        raise UserError(
            f"The text encoder {counts.encoder} does not know {counts.unknown_share:.1%} of the tokens of "
            f"{texts}{words}; {MAX_UNKNOWN:.0%} are allowed. {other}, or choose an encoder that knows these "
            "words: encoders.source: hub, or encoders.checkpoints.text."
        )


def write_counts(path: Path, counts: TokenCounts) -> None:
    """Write the counts as JSON."""
    write_record(path, counts)


def read_counts(path: Path) -> TokenCounts:
    """Read counts of `write_counts`; if the file is damaged, the error says to delete it."""
    return read_record(path, TokenCounts)


def tokens_notes(tables: Sequence[Path]) -> list[str]:
    """Describe how each text encoder reads the texts; empty without a text encoder."""
    return [_note(read_counts(path)) for path in tables]


def _note(counts: TokenCounts) -> str:
    words = f" ({', '.join(counts.unknown_words)})" if counts.unknown_words else ""
    blind = "" if counts.tells_places else " Its tokenizer does not report which parts of a text it drops."
    return (
        f"The text encoder {counts.encoder} reads {counts.n_texts} texts ({counts.form or counts.facet}) "
        f"with {counts.n_tokens} tokens, does not know {counts.n_unknown} of them, and drops "
        f"{counts.n_dropped} words or parts of words: {counts.unknown_share:.2%} are unknown{words}.{blind} "
        f"It reads at most {counts.max_tokens} tokens per text; {counts.n_cut} texts "
        f"({counts.n_cut / max(counts.n_texts, 1):.1%}) are longer and are truncated."
    )
