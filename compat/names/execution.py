# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The modules `comfy_execution.*`, `execution`, `comfy.cli_args`, `latent_preview` and small others."""

import enum
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypedDict

from compat.names.session import Session
from compat.plugins.graph_view import GraphView, NodeNotFoundError
from compat.plugins.values import ExecutionBlocker, is_link

Names = dict[str, Any]


class GraphNode:
    """A node of a graph in the making."""

    def __init__(self, id: str, class_type: str, inputs: dict[str, Any]) -> None:
        self.id = id
        self.class_type = class_type
        self.inputs = inputs
        self.override_display_id: str | None = None

    def out(self, index: int) -> list[Any]:
        """The link to an output."""
        return [self.id, index]

    def set_input(self, key: str, value: Any) -> None:
        """Set an input to a value or link; None takes it away."""
        if value is None:
            self.inputs.pop(key, None)
        else:
            self.inputs[key] = value

    def get_input(self, key: str) -> Any:
        """An input's value or link, None without one."""
        return self.inputs.get(key)

    def set_override_display_id(self, override_display_id: str) -> None:
        """Show another node in its place."""
        self.override_display_id = override_display_id

    def serialize(self) -> dict[str, Any]:
        """The node in API form."""
        shown = {"override_display_id": self.override_display_id} if self.override_display_id else {}
        return {"class_type": self.class_type, "inputs": self.inputs, **shown}


class _Prefixes:
    """What the ids of the next graph begin with: one a call, the same in every run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._calls = dict[str, int]()

    def next(self) -> str:
        """A prefix that no other call of this node's run has."""
        context = self._session.context()
        key = f"{context.node_id} {id(context)}"
        if key not in self._calls:
            self._calls = {key: 0}
        number = self._calls[key]
        self._calls[key] += 1
        return f"{context.node_id}.{number}."


def graph_utils(session: Session) -> Names:
    """The names of `comfy_execution.graph_utils`."""
    prefixes = _Prefixes(session)

    class GraphBuilder:
        """Makes a graph for `expand`: nodes with ids of their own."""

        def __init__(self, prefix: str | None = None) -> None:
            self.prefix = prefixes.next() if prefix is None else prefix
            self.nodes = dict[str, GraphNode]()
            self.id_gen = 1

        @classmethod
        def set_default_prefix(cls, prefix_root: str, call_index: int, graph_index: int = 0) -> None:
            """Nothing: ids begin with the running node's."""

        @classmethod
        def alloc_prefix(cls, root: Any = None, call_index: Any = None, graph_index: Any = None) -> str:
            """A prefix for ids."""
            return prefixes.next()

        def node(self, class_type: str, id: str | None = None, **kwargs: Any) -> GraphNode:
            """Add a node, or give the one of this id that is there already."""
            if id is None:
                id = str(self.id_gen)
                self.id_gen += 1
            full = self.prefix + str(id)
            if full not in self.nodes:
                self.nodes[full] = GraphNode(full, class_type, kwargs)
            return self.nodes[full]

        def lookup_node(self, id: str) -> GraphNode | None:
            """A node by its id without the prefix."""
            return self.nodes.get(self.prefix + id)

        def finalize(self) -> dict[str, Any]:
            """The graph in API form."""
            return {id: node.serialize() for id, node in self.nodes.items()}

        def replace_node_output(self, node_id: str, index: int, new_value: Any) -> None:
            """Put a value, or None for nothing, in place of every link to an output."""
            full = self.prefix + node_id
            for node in self.nodes.values():
                for key, value in list(node.inputs.items()):
                    if is_link(value) and list(value) == [full, index]:
                        node.set_input(key, new_value)

        def remove_node(self, id: str) -> None:
            """Take a node out."""
            del self.nodes[self.prefix + id]

    def add_graph_prefix(graph: dict[str, Any], outputs: Any, prefix: str) -> tuple[dict[str, Any], Any]:
        def renamed(value: Any) -> Any:
            return [prefix + value[0], value[1]] if is_link(value) and value[0] in graph else value

        whole = {
            prefix + id: {**entry, "inputs": {k: renamed(v) for k, v in entry["inputs"].items()}}
            for id, entry in graph.items()
        }
        return whole, tuple(map(renamed, outputs))

    return {
        "GraphBuilder": GraphBuilder,
        "Node": GraphNode,
        "is_link": is_link,
        "add_graph_prefix": add_graph_prefix,
        "ExecutionBlocker": ExecutionBlocker,
    }


