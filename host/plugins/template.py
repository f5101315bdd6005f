"""`darkroom plugin new`: the files of a plugin that works, for its author to change."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from host.atomic import write_atomically

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_TOML: Final = """\
name = "{name}"
version = "0.1.0"
description = "One node that fades pictures."
requires = ">=0.1"
requirements = []
capabilities = []
"""
_NODES: Final = '''\
"""The nodes of {name}."""

from typing import TYPE_CHECKING, Annotated

from graph.context import Context
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Image

if TYPE_CHECKING:
    import torch
    from PIL import Image as Pictures
else:
    torch = LazyModule("torch")
    Pictures = LazyModule("PIL.Image")

Amount = Annotated[float, Number(0.0, 1.0, 0.01, look="slider"), Hint("0 keeps colours, 1 makes grey.")]


@node("Fade", title="Fade", category="{name}")
def fade(context: Context, image: Image, amount: Amount = 0.5) -> Image:
    """Pictures with their colours faded towards grey."""
    faded = []
    for picture in image:
        faded.append(torch.lerp(picture, picture.mean(-1, keepdim=True), amount))
        small = Pictures.fromarray((faded[-1].clamp(0, 1) * 255).byte().cpu().numpy())
        context.progress(len(faded), len(image), small)
    return torch.stack(faded)
'''
_TEST: Final = '''\
"""A node is a function: a test calls it."""

from types import SimpleNamespace

import torch

from custom_nodes.{name}.nodes import fade


def test_a_faded_picture_is_grey_and_its_preview_is_shown() -> None:
    shown = []
    context = SimpleNamespace(progress=lambda done, total, preview: shown.append(preview.size))
    picture = torch.rand(1, 8, 12, 3)
    grey = fade(context, picture, 1.0)
    assert torch.allclose(grey[..., 0], grey[..., 2]) and shown == [(12, 8)]
    assert torch.equal(fade(context, picture, 0.0), picture)
'''
_README: Final = """\
# {name}

A plugin for Darkroom. It brings the node Fade.

    ./darkroom plugin check custom_nodes/{name}
    ./darkroom test custom_nodes/{name}
"""
FILES: Final[Mapping[str, str]] = {
    "plugin.toml": _TOML, "nodes.py": _NODES, "test_nodes.py": _TEST, "README.md": _README,
}  # fmt: skip


def write_plugin(root: Path, name: str) -> Path:
    """Write a new plugin into a folder of plugins; gives its folder. Raises FileExistsError."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=False)
    for file, text in FILES.items():
        write_atomically(folder / file, text.replace("{name}", name).encode())
    return folder
