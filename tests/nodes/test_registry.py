"""The built-in node types as a whole."""

import subprocess
import sys

from nodes import FAMILIES, registry


def test_listing_node_types_never_imports_torch() -> None:
    code = "import sys, nodes; nodes.registry(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_two_built_in_nodes_share_a_name() -> None:
    assert registry().clashes == ()
    assert len(registry()) >= 29 and len(FAMILIES) >= 6
