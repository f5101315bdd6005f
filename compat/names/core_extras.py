# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""What packs find in `comfy_extras` beside node classes: which modules are here, and a few names."""

from typing import Any, Final

from diffusion.sampling import NoNoise, RandomNoise

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
    return {"Noise_RandomNoise": RandomNoise, "Noise_EmptyNoise": NoNoise}


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
    "post_processing": _post_processing,
}
