"""Count the parts of the texts unknown to the text encoder, before training."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import facet_named
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import iterate_table
from polyfacet.training.encoders.hub_cache import checkpoint_folder, read_record
from polyfacet.training.encoders.own_checkpoints import encoder_of
from polyfacet.training.encoders.token_counting import count_tokens, load_tokenizer, longest_text
from polyfacet.training.encoders.token_counts import check_known, write_counts


def main(
    texts: list[Path],
    encoders: Path | None,
    hub_encoders: Path | None,
    tokens: Path,
    *,
    text: str,
    form: str,
    checkpoint: Path | None = None,
    max_text_lens: Sequence[int | str | None] = (None,),
) -> None:
    """Count unknown parts of the texts; stop if there are too many.

    Parameters
    ----------
    texts
        Tables of the texts, one per shard.
    encoders
        Folder of local encoder checkpoints.
    hub_encoders
        Record of the encoders fetched from the hub.
    tokens
        Output: counts (``TokenCounts``) as JSON.
    text
        Name of the text facet.
    form
        Its variant, if it has several.
    checkpoint
        Folder of a checkpoint that the configuration names; takes precedence over the others.
    max_text_lens
        ``model.hf_text.max_text_len`` of AutoGluon in the settings of the method and of its objectives; None
        where they do not set it.  The smallest one cuts texts.
    """
    facet = facet_named(text)
    folder, name = _checkpoint(facet, checkpoint, hub_encoders, encoders)
    tokenizer = load_tokenizer(folder)
    limit = min(longest_text(folder, tokenizer, each) for each in max_text_lens)
    counts = count_tokens(_texts(facet, texts), tokenizer, limit, facet=text, form=form, encoder=name)
    check_known(counts)
    write_counts(tokens, counts)


def _checkpoint(
    facet: Facet, own: Path | None, record: Path | None, encoders: Path | None
) -> tuple[Path, str]:
    """Return the folder of the text encoder, and its identity."""
    if own is not None:
        return own, own.name
    if record is not None:
        fetched = read_record(record)
        for encoder in fetched.encoders:
            if encoder.facet == facet.name:
                return checkpoint_folder(fetched, encoder), encoder.identity
    if encoders is None:
        raise UserError("no text encoder is given: pass one of encoders, hub_encoders, checkpoint")
    return encoders / encoder_of(facet), "local"


def _texts(facet: Facet, tables: Sequence[Path]) -> Iterator[str]:
    if facet.stage is None:
        raise ValueError(f"the facet {facet.name} has no texts")
    for table in tables:
        for piece in iterate_table(table, facet.stage.schema, [facet.stage.column]):
            yield from piece[facet.stage.column].to_pylist()


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
