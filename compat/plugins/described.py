"""Node types of packs as plain values: made where their code runs, read where it must not."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from graph.sockets import ANY_NAME, SocketType
from graph.spec import (
    MISSING,
    Choice,
    FileChoice,
    Hint,
    Input,
    NodeSpec,
    Number,
    Output,
    Text,
    Toggle,
    Widget,
)
from host.plugins.described import OWN_CODE

KNOWN_HIDDEN: Final = (
    "PROMPT", "DYNPROMPT", "EXTRA_PNGINFO", "UNIQUE_ID", "AUTH_TOKEN_COMFY_ORG", "API_KEY_COMFY_ORG",
)  # fmt: skip
CONTEXT_INPUT: Final = "__context__"
GRAPH_INPUT: Final = "__graph__"
HIDDEN_START: Final = "__hidden__"
"""What the engine's names of hidden inputs begin with: a declared input may have the same name."""
OWN_CHECK: Final = "own check"
"""The key of a spec's extra that tells of a check which only the plugin's code can make."""
REFUSED: Final = "its values were refused."
"""What a check says that gives no reason."""
_SEEDS: Final = ("seed", "noise_seed")
_TOLD: Final = (
    "options",
    "tooltip",
    "lazy",
    "rawLink",
    "forceInput",
    "display_name",
    "multiline",
    "dynamicPrompts",
)
"""Options of an input that its widget and hint say; the others go to clients as they are."""
_NUMBER: Final = re.compile(r"[-+]?\d+(\.\d+)?")


def specs_of(descriptions: Sequence[Mapping[str, Any]]) -> list[NodeSpec]:
    """The node types of descriptions; running one says that its plugin is not loaded here."""
    return [spec_of(item) for item in descriptions]


def spec_of(description: Mapping[str, Any]) -> NodeSpec:
    """A node type from its description.

    Keys: id, pack, digest, info (as /object_info tells it), lists (takes lists), async, idempotent,
    any_input, any_inputs and any_outputs (ends that take everything), unchecked (inputs that the node checks
    itself), unchecked_links.
    """
    info: Mapping[str, Any] = description["info"]
    hidden = cast("Mapping[str, Any]", info["input"].get("hidden") or {})
    return NodeSpec(
        id=description["id"],
        run=_not_here,
        inputs=tuple(_inputs(description, info, hidden)),
        outputs=_outputs(description, info),
        title=str(info["display_name"]),
        category=str(info["category"]),
        description=str(info["description"]),
        source=description["pack"],
        digest=description["digest"],
        output=bool(info["output_node"]),
        takes_lists=description["lists"],
        is_async=description["async"],
        idempotent=description["idempotent"],
        deprecated="use another node" if info.get("deprecated") else "",
        experimental=bool(info.get("experimental")),
        takes_any_input=description["any_input"],
        hidden=_hidden(hidden),
        extra={"any_links": True, "info": info, **_own_check(description)},
    )


