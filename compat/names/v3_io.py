# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""`comfy_api.latest.io`: socket types, inputs and outputs of nodes written for the newer interface."""

from enum import Enum
from typing import Any, Final

from compat.plugins.values import ExecutionBlocker

Options = dict[str, Any]
_RENAMED: Final = {
    "force_input": "forceInput",
    "raw_link": "rawLink",
    "dynamic_prompts": "dynamicPrompts",
    "display_mode": "display",
    "default_mask": "default",
}
_NOT_OPTIONS: Final = (
    "id", "optional", "extra_dict", "widget_type", "type", "is_output_list", "template", "upload", "types",
    "enum_options",
)  # fmt: skip


class NumberDisplay(str, Enum):  # noqa: UP042 (as ComfyUI has it)
    """How a number is shown."""

    number = "number"
    slider = "slider"
    gradient_slider = "gradientslider"


class UploadType(str, Enum):  # noqa: UP042 (as ComfyUI has it)
    """What may be uploaded for a choice."""

    image = "image_upload"
    audio = "audio_upload"
    video = "video_upload"
    model = "file_upload"


class FolderType(str, Enum):  # noqa: UP042 (as ComfyUI has it)
    """The folders that files of jobs lie in."""

    input = "input"
    output = "output"
    temp = "temp"


class ControlAfterGenerate(str, Enum):  # noqa: UP042 (as ComfyUI has it)
    """What happens to a seed after a run."""

    fixed = "fixed"
    increment = "increment"
    decrement = "decrement"
    randomize = "randomize"


class RemoteOptions:
    """Choices that the browser fetches."""

    def __init__(self, route: str, refresh_button: bool, **more: Any) -> None:
        self.words = {"route": route, "refresh_button": refresh_button, **more}

    def as_dict(self) -> Options:
        """As options of an input."""
        return {key: _plain(value) for key, value in self.words.items() if value is not None}


class Hidden(str, Enum):  # noqa: UP042 (as ComfyUI has it)
    """What a node may ask of the engine."""

    unique_id = "UNIQUE_ID"
    prompt = "PROMPT"
    extra_pnginfo = "EXTRA_PNGINFO"
    dynprompt = "DYNPROMPT"
    auth_token_comfy_org = "AUTH_TOKEN_COMFY_ORG"
    api_key_comfy_org = "API_KEY_COMFY_ORG"


class _Port:
    """What inputs and outputs share. Keywords that are not known here are kept and passed on."""

    io_type: str = "*"

    def __init__(self, id: str | None = None, *more: Any, **options: Any) -> None:
        names = ("display_name", "optional", "tooltip", "lazy")
        self.id = id
        self.options: Options = {**dict(zip(names, more, strict=False)), **options}
        self.optional = bool(self.options.get("optional"))
        self.tooltip = self.options.get("tooltip")
        self.display_name = self.options.get("display_name")
        self.template = self.options.get("template")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "options" not in self.__dict__:
            raise AttributeError(name)
        return self.options.get(name)

    def get_io_type(self) -> str:
        """The name of the socket type."""
        return self.io_type


class Input(_Port):
    """An input of a node."""

    def __init__(self, id: str, *more: Any, **options: Any) -> None:
        super().__init__(id, *more, **options)

    def entry(self) -> tuple[Any, Options]:
        """The input as INPUT_TYPES has it."""
        told = {
            _RENAMED.get(key, key): _plain(value)
            for key, value in self.options.items()
            if key not in _NOT_OPTIONS and value is not None
        }
        if (upload := self.options.get("upload")) is not None:
            told[str(_plain(upload))] = True
        return self.get_io_type(), {**told, **(self.options.get("extra_dict") or {})}

    def entries(self) -> "list[tuple[str, bool, tuple[Any, Options]]]":
        """(name, whether optional, entry) of every input that this stands for."""
        return [(str(self.id), self.optional, self.entry())]


class WidgetInput(Input):
    """An input with a widget."""


class Output(_Port):
    """An output of a node."""

    @property
    def is_output_list(self) -> bool:
        """Whether it gives a list whose items flow on one by one."""
        return bool(self.options.get("is_output_list"))


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "as_dict"):
        return value.as_dict()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