class NodeInputError(Exception):
    """An input names what is not there."""


class DependencyCycleError(Exception):
    """Nodes feed each other."""


def graph_names(session: Session) -> Names:
    """The names of `comfy_execution.graph`."""

    def get_input_info(class_def: Any, input_name: str, valid_inputs: Any = None) -> tuple[Any, Any, Any]:
        groups: Any = valid_inputs or class_def.INPUT_TYPES()
        for group in ("required", "optional", "hidden"):
            if input_name in groups.get(group, {}):
                entry = groups[group][input_name]
                items: list[Any] = list(entry) if isinstance(entry, list | tuple) else [entry]
                return items[0], group, items[1] if len(items) > 1 else {}
        return None, None, None

    return {
        "ExecutionBlocker": ExecutionBlocker,
        "DynamicPrompt": GraphView,
        "NodeNotFoundError": NodeNotFoundError,
        "NodeInputError": NodeInputError,
        "DependencyCycleError": DependencyCycleError,
        "get_input_info": get_input_info,
        "is_link": is_link,
    }


def execution(session: Session) -> Names:
    """The names of `execution`."""

    class PromptExecutor:
        """There for packs that patch it; jobs are run by this host's engine."""

        def __init__(self, server: Any = None, *more: Any, **named: Any) -> None:
            self.server = server

        def execute(self, *values: Any, **named: Any) -> None:
            """Refuse."""
            raise RuntimeError("Not supported by this host: execution.PromptExecutor.execute.")

        execute_async = execute

        def handle_execution_error(self, *values: Any, **named: Any) -> None:
            """Nothing: this host tells of errors by itself."""

        add_message = reset = handle_execution_error

    def get_input_data(*values: Any, **named: Any) -> Any:
        raise RuntimeError("Not supported by this host: execution.get_input_data.")

    def full_type_name(kind: type) -> str:
        module = kind.__module__
        return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"

    def validate_prompt(*values: Any) -> tuple[bool, None, list[str], dict[str, Any]]:
        return True, None, [], {}

    return {
        "PromptExecutor": PromptExecutor,
        "PromptQueue": type(session.modules["server"].__dict__["PromptServer"].instance.prompt_queue),
        "ExecutionBlocker": ExecutionBlocker,
        "get_input_data": get_input_data,
        "full_type_name": full_type_name,
        "validate_prompt": validate_prompt,
        "nodes": session.modules.get("nodes"),
        "execution_list": None,
    }


class IO(str, enum.Enum):  # noqa: UP042 (packs compare and print them as ComfyUI's)
    """Socket types by name."""

    STRING = "STRING"
    IMAGE = "IMAGE"
    MASK = "MASK"
    LATENT = "LATENT"
    BOOLEAN = "BOOLEAN"
    INT = "INT"
    FLOAT = "FLOAT"
    COMBO = "COMBO"
    CONDITIONING = "CONDITIONING"
    SAMPLER = "SAMPLER"
    SIGMAS = "SIGMAS"
    GUIDER = "GUIDER"
    NOISE = "NOISE"
    CLIP = "CLIP"
    CONTROL_NET = "CONTROL_NET"
    VAE = "VAE"
    MODEL = "MODEL"
    LORA_MODEL = "LORA_MODEL"
    LOSS_MAP = "LOSS_MAP"
    CLIP_VISION = "CLIP_VISION"
    CLIP_VISION_OUTPUT = "CLIP_VISION_OUTPUT"
    STYLE_MODEL = "STYLE_MODEL"
    GLIGEN = "GLIGEN"
    UPSCALE_MODEL = "UPSCALE_MODEL"
    AUDIO = "AUDIO"
    WEBCAM = "WEBCAM"
    POINT = "POINT"
    FACE_ANALYSIS = "FACE_ANALYSIS"
    BBOX = "BBOX"
    SEGS = "SEGS"
    VIDEO = "VIDEO"
    ANY = "*"
    NUMBER = "FLOAT,INT"
    PRIMITIVE = "STRING,FLOAT,INT,BOOLEAN"

    def __ne__(self, other: object) -> bool:
        if self.value == "*" or other == "*":
            return False
        if not isinstance(other, str):
            return True
        mine, theirs = set(self.value.split(",")), set(str.__str__(other).split(","))
        return not (theirs <= mine or mine <= theirs)

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __str__(self) -> str:
        return self.value


