"""How much of its texts an encoder understands: unknown tokens, and texts that are longer than it reads."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from polyfacet.facets.declaration import FORM_SEPARATOR
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.records import read_record, write_record

# Texts of which a larger share is unknown are noise to the encoder, not a facet.
MAX_UNKNOWN = 0.05


class TokenCounts(BaseModel):
    """What an encoder makes of the texts of a run; special tokens at their ends do not count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Name of the facet as combinations have it, its form if it has several, and what its encoder is.
    facet: str
    form: str
    encoder: str
    n_texts: int
    n_tokens: int
    # Tokens that stand for anything unknown.
    n_unknown: int
    # Stretches of the texts that no token stands for; where the tokenizer does not tell the places of its
    # tokens, only those of texts without any token.
    n_dropped: int
    tells_places: bool
    # The most frequent words that are unknown, and how often they occur.
    unknown_words: dict[str, int]
    # Tokens of a text that are read, special ones included, and how many texts have more.
    max_tokens: int
    n_cut: int

    @property
    def unknown_share(self) -> float:
        """Share of what the encoder does not know in its tokens and the stretches that have none."""
        return (self.n_unknown + self.n_dropped) / max(self.n_tokens + self.n_dropped, 1)


def check_known(counts: TokenCounts) -> None:
    """Refuse texts that are noise to their encoder.

    Raises
    ------
    UserError
        If more than ``MAX_UNKNOWN`` of the tokens are unknown; says which words, and what to choose instead.
    """
    if counts.unknown_share > MAX_UNKNOWN:
        words = f", such as {', '.join(map(repr, counts.unknown_words))}" if counts.unknown_words else ""
        texts, other = f"the facet {counts.facet}", f"Leave {counts.facet} out of `combinations`"
        # Its form is the usual one where the combination names none.
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
    """Read what ``write_counts`` has written; if the file is damaged, the error says to delete it."""
    return read_record(path, TokenCounts)


def tokens_note(tables: Sequence[Path]) -> str:
    """Say in Markdown what the encoder makes of the texts; nothing without an encoder of texts."""
    return "\n\n".join(_note(read_counts(path)) for path in tables)


def _note(counts: TokenCounts) -> str:
    words = f" ({', '.join(f'`{word}`' for word in counts.unknown_words)})" if counts.unknown_words else ""
    blind = "" if counts.tells_places else " Its tokenizer does not tell which parts of a text it drops."
    return (
        f"The text encoder (`{counts.encoder}`) reads {counts.n_texts} texts "
        f"(`{counts.form or counts.facet}`) of {counts.n_tokens} tokens, of which it does not know "
        f"{counts.n_unknown}, and drops {counts.n_dropped} words or parts of words: "
        f"{counts.unknown_share:.2%} are unknown{words}.{blind} It reads {counts.max_tokens} tokens of a "
        f"text; {counts.n_cut} texts are longer, {counts.n_cut / max(counts.n_texts, 1):.1%} of them, and "
        "end there."
    )