class ComfyTypeIO:
    """A socket type: X.Input and X.Output make ends of it."""

    io_type: str = "*"
    Type: Any = Any
    Input: Any = Input
    Output: Any = Output
    Parent: Any = None


def socket(io_type: str, kind: Any = Input) -> Any:
    """A socket type of this name."""
    text = str(io_type.value if isinstance(io_type, Enum) else io_type)
    carried = io_type if isinstance(io_type, str) else text
    body = {
        "io_type": carried,
        "Type": Any,
        "Input": type("Input", (kind,), {"io_type": carried}),
        "Output": type("Output", (Output,), {"io_type": carried}),
    }
    made = type(text.title().replace("_", "") or "Custom", (ComfyTypeIO,), body)
    body["Input"].Parent = body["Output"].Parent = made
    return made


class _NumberInput(WidgetInput):
    """A number: display_mode becomes "display"."""

    def __init__(self, id: str, *more: Any, **options: Any) -> None:
        super().__init__(id, *more, **options)


class StringInput(WidgetInput):
    """A text; it always says whether it has several lines."""

    def entry(self) -> tuple[Any, Options]:
        """With that."""
        kind, told = super().entry()
        return kind, {"multiline": False, **told}


class ComboOutput(Output):
    """A choice among options, which are its type."""

    def get_io_type(self) -> Any:
        """The options."""
        given: Any = self.options.get("options") or []
        return [_plain(item) for item in given]


class ComboInput(WidgetInput):
    """A choice among options."""

    io_type = "COMBO"

    def __init__(self, id: str, options: Any = None, *more: Any, **named: Any) -> None:
        given: Any = options if options is not None else named.pop("enum_options", None)
        super().__init__(id, *more, **named)
        self.choices: list[Any] | None = None if given is None else [_plain(item) for item in given]

    def entry(self) -> tuple[Any, Options]:
        """With the options among the others."""
        kind, told = super().entry()
        choices = {} if self.choices is None else {"options": self.choices}
        return kind, {**told, "multiselect": bool(self.options.get("multiselect")), **choices}


class MultiTypeInput(Input):
    """An input of several types; the first may be an input whose widget is used."""

    def __init__(self, id: Any, types: Any = (), *more: Any, **named: Any) -> None:
        self.first = id if isinstance(id, _Port) else None
        super().__init__(str(self.first.id if self.first else id), *more, **named)
        self.types = list(types)
        if self.first is not None:
            self.options = {**self.first.options, **self.options}
            self.optional = self.optional or self.first.optional

    def get_io_type(self) -> str:
        """All names, joined by commas."""
        kinds = [self.first.get_io_type()] if self.first else []
        kinds += [str(kind.io_type) for kind in self.types]
        return ",".join(dict.fromkeys(kinds))


class Template:
    """What MatchType's inputs and outputs share: they are all of the same type."""

    def __init__(self, template_id: str = "", allowed_types: Any = None, *more: Any, **named: Any) -> None:
        self.template_id = template_id
        kinds = allowed_types if isinstance(allowed_types, list | tuple) else [allowed_types or AnyType]
        self.allowed_types = list(kinds)

    def names(self) -> str:
        """The types, joined by commas."""
        return ",".join(str(kind.io_type) for kind in self.allowed_types)


class MatchInput(Input):
    """An input whose type is that of the others with the same template."""

    def __init__(self, id: str, template: Any = None, *more: Any, **named: Any) -> None:
        super().__init__(id, *more, **named)
        self.template = template

    def get_io_type(self) -> str:
        """The types that the template allows."""
        return self.template.names() if self.template else "*"


class MatchOutput(Output):
    """An output whose type is that of the inputs with the same template."""

    def __init__(self, template: Any = None, id: str | None = None, *more: Any, **named: Any) -> None:
        super().__init__(id, *more, **named)
        self.template = template

    def get_io_type(self) -> str:
        """The types that the template allows; several are any."""
        text = self.template.names() if self.template else "*"
        return "*" if "," in text else text