def _own_check(description: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that a node's own check sees, "*" for all; nothing where it has none."""
    return (
        {OWN_CHECK: tuple(description["unchecked"]), OWN_CODE: ("check",)}
        if description.get("checks")
        else {}
    )


def _not_here(**inputs: Any) -> Any:
    raise RuntimeError("The plugin of this node is not loaded in this process.")


def hidden_kind(value: Any) -> str:
    """The kind of a hidden input as a pack writes it: a text, or a tuple that begins with one."""
    if isinstance(value, list | tuple) and value:
        value = cast("Sequence[Any]", value)[0]
    return str(cast(object, value))


def _hidden(hidden: Mapping[str, Any]) -> dict[str, str]:
    kinds = {name: hidden_kind(value) for name, value in hidden.items()}
    known = {name: kind for name, kind in kinds.items() if kind in KNOWN_HIDDEN}
    engine = {CONTEXT_INPUT: "context", GRAPH_INPUT: "graph"}
    asked = {f"{HIDDEN_START}{name}": kind for name, kind in known.items() if kind != "DYNPROMPT"}
    return {**asked, **engine}


def _inputs(
    description: Mapping[str, Any], info: Mapping[str, Any], hidden: Mapping[str, Any]
) -> list[Input]:
    anything, unchecked = description["any_inputs"], description["unchecked"]
    own = description["unchecked_links"]
    found = dict[str, Input]()
    for group in ("required", "optional"):
        entries: Mapping[str, Any] = info["input"].get(group) or {}
        for name, entry in entries.items():
            is_any, free = name in anything, name in unchecked or "*" in unchecked
            found.setdefault(name, _input(name, entry, group == "required", is_any, free, own))
    for name, value in hidden.items():
        if hidden_kind(value) not in KNOWN_HIDDEN and name not in found:
            found[name] = Input(name, SocketType((ANY_NAME,)), required=False, extra={"unchecked": True})
    return list(found.values())


def _input(name: str, entry: Any, required: bool, is_any: bool, free: bool, free_link: bool) -> Input:
    items: Sequence[Any] = (
        cast("Sequence[Any]", entry) if isinstance(entry, list | tuple) and entry else ["*"]
    )
    kind = items[0]
    given: Any = items[1] if len(items) > 1 else None
    options = cast("Mapping[str, Any]", given) if isinstance(given, dict) else dict[str, Any]()
    widget = _widget(name, kind, options)
    extra = {"unchecked": free or (isinstance(kind, str) and kind == "COMBO")}
    extra["unchecked_link"] = free_link
    told = {key: value for key, value in options.items() if key not in _TOLD}
    return Input(
        name,
        _socket(kind, is_any),
        required,
        _default(widget, kind, options) if required else MISSING,
        widget,
        Hint(
            tooltip=str(options.get("tooltip") or ""),
            lazy=bool(options.get("lazy")),
            raw_link=bool(options.get("rawLink")),
            link_only=bool(options.get("forceInput")),
            advanced=bool(options.get("advanced")),
            label=str(options.get("display_name") or ""),
        ),
        {key: True for key, value in extra.items() if value} | ({"options": told} if told else {}),
    )


def _socket(kind: Any, is_any: bool) -> SocketType:
    if not isinstance(kind, str):
        return SocketType(("COMBO",))
    names = tuple(dict.fromkeys(name.strip() for name in kind.split(",") if name.strip()))
    return SocketType((ANY_NAME,)) if is_any or not names or ANY_NAME in names else SocketType(names)


def _widget(name: str, kind: Any, options: Mapping[str, Any]) -> Widget | None:
    upload = _upload(options)
    if upload and (isinstance(kind, list) or kind == "COMBO"):
        return FileChoice("input", upload)
    if isinstance(kind, list):
        return Choice(tuple(cast("list[Any]", kind)))
    listed = options.get("options")
    match kind:
        case "COMBO":
            return Choice(tuple(cast("list[Any]", listed)) if isinstance(listed, list) else ())
        case "INT" | "FLOAT":
            seed = bool(options.get("control_after_generate")) or (kind == "INT" and name in _SEEDS)
            return Number(_number(options.get("min")), _number(options.get("max")), seed=seed)
        case "STRING":
            multiline, dynamic = options.get("multiline"), options.get("dynamicPrompts")
            return Text(bool(multiline), bool(dynamic), str(options.get("placeholder") or ""))
        case "BOOLEAN":
            return Toggle(str(options.get("label_on") or ""), str(options.get("label_off") or ""))
        case _:
            return None


def _upload(options: Mapping[str, Any]) -> str:
    """What may be uploaded for a choice among the files of the input folder, or ""."""
    elsewhere = options.get("image_folder", "input") != "input"
    found = [kind for kind in ("image", "video", "audio") if options.get(f"{kind}_upload") is True]
    return "" if elsewhere or not found else found[0]


def _number(value: Any) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _default(widget: Widget | None, kind: Any, options: Mapping[str, Any]) -> Any:
    """What a required input is without a value: its default where that fits, else the first choice."""
    given = options.get("default", MISSING)
    match widget:
        case Choice(choices):
            return given if given in choices else choices[0] if choices else MISSING
        case Number():
            number = _number(given)
            return MISSING if number is None else int(number) if kind == "INT" else float(number)
        case Text():
            return given if isinstance(given, str) else ""
        case Toggle():
            return bool(given) if given is not MISSING else False
        case _:
            return MISSING


def _outputs(description: Mapping[str, Any], info: Mapping[str, Any]) -> tuple[Output, ...]:
    """The outputs, each with a name of its own: links name them here, where ComfyUI counts."""
    taken, outputs = set[str](), list[Output]()
    names, lists = info["output_name"], info["output_is_list"]
    for place, kind in enumerate(info["output"]):
        given = str(names[place]) if place < len(names) else str(kind) if isinstance(kind, str) else "COMBO"
        given = given.strip() or f"output {place + 1}"
        name = given if given not in taken else _another(given, taken)
        taken.add(name)
        is_list = place < len(lists) and bool(lists[place])
        outputs.append(Output(name, _socket(kind, place in description["any_outputs"]), is_list))
    return tuple(outputs)


def _another(name: str, taken: set[str]) -> str:
    return next(other for number in range(2, 10_000) if (other := f"{name} {number}") not in taken)
