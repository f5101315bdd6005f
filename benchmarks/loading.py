"""How long a checkpoint takes to load, beside reading its bytes.

.venv/bin/python benchmarks/loading.py [FILE]

Without FILE a checkpoint of SD 1.x at its published size is made of noise (2.1 GB in fp16, in a temporary
folder). Read: all bytes of the file into memory. Load: its networks built, every weight looked at once for
NaN, none copied. Each is timed with the file in the system's cache and, where the system allows to drop it,
from the disk; the best of several, after the libraries are imported. Exit code 1 when loading takes more than
1.3 times as long as reading.
"""

import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from safetensors.torch import save_file

from diffusion.loading import load_checkpoint
from tests.diffusion.published import SD1, Shapes, checkpoint_shapes, text_shapes

GOAL = 1.3
TIMES = 5
CHUNK = 1 << 24
FULL = replace(
    SD1,
    channels=(320, 640, 1280, 1280),
    depths=(1, 1, 1, 0),
    context=768,
    towers=(("cond_stage_model.transformer.", "clip", 768),),
    vae=(128, 256, 512, 512),
)


def main(arguments: list[str]) -> int:
    """Prints a line for the cache and one for the disk."""
    with TemporaryDirectory() as folder:
        path = Path(arguments[0]) if arguments else make(Path(folder) / "noise.safetensors")
        size = path.stat().st_size
        print(
            f"{path.name}: {size / 1e9:.2f} GB; the first load, with its imports: {timed(load, path):.2f} s"
        )
        ratios = [measure("from the cache", path, keep), measure("from the disk", path, drop)]
        return int(max(ratios) > GOAL)


def make(path: Path) -> Path:
    """A checkpoint of noise; the same noise again and again, which no step of loading can tell."""
    noise = (torch.randn(1 << 24, generator=torch.Generator().manual_seed(0)) * 0.02).half()
    tensors = {}
    for name, shape in shapes().items():
        count = math.prod(shape)
        tensors[name] = noise.repeat(count // noise.numel() + 1)[:count].reshape(shape).clone()
    save_file(tensors, path)
    return path


def shapes() -> Shapes:
    """Names and shapes of the published checkpoint."""
    prefix = FULL.towers[0][0]
    found = {n: s for n, s in checkpoint_shapes(FULL).items() if not n.startswith(prefix)}
    return found | {f"{prefix}{n}": s for n, s in text_shapes("clip", 768, 12).items()}


def measure(what: str, path: Path, prepare: Callable[[Path], None]) -> float:
    """Prints both times, turn by turn so that other work on the machine meets both, and gives their ratio."""
    reads, loads = list[float](), list[float]()
    for _ in range(TIMES):
        for found, action in ((reads, read), (loads, load)):
            prepare(path)
            found.append(timed(action, path))
    ratio = min(loads) / min(reads)
    print(f"{what:15} read {min(reads):6.2f} s   load {min(loads):6.2f} s   {ratio:.2f} × (goal {GOAL})")
    return ratio


def timed(action: Callable[[Path], None], path: Path) -> float:
    """Seconds that an action takes."""
    begin = time.perf_counter()
    action(path)
    return time.perf_counter() - begin


def read(path: Path) -> None:
    """All bytes into memory."""
    assert len(path.read_bytes()) == path.stat().st_size


def load(path: Path) -> None:
    """The checkpoint, as a node loads it."""
    assert load_checkpoint(path).vae is not None


def keep(path: Path) -> None:
    """See that the file is in the system's cache."""
    with path.open("rb", buffering=0) as file:
        while file.read(CHUNK):
            pass


def drop(path: Path) -> None:
    """Drop the file from the system's cache, if it can be told to."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
