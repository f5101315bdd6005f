"""A simple drawing of a workflow that has none: columns, with a node right of all that feed it."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from graph.document import Link, Workflow

_GAP_X: Final = 60
_GAP_Y: Final = 60


def layered_places(
    workflow: Workflow, sizes: Mapping[str, tuple[float, float]], left: float = 0, top: float = 0
) -> dict[str, tuple[float, float]]:
    """Where each node lies, by id, starting at (left, top)."""
    columns = dict[int, list[str]]()
    for id, column in node_columns(workflow).items():
        columns.setdefault(column, []).append(id)
    places, x = dict[str, tuple[float, float]](), left
    for column in sorted(columns):
        y = top
        for id in columns[column]:
            places[id] = (x, y)
            y += sizes[id][1] + _GAP_Y
        x += max(sizes[id][0] for id in columns[column]) + _GAP_X
    return places


def node_columns(workflow: Workflow) -> dict[str, int]:
    """The column of each node, sources first; nodes in a circle come last, in column 0."""
    sources = {
        id: {value.node for value in node.inputs.values() if isinstance(value, Link)} & workflow.nodes.keys()
        for id, node in workflow.nodes.items()
    }
    users = dict[str, list[str]]()
    for id, found in sources.items():
        for source in found:
            users.setdefault(source, []).append(id)
    missing = {id: len(found) for id, found in sources.items()}
    waiting, columns = deque(id for id, count in missing.items() if not count), dict[str, int]()
    while waiting:
        id = waiting.popleft()
        columns[id] = max((columns[source] + 1 for source in sources[id]), default=0)
        for user in users.get(id, ()):
            missing[user] -= 1
            if not missing[user]:
                waiting.append(user)
    return columns | {id: 0 for id in workflow.nodes if id not in columns}
