"""Makes the picture of the README: four prompts, drawn by the embedded model through the command line.

.venv/bin/python tools/readme_picture.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "images" / "embedded-model.png"
PROMPTS = (
    "a large red circle above a small blue square on a dark background",
    "a small green triangle left of a large yellow circle on a dark background",
    "a large blue triangle below a small red circle on a light background",
    "a large green square right of a small blue circle on a light background",
)
SIDE, GAP = 192, 8


def main() -> None:
    """Draws each prompt and lays the pictures side by side."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = [draw(prompt, Path(folder)) for prompt in PROMPTS]
        strip = Image.new("RGB", (len(pictures) * (SIDE + GAP) - GAP, SIDE), "white")
        for place, path in enumerate(pictures):
            with Image.open(path) as picture:
                strip.paste(picture.convert("RGB").resize((SIDE, SIDE)), (place * (SIDE + GAP), 0))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    strip.save(TARGET, optimize=True)


def draw(prompt: str, folder: Path) -> Path:
    """The path of the picture that the shipped workflow makes of a prompt."""
    command = [sys.executable, str(ROOT / "server.py"), "run", str(ROOT / "workflows/txt2img.json")]
    options = ["--prompt", prompt, "--out", str(folder), "--quiet"]
    printed = subprocess.run([*command, *options], check=True, capture_output=True, text=True).stdout
    return Path(printed.split()[-1])


if __name__ == "__main__":
    main()
