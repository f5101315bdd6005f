"""Mixed models: what every weight becomes, that nothing is computed early, and that undoing is exact."""

import pytest
import torch
from torch import Tensor

from diffusion.devices import choose_device
from diffusion.errors import DiffusionError
from diffusion.loading import load_checkpoint
from diffusion.merging import by_block, mix_clips, mix_models
from diffusion.text import encode
from diffusion.values import Checkpoint, Model
from diffusion.weights import applied
from tests.diffusion.published import SD1, save_checkpoint

NAMES = {
    "input": "input_blocks.1.0.in_layers.2.weight",
    "middle": "middle_block.0.in_layers.2.weight",
    "out": "output_blocks.0.0.in_layers.2.weight",
    "time": "time_embed.0.weight",
}


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("other")
    return load_checkpoint(save_checkpoint(folder, SD1, seed=9), device=choose_device("fp32"))


def weight(model: Model, single: str) -> Tensor:
    return model.model.diffusion_model.get_parameter(model.model.names[single])


def mixed_weights(model: Model) -> dict[str, Tensor]:
    with applied(model.model.diffusion_model, model.patches, torch.float32):
        return {name: weight(model, single).clone() for name, single in NAMES.items()}


def test_a_mix_is_the_sum_of_shares_and_is_undone_bit_for_bit(small: Checkpoint, other: Checkpoint) -> None:
    before = {name: weight(small.model, single) for name, single in NAMES.items()}
    copies = {name: tensor.clone() for name, tensor in before.items()}
    mixed = mix_models(small.model, other.model, lambda _: (0.75, 0.25))
    found = mixed_weights(mixed)
    for name, single in NAMES.items():
        expected = 0.75 * copies[name].float() + 0.25 * weight(other.model, single).float()
        torch.testing.assert_close(found[name], expected, rtol=1e-6, atol=1e-6)
        assert weight(small.model, single) is before[name]
        assert torch.equal(before[name], copies[name])
    assert small.model.patches == {}


def test_the_share_of_all_is_the_first_model_itself(small: Checkpoint, other: Checkpoint) -> None:
    found = mixed_weights(mix_models(small.model, other.model, lambda _: (1.0, 0.0)))
    assert all(torch.equal(found[n], weight(small.model, s).float()) for n, s in NAMES.items())


def test_each_third_of_the_network_may_have_its_own_share(small: Checkpoint, other: Checkpoint) -> None:
    share = by_block({"input": 1.0, "middle": 0.0, "out": 0.5})
    assert [share(name) for name in (*NAMES.values(), "out.2.weight")] == [1.0, 0.0, 0.5, 1.0, 0.5]
    found = mixed_weights(mix_models(small.model, other.model, lambda n: (share(n), 1 - share(n))))
    assert torch.equal(found["middle"], weight(other.model, NAMES["middle"]).float())
    assert torch.equal(found["input"], weight(small.model, NAMES["input"]).float())


def test_a_difference_added_to_the_model_it_was_taken_from_gives_the_other(
    small: Checkpoint, other: Checkpoint
) -> None:
    difference = mix_models(other.model, small.model, lambda _: (1.0, -1.0))
    found = mixed_weights(mix_models(small.model, difference, lambda _: (1.0, 1.0)))
    for name, single in NAMES.items():
        torch.testing.assert_close(found[name], weight(other.model, single).float(), rtol=1e-5, atol=1e-6)


def test_models_of_two_families_are_refused(small: Checkpoint, loaded: dict[str, Checkpoint]) -> None:
    with pytest.raises(DiffusionError, match=r"Stable Diffusion XL model cannot be merged with .* 1\.x"):
        mix_models(small.model, loaded["sdxl"].model, lambda _: (0.5, 0.5))


def test_text_encoders_mix_to_what_one_with_mixed_weights_says(
    loaded: dict[str, Checkpoint], small: Checkpoint, other: Checkpoint
) -> None:
    assert small.clip is not None and other.clip is not None
    plain = encode(small.clip, "a cat")[0][0]
    same = mix_clips(small.clip, small.clip, 0.25, 0.75)
    torch.testing.assert_close(encode(same, "a cat")[0][0], plain, rtol=1e-4, atol=1e-4)
    swapped = mix_clips(small.clip, other.clip, 0.0, 1.0)
    torch.testing.assert_close(encode(swapped, "a cat")[0][0], encode(other.clip, "a cat")[0][0])
    assert torch.equal(encode(small.clip, "a cat")[0][0], plain)
    xl = loaded["sdxl"].clip
    assert xl is not None
    with pytest.raises(DiffusionError, match="no text encoder like the first's 'g' of width 128"):
        mix_clips(xl, small.clip, 0.5, 0.5)
