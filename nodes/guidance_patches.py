"""Patches of guidance: other ways to follow a prompt than plain classifier-free guidance."""

from typing import TYPE_CHECKING, Annotated, Final

from graph.facts import carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Conditioning, Model

if TYPE_CHECKING:
    from diffusion.patches import bands, degraded, guidance
else:
    bands = LazyModule("diffusion.patches.bands")
    degraded = LazyModule("diffusion.patches.degraded")
    guidance = LazyModule("diffusion.patches.guidance")

GUIDANCE: Final = "advanced/guidance"
UNET: Final = "model_patches/unet"
patched = carry("model", to=["MODEL"])
as_patched_model = carry("model", to=["patched_model"])
PATCHED: Final = ("patched_model",)


@node("RescaleCFG", title="Rescale CFG", category="advanced/model", infer=patched)
def rescale_cfg(
    model: Model,
    multiplier: Annotated[
        float, Number(0.0, 1.0, 0.01), Hint("How far the spread is brought back: 0 not at all, 1 fully.")
    ] = 0.7,
) -> Model:
    """The model with guidance that does not overexpose, for v-prediction above all."""
    return guidance.rescale_cfg(model, multiplier)


@node("PerturbedAttentionGuidance", title="Perturbed-Attention Guidance", category=UNET, infer=patched)
def perturbed_attention_guidance(
    model: Model,
    scale: Annotated[
        float, Number(0.0, 100.0, 0.01, 0.01), Hint("How far to go from the perturbed picture; 0 is off.")
    ] = 3.0,
) -> Model:
    """The model led away from what it makes with its middle attention disturbed; one call a step more."""
    return degraded.perturbed_attention(model, scale)


@node(
    "SelfAttentionGuidance",
    title="Self-Attention Guidance",
    category="_for_testing",
    experimental=True,
    infer=patched,
)
def self_attention_guidance(
    model: Model,
    scale: Annotated[
        float, Number(-2.0, 5.0, 0.01), Hint("How far to go from the blurred picture; 0 is off.")
    ] = 0.5,
    blur_sigma: Annotated[float, Number(0.0, 10.0, 0.1), Hint("The blur, in latent pixels.")] = 2.0,
) -> Model:
    """The model led away from its picture with the places blurred that it looks at; one call a step more."""
    return degraded.self_attention(model, scale, blur_sigma)


@node(
    "PerpNeg",
    title="Perp-Neg",
    category="_for_testing",
    deprecated="Use PerpNegGuider.",
    experimental=True,
    agree="family",
    infer=patched,
)
def perp_neg(
    model: Model,
    empty_conditioning: Annotated[Conditioning, Hint("The conditioning of an empty prompt.")],
    neg_scale: Annotated[
        float, Number(0.0, 100.0, 0.01), Hint("How strongly the negative prompt is avoided.")
    ] = 1.0,
) -> Model:
    """The model with a negative prompt that takes away only what the positive does not ask for."""
    return guidance.perp_neg(model, empty_conditioning, neg_scale)


@node(
    "Mahiro",
    title="Mahiro Guidance",
    category="_for_testing",
    experimental=True,
    output_names=PATCHED,
    infer=as_patched_model,
)
def mahiro(model: Model) -> Model:
    """The model with guidance that follows the positive prompt's own direction more."""
    return guidance.mahiro(model)


@node("CFGZeroStar", title="CFG-Zero*", category=GUIDANCE, output_names=PATCHED, infer=as_patched_model)
def cfg_zero_star(model: Model) -> Model:
    """The model with guidance against a negative side scaled to fit the positive."""
    return guidance.cfg_zero_star(model)


@node(
    "CFGNorm",
    title="CFG Norm",
    category=GUIDANCE,
    experimental=True,
    output_names=PATCHED,
    infer=as_patched_model,
)
def cfg_norm(
    model: Model,
    strength: Annotated[float, Number(0.0, 100.0, 0.01), Hint("Factor for the guided values.")] = 1.0,
) -> Model:
    """The model with guided values no larger than the positive prompt's own."""
    return guidance.cfg_norm(model, strength)


@node("TCFG", title="Tangential Damping CFG", category=GUIDANCE, output_names=PATCHED, infer=as_patched_model)
def tcfg(model: Model) -> Model:
    """The model with a negative side cut to the direction that both sides share."""
    return guidance.tangential_damping(model)


@node("FreSca", title="FreSca", category="_for_testing", experimental=True, infer=patched)
def fresca(
    model: Model,
    scale_low: Annotated[float, Number(0, 10, 0.01), Hint("Factor for low frequencies of guidance.")] = 1.0,
    scale_high: Annotated[float, Number(0, 10, 0.01), Hint("Factor for its high frequencies.")] = 1.25,
    freq_cutoff: Annotated[
        int, Number(1, 10000, 1), Hint("How many frequencies of each axis, from the lowest, count as low.")
    ] = 20,
) -> Model:
    """The model with fine and coarse parts of guidance weighed apart."""
    return bands.fresca(model, scale_low, scale_high, freq_cutoff)


@node("APG", title="Adaptive Projected Guidance", category="sampling/custom_sampling", infer=patched)
def apg(
    model: Model,
    eta: Annotated[
        float, Number(-10.0, 10.0, 0.01), Hint("Weight of the part that oversaturates; 1 is plain guidance.")
    ] = 1.0,
    norm_threshold: Annotated[
        float, Number(0.0, 50.0, 0.1), Hint("The longest that guidance may be; 0 for no limit.")
    ] = 5.0,
    momentum: Annotated[
        float, Number(-5.0, 1.0, 0.01), Hint("Weight of earlier steps' guidance; 0 for none.")
    ] = 0.0,
) -> Model:
    """The model with guidance that does not oversaturate at high cfg."""
    return guidance.apg(model, eta, norm_threshold, momentum)


@node("Epsilon Scaling", title="Epsilon Scaling", category=UNET, infer=patched)
def epsilon_scaling(
    model: Model,
    scaling_factor: Annotated[
        float, Number(0.5, 1.5, 0.001), Hint("What predicted noise is divided by; above 1 keeps more detail.")
    ] = 1.005,
) -> Model:
    """The model with its predicted noise scaled, against exposure bias."""
    return guidance.epsilon_scaling(model, scaling_factor)
