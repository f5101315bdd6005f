# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""`comfy_api.latest`: ComfyNode with the properties that older code reads, extensions, results to show."""

from collections.abc import Callable
from typing import Any, Final

from compat.names import v3_io
from compat.names.session import Session
from compat.names.v3_io import Hidden, Schema, socket

Names = dict[str, Any]


class Property:
    """A value worked out of the class that it is asked of."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self._function(owner)


class HiddenHolder:
    """The hidden values of one call, as attributes; those that were not asked for are None."""

    def __init__(self, values: dict[str, Any] | None = None) -> None:
        self.__dict__.update(dict.fromkeys((item.name for item in Hidden), None))
        self.__dict__.update(values or {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class ComfyNode:
    """A node: define_schema() says what it is, execute() does it."""

    hidden = HiddenHolder()
    RELATIVE_PYTHON_MODULE: str = ""
    FUNCTION: Final = "EXECUTE"
    SCHEMA: Schema | None = None

    @classmethod
    def define_schema(cls) -> Schema:
        """What the node is."""
        raise NotImplementedError

    @classmethod
    def execute(cls, **inputs: Any) -> Any:
        """What the node does."""
        raise NotImplementedError

    @classmethod
    def GET_SCHEMA(cls) -> Schema:
        """The schema; it is asked for anew each time, for file lists change."""
        return cls.define_schema()

    @classmethod
    def FINALIZE_SCHEMA(cls) -> Schema:
        """The schema."""
        return cls.define_schema()

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """The inputs as older nodes declare them."""
        schema = cls.GET_SCHEMA()
        groups: dict[str, Any] = {"required": {}}
        for item in schema.inputs:
            for name, optional, entry in item.entries():
                groups.setdefault("optional" if optional else "required", {})[name] = entry
        hidden = list(schema.hidden)
        if schema.is_output_node:
            hidden += [item for item in (Hidden.prompt, Hidden.extra_pnginfo) if item not in hidden]
        if hidden:
            groups["hidden"] = {Hidden(item).name: (Hidden(item).value,) for item in hidden}
        return groups

    @classmethod
    def PREPARED(cls, hidden: dict[str, Any]) -> Any:
        """The class for one call, with that call's hidden values."""
        return type(cls.__name__, (cls,), {"hidden": HiddenHolder(hidden), "__module__": cls.__module__})

    @classmethod
    def EXECUTE(cls, **inputs: Any) -> Any:
        """Call execute with inputs of dotted names put together."""
        return cls.execute(**_nested(cls.GET_SCHEMA(), inputs))

    RETURN_TYPES: Any = Property(lambda cls: [item.get_io_type() for item in cls.GET_SCHEMA().outputs])
    RETURN_NAMES: Any = Property(
        lambda cls: [item.display_name or item.get_io_type() for item in cls.GET_SCHEMA().outputs]
    )
    OUTPUT_IS_LIST: Any = Property(lambda cls: [item.is_output_list for item in cls.GET_SCHEMA().outputs])
    OUTPUT_TOOLTIPS: Any = Property(lambda cls: _tooltips(cls.GET_SCHEMA()))
    OUTPUT_NODE: Any = Property(lambda cls: bool(cls.GET_SCHEMA().is_output_node))
    CATEGORY: Any = Property(lambda cls: cls.GET_SCHEMA().category)
    DESCRIPTION: Any = Property(lambda cls: cls.GET_SCHEMA().description)
    DISPLAY_NAME: Any = Property(lambda cls: cls.GET_SCHEMA().display_name or "")
    INPUT_IS_LIST: Any = Property(lambda cls: bool(cls.GET_SCHEMA().is_input_list))
    DEPRECATED: Any = Property(lambda cls: bool(cls.GET_SCHEMA().is_deprecated))
    EXPERIMENTAL: Any = Property(lambda cls: bool(cls.GET_SCHEMA().is_experimental))
    API_NODE: Any = Property(lambda cls: bool(cls.GET_SCHEMA().is_api_node))
    NOT_IDEMPOTENT: Any = Property(lambda cls: bool(cls.GET_SCHEMA().not_idempotent))
    ACCEPT_ALL_INPUTS: Any = Property(lambda cls: bool(cls.GET_SCHEMA().accept_all_inputs))

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        renamed = {"validate_inputs": "VALIDATE_INPUTS", "fingerprint_inputs": "IS_CHANGED"}
        for name, old in renamed.items():
            if name in cls.__dict__:
                setattr(cls, old, cls.__dict__[name])


def _tooltips(schema: Schema) -> list[str | None]:
    return [item.tooltip or None for item in schema.outputs]


