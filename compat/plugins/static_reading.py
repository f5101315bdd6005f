"""Following a pack's text as far as its table of nodes: assignments, loops, calls of its own functions.

Nothing is run: a statement whose outcome the text does not tell counts for nothing, both ways of an unknown
condition are followed, and after so many steps the rest is left aside.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from compat.plugins.source_text import Source
from compat.plugins.static_values import (
    UNKNOWN,
    ClassValue,
    FunctionValue,
    ModuleValue,
    Names,
    item_of,
    joined,
    many,
    method,
)

_MOST_STEPS: Final = 300_000
_DEEPEST: Final = 12


class _Returned(Exception):
    """A function's value, on its way out."""

    def __init__(self, value: Any) -> None:
        self.value = value


@dataclass(slots=True)
class Reading:
    """What the modules of a pack define, each read when it is first wanted.

    is_partial: whether something was put into a list or table, or was imported, that the text does not tell.
    """

    sources: Mapping[str, Source]
    is_partial: bool = False
    _read: dict[str, Names] = field(default_factory=dict[str, Names])
    _steps: int = 0
    _depth: int = 0

    def names(self, module: str) -> Names:
        """What a module defines; while it is being read, what it has so far."""
        if module not in self._read:
            names = self._read[module] = {"__name__": UNKNOWN}
            if module in self.sources:
                self._run(self.sources[module].tree.body, _Place(module, (names,)))
        return self._read[module]

    def listed(self) -> dict[str, ClassValue]:
        """The classes of the pack's nodes by name, as its entry point gives them; nothing without one."""
        entry = self.names("").get("comfy_entrypoint", UNKNOWN)
        extension = self._called(entry, [], {})
        if not isinstance(extension, ClassValue):
            return {}
        classes = many(self._called(extension.get("get_node_list"), [extension], {})) or []
        return {id: cls for cls in classes if isinstance(cls, ClassValue) and (id := self._id(cls))}

    def _id(self, cls: ClassValue) -> str:
        """The node_id that a class gives in its define_schema, "" where the text does not tell."""
        function = cls.get("define_schema")
        if not isinstance(function, FunctionValue):
            return ""
        at = _Place(function.module, ({"cls": cls}, *function.around))
        for item in ast.walk(function.code):
            for word in item.keywords if isinstance(item, ast.Call) else ():
                if word.arg == "node_id" and isinstance(told := self.value(word.value, at), str):
                    return told
        return ""

    # Statements

    def _run(self, body: Iterable[ast.stmt], at: "_Place") -> None:
        for item in body:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                return
            self._step(item, at)

    def _step(self, item: ast.stmt, at: "_Place") -> None:
        match item:
            case ast.Import() | ast.ImportFrom():
                self._import(item, at)
            case ast.Assign(targets=targets, value=value):
                made = self.value(value, at)
                for target in targets:
                    self._bind(target, made, at)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind(target, self.value(value, at), at)
            case ast.AugAssign(target=ast.Name() as target, op=operator, value=value):
                self._bind(target, joined(self.value(target, at), operator, self.value(value, at)), at)
            case ast.Expr(value=value):
                self.value(value, at)
            case ast.Return(value=value):
                raise _Returned(None if value is None else self.value(value, at))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._define(item, at)
            case ast.For():
                for one in self._through(item.iter, at):
                    self._bind(item.target, one, at)
                    self._run(item.body, at)
            case ast.If():
                self._either(item, at)
            case ast.With():
                self._run(item.body, at)
            case ast.Try() | ast.TryStar():
                self._run([*item.body, *item.orelse, *item.finalbody], at)
            case _:
                pass

    def _through(self, item: ast.expr, at: "_Place") -> list[Any]:
        """What a loop goes through."""
        found = many(self.value(item, at))
        self.is_partial |= found is None
        return found or []

    def _either(self, item: ast.If, at: "_Place") -> None:
        """The way that a condition goes; both where the text does not tell."""
        told = self.value(item.test, at)
        if told is UNKNOWN or told:
            self._run(item.body, at)
        if told is UNKNOWN or not told:
            self._run(item.orelse, at)

    def _bind(self, target: ast.expr, value: Any, at: "_Place") -> None:
        match target:
            case ast.Name(id=name):
                at.home(name)[name] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                values = many(value) or []
                for place, part in enumerate(parts):
                    self._bind(part, values[place] if place < len(values) else UNKNOWN, at)
            case ast.Subscript(value=owner, slice=key):
                table, name = self.value(owner, at), self.value(key, at)
                if isinstance(table, dict) and isinstance(name, str):
                    table[name] = value
            case ast.Attribute(value=owner, attr=name):
                if isinstance(found := self.value(owner, at), ClassValue):
                    found.names[name] = value
            case _:
                pass

    def _import(self, item: ast.Import | ast.ImportFrom, at: "_Place") -> None:
        source = self.sources[at.module]
        for name in item.names:
            if name.name == "*":
                at.names[0].update(self._starred(item, source))
                continue
            bound = name.asname or name.name.partition(".")[0]
            target = source.aliases.get(bound, "")
            at.names[0][bound] = self._imported(target) if target.startswith(".") else UNKNOWN

    def _starred(self, item: ast.Import | ast.ImportFrom, source: Source) -> Names:
        if not isinstance(item, ast.ImportFrom) or not item.level:
            return {}
        wanted = f"{item.module or ''}"
        own = [target[1:] for target in source.own if target[1:] in self.sources]
        module = next((name for name in own if name == wanted or name.endswith(f".{wanted}")), None)
        return {} if module is None else {k: v for k, v in self.names(module).items() if k[0] != "_"}

    def _imported(self, target: str) -> Any:
        dotted = target[1:]
        if dotted in self.sources:
            return ModuleValue(dotted)
        module, _, name = dotted.rpartition(".")
        return self.names(module).get(name, UNKNOWN) if module in self.sources else UNKNOWN

    def _define(self, item: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, at: "_Place") -> None:
        made: Any = self._class(item, at) if isinstance(item, ast.ClassDef) else at.function(item)
        for mark in reversed(item.decorator_list):
            if isinstance(function := self.value(mark, at), FunctionValue):
                changed = self._called(function, [made], {})
                made = made if changed is UNKNOWN or changed is None else changed
        at.names[0][item.name] = made

    def _class(self, item: ast.ClassDef, at: "_Place") -> ClassValue:
        made = ClassValue(at.module, item.name, {}, [self.value(base, at) for base in item.bases])
        self._run(item.body, _Place(at.module, (made.names, *at.names)))
        return made

    # Expressions

    def value(self, item: ast.expr, at: "_Place") -> Any:
        """What an expression stands for."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            return UNKNOWN
        match item:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return at.find(name)
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(self.value(owner, at), name)
            case ast.Subscript(value=owner, slice=key):
                return item_of(self.value(owner, at), self.value(key, at))
            case ast.Dict():
                return self._dict(item, at)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return self._list(parts, at)
            case ast.JoinedStr(values=parts):
                return self._text(parts, at)
            case ast.BinOp(left=left, op=operator, right=right):
                return joined(self.value(left, at), operator, self.value(right, at))
            case ast.Lambda():
                return at.function(item)
            case ast.Await(value=value):
                return self.value(value, at)
            case ast.DictComp(key=key, value=value):
                pairs = self._each(item.generators, at, lambda: (self.value(key, at), self.value(value, at)))
                return {name: one for name, one in pairs if isinstance(name, str)}
            case ast.ListComp(elt=elt) | ast.GeneratorExp(elt=elt):
                return self._each(item.generators, at, lambda: self.value(elt, at))
            case ast.Call():
                return self._call(item, at)
            case _:
                return UNKNOWN

    def _each(self, loops: Sequence[ast.comprehension], at: "_Place", make: Any) -> list[Any]:
        """What a comprehension gives; the conditions whose outcome is unknown hold."""
        if not loops:
            return [make()]
        found = list[Any]()
        for one in self._through(loops[0].iter, at):
            self._bind(loops[0].target, one, at)
            if all(self.value(test, at) for test in loops[0].ifs):
                found += self._each(loops[1:], at, make)
        return found

    def _dict(self, item: ast.Dict, at: "_Place") -> dict[Any, Any]:
        made = dict[Any, Any]()
        for key, value in zip(item.keys, item.values, strict=True):
            told = self.value(value, at)
            if key is None:
                made.update(self._known(told))
            elif isinstance(name := self.value(key, at), str):
                made[name] = told
        return made

    def _known(self, told: Any) -> dict[Any, Any]:
        self.is_partial |= told is UNKNOWN
        return cast("dict[Any, Any]", told) if isinstance(told, dict) else {}

    def _list(self, parts: Iterable[ast.expr], at: "_Place") -> list[Any]:
        made = list[Any]()
        for part in parts:
            if isinstance(part, ast.Starred):
                told = self.value(part.value, at)
                self.is_partial |= told is UNKNOWN
                made += many(told) or []
            else:
                made.append(self.value(part, at))
        return made

    def _text(self, parts: Iterable[ast.expr], at: "_Place") -> Any:
        told = [
            self.value(part.value, at) if isinstance(part, ast.FormattedValue) else self.value(part, at)
            for part in parts
        ]
        return "".join(map(str, told)) if all(isinstance(part, str | int) for part in told) else UNKNOWN

    def _attribute(self, owner: Any, name: str) -> Any:
        if isinstance(owner, ClassValue):
            return owner.get(name)
        if isinstance(owner, ModuleValue):
            inner = f"{owner.name}.{name}" if owner.name else name
            found = self.names(owner.name).get(name, UNKNOWN)
            return ModuleValue(inner) if found is UNKNOWN and inner in self.sources else found
        return owner if isinstance(owner, str) and name == "value" else UNKNOWN  # of an enumeration

    # Calls

    def _call(self, item: ast.Call, at: "_Place") -> Any:
        given = self._list(item.args, at)
        named = {word.arg: self.value(word.value, at) for word in item.keywords if word.arg}
        match item.func:
            case ast.Name(id="getattr") if len(given) > 1 and isinstance(given[1], str):
                found = self._attribute(given[0], given[1])
                return given[2] if found is UNKNOWN and len(given) > 2 else found
            case ast.Name(id="hasattr") if len(given) > 1 and isinstance(given[1], str):
                return self._attribute(given[0], given[1]) is not UNKNOWN
            case ast.Name(id="dict"):
                return {**self._known(given[0] if given else {}), **named}
            case ast.Name(id="list" | "tuple" | "set" | "sorted"):
                return (many(given[0]) if given else []) or []
            case ast.Name(id="import_module") | ast.Attribute(attr="import_module"):
                return self._module(given, at)
            case ast.Attribute(value=owner, attr=name):
                target = self.value(owner, at)
                if (known := method(target, name)) is not None:
                    self.is_partial |= name in ("update", "extend") and UNKNOWN in given
                    return _safely(known, given, named)
                found = self._attribute(target, name)
                own = [target] if isinstance(target, ClassValue) and _takes_self(found) else []
                return self._called(found, [*own, *given], named)
            case _:
                return self._called(self.value(item.func, at), given, named)

    def _module(self, given: Sequence[Any], at: "_Place") -> Any:
        """A module of the pack that is imported by a name that the text tells."""
        text = given[0] if given and isinstance(given[0], str) else ""
        source = self.sources[at.module]
        home = at.module if source.path.name == "__init__.py" else at.module.rpartition(".")[0]
        parts = text.lstrip(".").split(".")
        ends = (".".join(parts[place:]) for place in range(len(parts)))
        names = (".".join(filter(None, (home, text.lstrip(".")))), *ends)
        found = next((name for name in names if name and name in self.sources), None)
        self.is_partial |= found is None
        return UNKNOWN if found is None else ModuleValue(found)

    def _called(self, function: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """What a function of the pack gives."""
        if isinstance(function, ClassValue):
            return function  # an object of a class tells what its class does
        if not isinstance(function, FunctionValue) or self._depth >= _DEEPEST:
            return UNKNOWN
        at = _Place(function.module, ({}, *function.around))
        if not self._receive(function, given, named, at):
            return UNKNOWN
        self._depth += 1
        try:
            if isinstance(function.code, ast.Lambda):
                return self.value(function.code.body, at)
            self._run(function.code.body, at)
        except _Returned as told:
            return told.value
        finally:
            self._depth -= 1
        return None

    def _receive(
        self, function: FunctionValue, given: Sequence[Any], named: Mapping[str, Any], at: "_Place"
    ) -> bool:
        """Give a function its arguments; whether they fit."""
        wanted = function.code.args
        names = [item.arg for item in (*wanted.posonlyargs, *wanted.args)]
        if len(given) > len(names) and wanted.vararg is None:
            return False
        own = at.names[0]
        defaults = [self.value(item, at) for item in wanted.defaults]
        own.update(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        own.update(
            {
                item.arg: UNKNOWN if value is None else self.value(value, at)
                for item, value in zip(wanted.kwonlyargs, wanted.kw_defaults, strict=True)
            }
        )
        own.update(zip(names, given, strict=False))
        if wanted.vararg is not None:
            own[wanted.vararg.arg] = list(given[len(names) :])
        own.update(named)
        return True


def _takes_self(function: Any) -> bool:
    """Whether a class's function gets the class or an object of it first."""
    if not isinstance(function, FunctionValue) or isinstance(function.code, ast.Lambda):
        return False
    marks = function.code.decorator_list
    return not any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in marks)


def _safely(call: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
    try:
        return call(*given, **named)
    except TypeError:
        return UNKNOWN


@dataclass(frozen=True, slots=True)
class _Place:
    """Where code stands: its module, and the names that it sees, the innermost first, the module's last."""

    module: str
    names: tuple[Names, ...]

    def find(self, name: str) -> Any:
        """What a name stands for here."""
        return next((names[name] for names in self.names if name in names), UNKNOWN)

    def home(self, name: str) -> Names:
        """Where a name is kept that is given a value: in a function, a table around it that it fills anew."""
        outermost = self.names[-1]
        return outermost if "CLASS_MAPPINGS" in name and name in outermost else self.names[0]

    def function(self, code: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> FunctionValue:
        """A function that is written here."""
        return FunctionValue(code, self.module, self.names)
