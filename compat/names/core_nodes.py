# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The module `nodes`: our own node types as classes, under ComfyUI's names and with its old method names."""

import random
import string
from collections.abc import Callable, Mapping
from inspect import isawaitable
from pathlib import Path
from typing import Any

from compat.names.core_methods import METHODS
from compat.names.session import Session
from compat.object_info import object_info
from graph.outcome import Blocker, Outcome
from graph.registry import CORE, bare_name
from graph.spec import MISSING, Choice, NodeSpec

Names = dict[str, Any]


def core_classes(session: Session) -> Names:
    """A class for each of our node types."""
    found = {bare_name(spec): _class(spec, session) for spec in session.site.types if spec.source == CORE}
    return found | {name: cls for name, cls in _savers(session).items() if name in found}


def _class(spec: NodeSpec, session: Session) -> Any:
    method, *order = METHODS.get(spec.id, "execute").split()
    types = session.site.types
    info = object_info(spec, types, lambda kind: ())
    call = _caller(spec, session, order or [item.name for item in spec.inputs])
    body = {
        "__doc__": spec.description,
        "__module__": "nodes",
        "INPUT_TYPES": classmethod(lambda cls: _input_types(spec, session)),
        "RETURN_TYPES": tuple(info["output"]),
        "FUNCTION": method,
        "CATEGORY": spec.category,
        "OUTPUT_NODE": spec.output,
        "INPUT_IS_LIST": spec.takes_lists,
        "DESCRIPTION": spec.description,
        "RELATIVE_PYTHON_MODULE": "nodes",
        **_set_only(spec, info),
        "execute": staticmethod(call),
        method: _method(call),
    }
    return type(spec.id, (), body | _choices(spec))


def _set_only(spec: NodeSpec, info: Mapping[str, Any]) -> Names:
    """What a class says only where it is not the usual: packs that subclass it inherit the rest."""
    said = {
        "RETURN_NAMES": tuple(info["output_name"]) if info["output_name"] != info["output"] else None,
        "OUTPUT_IS_LIST": tuple(info["output_is_list"]) if any(info["output_is_list"]) else None,
        "DEPRECATED": bool(spec.deprecated),
        "EXPERIMENTAL": spec.experimental,
    }
    return {name: value for name, value in said.items() if value}


def _choices(spec: NodeSpec) -> Names:
    """What some packs read from the classes that scale: the methods to choose from."""
    kept = {"upscale_method": "upscale_methods", "crop": "crop_methods"}
    found = {item.name: item.widget.options for item in spec.inputs if isinstance(item.widget, Choice)}
    return {plural: list(found[name]) for name, plural in kept.items() if name in found}


def _method(call: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *values: Any, **named: Any) -> Any:
        return call(*values, **named)

    return method


def _input_types(spec: NodeSpec, session: Session) -> dict[str, Any]:
    groups = object_info(spec, session.site.types, session.site.folders.names)["input"]
    return {
        group: {name: _entry(entry) for name, entry in inputs.items()} for group, inputs in groups.items()
    }


def _entry(entry: Any) -> Any:
    return tuple(entry) if isinstance(entry, list) else entry


def _caller(spec: NodeSpec, session: Session, order: list[str]) -> Callable[..., Any]:
    known = {item.name: item for item in spec.inputs}

    def call(*values: Any, **named: Any) -> Any:
        given = {**dict(zip(order, values, strict=False)), **named}
        inputs = {name: value for name, value in given.items() if name in known or spec.takes_any_input}
        defaults = {name: item.default for name, item in known.items() if item.default is not MISSING}
        inputs = {**defaults, **inputs}
        if spec.takes_lists:
            inputs = {name: value if isinstance(value, list) else [value] for name, value in inputs.items()}
        hidden = {name: _hidden(kind, session) for name, kind in spec.hidden.items()}
        return _result(spec.run(**inputs, **hidden))

    return call


def _hidden(kind: str, session: Session) -> Any:
    context = session.context()
    return context if kind == "context" else context.node_id if kind == "UNIQUE_ID" else None


def _result(result: Any) -> Any:
    """What our function gave, as packs expect it: a tuple, or a dict where it shows something."""
    if isawaitable(result):
        return result
    if isinstance(result, Blocker):
        from compat.plugins.values import ExecutionBlocker

        return ExecutionBlocker(result.message)
    if not isinstance(result, Outcome):
        return tuple(result) if isinstance(result, list) else result
    return {"ui": dict(result.ui), "result": result.values} if result.ui else result.values


