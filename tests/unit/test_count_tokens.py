"""What a text encoder does not know is counted before it is trained, and too much of it stops the run."""

import json

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import BertConfig, PreTrainedTokenizer, PreTrainedTokenizerFast

from count_tokens import main
from polyfacet.materials.stage_tables import TEXTS
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import write_table
from polyfacet.training.encoders.hub_cache import HubEncoder, HubEncoders, write_record
from polyfacet.training.encoders.local import make_tokenizer
from polyfacet.training.encoders.token_counting import count_tokens
from polyfacet.training.encoders.token_counts import (
    TokenCounts,
    check_known,
    read_counts,
    tokens_notes,
    write_counts,
)

SENTENCES = ["NaCl crystallizes in the cubic Fm-3m space group.", "Na is bonded to six Cl atoms."]
COMPOSITIONS = ["Na Cl", "Ac Hg 2 Cd 2", "Na 0.5 Cl 0.5"]


@pytest.fixture
def count(tmp_path):
    """Count with a checkpoint of this tokenizer, which reads so many tokens."""

    def call(texts, tokenizer, positions=64, **options):
        folder = tmp_path / "encoders" / "text"
        tokenizer.save_pretrained(folder)
        BertConfig(max_position_embeddings=positions).save_pretrained(folder)
        for shard, each in enumerate((texts[:1], texts[1:])):
            rows = [{"mat_id": f"m{i}", "text": text} for i, text in enumerate(each)]
            write_table(tmp_path / f"{shard}.parquet", rows, TEXTS)
        sources = {"encoders": tmp_path / "encoders", "hub_encoders": None, **options}
        shards = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
        main(shards, tokens=tmp_path / "tokens.json", text="text", form="some", **sources)
        return read_counts(tmp_path / "tokens.json")

    return call


