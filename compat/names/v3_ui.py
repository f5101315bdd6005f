# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""`comfy_api.latest.ui`: what nodes of the newer interface show a person."""

import uuid
from pathlib import Path
from typing import Any

from compat.names.session import Session

Names = dict[str, Any]


class SavedResult(dict[str, Any]):
    """A file that was saved."""

    def __init__(self, filename: str, subfolder: str = "", type: Any = "output") -> None:
        kind = getattr(type, "value", type)
        super().__init__(filename=filename, subfolder=subfolder, type=kind)

    @property
    def filename(self) -> str:
        """Its name."""
        return self["filename"]

    @property
    def subfolder(self) -> str:
        """The folder it lies in, from that of its type."""
        return self["subfolder"]


class _Shown:
    """Something to show: its key and values."""

    key = "images"

    def __init__(self, values: Any, **more: Any) -> None:
        self.values = list(values) if isinstance(values, list | tuple) else [values]

    def as_dict(self) -> dict[str, Any]:
        """As older nodes return it."""
        return {self.key: self.values}


class PreviewText(_Shown):
    """A text."""

    key = "text"

    def __init__(self, value: str, **more: Any) -> None:
        super().__init__([value])


class SavedImages(_Shown):
    """Saved pictures; animated ones say so."""

    def __init__(self, results: Any, is_animated: bool = False) -> None:
        super().__init__(results)
        self.is_animated = is_animated

    def as_dict(self) -> dict[str, Any]:
        """As older nodes return it."""
        return {"images": self.values, **({"animated": (True,)} if self.is_animated else {})}


class SavedAudios(_Shown):
    """Saved sounds."""

    key = "audio"


class PreviewVideo(_Shown):
    """Saved videos."""

    def as_dict(self) -> dict[str, Any]:
        """As older nodes return it."""
        return {"images": self.values, "animated": (True,)}


class PreviewUI3D(_Shown):
    """A shape in space."""

    key = "result"


def v3_ui(session: Session) -> Names:
    """The names of `comfy_api.latest.ui`."""

    def save(images: Any, prefix: str, kind: str, cls: Any, compress_level: int) -> list[SavedResult]:
        saver = session.modules["nodes"].__dict__["PreviewImage" if kind == "temp" else "SaveImage"]()
        saver.compress_level = compress_level
        hidden = getattr(cls, "hidden", None)
        prompt, extra = getattr(hidden, "prompt", None), getattr(hidden, "extra_pnginfo", None)
        shown = saver.save_images(images, prefix, prompt, extra)["ui"]["images"]
        return [SavedResult(item["filename"], item["subfolder"], item["type"]) for item in shown]

    class PictureSaver:
        """Saves pictures."""

        @staticmethod
        def save_images(
            images: Any, filename_prefix: str, folder_type: Any, cls: Any = None, compress_level: int = 4
        ) -> list[SavedResult]:
            """Save a batch of pictures."""
            kind = str(getattr(folder_type, "value", folder_type))
            return save(images, filename_prefix, kind, cls, compress_level)

        @staticmethod
        def get_save_images_ui(
            images: Any, filename_prefix: str, cls: Any = None, compress_level: int = 4
        ) -> SavedImages:
            """Save a batch of pictures and show them."""
            return SavedImages(save(images, filename_prefix, "output", cls, compress_level))

    class SoundSaver:
        """Saves sounds as WAV files."""

        @staticmethod
        def save_audio(
            audio: Any,
            filename_prefix: str,
            folder_type: Any,
            cls: Any = None,
            format: str = "wav",
            **more: Any,
        ) -> list[SavedResult]:
            """Save every sound of a batch."""
            kind = str(getattr(folder_type, "value", folder_type))
            folder = session.modules["folder_paths"].get_directory_by_type(kind)
            return [_wave(wave, audio["sample_rate"], Path(folder), kind) for wave in audio["waveform"]]

    class PreviewImage(_Shown):
        """Pictures, saved where the next start empties."""

        def __init__(self, image: Any, animated: bool = False, cls: Any = None, **more: Any) -> None:
            super().__init__(save(image, "ComfyUI", "temp", cls, 1))
            self.animated = animated

        def as_dict(self) -> dict[str, Any]:
            """As older nodes return it."""
            return {"images": self.values, "animated": (self.animated,)}

    class PreviewMask(PreviewImage):
        """Masks as grey pictures."""

        def __init__(self, mask: Any, animated: bool = False, cls: Any = None, **more: Any) -> None:
            grey = mask.reshape(-1, mask.shape[-2], mask.shape[-1], 1).expand(-1, -1, -1, 3)
            super().__init__(grey, animated, cls)

    class PreviewAudio(_Shown):
        """Sounds."""

        key = "audio"

        def __init__(self, audio: Any, cls: Any = None, **more: Any) -> None:
            super().__init__(SoundSaver.save_audio(audio, "ComfyUI", "temp"))

    return {
        "SavedResult": SavedResult,
        "SavedImages": SavedImages,
        "SavedAudios": SavedAudios,
        "PreviewText": PreviewText,
        "PreviewImage": PreviewImage,
        "PreviewMask": PreviewMask,
        "PreviewAudio": PreviewAudio,
        "PreviewVideo": PreviewVideo,
        "PreviewUI3D": PreviewUI3D,
        "ImageSaveHelper": PictureSaver,
        "AudioSaveHelper": SoundSaver,
        "_UIOutput": _Shown,
    }


def _wave(waveform: Any, rate: int, folder: Path, kind: str) -> SavedResult:
    import wave

    name = f"audio_{uuid.uuid4().hex[:12]}.wav"
    samples = (waveform.clamp(-1, 1) * 32767).short().T.contiguous().cpu().numpy()
    with wave.open(str(folder / name), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return SavedResult(name, "", kind)
