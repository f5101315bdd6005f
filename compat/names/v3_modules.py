# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The modules of `comfy_api`: the newer interface under all of its names."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from compat.names.placeholders import Placeholder
from compat.names.session import Session

Put = Callable[[str, dict[str, Any]], None]
_VERSIONS: Final = ("latest", "v0_0_1", "v0_0_2")


def put_api(session: Session, put: Put) -> None:
    """Put the modules in place; put: makes one of a name and what it holds."""
    io, ui = session.modules["comfy_api.latest._io"], session.modules["comfy_api.latest._ui"]
    parts = _parts(session)
    for version in _VERSIONS:
        name = f"comfy_api.{version}"
        put(name, {**_names(session), "io": io, "ui": ui, "IO": io, "UI": ui, "comfy_io": io})
        for part in ("_io", "_ui", "io", "ui"):
            sys.modules[f"{name}.{part}"] = io if "io" in part else ui
            setattr(sys.modules[name], part, io if "io" in part else ui)
        for part, known in parts.items():
            put(f"{name}._{part}", known)
    for part, known in parts.items():
        put(f"comfy_api.{part}", known)
    put("comfy_api.internal", {})
    put("comfy_api.torch_helpers", {"set_torch_compile_wrapper": lambda model, **rest: None})
    flags = {"get_server_features": dict, "supports_feature": lambda *told: False, "SERVER_FEATURE_FLAGS": {}}
    put("comfy_api.feature_flags", flags)


def _parts(session: Session) -> dict[str, dict[str, Any]]:
    from compat.names import v3_values, v3_video

    inputs = {**v3_values.BASIC, "VideoInput": v3_video.VideoInput}
    return {"input": inputs, "util": v3_values.UTIL, "input_impl": v3_video.IMPLEMENTED}


def _names(session: Session) -> dict[str, Any]:
    from compat.names.v3_node import ComfyExtension

    parts = _parts(session)
    short = {name.removesuffix("Input"): value for name, value in parts["input"].items()}
    return {
        "ComfyExtension": ComfyExtension,
        "Input": _named("Input", short),
        "InputImpl": _named("InputImpl", parts["input_impl"]),
        "Types": _named("Types", parts["util"]),
        "ComfyAPI": _api(session, _waiting),
        "ComfyAPISync": _api(session, lambda function: function),
    }


def _named(name: str, known: dict[str, Any]) -> Any:
    """What holds names; those that this host lacks say so when they are used."""
    return Placeholder(name, (), {**known, "__host_name__": f"comfy_api.latest.{name}"})


def _waiting(function: Callable[..., None]) -> Callable[..., Any]:
    async def waited(*values: Any, **named: Any) -> None:
        function(*values, **named)

    return waited


def _api(session: Session, called: Callable[[Any], Any]) -> type:
    """Progress of the running node, by the newer interface."""

    def set_progress(value: float, max_value: float, node_id: Any = None, preview_image: Any = None,
                     **more: Any) -> None:  # fmt: skip
        bar = session.modules["comfy.utils"].__dict__["ProgressBar"](max_value, node_id)
        shown = None if preview_image is None else ("JPEG", _picture(preview_image), None)
        bar.update_absolute(value, max_value, shown)

    return type("ComfyAPI", (), {"execution": SimpleNamespace(set_progress=called(set_progress))})


def _picture(image: Any) -> Any:
    """A picture of an IMAGE, or as it is."""
    from PIL import Image

    if isinstance(image, Image.Image):
        return image
    pixels = image[0] if image.ndim == 4 else image
    return Image.fromarray((pixels[..., :3].clamp(0, 1) * 255).byte().cpu().numpy())
