"""Node types: everything the engine and the editor know of a node, read from its signature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from graph.sockets import SocketType


class Missing:
    """The default of an input that has none."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Number:
    """A number widget: inclusive bounds, step, decimals to round to; `seed` adds control after generate.

    look: "color" shows 0xRRGGBB as a colour.
    """

    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    round: float | None = None
    seed: bool = False
    look: Literal["number", "slider", "color"] = "number"


@dataclass(frozen=True, slots=True)
class Text:
    """A text widget."""

    multiline: bool = False
    dynamic_prompts: bool = False
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice among fixed options (`Literal` in a signature)."""

    options: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class FileChoice:
    """A choice among the files of one folder kind ("checkpoints", "input"); a file's identity joins the key.

    `upload` names what may be uploaded ("image") or is empty.
    """

    kind: str
    upload: str = ""


@dataclass(frozen=True, slots=True)
class Toggle:
    """A yes/no widget."""

    on: str = ""
    off: str = ""


Widget = Number | Text | Choice | FileChoice | Toggle


@dataclass(frozen=True, slots=True)
class Hint:
    """What a signature cannot say of an input: `Annotated[Image, Hint("what it is", lazy=True)]`.

    optional: listed with the optional inputs although it has a default that is not None.
    label: the name a person sees, where it is not the input's own.
    """

    tooltip: str = ""
    lazy: bool = False
    raw_link: bool = False
    link_only: bool = False
    advanced: bool = False
    optional: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Marks a parameter that the engine fills in: `Annotated[str, Hidden("UNIQUE_ID")]`."""

    kind: str


@dataclass(frozen=True, slots=True)
class Input:
    """A named input. `widget` is None for inputs that only take links.

    required: a value must come from somewhere; one with a default may be left out of a workflow all the same.
    extra: passed through to clients. "unchecked": True leaves bounds, choices and files to the node itself,
    "unchecked_link": True leaves the type of its link to it.
    """

    name: str
    type: SocketType
    required: bool = True
    default: Any = MISSING
    widget: Widget | None = None
    hint: Hint = Hint()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Output:
    """A named output. `is_list` outputs return a list whose items flow on one by one."""

    name: str
    type: SocketType
    is_list: bool = False
    tooltip: str = ""


class Outputs:
    """The outputs of a node that returns an `Outcome`: `Annotated[Outcome, Outputs("IMAGE", mask="MASK")]`.

    Plain texts are socket names that also name the output; keywords are output name = socket name.
    """

    __slots__ = ("items",)

    def __init__(self, *kinds: str, **named: str) -> None:
        self.items: tuple[tuple[str, str], ...] = (*((kind, kind) for kind in kinds), *named.items())


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node type. `run(**inputs)` gives a tuple of output values, or an `Outcome` (see graph.outcome).

    hidden: parameter name → what is passed in ("context", or a foreign kind such as "UNIQUE_ID").
    takes_lists: one call gets whole lists instead of one call an item (INPUT_IS_LIST).
    fingerprint(**literals): joins the cache key; infer(known): facts of outputs before running (graph.facts).
    needs(**inputs so far): names of lazy inputs that are needed (check_lazy_status).
    check(literals, link_types, node): a sentence that says what is wrong with a node's values, or "".
    digest: changes with the node's code. idempotent False: never shared between nodes nor kept on disk.
    extra["agree"]: names of facts that all inputs of the node must share, such as ("family",).
    extra["partial"]: True runs it without those inputs whose source failed or was blocked.
    """

    id: str
    run: Callable[..., Any]
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    title: str = ""
    category: str = ""
    description: str = ""
    source: str = "core"
    version: int = 1
    digest: str = ""
    output: bool = False
    takes_lists: bool = False
    is_async: bool = False
    idempotent: bool = True
    deprecated: str = ""
    experimental: bool = False
    takes_any_input: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])
    fingerprint: Callable[..., Any] | None = None
    infer: Callable[..., Any] | None = None
    needs: Callable[..., Any] | None = None
    check: Callable[..., Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


def never_run(**inputs: Any) -> Any:
    """The function of a node type that is looked at only: what it stands for is cut out before a run."""
    raise NotImplementedError
