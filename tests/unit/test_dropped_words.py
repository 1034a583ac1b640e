"""Words without a token are found by the positions of the tokens, and no other word is reported."""

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from polyfacet.training.encoders.dropped_words import dropped_words

# What tokenizers rewrite: blanks, accents, cases, marks of width 0, and letters that become several.
TEXTS = [
    "NaCl crystallizes in the cubic Fm-3m space group.",
    " Na  0.5  Cl₂\tO\u00a03\nend ",
    "größe 漢字 é e\u0301 İ ½ ﬁ Å μ हिन्दी",
    "a\u200bb\u00adc 😀 👩\u200d👧",
]
BYTES = pre_tokenizers.ByteLevel.alphabet()
DIGITS_AND_LETTERS = Regex(r"\p{N}{1,3}|\p{L}+|[^\s\p{L}\p{N}]+|\s+")
SENTENCEPIECE = normalizers.Sequence(
    [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Lowercase()]
)
WITHOUT_ACCENTS = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents()])


def trained(model, trainer, normalizer=None, splitting=None, ending=None):
    """Train a tokenizer on the texts, so that it knows them."""
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    if splitting:
        tokenizer.pre_tokenizer = splitting
    if ending:
        tokenizer.post_processor = ending
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def wordpiece(**options):
    """Make a tokenizer as BERT's."""
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[UNK]"], show_progress=False)
    splitting = pre_tokenizers.BertPreTokenizer()
    return trained(
        models.WordPiece(unk_token="[UNK]"), trainer, normalizers.BertNormalizer(**options), splitting
    )


def unigram(normalizer, scheme):
    """Make a tokenizer as SentencePiece does."""
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False
    )
    return trained(models.Unigram(), trainer, normalizer, pre_tokenizers.Metaspace(prepend_scheme=scheme))


def byte_level(normalizer, splitting, ending=None):
    """Make a tokenizer of bytes, as GPT-2's."""
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=BYTES, show_progress=False)
    return trained(models.BPE(), trainer, normalizer, splitting, ending)


def byte_fallback():
    """Make a tokenizer as Llama's: it spells by bytes what is not in its vocabulary."""
    names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *"▁NaCl"]
    vocabulary = {name: i for i, name in enumerate(names)}
    model = models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return tokenizer


def with_marks(**marks):
    """Make a tokenizer that marks the ends, or the middles, of words."""
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=["<unk>"], show_progress=False, **marks)
    model = models.BPE(unk_token="<unk>", **marks)
    return trained(model, trainer, normalizers.Lowercase(), pre_tokenizers.WhitespaceSplit())


KINDS = {
    "bert": wordpiece,
    "bert cased": lambda: wordpiece(lowercase=False, strip_accents=True),
    "sentencepiece": lambda: unigram(SENTENCEPIECE, "always"),
    "sentencepiece, first": lambda: unigram(SENTENCEPIECE, "first"),
    "albert": lambda: unigram(WITHOUT_ACCENTS, "always"),
    "gpt-2": lambda: byte_level(None, pre_tokenizers.ByteLevel(), processors.ByteLevel(trim_offsets=True)),
    "gpt-2, blanks": lambda: byte_level(None, pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "qwen": lambda: byte_level(
        normalizers.NFC(),
        pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(DIGITS_AND_LETTERS, "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        ),
    ),
    "bytes by the normalizer": lambda: byte_level(normalizers.ByteLevel(), None),
    "llama": byte_fallback,
    "ends marked": lambda: with_marks(end_of_word_suffix="</w>"),
    "middles marked": lambda: with_marks(continuing_subword_prefix="##"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_that_rewrites_texts_drops_nothing(kind):
    tokenizer = KINDS[kind]()
    for text in TEXTS:
        encoded = tokenizer.encode(text, add_special_tokens=False)
        assert dropped_words(text, encoded.offsets) == [], encoded.tokens


@pytest.mark.parametrize(
    ("text", "places", "words"),
    [
        ("Fe 2 O 3", [(3, 4), (7, 8)], ["Fe", "O"]),
        ("Fe 2", [(1, 2)], ["Fe", "2"]),
        # Two stretches of a word count twice; a token that stands for more than one does not go back.
        ("NaCl", [(1, 2)], ["NaCl", "NaCl"]),
        ("Na Cl", [(0, 5), (1, 2)], []),
        ("Na Cl", [], ["Na", "Cl"]),
        # Special tokens stand for nothing.
        ("Na", [(0, 0)], ["Na"]),
        ("e\u0301 \u200b", [(0, 1)], []),
        # Nothing is left of a text of which nothing can be seen.
        (" ", [], [" "]),
        ("", [], [""]),
    ],
)
def test_stretches_without_a_token_are_dropped_words(text, places, words):
    assert dropped_words(text, places) == words
