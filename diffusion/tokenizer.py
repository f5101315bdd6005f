"""The CLIP tokenizer: byte-pair encoding with the published vocabulary, held in the project."""

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Final

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

FILE: Final = Path(__file__).parent / "tokenizers" / "clip" / "bpe_simple_vocab_16e6.txt.gz"
START: Final = 49406
END: Final = 49407
CHUNK: Final = 77
_MERGES: Final = 49152 - 256 - 2
_WORDS: Final = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


@lru_cache(maxsize=1)
def clip_tokenizer() -> Tokenizer:
    """The tokenizer of lowercase text; control characters are left out, runs of white space are one space and
    each Chinese character is a word."""
    lines = gzip.decompress(FILE.read_bytes()).decode().split("\n")[1 : _MERGES + 1]
    merges = [(a, b) for a, b in (line.split() for line in lines)]
    letters = _byte_letters()
    words = [
        *letters,
        *(c + "</w>" for c in letters),
        *(a + b for a, b in merges),
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    vocabulary = {word: number for number, word in enumerate(words)}
    model = models.BPE(
        vocabulary, merges, end_of_word_suffix="</w>", unk_token="<|endoftext|>", fuse_unk=False
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.BertNormalizer(handle_chinese_chars=True, strip_accents=False, lowercase=False),
            normalizers.NFC(),
            normalizers.Replace(Regex(r"\s+"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
    return tokenizer


def tokenize(text: str) -> list[int]:
    """Token numbers of a text, without start and end."""
    # Python knows the small letters that depend on their place in a word (σ and ς); the library does not.
    return clip_tokenizer().encode(text.lower(), add_special_tokens=False).ids


def token_words() -> dict[int, str]:
    """Token number → its letters, for showing how a prompt was split."""
    return {number: word for word, number in clip_tokenizer().get_vocab().items()}


def _byte_letters() -> list[str]:
    """The letter that stands for each byte: printable bytes for themselves, the others moved past 255."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = 256 - len(plain)
    return [chr(b) for b in plain] + [chr(256 + n) for n in range(moved)]
