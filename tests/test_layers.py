"""Imports go one way: server.py, compat, host, nodes, diffusion; each may also import graph."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("server", "compat", "host", "nodes", "diffusion")  # each may import those after it
OURS = {*LAYERS, "graph", "tools", "benchmarks", "tests"}
HEAVY = {"torch", "torchvision", "diffusers", "transformers"}
ALLOWED = {layer: {layer, "graph", *LAYERS[place:]} for place, layer in enumerate(LAYERS)} | {
    "graph": {"graph"}
}


def sources(layer: str) -> list[Path]:
    return [ROOT / "server.py"] if layer == "server" else sorted((ROOT / layer).rglob("*.py"))


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Line and top-level name of everything a module imports, `import_module("...")` included."""
    for item in ast.walk(ast.parse(source)):
        match item:
            case ast.Import(names=names):
                yield from ((item.lineno, name.name.partition(".")[0]) for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield item.lineno, module.partition(".")[0]
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                yield item.lineno, module.partition(".")[0]
            case _:
                pass


def wrong_imports(layer: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources(layer)
        for line, name in imported(path.read_text("utf-8"))
        if (name in OURS and name not in ALLOWED[layer]) or (layer == "graph" and name in HEAVY)
    ]


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_imports_only_what_stands_below_it(layer: str) -> None:
    assert sources(layer), f"{layer} has no sources"
    assert wrong_imports(layer) == []


def test_every_way_to_import_is_seen() -> None:
    source = "import a.b\ndef f():\n    from c.d import e\nimport_module('g.h')\nimportlib.import_module('i')"
    assert {name for _, name in imported(source)} == {"a", "c", "g", "i"}