class _Words(TypedDict, total=False):
    """Any options of an input."""


class ComfyNodeABC:
    """What typed node classes derive from."""

    DESCRIPTION: str = ""
    CATEGORY: str = "sd"
    EXPERIMENTAL: bool = False
    DEPRECATED: bool = False


class CheckLazyMixin:
    """A node that asks for all of its lazy inputs."""

    def check_lazy_status(self, **kwargs: Any) -> list[str]:
        """The inputs that have no value yet."""
        return [name for name, value in kwargs.items() if value is None]


def node_typing(session: Session) -> Names:
    """The names of `comfy.comfy_types.node_typing`."""
    kinds = (
        "InputTypeOptions",
        "HiddenInputTypeDict",
        "InputTypeDict",
        "RemoteInputOptions",
        "MultiSelectOptions",
    )
    return {
        "IO": IO,
        "InputTypes": IO,
        "ComfyNodeABC": ComfyNodeABC,
        "CheckLazyMixin": CheckLazyMixin,
        "FileLocator": dict,
        "UnetWrapperFunction": Callable,
        **dict.fromkeys(kinds, _Words),
    }


def cli_args(session: Session) -> Names:
    """The names of `comfy.cli_args`."""

    class LatentPreviewMethod(enum.Enum):
        """How previews are made."""

        NoPreviews = "none"
        Auto = "auto"
        Latent2RGB = "latent2rgb"
        TAESD = "taesd"

    class PerformanceFeature(enum.Enum):
        """Nothing of these is done here."""

        Fp16Accumulation = "fp16_accumulation"
        Fp8MatrixMultiplication = "fp8_matrix_mult"
        CublasOps = "cublas_ops"

    home = str(session.site.folders.folders("output")[0].parent)
    off = (
        "gpu_only",
        "highvram",
        "normalvram",
        "lowvram",
        "novram",
        "cpu",
        "disable_metadata",
        "multi_user",
        "verbose",
        "disable_all_custom_nodes",
        "deterministic",
        "force_fp16",
        "force_fp32",
        "fp16_vae",
        "fp32_vae",
        "bf16_vae",
        "cpu_vae",
        "disable_smart_memory",
        "dont_upcast_attention",
        "use_split_cross_attention",
        "use_quad_cross_attention",
        "use_sage_attention",
        "use_flash_attention",
        "disable_xformers",
        "quick_test_for_ci",
        "windows_standalone_build",
        "disable_api_nodes",
        "enable_compress_response_body",
        "fp8_e4m3fn_unet",
        "fp8_e5m2_unet",
        "cache_none",
        "cache_classic",
        "enable_manager",
        "async_offload",
    )
    values = {
        "listen": session.site.address[0],
        "port": session.site.address[1],
        "base_directory": home,
        "preview_method": LatentPreviewMethod.Auto,
        "preview_size": 512,
        "fast": set[Any](),
        "output_directory": None,
        "input_directory": None,
        "temp_directory": None,
        "user_directory": None,
        "extra_model_paths_config": None,
        "cache_lru": 0,
        "tls_keyfile": None,
        "tls_certfile": None,
        "reserve_vram": None,
        "directml": None,
        "cuda_device": None,
        "max_upload_size": 100,
        "enable_cors_header": None,
        "front_end_version": "",
        "front_end_root": None,
        "whitelist_custom_nodes": list[str](),
    }
    return {
        "args": SimpleNamespace(**dict.fromkeys(off, False), **values),
        "LatentPreviewMethod": LatentPreviewMethod,
        "PerformanceFeature": PerformanceFeature,
    }