def wordpiece(*words):
    """Make a tokenizer of whole words, as BERT's, that knows these."""
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
    vocabulary = {word: i for i, word in enumerate([*names.values(), *words])}
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def byte_level():
    """Make a tokenizer that spells everything by bytes, as GPT-2's, whose unknown token never occurs."""
    vocabulary = {
        letter: i for i, letter in enumerate(["<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())])
    }
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<|end|>", pad_token="<|end|>")


def test_local_encoders_know_all_of_compositions(count):
    counts = count(COMPOSITIONS, make_tokenizer(64))
    assert (counts.n_texts, counts.n_unknown, counts.n_cut) == (3, 0, 0)
    assert counts.n_tokens == 2 + 5 + 8


def test_local_encoders_do_not_know_sentences(count):
    with pytest.raises(
        UserError, match=r"local does not know \d\d\.\d% of .*composition.text: some.*encoders.source: hub"
    ) as refused:
        count(SENTENCES, make_tokenizer(64))
    assert "'crystallizes'" in str(refused.value)


@pytest.mark.parametrize(
    ("facet", "form", "named", "way_out"),
    [
        ("text", "cif", "of composition.text: cif, such as 'x'", "Choose another composition.text, or"),
        ("text:cif", "cif", "of the facet text:cif, such as 'x'", "Leave text:cif out of `combinations`, or"),
        ("ftxt", "", "of the facet ftxt, such as 'x'", "Leave ftxt out of `combinations`, or"),
    ],
)
def test_what_is_unknown_is_named_as_the_configuration_names_it(facet, form, named, way_out):
    counts = TokenCounts(
        facet=facet,
        form=form,
        encoder="local",
        n_texts=1,
        n_tokens=2,
        n_unknown=1,
        n_dropped=0,
        tells_places=True,
        unknown_words={"x": 1},
        max_tokens=64,
        n_cut=0,
    )
    with pytest.raises(UserError) as refused:
        check_known(counts)
    assert named in str(refused.value)
    assert way_out in str(refused.value)


@pytest.mark.parametrize(("n_known", "works"), [(95, True), (94, False)])
def test_five_percent_are_allowed(count, n_known, works):
    texts = [" ".join(["known"] * n_known), " ".join(["other"] * (100 - n_known))]
    if works:
        assert count(texts, wordpiece("known"), 512).unknown_words == {"other": 5}
    else:
        with pytest.raises(UserError, match=r"6\.0% .*'other'; 5% are allowed"):
            count(texts, wordpiece("known"), 512)


def test_what_spells_by_bytes_knows_everything(count):
    counts = count([*SENTENCES, "größe 漢"], byte_level())
    assert counts.n_unknown == 0
    assert counts.n_tokens > 50


def of_words(model, normalizer=None, **names):
    """Make a tokenizer of words whose model, transformers and rewriting may know different things."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if normalizer:
        tokenizer.normalizer = normalizer
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


DIGITS = {"2": 0, "3": 1, "<unk>": 2}
BLIND = {
    "letters without an unknown token": lambda: of_words(models.BPE(vocab={"a": 0, "e": 1}, merges=[])),
    "an unknown token that transformers does not know": lambda: of_words(
        models.WordLevel(vocab=DIGITS, unk_token="<unk>")
    ),
    "the same by its number": lambda: of_words(models.Unigram([("2", -1.0), ("?", -1.0)], unk_id=1)),
    "another unknown token in transformers": lambda: of_words(
        models.WordLevel(vocab=DIGITS, unk_token="<unk>"), unk_token="3"
    ),
    "a normalizer that strips letters": lambda: of_words(
        models.WordLevel(vocab=DIGITS, unk_token="<unk>"),
        normalizers.Replace(Regex("[A-Z][a-z]?"), ""),
        unk_token="<unk>",
    ),
    "a normalizer that strips everything": lambda: of_words(
        models.WordLevel(vocab=DIGITS, unk_token="<unk>"), normalizers.Replace(Regex("."), "")
    ),
}


@pytest.mark.parametrize("kind", BLIND)
def test_an_encoder_that_drops_or_replaces_words_does_not_know_them(count, kind):
    with pytest.raises(UserError, match=r"does not know \d+\.\d% .*'Fe'"):
        count(["Fe 2 O 3", "Na Cl", "Ti O 2"], BLIND[kind]())


@pytest.mark.parametrize(
    "model", [models.WordLevel(vocab={"Na": 0}, unk_token="<unk>"), models.Unigram([("N", -1.0)])]
)
def test_a_tokenizer_that_stops_at_unknown_words_is_named(count, model):
    with pytest.raises(UserError, match=r"encoder local cannot read the texts: .*Choose another"):
        count(["Na Cl"], of_words(model))


def test_texts_without_a_token_are_unknown(count):
    tokenizer = wordpiece("known")
    with pytest.raises(UserError, match=r"does not know 100\.0%"):
        count(["", " "], tokenizer)
    counts = count(["known " * 99, "\n"], tokenizer, 512)
    assert (counts.n_tokens, counts.n_dropped, counts.unknown_share) == (99, 1, 0.01)


class SlowTokenizer(PreTrainedTokenizer):
    """Tokens are a and b; it does not tell their places."""

    @property
    def vocab_size(self):
        return 3

    def get_vocab(self):
        return {"a": 0, "b": 1, "?": 2}

    def _tokenize(self, text, **options):
        return [letter for letter in text if letter in "ab?"]

    def _convert_token_to_id(self, token):
        return self.get_vocab()[token]

    def _convert_id_to_token(self, index):
        return "ab?"[index]


def test_of_a_slow_tokenizer_texts_without_tokens_are_seen():
    counts = count_tokens(
        ["a b", "Cl", "?"], SlowTokenizer(unk_token="?"), 9, facet="text", form="some", encoder="slow"
    )
    assert (counts.n_tokens, counts.n_unknown, counts.n_dropped) == (3, 1, 1)
    assert not counts.tells_places
    assert counts.unknown_words == {"Cl": 1}


@pytest.mark.parametrize(
    ("positions", "told", "max_tokens", "n_cut"),
    [(64, None, 64, 0), (6, None, 6, 1), (6, 0, 6, 1), (5, None, 5, 2), (999, None, 512, 0), (64, "6", 6, 1)],
)
def test_texts_that_are_longer_than_what_is_read_are_counted(count, positions, told, max_tokens, n_cut):
    texts = ["Na Cl", "Na Cl 2 O", "Na Cl 2 O 3"]
    counts = count(texts, wordpiece("Na", "Cl", "O", "2", "3"), positions, max_text_lens=[None, told])
    assert (counts.max_tokens, counts.n_cut) == (max_tokens, n_cut)


@pytest.mark.parametrize("told", ["abc", 6.5, True, [6]])
def test_a_longest_text_that_is_not_a_number_is_named(count, told):
    with pytest.raises(UserError, match=r"max_text_len is .*, not a whole number"):
        count(["Na", "Cl"], wordpiece("Na", "Cl"), max_text_lens=[told])


def test_a_checkpoint_of_the_users_own_comes_first(count, tmp_path):
    own = tmp_path / "my-bert"
    wordpiece("other").save_pretrained(own)
    BertConfig().save_pretrained(own)
    counts = count(["other", "other"], wordpiece("known"), checkpoint=own)
    assert (counts.encoder, counts.n_unknown) == ("my-bert", 0)


def test_an_encoder_of_the_hub_is_found_in_its_cache(count, tmp_path):
    snapshot = tmp_path / "hub" / "models--lab--bert" / "snapshots" / "abc"
    wordpiece("other").save_pretrained(snapshot)
    BertConfig().save_pretrained(snapshot)
    encoder = HubEncoder(facet="text", checkpoint="lab/bert", repository="lab/bert", revision="abc")
    write_record(tmp_path / "hub.json", HubEncoders(cache=tmp_path / "hub", encoders=(encoder,)))
    counts = count(["other", "other"], wordpiece("known"), hub_encoders=tmp_path / "hub.json")
    assert (counts.encoder, counts.n_unknown) == ("lab/bert@abc", 0)


def test_the_report_says_what_is_unknown_and_what_is_cut(count, tmp_path):
    count(["known " * 98, "other"], wordpiece("known"), 60)
    (note,) = tokens_notes([tmp_path / "tokens.json"])
    assert "2 texts (some) with 99 tokens, does not know 1 of them, and drops 0 words" in note
    assert "1.01% are unknown (other). It reads at most 60 tokens" in note
    assert "It reads at most 60 tokens per text; 1 texts (50.0%) are longer and are truncated" in note
    assert "does not report" not in note
    assert tokens_notes([]) == []


def test_the_report_says_what_is_dropped_and_what_is_not_measured(tmp_path):
    tokenizer = SlowTokenizer(unk_token="?")
    counts = count_tokens(["a b", "Cl"], tokenizer, 9, facet="text", form="some", encoder="slow")
    write_counts(tmp_path / "tokens.json", counts)
    (note,) = tokens_notes([tmp_path / "tokens.json"])
    assert "with 2 tokens, does not know 0 of them, and drops 1 words or parts of words: 33.33%" in note
    assert "Its tokenizer does not report which parts of a text it drops." in note


def test_a_damaged_file_of_counts_is_named(tmp_path):
    (tmp_path / "tokens.json").write_text(json.dumps({"form": "x"}))
    with pytest.raises(UserError, match=r"tokens\.json cannot be read"):
        read_counts(tmp_path / "tokens.json")
