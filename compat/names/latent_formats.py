# pyright: standard
# Packs call this with anything: the contract has no types.
"""`comfy.latent_formats`: what latents of known families hold, and the colours that stand for them."""

from typing import Any, ClassVar, Final

from compat.names.session import Session
from diffusion.values import LatentFormat

Names = dict[str, Any]
Colours = tuple[tuple[float, float, float], ...]

# A row a channel, to red, green and blue in -1..1: as published for each autoencoder.
_SD15: Final[Colours] = (
    (0.3512, 0.2297, 0.3227), (0.3250, 0.4974, 0.2350),
    (-0.2829, 0.1762, 0.2721), (-0.2120, -0.2616, -0.7177),
)  # fmt: skip
_SDXL: Final[Colours] = (
    (0.3651, 0.4232, 0.4341), (-0.2533, -0.0042, 0.1068),
    (0.1076, 0.1111, -0.0362), (-0.3165, -0.2492, -0.2188),
)  # fmt: skip
_SDXL_OFFSET: Final = (0.1084, -0.0175, -0.0011)


class _Kind(type):
    """The kind of classes that our own latent formats belong to by their scale."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if type(instance) is LatentFormat:
            return cls.__dict__.get("scale_factor") in (instance.scale_factor, _ANY)
        return super().__instancecheck__(instance)


_ANY: Final = 1.0


class Format(LatentFormat, metaclass=_Kind):
    """A latent format that packs make, or derive their own from: what it says may be set."""

    scale_factor: float = _ANY
    latent_channels: int = 4
    shift_factor: float = 0.0
    latent_dimensions = 2
    latent_rgb_factors: ClassVar[Any] = None
    latent_rgb_factors_bias: ClassVar[Any] = None
    taesd_decoder_name: Any = None
    __setattr__ = object.__setattr__

    def __init__(self, scale_factor: float | None = None) -> None:
        if scale_factor is not None:
            self.scale_factor = scale_factor


class SD15(Format):
    """Latents of SD 1.x and 2.x."""

    scale_factor = 0.18215
    latent_rgb_factors: ClassVar[Any] = [list(row) for row in _SD15]
    taesd_decoder_name = "taesd_decoder"


class SDXL(Format):
    """Latents of SDXL and its refiner."""

    scale_factor = 0.13025
    latent_rgb_factors: ClassVar[Any] = [list(row) for row in _SDXL]
    latent_rgb_factors_bias: ClassVar[Any] = list(_SDXL_OFFSET)
    taesd_decoder_name = "taesdxl_decoder"


class SD3(Format):
    """Latents of SD3."""

    scale_factor, latent_channels, shift_factor = 1.5305, 16, 0.0609
    taesd_decoder_name = "taesd3_decoder"


class Flux(SD3):
    """Latents of Flux."""

    scale_factor, shift_factor = 0.3611, 0.1159
    taesd_decoder_name = "taef1_decoder"


_KNOWN: Final = (SD15, SDXL, SD3, Flux)


def latent_formats(session: Session) -> Names:
    """The names of `comfy.latent_formats`."""
    return {"LatentFormat": Format, **{kind.__name__: kind for kind in _KNOWN}}


class _OfItsKind:
    """What the class that one of our own formats belongs to says; packs may set another."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return next((getattr(kind, self._name) for kind in _KNOWN if isinstance(instance, kind)), None)


_SAID: Final = ("latent_rgb_factors", "latent_rgb_factors_bias", "taesd_decoder_name")
FORMAT: Final[Names] = {"latent_dimensions": 2, **{name: _OfItsKind(name) for name in _SAID}}
"""What packs ask of any latent format."""
