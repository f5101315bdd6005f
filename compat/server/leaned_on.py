"""Node types that the official front end cannot do without: it fails to make any loader where one is missing.

Those that this server lacks are told as deprecated, so that menus leave them out; a prompt that names one is
refused like any of unknown type.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from compat.object_info import FileNames, object_info
from graph.registry import Registry
from graph.sockets import socket_type
from graph.spec import FileChoice, Input, NodeSpec, Output

_LOADERS: Final[Mapping[str, tuple[str, str, str]]] = {
    "CheckpointLoaderSimple": ("ckpt_name", "checkpoints", "MODEL CLIP VAE"),
    "ImageOnlyCheckpointLoader": ("ckpt_name", "checkpoints", "MODEL CLIP_VISION VAE"),
    "LoraLoader": ("lora_name", "loras", "MODEL CLIP"),
    "LoraLoaderModelOnly": ("lora_name", "loras", "MODEL"),
    "VAELoader": ("vae_name", "vae", "VAE"),
    "ControlNetLoader": ("control_net_name", "controlnet", "CONTROL_NET"),
    "UNETLoader": ("unet_name", "diffusion_models", "MODEL"),
    "UpscaleModelLoader": ("model_name", "upscale_models", "UPSCALE_MODEL"),
    "StyleModelLoader": ("style_model_name", "style_models", "STYLE_MODEL"),
    "GLIGENLoader": ("gligen_name", "gligen", "GLIGEN"),
}
_WHY: Final = "This server does not have this node; it is named because the front end needs to know of it."


def leaned_on_infos(types: Registry, names: FileNames) -> dict[str, Any]:
    """The infos of loaders that the front end asks for and this server lacks."""
    missing = [_spec(name, *facts) for name, facts in _LOADERS.items() if name not in types]
    return {spec.id: object_info(spec, Registry((spec,)), names) for spec in missing}


def _spec(name: str, input: str, kind: str, outputs: str) -> NodeSpec:
    sockets = tuple(Output(one, socket_type(one)) for one in outputs.split())
    choice = Input(input, socket_type("COMBO"), widget=FileChoice(kind))
    spec = NodeSpec(name, _absent, (choice,), sockets, name, "loaders", _WHY)
    return replace(spec, deprecated="It is not there.")


def _absent() -> None:
    raise NotImplementedError
