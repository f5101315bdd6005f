# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""What packs find in `comfy_extras` beside node classes: which modules are here, and a few names."""

from typing import Any, Final

from diffusion import guiders
from diffusion.sampling import Guider, NoNoise, RandomNoise

Names = dict[str, Any]
_MODULES: Final = frozenset(
    [
        "advanced_samplers",
        "align_your_steps",
        "apg",
        "attention_multiply",
        "canny",
        "cfg",
        "clip_sdxl",
        "compositing",
        "cond",
        "controlnet",
        "custom_sampler",
        "differential_diffusion",
        "easycache",
        "eps",
        "freelunch",
        "fresca",
        "gits",
        "hypernetwork",
        "hypertile",
        "images",
        "ip2p",
        "latent",
        "lora_extract",
        "mahiro",
        "mask",
        "model_advanced",
        "model_downscale",
        "model_merging",
        "morphology",
        "pag",
        "perpneg",
        "post_processing",
        "preview_any",
        "primitive",
        "rebatch",
        "sag",
        "sdupscale",
        "string",
        "tcfg",
        "tomesd",
        "torch_compile",
        "upscale_model",
    ]
)
_START: Final = "comfy_extras.nodes_"


def is_here(module: str) -> bool:
    """Whether nodes of a module of `comfy_extras` are among ours: packs that look for it find it."""
    return module.startswith(_START) and module.removeprefix(_START) in _MODULES


def beside_classes(module: str) -> Names:
    """The names of a module of `comfy_extras` that are no node classes."""
    return _BESIDE.get(module.removeprefix(_START), dict)()


def _custom_sampler() -> Names:
    return {
        "Noise_RandomNoise": RandomNoise,
        "Noise_EmptyNoise": NoNoise,
        "Guider_Basic": BasicGuider,
        "Guider_DualCFG": DualGuider,
    }


def _perpneg() -> Names:
    return {"Guider_PerpNeg": PerpNegGuider, "perp_neg": _perp_neg}


def _perp_neg(x: Any, pos: Any, neg: Any, nocond: Any, neg_scale: float, cond_scale: float) -> Any:
    return guiders.perpendicular(pos, neg, nocond, neg_scale, cond_scale)


def _negative(conditioning: Any) -> Any:
    return [[text, {**keys, "prompt_type": "negative"}] for text, keys in conditioning]


class BasicGuider(Guider):
    """A guider of one conditioning."""

    def set_conds(self, positive: Any) -> None:  # type: ignore[override]
        """Set it."""
        self.inner_set_conds({"positive": positive})


class DualGuider(Guider):
    """A guider of two conditionings, each with a guidance of its own."""

    cfg1 = cfg2 = 1.0
    nested = False

    def set_conds(self, positive: Any, middle: Any, negative: Any) -> None:  # type: ignore[override]
        """Set both, and what they are weighed against."""
        self.inner_set_conds({"positive": positive, "middle": _negative(middle), "negative": negative})

    def set_cfg(self, cfg1: float, cfg2: float, nested: bool = False) -> None:  # type: ignore[override]
        """Set both guidances."""
        self.cfg1, self.cfg2, self.nested = cfg1, cfg2, nested

    def predict_noise(self, x: Any, timestep: Any, model_options: Any = None, seed: Any = None) -> Any:
        """The clean image; packs change the guidances while it runs."""
        rule = guiders.dual(self.cfg1, self.cfg2, self.nested)
        return rule(self, x, timestep, self.model_options if model_options is None else model_options)


class PerpNegGuider(Guider):
    """A guider whose negative takes away only what the positive does not ask for."""

    neg_scale = 1.0

    def set_conds(self, positive: Any, negative: Any, empty_negative_prompt: Any) -> None:  # type: ignore[override]
        """Set both, and what stands for no prompt."""
        empty = _negative(empty_negative_prompt)
        self.inner_set_conds({"positive": positive, "empty_negative_prompt": empty, "negative": negative})

    def set_cfg(self, cfg: float, neg_scale: float) -> None:  # type: ignore[override]
        """Set the guidance and how strongly the negative is pushed away."""
        self.cfg, self.neg_scale = cfg, neg_scale

    def predict_noise(self, x: Any, timestep: Any, model_options: Any = None, seed: Any = None) -> Any:
        """The clean image; packs change the guidances while it runs."""
        rule = guiders.perpendicular_negative(self.cfg, self.neg_scale)
        return rule(self, x, timestep, self.model_options if model_options is None else model_options)


def _mask() -> Names:
    return {"composite": composited}


def composited(
    destination: Any,
    source: Any,
    x: int,
    y: int,
    mask: Any = None,
    multiplier: int = 8,
    resize_source: bool = False,
) -> Any:
    """One batch (B, C, H, W) laid over another; x and y are in pixels, `multiplier` of them a point."""
    from nodes.tensors import composite

    return composite(destination, source, x // multiplier, y // multiplier, mask, resize_source)


def _post_processing() -> Names:
    from nodes.neighbours import bell

    return {"gaussian_kernel": lambda kernel_size, sigma, device=None: bell(kernel_size, sigma).to(device)}


_BESIDE: Final = {
    "custom_sampler": _custom_sampler,
    "mask": _mask,
    "perpneg": _perpneg,
    "post_processing": _post_processing,
}
