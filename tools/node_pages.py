"""Writes docs/nodes/: a list, and a page for each group of node types, made from the types themselves.

    .venv/bin/python tools/node_pages.py

Run it after changing a node; a test compares the pages with the types.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from graph.spec import NodeSpec  # noqa: E402
from host.node_words import index, page  # noqa: E402
from nodes import registry  # noqa: E402

OTHER = "other"


def main() -> int:
    """Writes all pages; those of groups that are gone are removed."""
    folder = ROOT / "docs" / "nodes"
    folder.mkdir(exist_ok=True)
    made = pages()
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, "utf-8")
    return 0


def pages() -> dict[str, str]:
    """The text of every page by its file name."""
    types = registry()
    groups = dict[str, list[NodeSpec]]()
    for spec in types:
        groups.setdefault(group_of(spec), []).append(spec)
    ordered = sorted(groups.items())
    made = {f"{name}.md": page(types, name, specs) for name, specs in ordered}
    return made | {"README.md": index((name, f"{name}.md", specs) for name, specs in ordered)}


def group_of(spec: NodeSpec) -> str:
    """The first part of a node's category; the field's unsorted ones are "other"."""
    first = spec.category.partition("/")[0]
    return OTHER if first in ("", "_for_testing") else first.lower().replace(" ", "-")


if __name__ == "__main__":
    sys.exit(main())