def node_helpers(session: Session) -> Names:
    """The names of `node_helpers`."""

    def conditioning_set_values(conditioning: Any, values: Any = None, append: bool = False) -> list[Any]:
        made = list[Any]()
        for text, keys in conditioning:
            changed = dict(keys)
            for name, value in (values or {}).items():
                changed[name] = [*changed.get(name, []), *value] if append and name in changed else value
            made.append([text, changed])
        return made

    def pillow(function: Callable[[Any], Any], argument: Any) -> Any:
        """Call a function of Pillow; files with a broken part are read as far as they go."""
        from PIL import ImageFile, UnidentifiedImageError

        try:
            return function(argument)
        except (OSError, UnidentifiedImageError, ValueError):
            before = ImageFile.LOAD_TRUNCATED_IMAGES
            ImageFile.LOAD_TRUNCATED_IMAGES = True
            try:
                return function(argument)
            finally:
                ImageFile.LOAD_TRUNCATED_IMAGES = before

    def image_alpha_fix(destination: Any, source: Any) -> tuple[Any, Any]:
        from nodes.tensors import same_channels

        return same_channels(destination, source)

    def hasher() -> Any:
        import hashlib

        return hashlib.sha256

    return {
        "conditioning_set_values": conditioning_set_values,
        "pillow": pillow,
        "image_alpha_fix": image_alpha_fix,
        "hasher": hasher,
    }


def latent_preview(session: Session) -> Names:
    """The names of `latent_preview`."""

    def preview_to_image(latent_image: Any) -> Any:
        from PIL import Image

        return Image.fromarray(((latent_image + 1) / 2).clamp(0, 1).mul(255).byte().cpu().numpy())

    class LatentPreviewer:
        """Makes a picture of a latent in the making."""

        def decode_latent_to_preview(self, x0: Any) -> Any:
            """A Pillow picture."""
            raise NotImplementedError

        def decode_latent_to_preview_image(self, preview_format: str, x0: Any) -> tuple[str, Any, int]:
            """(format, picture, longest side)."""
            return preview_format, self.decode_latent_to_preview(x0), 512

    class Latent2RGBPreviewer(LatentPreviewer):
        """By colours for the channels: a row each, and what is added to all."""

        def __init__(self, latent_rgb_factors: Any, latent_rgb_factors_bias: Any = None) -> None:
            import torch

            self.latent_rgb_factors = torch.tensor(latent_rgb_factors)
            bias = latent_rgb_factors_bias
            self.latent_rgb_factors_bias = None if bias is None else torch.tensor(bias)

        def decode_latent_to_preview(self, x0: Any) -> Any:
            """A Pillow picture."""
            first = (x0[0] if x0.ndim == 4 else x0[0, :, 0]).float().cpu().movedim(0, -1)
            added = 0.0 if self.latent_rgb_factors_bias is None else self.latent_rgb_factors_bias
            return preview_to_image(first @ self.latent_rgb_factors + added)

    def prepare_callback(model: Any, steps: int, x0_output_dict: Any = None) -> Callable[..., None]:
        bar = session.modules["comfy.utils"].__dict__["ProgressBar"](steps)
        module = session.modules["latent_preview"].__dict__
        previewer = module["get_previewer"](getattr(model, "load_device", None), model)

        def callback(step: int, x0: Any, x: Any, total_steps: int) -> None:
            if x0_output_dict is not None:
                x0_output_dict["x0"] = x0
            preview = previewer.decode_latent_to_preview_image("JPEG", x0) if previewer else None
            bar.update_absolute(step + 1, total_steps, preview)

        return callback

    return {
        "preview_to_image": preview_to_image,
        "LatentPreviewer": LatentPreviewer,
        "Latent2RGBPreviewer": Latent2RGBPreviewer,
        "TAESDPreviewerImpl": LatentPreviewer,
        "get_previewer": lambda device, latent_format: None,
        "prepare_callback": prepare_callback,
        "MAX_PREVIEW_RESOLUTION": 512,
        "LatentPreviewMethod": session.modules["comfy.cli_args"].__dict__["LatentPreviewMethod"],
        "args": session.modules["comfy.cli_args"].__dict__["args"],
        "set_preview_method": lambda *ignored: None,
    }
