"""Runs every shipped workflow and writes docs/workflows.md with what each is for, its picture and its inputs.

.venv/bin/python tools/workflow_pages.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from graph.document import Workflow  # noqa: E402
from graph.document_json import load_workflow  # noqa: E402

PAGE = ROOT / "docs" / "workflows.md"
PICTURES = ROOT / "docs" / "images" / "workflows"
ORDER = (
    "txt2img", "img2img", "hires", "two-stage", "sdxl-base", "sdxl-refiner",
    "inpaint-noise-mask", "inpaint-erase", "inpaint-soft", "inpaint-crop", "outpaint",
    "lora", "embedding", "controlnet", "area-composition", "prompt-scheduling", "custom-sampling", "upscale",
    "sweep", "batch-over-folder", "loop",
)  # fmt: skip
"""Simple things first; workflows that are not named follow."""
SIDE = 384
INTRODUCTION = """# Workflows

The files in `workflows/`, each with the picture that it makes with the embedded models
(`tools/workflow_pages.py` writes this page). Run one with `./darkroom run workflows/txt2img.json`, set an
input by its name with `--set NAME=VALUE`, or put your own models in with `--model-map`.
"""
PLAIN = {
    "txt2img": "A picture drawn from words alone.",
    "img2img": "A picture made of another one: the higher the denoise, the less of it is left.",
    "hires": "A small picture, enlarged as latents and worked out again at the larger size.",
    "two-stage": "One sampler draws the first steps and hands its noisy latents to a second one.",
}
"""What the workflows without a note of their own are for."""


def main() -> None:
    """Runs all workflows and writes the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    sections = [section(name) for name in names()]
    PAGE.write_text("\n".join([INTRODUCTION, *sections]), "utf-8")


def names() -> list[str]:
    """The shipped workflows, in the order of the page."""
    there = {path.stem for path in (ROOT / "workflows").glob("*.json")}
    return [name for name in ORDER if name in there] + sorted(there - set(ORDER))


def section(name: str) -> str:
    """A workflow's part of the page; its picture is made on the way."""
    path = ROOT / "workflows" / f"{name}.json"
    print(name, flush=True)
    draw(path, PICTURES / f"{name}.webp")
    return text(name, load_workflow(path))


def text(name: str, workflow: Workflow) -> str:
    """What the page says of a workflow."""
    note = PLAIN.get(name) or " ".join(str(item["text"]) for item in workflow.notes)
    inputs = ", ".join(f"`{port}`" for port, place in workflow.ports.items() if place.input)
    title = workflow.extra["title"]
    picture = f"![{title}](images/workflows/{name}.webp)"
    return f"## {title}\n\n`workflows/{name}.json` · {note}\n\n{picture}\n\nInputs: {inputs}.\n"


def draw(path: Path, target: Path) -> None:
    """Runs a workflow and keeps the last picture it saved, no larger than SIDE."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "server.py"), "run", str(path), "--out", folder, "--quiet"]
        printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        last = [line for line in printed.splitlines() if line.endswith(".png")][-1]
        with Image.open(last) as picture:
            shown = picture.convert("RGB")
            shown.thumbnail((SIDE, SIDE))
            shown.save(target, quality=85)


if __name__ == "__main__":
    main()