class GrowTemplate:
    """The pattern of inputs that grow: a prefix and a number, or names."""

    def __init__(self, input: Any, names: list[str], least: int) -> None:
        self.input, self.names, self.min = input, names, least
        self.cached_inputs = dict.fromkeys(names, input)


def template_prefix(input: Any, prefix: str, min: int = 1, max: int = 10, **more: Any) -> GrowTemplate:
    """Inputs of a prefix and a number from 0."""
    return GrowTemplate(input, [f"{prefix}{number}" for number in range(max)], min)


def template_names(input: Any, names: list[str], min: int = 1, **more: Any) -> GrowTemplate:
    """Inputs of these names."""
    return GrowTemplate(input, list(names), min)


class AutogrowInput(Input):
    """Inputs that grow as they are linked; the node gets them as one mapping."""

    io_type = "COMFY_AUTOGROW_V3"

    def __init__(self, id: str, template: Any = None, *more: Any, **named: Any) -> None:
        super().__init__(id, *more, **named)
        self.template = template

    def entries(self) -> list[tuple[str, bool, tuple[Any, Options]]]:
        """One input a name: "id.name"."""
        pattern: GrowTemplate | None = self.template
        if pattern is None:
            return []
        inner = pattern.input.entry()
        return [
            (f"{self.id}.{name}", place >= pattern.min or self.optional, inner)
            for place, name in enumerate(pattern.names)
        ]


class DynamicOption:
    """One choice of a DynamicCombo and the inputs that come with it."""

    def __init__(self, key: str, inputs: Any = (), **more: Any) -> None:
        self.key, self.inputs = key, list(inputs)


class DynamicComboInput(Input):
    """A choice that brings inputs of its own; the node gets a mapping."""

    io_type = "COMFY_DYNAMICCOMBO_V3"

    def __init__(self, id: str, options: Any = (), *more: Any, **named: Any) -> None:
        super().__init__(id, *more, **named)
        self.choices: list[DynamicOption] = list(options)

    def entries(self) -> list[tuple[str, bool, tuple[Any, Options]]]:
        """The choice, and "id.name" of every input that it may bring."""
        own = ("COMBO", {"options": [item.key for item in self.choices], "multiselect": False})
        found = [(str(self.id), self.optional, own)]
        for choice in self.choices:
            for item in choice.inputs:
                found += [(f"{self.id}.{name}", True, entry) for name, _, entry in item.entries()]
        return found


AnyType: Any = socket("*")


class NodeOutput:
    """What a node gives: values, and what a person is shown."""

    def __init__(
        self, *args: Any, ui: Any = None, expand: Any = None, block_execution: str | None = None, **more: Any
    ) -> None:
        self.args = args
        self.ui = ui
        self.expand = expand
        self.block_execution = block_execution

    @property
    def result(self) -> tuple[Any, ...] | None:
        """The values."""
        return self.args or None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "NodeOutput":
        """Of an older node's dict."""
        return cls(*(data.get("result") or ()), ui=data.get("ui"), expand=data.get("expand"))

    def as_result(self) -> Any:
        """As older nodes return it."""
        if self.block_execution is not None:
            return ExecutionBlocker(self.block_execution)
        return {"ui": self.ui, "expand": self.expand, "result": self.args}

    def __getitem__(self, place: int) -> Any:
        return self.args[place]


class Schema:
    """Everything a node says of itself. Keywords that are not known here are kept."""

    def __init__(
        self, node_id: str, display_name: str | None = None, category: str = "sd", **words: Any
    ) -> None:
        self.node_id = node_id
        self.display_name = display_name
        self.category = category
        self.words = words
        self.inputs: list[Any] = list(words.get("inputs") or [])
        self.outputs: list[Any] = list(words.get("outputs") or [])
        self.hidden: list[Any] = list(words.get("hidden") or [])
        self.description: str = words.get("description") or ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "words" not in self.__dict__:
            raise AttributeError(name)
        return self.words.get(name, False)

    def validate(self) -> None:
        """Nothing: what is wrong shows when the node is read."""

    def finalize(self) -> None:
        """Nothing: hidden inputs of output nodes are added when the node is read."""