def _savers(session: Session) -> Names:
    """SaveImage and PreviewImage: packs subclass them and change where they save."""

    class SaveImage:
        """Saves pictures; output_dir, type, prefix_append and compress_level may be changed."""

        RETURN_TYPES = ()
        FUNCTION = "save_images"
        OUTPUT_NODE = True
        CATEGORY = "image"
        DESCRIPTION = "Saves pictures in the output folder."

        def __init__(self) -> None:
            self.output_dir = str(session.modules["folder_paths"].get_output_directory())
            self.type = "output"
            self.prefix_append = ""
            self.compress_level = 4

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, Any]:
            """The inputs."""
            return {
                "required": {"images": ("IMAGE",), "filename_prefix": ("STRING", {"default": "ComfyUI"})},
                "hidden": {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
            }

        def save_images(
            self,
            images: Any,
            filename_prefix: str = "ComfyUI",
            prompt: Any = None,
            extra_pnginfo: Any = None,
        ) -> dict[str, Any]:
            """Save a batch; gives what a person is shown."""
            paths = session.modules["folder_paths"]
            height, width = int(images[0].shape[0]), int(images[0].shape[1])
            folder, name, number, subfolder, _ = paths.get_save_image_path(
                filename_prefix + self.prefix_append, self.output_dir, width, height
            )
            shown = list[dict[str, str]]()
            for place, image in enumerate(images):
                file = f"{name.replace('%batch_num%', str(place))}_{number + place:05}_.png"
                _save(image, Path(folder) / file, _texts(prompt, extra_pnginfo), self.compress_level)
                shown.append({"filename": file, "subfolder": subfolder, "type": self.type})
            return {"ui": {"images": shown}}

    class PreviewImage(SaveImage):
        """Shows pictures: they are saved where the next start empties."""

        def __init__(self) -> None:
            self.output_dir = str(session.modules["folder_paths"].get_temp_directory())
            self.type = "temp"
            self.prefix_append = "_temp_" + "".join(random.choices(string.ascii_lowercase, k=5))
            self.compress_level = 1

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, Any]:
            """The inputs."""
            hidden = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
            return {"required": {"images": ("IMAGE",)}, "hidden": hidden}

    for cls in (SaveImage, PreviewImage):
        cls.__module__ = "nodes"
    return {"SaveImage": SaveImage, "PreviewImage": PreviewImage}


def _texts(prompt: Any, extra: Any) -> dict[str, str]:
    import json

    texts = {"prompt": json.dumps(prompt)} if prompt is not None else {}
    return texts | {key: json.dumps(value) for key, value in (extra or {}).items()}


def _save(image: Any, path: Path, texts: Mapping[str, str], compress_level: int) -> None:
    from PIL import Image as Pictures
    from PIL.PngImagePlugin import PngInfo

    from nodes.tensors import to_bytes

    info = PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    pixels = to_bytes(image)
    picture = Pictures.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.save(path, pnginfo=info, compress_level=compress_level)


def nodes(session: Session) -> Names:
    """The names of `nodes`: its classes, its live mapping of all classes, and a few functions."""
    classes = core_classes(session)
    session.classes.update(classes)

    def common_ksampler(
        model: Any,
        seed: int,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        positive: Any,
        negative: Any,
        latent: Mapping[str, Any],
        denoise: float = 1.0,
        disable_noise: bool = False,
        start_step: int | None = None,
        last_step: int | None = None,
        force_full_denoise: bool = False,
    ) -> tuple[dict[str, Any]]:
        import torch

        sample = session.modules["comfy.sample"]
        samples = sample.fix_empty_latent_channels(model, latent["samples"])
        noise = (
            torch.zeros_like(samples)
            if disable_noise
            else sample.prepare_noise(samples, seed, latent.get("batch_index"))
        )
        callback = session.modules["latent_preview"].prepare_callback(model, steps)
        made = sample.sample(
            model, noise, steps, cfg, sampler_name, scheduler, positive, negative, samples, denoise=denoise,
            disable_noise=disable_noise, start_step=start_step, last_step=last_step, callback=callback,
            force_full_denoise=force_full_denoise, noise_mask=latent.get("noise_mask"), seed=seed,
        )  # fmt: skip
        return ({**latent, "samples": made},)

    from nodes.sockets import MAX_RESOLUTION

    return classes | {
        "NODE_CLASS_MAPPINGS": session.classes,
        "NODE_DISPLAY_NAME_MAPPINGS": {bare_name(spec): spec.title for spec in session.site.types},
        "EXTENSION_WEB_DIRS": dict[str, str](),
        "LOADED_MODULE_DIRS": dict[str, str](),
        "MAX_RESOLUTION": MAX_RESOLUTION,
        "common_ksampler": common_ksampler,
        "before_node_execution": session.check_interrupted,
        "interrupt_processing": lambda value=True: session.modules[
            "comfy.model_management"
        ].interrupt_current_processing(value),
        "folder_paths": session.modules.get("folder_paths"),
    }
