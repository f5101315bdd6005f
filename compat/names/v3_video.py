# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""`comfy_api.latest.InputImpl`: VIDEO, of a file or of pictures. Files need the Python package av."""

import importlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from fractions import Fraction
from io import BytesIO
from typing import Any, Final

import torch
from torch import Tensor

from compat.names.v3_values import AudioInput, VideoCodec, VideoComponents, VideoContainer

_KEPT: Final = {"movflags": "use_metadata_tags"}
"""An MP4 keeps the workflow among its facts."""


def _av() -> Any:
    try:
        return importlib.import_module("av")
    except ImportError:
        raise RuntimeError(
            "Videos cannot be read or written here: the Python package av is not installed. "
            "Install it with: pip install av"
        ) from None


class VideoInput(ABC):
    """VIDEO."""

    @abstractmethod
    def get_components(self) -> VideoComponents:
        """Its pictures, sound and frames a second."""

    @abstractmethod
    def save_to(self, path: Any, format: Any = VideoContainer.AUTO, codec: Any = VideoCodec.AUTO,
                metadata: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        """Write a file, or to a buffer."""

    def get_stream_source(self) -> Any:
        """What av opens: a path, or a buffer with the file."""
        buffer = BytesIO()
        self.save_to(buffer, VideoContainer.MP4)
        buffer.seek(0)
        return buffer

    def get_dimensions(self) -> tuple[int, int]:
        """Width and height."""
        _, height, width = self.get_components().images.shape[:3]
        return width, height

    def get_frame_rate(self) -> Fraction:
        """Frames a second."""
        return self.get_components().frame_rate

    def get_frame_count(self) -> int:
        """How many frames it has."""
        return len(self.get_components().images)

    def get_duration(self) -> float:
        """Seconds."""
        return float(self.get_frame_count() / self.get_frame_rate())

    def get_container_format(self) -> str:
        """The kind of its file, as av names it."""
        with _av().open(self.get_stream_source(), mode="r") as file:
            return file.format.name

    def as_trimmed(
        self, start_time: float = 0.0, duration: float = 0.0, strict_duration: bool = False
    ) -> "VideoInput | None":
        """From a second on, so long (0: to the end); None when strict and it is shorter."""
        whole = self.get_components()
        first = round(max(start_time, 0.0) * whole.frame_rate)
        count = round(duration * whole.frame_rate) or len(whole.images)
        images = whole.images[first : first + count]
        if strict_duration and duration and len(images) < count:
            return None
        audio = whole.audio and _cut(whole.audio, first / whole.frame_rate, len(images) / whole.frame_rate)
        return VideoFromComponents(VideoComponents(images, whole.frame_rate, audio, whole.metadata))


def _cut(audio: AudioInput, start: Fraction, length: Fraction) -> AudioInput:
    rate = audio["sample_rate"]
    first, count = round(start * rate), math.ceil(length * rate)
    return {"waveform": audio["waveform"][..., first : first + count], "sample_rate": rate}


class VideoFromFile(VideoInput):
    """A video in a file, or in a buffer that holds one."""

    def __init__(self, file: str | BytesIO, **_: Any) -> None:
        self._file = file

    def get_stream_source(self) -> Any:
        if isinstance(self._file, BytesIO):
            self._file.seek(0)
        return self._file

    def _stream(self, file: Any) -> Any:
        found = next(iter(file.streams.video), None)
        if found is None:
            raise ValueError(f"There is no video in '{self._file}'.")
        return found

    def get_dimensions(self) -> tuple[int, int]:
        with _av().open(self.get_stream_source(), mode="r") as file:
            stream = self._stream(file)
            return stream.width, stream.height

    def get_duration(self) -> float:
        with _av().open(self.get_stream_source(), mode="r") as file:
            if file.duration is not None:
                return float(file.duration / _av().time_base)
        return super().get_duration()

    def get_components(self) -> VideoComponents:
        with _av().open(self.get_stream_source(), mode="r") as file:
            stream = self._stream(file)
            frames = [
                torch.from_numpy(frame.to_ndarray(format="rgb24")) / 255.0 for frame in file.decode(video=0)
            ]
            rate, told = Fraction(stream.average_rate or 1), dict(file.metadata)
        images = torch.stack(frames) if frames else torch.zeros(0, 3, 0, 0)
        return VideoComponents(images, rate, self._audio(), told)

    def _audio(self) -> AudioInput | None:
        with _av().open(self.get_stream_source(), mode="r") as file:
            stream = next(iter(file.streams.audio), None)
            if stream is None:
                return None
            parts = [_samples(frame) for frame in file.decode(audio=0)]
            rate = int(stream.sample_rate or 1)
        return {"waveform": torch.cat(parts, 1)[None], "sample_rate": rate} if parts else None

    def save_to(self, path: Any, format: Any = VideoContainer.AUTO, codec: Any = VideoCodec.AUTO,
                metadata: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        """Write it as it is where the kinds agree, else packed anew."""
        with _av().open(self.get_stream_source(), mode="r") as file:
            kinds, packed = file.format.name.split(","), self._stream(file).codec.name
            told = {**file.metadata, **(metadata or {})}
            if _text(format) in ("auto", *kinds) and _text(codec) in ("auto", packed):
                kind = "mp4" if "mp4" in kinds else kinds[0]
                _copy(file, path, kind if isinstance(path, BytesIO) else None, told)
                return
        VideoFromComponents(self.get_components()).save_to(path, format, codec, metadata)


def _samples(frame: Any) -> Tensor:
    """The sound of a frame (channels, samples) in -1..1."""
    found = torch.from_numpy(frame.to_ndarray())
    if not frame.format.is_planar:
        found = found.reshape(-1, frame.layout.nb_channels).T
    return found if found.is_floating_point() else found.float() / (torch.iinfo(found.dtype).max + 1)


def _text(choice: Any) -> str:
    return str(getattr(choice, "value", choice)).lower()


def _told(file: Any, metadata: Mapping[str, Any] | None) -> None:
    for key, value in (metadata or {}).items():
        file.metadata[key] = value if isinstance(value, str) else json.dumps(value)


def _copy(file: Any, path: Any, kind: str | None, metadata: Mapping[str, Any]) -> None:
    """The same streams in another file."""
    with _av().open(path, mode="w", format=kind, options=_KEPT) as made:
        _told(made, metadata)
        kept = [one for one in file.streams if one.type in ("video", "audio", "subtitle")]
        streams = {one.index: made.add_stream_from_template(template=one, opaque=True) for one in kept}
        for packet in file.demux(*kept):
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)


class VideoFromComponents(VideoInput):
    """A video of pictures."""

    def __init__(self, components: VideoComponents) -> None:
        self._components = components

    def get_components(self) -> VideoComponents:
        whole = self._components
        return VideoComponents(whole.images, whole.frame_rate, whole.audio)

    def save_to(self, path: Any, format: Any = VideoContainer.AUTO, codec: Any = VideoCodec.AUTO,
                metadata: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        if _text(format) not in ("auto", "mp4") or _text(codec) not in ("auto", "h264"):
            raise ValueError(
                f"A video can be written as MP4 with H264 only, not as {_text(format)}, {_text(codec)}."
            )
        whole = self._components
        kind = "mp4" if isinstance(path, BytesIO) else None
        with _av().open(path, mode="w", format=kind, options=_KEPT) as made:
            _told(made, {key: json.dumps(value) for key, value in (metadata or {}).items()})
            rate = Fraction(round(whole.frame_rate * 1000), 1000)
            video = made.add_stream("h264", rate=rate)
            video.height, video.width = whole.images.shape[1:3]
            video.pix_fmt = "yuv420p"
            sound = whole.audio and made.add_stream("aac", rate=int(whole.audio["sample_rate"]))
            for frame in _frames(whole.images):
                made.mux(video.encode(frame))
            made.mux(video.encode(None))
            if whole.audio and sound:
                length = Fraction(len(whole.images)) / rate
                made.mux(sound.encode(_sound(_cut(whole.audio, Fraction(0), length))))
                made.mux(sound.encode(None))


def _frames(images: Tensor) -> Iterator[Any]:
    for image in images:
        pixels = (image[..., :3] * 255).clamp(0, 255).byte().cpu().numpy()
        yield _av().VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")


def _sound(audio: AudioInput) -> Any:
    waves = audio["waveform"][0].float().cpu()
    layout = "mono" if len(waves) == 1 else "stereo"
    frame = _av().AudioFrame.from_ndarray(
        waves.T.reshape(1, -1).contiguous().numpy(), format="flt", layout=layout
    )
    frame.sample_rate, frame.pts = int(audio["sample_rate"]), 0
    return frame


IMPLEMENTED: Final = {"VideoFromFile": VideoFromFile, "VideoFromComponents": VideoFromComponents}
"""The names of `comfy_api.input_impl`; `InputImpl` has them too."""
