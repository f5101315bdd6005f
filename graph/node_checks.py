"""The checks of one node: its links, its literals, and what is missing."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from graph.checking import Checking, Kind, outputs_named
from graph.document import Link, Node
from graph.literals import read_literal
from graph.modes import Cut
from graph.offers import Offer, converter_for, source_for
from graph.problems import Problem, Repair
from graph.sockets import ANY, ANY_NAME, SocketType, names_fit
from graph.spec import MISSING, Choice, FileChoice, Input
from graph.suggestions import did_you_mean, listed, nearest, shown


def node_problems(checking: Checking, key: str, node: Node, kind: Kind) -> Iterator[Problem]:
    """Everything wrong with one node of a known type, judged by itself and its direct sources."""
    lenient = checking.workflow.imported
    sound = True
    for name, value in node.inputs.items():
        for problem in _input_problems(checking, key, name, value, kind, lenient):
            sound = sound and problem.severity == "warning"
            yield problem
    for name in kind.needed:
        if name not in node.inputs:
            sound = False
            yield _missing(checking, key, kind.inputs[name])
    if kind.spec.deprecated:
        yield _deprecated(checking, key, kind)
    if sound:
        yield from _checked(checking, key, node, kind)


def _input_problems(
    checking: Checking, key: str, name: str, value: Any, kind: Kind, lenient: bool
) -> Iterator[Problem]:
    input = kind.inputs.get(name)
    if input is None:
        if not kind.spec.takes_any_input:
            yield _unknown_input(checking, key, name, kind, lenient)
        if isinstance(value, Link) and (kind.spec.takes_any_input or not lenient):
            yield from _link_problems(checking, key, Input(name, ANY, required=False), value)
    elif isinstance(value, Link):
        yield from _link_problems(checking, key, input, value)
    else:
        yield from literal_problems(checking, key, input, value, lenient)


def _unknown_input(checking: Checking, key: str, name: str, kind: Kind, lenient: bool) -> Problem:
    """What it has goes to the input it was meant for, or away where that has a value of its own."""
    free = [item for item in nearest(name, kind.inputs) if item not in checking.workflow.nodes[key].inputs]
    repair = Repair("rename", free[0]) if free else Repair("remove")
    fix = did_you_mean(name, kind.inputs)
    return checking.problem("unknown_input", key, name, "there is no such input.", fix, lenient, repair)


def _link_problems(checking: Checking, key: str, input: Input, link: Link) -> Iterator[Problem]:
    """A link is followed to its true source, which must exist, have the output, and give what is taken."""
    end = checking.end(link)
    if isinstance(end, Cut):
        yield from _cut_problems(checking, key, input, end)
        return
    if end.node not in checking.workflow.nodes:
        message = f"node {end.node[:80]} does not exist."
        offer = source_for(checking, input.type, key)
        repair = offer.repair or Repair("remove")
        yield checking.problem("dangling_link", key, input.name, message, offer.fix, repair=repair)
        return
    source = checking.kind(end.node)
    if source is None:
        return
    output = source.outputs.get(end.output)
    if output is None:
        message = f"node {checking.name(end.node)} has no output {shown(end.output)}."
        repair = _fitting_output(end, input, source)
        yield checking.problem(
            "unknown_output", key, input.name, message, outputs_named(source), repair=repair
        )
    elif not names_fit(input.type, output.type) and not input.extra.get("unchecked_link"):
        yield _mismatch(checking, key, input, end, output.type, source)


def _cut_problems(checking: Checking, key: str, input: Input, cut: Cut) -> Iterator[Problem]:
    if not input.required or input.default is not MISSING:
        return
    source = f"node {checking.name(cut.node)} {cut.reason}"
    if checking.workflow.nodes[cut.node].mode == "mute":
        message = f"{source}, so this node and what needs it will not run."
        fix, repair = f"Unmute node {cut.node}.", Repair("unmute", cut.node)
        yield checking.problem("muted_source", key, input.name, message, fix, True, repair)
    else:
        offer = source_for(checking, input.type, key)
        yield checking.problem(
            "nothing_passed_on", key, input.name, f"{source}.", offer.fix, repair=offer.repair
        )


def _mismatch(
    checking: Checking, key: str, input: Input, end: Link, given: SocketType, source: Kind
) -> Problem:
    output = end.output if end.output == str(given) else f"{end.output} ({given})"
    message = f"takes {input.type} but is linked to {output} of node {checking.name(end.node)}."
    offer = _fitting(checking, key, input, end, given, source)
    return checking.problem("type_mismatch", key, input.name, message, offer.fix, repair=offer.repair)


def _fitting(checking: Checking, key: str, input: Input, end: Link, given: SocketType, source: Kind) -> Offer:
    """The nearest way to give an input its type: another output, a converter, another node."""
    if other := _fitting_output(end, input, source):
        return Offer(f"Its output {other.value[1]} fits.", other)
    if converter := converter_for(checking, given, input.type):
        return Offer(f"Put a {converter} node between them.")
    return source_for(checking, input.type, key)


def _fitting_output(end: Link, input: Input, source: Kind) -> Repair | None:
    """Another output of the node that a link comes from."""
    fitting = [item.name for item in source.outputs.values() if names_fit(input.type, item.type)]
    return Repair("link", [end.node, fitting[0]]) if fitting else None


def _missing(checking: Checking, key: str, input: Input) -> Problem:
    if input.widget is None:
        message = f"needs {input.type}, but nothing is linked to it."
        offer = source_for(checking, input.type, key)
        return checking.problem("missing_input", key, input.name, message, offer.fix, repair=offer.repair)
    return checking.problem("missing_input", key, input.name, "has no value.", _value_wanted(input))


def _value_wanted(input: Input) -> str:
    match input.widget:
        case Choice(options=options) if options:
            return f"Choose {listed((str(option) for option in options), 6)}."
        case FileChoice(kind=kind):
            return f"Choose one of the {kind}."
        case _:
            return f"Give it a value of type {input.type}."


def literal_problems(
    checking: Checking, key: str, input: Input, raw: Any, lenient: bool = False
) -> Iterator[Problem]:
    """Everything wrong with one written value."""
    read = read_literal(input, raw, lenient)
    for fault in read.faults:
        yield checking.problem(
            fault.code, key, input.name, fault.message, fault.fix, fault.warning, fault.repair
        )
    if read.wrong or input.extra.get("unchecked"):
        return
    if raw is None and input.required and ANY_NAME not in input.type.names:
        yield _missing(checking, key, input)
    elif raw is not None and _wants_link(checking, input):
        message = f"takes {input.type} by a link, not {shown(raw)}."
        offer = source_for(checking, input.type, key)
        yield checking.problem("needs_link", key, input.name, message, offer.fix, lenient, offer.repair)
    elif isinstance(input.widget, FileChoice):
        yield from _file_problems(checking, key, input, input.widget, read.value)


def _wants_link(checking: Checking, input: Input) -> bool:
    """Whether no literal can be right: the type is given by nodes and has no literals."""
    if input.widget is not None or not _PLAIN.isdisjoint(input.type.names):
        return False
    return not checking.wired.isdisjoint(input.type.names)


_PLAIN = frozenset({ANY_NAME, "INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"})


def _file_problems(
    checking: Checking, key: str, input: Input, widget: FileChoice, value: Any
) -> Iterator[Problem]:
    for name in _texts(value):
        if checking.files is not None and checking.missing_file(widget.kind, name):
            known = checking.files.names(widget.kind)
            message = f"there is no file {shown(name)} in the folder {widget.kind}."
            other = _other_file(name, known)
            fix = (f"Did you mean {other}?" if other else did_you_mean(name, known)) or (
                f"Put the file into the folder {widget.kind}, or choose another."
            )
            repair = Repair("set", other) if other and isinstance(value, str) else None
            yield checking.problem("missing_file", key, input.name, message, fix, repair=repair)


def _texts(value: Any) -> list[str]:
    items = cast(list[Any], value) if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def _other_file(name: str, known: Sequence[str]) -> str:
    """The file of the same name in another folder, else the most similar, or ""."""
    base = name.rpartition("/")[2].casefold()
    same = [item for item in known if item.rpartition("/")[2].casefold() == base]
    return next(iter(same or nearest(name, known)), "")


def _deprecated(checking: Checking, key: str, kind: Kind) -> Problem:
    message = f"{checking.label(key)}: node type '{kind.spec.id}' is deprecated."
    advice = kind.spec.deprecated.strip().rstrip(".")
    fix = f"{advice[:1].upper()}{advice[1:]}." if advice else ""
    return Problem("deprecated_node", message, key, fix=fix, severity="warning")


def literal_values(node: Node, kind: Kind, lenient: bool) -> dict[str, Any]:
    """The literals of a node as it will get them, defaults included."""
    values = {name: item.default for name, item in kind.inputs.items() if item.default is not MISSING}
    for name, raw in node.inputs.items():
        if isinstance(raw, Link):
            values.pop(name, None)
        elif name in kind.inputs:
            values[name] = read_literal(kind.inputs[name], raw, lenient).value
        elif kind.spec.takes_any_input:
            values[name] = raw
    return values


def _checked(checking: Checking, key: str, node: Node, kind: Kind) -> Iterator[Problem]:
    """The node type's own check of values that are sound one by one."""
    if (check := kind.spec.check) is None:
        return
    types = dict[str, SocketType]()
    for name, value in node.inputs.items():
        if isinstance(value, Link) and isinstance(end := checking.end(value), Link):
            source = checking.kind(end.node)
            if source is not None and end.output in source.outputs:
                types[name] = source.outputs[end.output].type
    try:
        sentence = check(literal_values(node, kind, checking.workflow.imported), types, key)
    except Exception as error:  # code of plugins runs here; the rest of the workflow is still checked
        sentence = f"its check failed: {type(error).__name__}: {error}"
    if sentence:
        yield Problem("refused_values", f"{checking.label(key)}: {sentence}", key)