def _nested(schema: Schema, inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs whose names have dots as mappings, for the inputs that stand for several."""
    grown = {item.id: isinstance(item, v3_io.DynamicComboInput) for item in schema.inputs if _is_many(item)}
    if not grown:
        return inputs
    given = {name: value for name, value in inputs.items() if name.partition(".")[0] not in grown}
    for id, has_choice in grown.items():
        start = f"{id}."
        inner = {name[len(start) :]: value for name, value in inputs.items() if name.startswith(start)}
        given[id] = {id: inputs.get(id), **inner} if has_choice else inner
    return given


def _is_many(item: Any) -> bool:
    return isinstance(item, v3_io.AutogrowInput | v3_io.DynamicComboInput)


class ComfyExtension:
    """What a pack's comfy_entrypoint gives."""

    async def on_load(self) -> None:
        """Called once, before the nodes are asked for."""

    async def get_node_list(self) -> list[Any]:
        """The pack's nodes."""
        return []


_KINDS: Final = {
    "Image": "IMAGE",
    "Mask": "MASK",
    "Latent": "LATENT",
    "Conditioning": "CONDITIONING",
    "Sampler": "SAMPLER",
    "Sigmas": "SIGMAS",
    "Noise": "NOISE",
    "Guider": "GUIDER",
    "Clip": "CLIP",
    "ControlNet": "CONTROL_NET",
    "Vae": "VAE",
    "Model": "MODEL",
    "ClipVision": "CLIP_VISION",
    "ClipVisionOutput": "CLIP_VISION_OUTPUT",
    "StyleModel": "STYLE_MODEL",
    "Gligen": "GLIGEN",
    "UpscaleModel": "UPSCALE_MODEL",
    "Audio": "AUDIO",
    "Video": "VIDEO",
    "SVG": "SVG",
    "LoraModel": "LORA_MODEL",
    "LossMap": "LOSS_MAP",
    "Voxel": "VOXEL",
    "Mesh": "MESH",
    "Hooks": "HOOKS",
    "HookKeyframes": "HOOK_KEYFRAMES",
    "TimestepsRange": "TIMESTEPS_RANGE",
    "LatentOperation": "LATENT_OPERATION",
    "FlowControl": "FLOW_CONTROL",
    "Accumulation": "ACCUMULATION",
    "Load3D": "LOAD_3D",
    "Load3DAnimation": "LOAD3D_ANIMATION",
    "Load3DCamera": "LOAD3D_CAMERA",
    "Photomaker": "PHOTOMAKER",
    "Point": "POINT",
    "FaceAnalysis": "FACE_ANALYSIS",
    "BBOX": "BBOX",
    "SEGS": "SEGS",
    "AudioEncoder": "AUDIO_ENCODER",
    "AudioEncoderOutput": "AUDIO_ENCODER_OUTPUT",
    "Webcam": "WEBCAM",
    "Tracks": "TRACKS",
    "ModelPatch": "MODEL_PATCH",
    "BoundingBox": "BOUNDING_BOX",
    "LatentUpscaleModel": "LATENT_UPSCALE_MODEL",
    "WanCameraEmbedding": "WAN_CAMERA_EMBEDDING",
    "Color": "COLOR",
    "ImageCompare": "IMAGECOMPARE",
    "Curve": "CURVE",
    "File3D": "FILE_3D",
    "Histogram": "HISTOGRAM",
}
_WIDGETS: Final = {"Int": "INT", "Float": "FLOAT", "String": "STRING", "Boolean": "BOOLEAN"}


def v3_names(session: Session) -> Names:
    """The names of `comfy_api.latest.io`."""
    kinds = {name: socket(kind) for name, kind in _KINDS.items()}
    kinds |= {name: socket(kind, v3_io.WidgetInput) for name, kind in _WIDGETS.items()}
    kinds["String"] = socket("STRING", v3_io.StringInput)
    combo = _kind("Combo", "COMBO", v3_io.ComboInput, v3_io.ComboOutput)
    grow = _kind("Autogrow", "COMFY_AUTOGROW_V3", v3_io.AutogrowInput, v3_io.Output)
    grow.TemplatePrefix = staticmethod(v3_io.template_prefix)
    grow.TemplateNames = staticmethod(v3_io.template_names)
    dynamic = _kind("DynamicCombo", "COMFY_DYNAMICCOMBO_V3", v3_io.DynamicComboInput, v3_io.Output)
    dynamic.Option = v3_io.DynamicOption
    match = _kind("MatchType", "COMFY_MATCHTYPE_V3", v3_io.MatchInput, v3_io.MatchOutput)
    match.Template = v3_io.Template
    shared = (
        "NumberDisplay",
        "UploadType",
        "FolderType",
        "ControlAfterGenerate",
        "RemoteOptions",
        "Hidden",
        "Input",
        "WidgetInput",
        "Output",
        "ComfyTypeIO",
        "Schema",
        "NodeOutput",
        "AnyType",
    )
    return {
        **kinds,
        **{name: getattr(v3_io, name) for name in shared},
        "Combo": combo,
        "MultiCombo": combo,
        "MultiType": _kind("MultiType", "COMFY_MULTITYPED_V3", v3_io.MultiTypeInput, v3_io.Output),
        "Autogrow": grow,
        "DynamicCombo": dynamic,
        "MatchType": match,
        "Custom": socket,
        "comfytype": lambda io_type, **words: lambda cls: _typed(cls, io_type),
        "ComfyNode": ComfyNode,
        "_ComfyNodeInternal": ComfyNode,
        "_ComfyNodeBaseInternal": ComfyNode,
        "HiddenHolder": HiddenHolder,
        "InputV3": v3_io.Input,
        "OutputV3": v3_io.Output,
        "FolderType": v3_io.FolderType,
        "add_to_dict_v1": lambda *values, **named: None,
    }


def _kind(name: str, io_type: str, given: Any, gives: Any) -> Any:
    output = type("Output", (gives,), {"io_type": io_type})
    return type(name, (v3_io.ComfyTypeIO,), {"io_type": io_type, "Input": given, "Output": output})


def _typed(cls: Any, io_type: str) -> Any:
    """A pack's own socket type, with ends of it where it has none."""
    cls.io_type = io_type
    for name, base in (("Input", v3_io.Input), ("Output", v3_io.Output)):
        own = cls.__dict__.get(name)
        if own is None:
            setattr(cls, name, type(name, (base,), {"io_type": io_type}))
        else:
            own.io_type = io_type
    return cls
