"""Hypernetworks: small networks that change the keys and values of attention (the format of AUTOMATIC1111's
web UI)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from diffusion.errors import DiffusionError
from diffusion.values import Model

_ACTIVATIONS: Final[dict[str, Callable[[], nn.Module]]] = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "leakyrelu": nn.LeakyReLU,
    "elu": nn.ELU,
    "swish": nn.Hardswish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softsign": nn.Softsign,
    "mish": nn.Mish,
}


@dataclass(frozen=True)
class Hypernetwork:
    """A pair of networks, for keys and for values, for every width of text or picture that it changes."""

    name: str
    pairs: Mapping[int, tuple[nn.Module, nn.Module]]


@dataclass(frozen=True)
class HypernetworkPatch:
    """An attention patch that adds what the networks make of keys and values, times strength."""

    pairs: Mapping[int, tuple[nn.Module, nn.Module]]
    strength: float

    def __call__(
        self, q: Tensor, k: Tensor, v: Tensor, extra_options: Mapping[str, Any]
    ) -> tuple[Tensor, Tensor, Tensor]:
        pair = self.pairs.get(k.shape[-1])
        if pair is None:
            return q, k, v
        keys, values = (network.to(k.device, k.dtype) for network in pair)
        return q, k + keys(k) * self.strength, v + values(v) * self.strength


def load_hypernetwork(path: Path | str) -> Hypernetwork:
    """The hypernetwork of a .pt file, which is read without running what it may say."""
    path = Path(path)
    contents = _contents(path)
    kind = str(contents.get("activation_func") or "linear")
    if kind not in _ACTIVATIONS:
        raise DiffusionError(
            f"the hypernetwork {path.name} uses the activation '{kind}', which Darkroom does not know. "
            f"Known are {', '.join(_ACTIVATIONS)}."
        )
    pairs = {key: value for key, value in contents.items() if isinstance(key, int)}
    try:
        built = {width: _pair(pair, contents, _ACTIVATIONS[kind]) for width, pair in pairs.items()}
    except (KeyError, IndexError, TypeError, AttributeError, RuntimeError) as error:
        raise DiffusionError(
            f"the hypernetwork {path.name} is damaged: {error}. Download it again."
        ) from error
    if not built:
        raise DiffusionError(f"{path.name} is not a hypernetwork: it holds no pair of networks.")
    return Hypernetwork(path.name, built)


def _contents(path: Path) -> dict[Any, Any]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise DiffusionError(f"{path} does not exist. Check the name and the models folder.") from None
    except Exception as error:  # torch raises many kinds; none of them may run what the file says
        raise DiffusionError(
            f"the hypernetwork {path.name} was not loaded: it is damaged, or it would run code of its own."
        ) from error
    return found if isinstance(found, dict) else {}


def _pair(pair: Any, said: Mapping[Any, Any], act: Callable[[], nn.Module]) -> tuple[nn.Module, nn.Module]:
    return _network(pair[0], said, act), _network(pair[1], said, act)


def _network(
    weights: Mapping[str, Tensor], said: Mapping[Any, Any], act: Callable[[], nn.Module]
) -> nn.Module:
    """Linear layers with the activation between them, and layer norms after them where the file has any."""
    stems = [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]
    normed, last = bool(said.get("is_layer_norm")), bool(said.get("activate_output"))
    layers: list[nn.Module] = []
    linears = stems[::2] if normed else stems
    for number, stem in enumerate(linears, 1):
        layers.append(_linear(weights[f"{stem}.weight"], weights[f"{stem}.bias"]))
        # In files with norms the last entry is a norm, so that every linear layer counts as an inner one.
        if number < len(linears) or last or normed:
            layers.append(act())
        if normed:
            norm = stems[2 * number - 1]
            layers.append(_norm(weights[f"{norm}.weight"], weights[f"{norm}.bias"]))
    return nn.Sequential(*layers).requires_grad_(False).eval()


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def _norm(weight: Tensor, bias: Tensor) -> nn.LayerNorm:
    layer = nn.LayerNorm(weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def apply_hypernetwork(model: Model, hypernetwork: Hypernetwork, strength: float) -> Model:
    """A handle to the same weights whose attentions see changed keys and values."""
    changed = model.clone()
    patch = HypernetworkPatch(hypernetwork.pairs, strength)
    changed.set_model_attn1_patch(patch)
    changed.set_model_attn2_patch(patch)
    return changed
