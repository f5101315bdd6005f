"""Text → tokens → vectors."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from diffusion.errors import DiffusionError
from diffusion.text import encode, encode_pair, tokenize_weighted
from diffusion.tokenizer import END, START, tokenize
from diffusion.values import Checkpoint, Clip


@pytest.fixture
def clip(small: Checkpoint) -> Clip:
    assert small.clip is not None
    return small.clip.clone()


def numbers(clip: Clip, text: str) -> list[list[Any]]:
    return [[token[0] for token in chunk] for chunk in tokenize_weighted(clip, text)["l"]]


def test_the_vocabulary_is_the_published_one() -> None:
    assert tokenize("a photo of a cat") == [320, 1125, 539, 320, 2368]
    assert tokenize("Hello,  WORLD!\n") == [3306, 267, 1002, 256]
    assert tokenize("<|endoftext|>") == [END]


def test_control_characters_are_left_out_and_chinese_characters_are_words() -> None:
    assert tokenize("a\u200b c\x07at") == tokenize("a cat")
    assert tokenize("日本の猫") == tokenize("日 本 の 猫")
    assert tokenize("ΑΣ") == tokenize("ας") != tokenize("ασ")


def test_a_prompt_is_framed_and_padded_to_77(clip: Clip) -> None:
    [chunk] = numbers(clip, "a cat")
    assert chunk == [START, 320, 2368, END] + [END] * 73


def test_the_open_clip_encoders_pad_with_zero(loaded: dict[str, Checkpoint]) -> None:
    xl = loaded["sdxl"].clip
    assert xl is not None
    tokens = tokenize_weighted(xl, "a cat")
    assert [token[0] for token in tokens["g"][0]] == [START, 320, 2368, END] + [0] * 73
    assert [token[0] for token in tokens["l"][0]][4:] == [END] * 73


def test_a_long_prompt_takes_several_chunks_of_75(clip: Clip) -> None:
    chunks = numbers(clip, "cat " * 100)
    assert [chunk.count(2368) for chunk in chunks] == [75, 25]
    [[cond, _]] = encode(clip, "cat " * 100)
    assert cond.shape[1] == 154


def test_a_short_group_is_not_cut_at_the_end_of_a_chunk(clip: Clip) -> None:
    first, second = numbers(clip, "cat " * 73 + "(a b c:1.2)")
    assert first.count(2368) == 73
    assert second[1:5] == [*tokenize("a b c"), END]


def test_weights_move_tokens_away_from_the_empty_prompt(clip: Clip) -> None:
    [[plain, _]], [[empty, _]], [[heavy, _]] = (encode(clip, t) for t in ("cat", "", "(cat:1.5)"))
    expected = plain.clone()
    expected[:, 1] = empty[:, 1] + 1.5 * (plain[:, 1] - empty[:, 1])
    torch.testing.assert_close(heavy, expected)


def test_encoding_equals_transformers_own_forward(clip: Clip) -> None:
    module: Any = clip.encoders[0].module
    ids = torch.tensor(numbers(clip, "a small green triangle"))
    with torch.no_grad():
        theirs = module.float()(ids, output_hidden_states=True)
    [[cond, keys]] = encode(clip, "a small green triangle")
    torch.testing.assert_close(cond, theirs.last_hidden_state)
    torch.testing.assert_close(keys["pooled_output"], theirs.pooler_output)
    clip.clip_layer(-2)
    [[skipped, _]] = encode(clip, "a small green triangle")
    torch.testing.assert_close(skipped, module.final_layer_norm(theirs.hidden_states[-2]))


def test_the_web_uis_weights_keep_each_chunks_mean_and_break_begins_a_chunk(clip: Clip) -> None:
    clip.weighting = "a1111"
    [[plain, _]], [[heavy, _]] = (encode(clip, text) for text in ("a cat", "a (cat:1.5)"))
    torch.testing.assert_close(heavy.mean(), plain.mean())
    torch.testing.assert_close(
        heavy[:, 2] / heavy[:, 1], 1.5 * plain[:, 2] / plain[:, 1], rtol=1e-4, atol=1e-4
    )
    first, second = numbers(clip, "a BREAK cat")
    assert (first[:3], second[:3]) == ([START, 320, END], [START, 2368, END])


def test_word_numbers_come_when_asked_for(clip: Clip) -> None:
    [chunk] = tokenize_weighted(clip, "a (cat:1.2)", word_ids=True)["l"]
    assert chunk[:4] == [(START, 1.0, 0), (320, 1.0, 1), (2368, 1.2, 2), (END, 1.0, 0)]


def test_an_embedding_takes_the_place_of_its_name(clip: Clip, tmp_path: Path) -> None:
    vectors = torch.randn(3, 64)
    save_file({"emb_params": vectors}, tmp_path / "style.safetensors")
    clip.embedding_folders = (tmp_path,)
    [chunk] = numbers(clip, "a embedding:style, sharp")
    assert chunk[1] == 320
    assert all(torch.equal(token, row) for token, row in zip(chunk[2:5], vectors, strict=True))
    assert chunk[5:8] == [*tokenize(", sharp"), END]
    assert encode(clip, "a embedding:style, sharp")[0][0].isfinite().all()


@pytest.mark.parametrize(
    ("prompt", "left"),
    [
        ("a embedding:none cat", "a cat"),
        ("a embedding:none", "a"),
        ("embedding:none, cat", ", cat"),
        ("embedding:none\ncat", "cat"),
        ("embedding: none cat", "cat"),
        ("embedding:", ""),
    ],
)
def test_an_embedding_that_is_nowhere_is_left_out_and_told(
    clip: Clip, tmp_path: Path, prompt: str, left: str
) -> None:
    clip.embedding_folders = (tmp_path,)
    told: list[str] = []
    [[cond, _]] = encode(clip, prompt, told.append)
    torch.testing.assert_close(cond, encode(clip, left)[0][0])
    [sentence] = told
    assert "There is no embedding" in sentence


def test_an_embedding_for_another_family_is_left_out_and_the_fix_is_told(clip: Clip, tmp_path: Path) -> None:
    save_file({"emb_params": torch.randn(2, 1024)}, tmp_path / "other.safetensors")
    clip.embedding_folders = (tmp_path,)
    told: list[str] = []
    [[cond, _]] = encode(clip, "a embedding:other cat", told.append)
    torch.testing.assert_close(cond, encode(clip, "a cat")[0][0])
    [sentence] = told
    assert "other.safetensors is left out: it has vectors of 1024 values" in sentence
    assert "takes 64" in sentence
    assert sentence.endswith("Remove it from the prompt, or use a model that it is for.")


def test_an_embedding_may_be_named_in_angle_brackets(clip: Clip, tmp_path: Path) -> None:
    vectors = torch.randn(2, 64)
    save_file({"emb_params": vectors}, tmp_path / "cat-toy.safetensors")
    clip.embedding_folders = (tmp_path,)
    for mode in ("comfy", "a1111"):
        clip.weighting = mode
        [named] = tokenize_weighted(clip, "a (photo of <cat-toy>:1.3), sharp")["l"]
        [marked] = tokenize_weighted(clip, "a (photo of embedding:cat-toy :1.3), sharp")["l"]
        assert [w for _, w in named] == [w for _, w in marked]
        assert all(torch.equal(token, row) for (token, _), row in zip(named[4:6], vectors, strict=True))
    assert all(isinstance(token, int) for token in numbers(clip, "a <dog-toy>, <b>")[0])


def test_each_of_two_encoders_may_have_a_prompt_of_its_own(loaded: dict[str, Checkpoint]) -> None:
    xl = loaded["sdxl"].clip
    assert xl is not None
    [[same, keys]] = encode(xl, "a cat")
    [[pair, sizes]] = encode_pair(xl, "a cat", "a cat", width=640, crop_h=8)
    torch.testing.assert_close(pair, same)
    assert (sizes["width"], sizes["crop_h"]) == (640, 8)
    torch.testing.assert_close(sizes["pooled_output"], keys["pooled_output"])
    [[long, _]] = encode_pair(xl, "a cat", "dog " * 100)
    assert long.shape[1] == 154
    torch.testing.assert_close(long[:, :77, 64:], same[:, :, 64:])


def test_any_script_is_read_and_unknown_letters_do_no_harm(clip: Clip) -> None:
    for text in ("ein schöner Fuß", "猫の写真", "кот 🐱", "é", "\u200b\x00"):
        [[cond, _]] = encode(clip, text)
        assert cond.isfinite().all()
    assert numbers(clip, "cafe\u0301") == numbers(clip, "café")


def test_an_embedding_outside_its_folder_is_not_found(clip: Clip, tmp_path: Path) -> None:
    save_file({"emb_params": torch.randn(2, 64)}, tmp_path / "secret.safetensors")
    (tmp_path / "embeddings").mkdir()
    clip.embedding_folders = (tmp_path / "embeddings",)
    assert all(isinstance(token, int) for token in numbers(clip, "embedding:../secret")[0])


def test_tokens_of_another_encoder_are_refused(clip: Clip, loaded: dict[str, Checkpoint]) -> None:
    other = loaded["sd2"].clip
    assert other is not None
    with pytest.raises(DiffusionError, match="these tokens are for l; this text encoder is 'h'"):
        other.encode_from_tokens(clip.tokenize("a"))
