# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""`comfy_api.latest.Types`, `Input` and `comfy_api.util`: values that the newer interface names."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, TypedDict

from torch import Tensor


class _Choice(StrEnum):
    """A choice that is its own text."""

    @classmethod
    def as_input(cls) -> list[str]:
        """The texts, as a widget's options."""
        return [choice.value for choice in cls]


class VideoCodec(_Choice):
    """How pictures of a video are packed."""

    AUTO = "auto"
    H264 = "h264"


class VideoContainer(_Choice):
    """The kind of a video's file."""

    AUTO = "auto"
    MP4 = "mp4"

    @classmethod
    def get_extension(cls, value: Any) -> str:
        """How names of its files end."""
        return {cls.AUTO: "mp4", cls.MP4: "mp4"}[cls(value)]


class AudioInput(TypedDict):
    """AUDIO: waveform (B, C, T)."""

    waveform: Tensor
    sample_rate: int


class LatentInput(TypedDict, total=False):
    """LATENT: samples (B, C, H, W)."""

    samples: Tensor
    noise_mask: Tensor | None
    batch_index: list[int] | None


@dataclass
class VideoComponents:
    """A video taken apart: images (B, H, W, 3), frames a second, sound."""

    images: Tensor
    frame_rate: Fraction
    audio: AudioInput | None = None
    metadata: dict[str, Any] | None = None


class VOXEL:
    """VOXEL: data (B, X, Y, Z)."""

    def __init__(self, data: Tensor) -> None:
        self.data = data


class MESH:
    """MESH: vertices (B, N, 3) and faces (B, M, 3)."""

    def __init__(self, vertices: Tensor, faces: Tensor) -> None:
        self.vertices, self.faces = vertices, faces


UTIL: Final = {
    "VideoCodec": VideoCodec,
    "VideoContainer": VideoContainer,
    "VideoComponents": VideoComponents,
    "VOXEL": VOXEL,
    "MESH": MESH,
}
"""The names of `comfy_api.util`; `Types` has them too."""
BASIC: Final = {
    "ImageInput": Tensor,
    "MaskInput": Tensor,
    "AudioInput": AudioInput,
    "LatentInput": LatentInput,
}
"""The names of `comfy_api.input` that need no video."""
