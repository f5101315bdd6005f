from datetime import datetime

import pytest

from compat.formats.macros import fill_prefixes
from graph.document import Node, Workflow


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("%date:yyyy-MM-dd hhmmss%", "2026-03-04 050607"),
        ("%date:yy.M.d_h:m:s%", "26.3.4_5:6:7"),
        ("%Sampler.seed%/%Mine.text%", "77/a_b"),
        ("%width%_%nothing.here%", "%width%_%nothing.here%"),
    ],
)
def test_file_name_macros_are_filled_in(prefix: str, expected: str) -> None:
    nodes = {"1": Node("Sampler", {"seed": 77}), "2": Node("Encode", {"text": "a/b"}, title="Mine")}
    nodes["3"] = Node("Save", {"filename_prefix": prefix})
    filled = fill_prefixes(Workflow(nodes), datetime(2026, 3, 4, 5, 6, 7))
    assert filled.nodes["3"].inputs["filename_prefix"] == expected
