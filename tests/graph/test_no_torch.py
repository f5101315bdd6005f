"""The engine starts at once: it never imports torch, nor anything else of ours."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = [f"graph.{path.stem}" for path in sorted((ROOT / "graph").glob("*.py")) if path.stem != "__init__"]
PROGRAM = f"""
import importlib, sys
for name in {MODULES!r}:
    importlib.import_module(name)
heavy = {{"torch", "diffusers", "transformers", "numpy", "diffusion", "nodes", "host", "compat"}}
print(sorted(heavy & set(sys.modules)))
"""


def test_importing_the_whole_engine_imports_no_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
