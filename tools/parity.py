"""Runs recorded workflows in this process, with no server, and compares what they make with recorded results.

    python tools/parity.py --cases CASES --reference reference.safetensors --models MODELS [NAME ...]

Each case is an API-format workflow CASE.json that ends in SaveLatent or SaveImage; the reference holds
CASE/latent0, CASE/image0 and so on. A case runs in a process of its own, so that the peak memory is its own
and one that is killed is a row like any other; --together runs all in one, which loads each model once. Exits
with 1 when a case fails.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from compat.formats.known import FORMATS
from graph.document import Workflow
from graph.formats import read_any
from graph.memory_store import MemoryStore
from graph.problems import WorkflowError
from graph.results import JobResult
from graph.run import run_workflow
from host.folders import Folders, folders_of
from host.headless import HeadlessJob
from host.lock import Hashes
from host.services import Services
from nodes import registry
from nodes.codecs import measure, weights_in

Arrays = dict[str, np.ndarray]

LATENT: Final = 3e-4
"""The largest difference allowed in a latent, as a part of its largest value."""
PICTURE: Final = 0.6
"""The mean difference allowed in a picture, in steps of 1/255."""
MODELS_KEPT: Final = 64 * 2**30
"""Bytes of results, loaded models above all, that are kept from case to case; weights count once for every
result that holds them."""
PEAK_UNIT: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Row:
    """How a case came out: what differs and by how much, or why it did not run."""

    name: str
    passed: bool
    facts: str
    seconds: float = 0.0
    peak: int = 0

    def line(self) -> str:
        """The row as text; peak is the process's largest resident size."""
        state = "PASS" if self.passed else "FAIL"
        return f"{state}  {self.name:24s} {self.seconds:6.1f} s  {self.peak / 2**30:5.2f} GiB  {self.facts}"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where everything lies that a case needs."""

    reference: Path
    models: Path
    inputs: Path
    hashes: Path
    precision: str


def folders(setting: Setting, scratch: Path) -> Folders:
    """The folders of a case: the models and pictures given, results in a folder of its own."""
    home = folders_of(scratch).places
    models = {
        kind: tuple(setting.models / place.relative_to(scratch / "models") for place in places)
        for kind, places in home.items()
        if places[0].is_relative_to(scratch / "models")
    }
    return Folders({**home, **models, "input": (setting.inputs,)})


def run_case(path: Path, setting: Setting, memory: MemoryStore | None = None) -> Row:
    """One case, from its file to its row. memory: where loaded models are kept from case to case."""
    os.environ["DARKROOM_PRECISION"] = setting.precision
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        files = folders(setting, Path(scratch))
        try:
            made = results(path, files, Hashes(setting.hashes), memory)
        except (WorkflowError, RuntimeError) as error:
            return Row(path.stem, False, str(error), time.monotonic() - begin, peak_memory())
    passed, facts = compared(made, recorded(setting.reference, path.stem))
    return Row(path.stem, passed, facts, time.monotonic() - begin, peak_memory())


def peak_memory() -> int:
    """The largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT


def results(path: Path, files: Folders, hashes: Hashes, memory: MemoryStore | None) -> Arrays:
    """What the outputs of a case saved, as latent0, image0 and so on."""
    types, services = registry(), Services(lambda: FORMATS, registry)
    workflow: Workflow = read_any(path.read_bytes(), FORMATS, types, path.name)
    job = HeadlessJob(workflow, workflow, services, types, files, hashes)
    result = run_workflow(workflow, types, job=job, memory=memory)
    if result.state != "done":
        raise RuntimeError("; ".join(error.message for error in result.errors) or result.state)
    return saved(result, files)


def saved(result: JobResult, files: Folders) -> Arrays:
    """The files that a run's outputs tell of, read back."""
    found: Arrays = {}
    for shown in result.outputs.values():
        for number, item in enumerate(shown.get("latents", ())):
            found[f"latent{number}"] = load_file(_place(item, files))["latent_tensor"].astype(np.float32)
        for number, item in enumerate(shown.get("images", ())):
            found[f"image{number}"] = np.asarray(Image.open(_place(item, files)).convert("RGB"), np.float32)
    return found


def _place(item: Mapping[str, Any], files: Folders) -> Path:
    return files.folder(item["type"]) / item["subfolder"] / item["filename"]


def recorded(reference: Path, name: str) -> Arrays:
    """What was recorded for a case."""
    everything = load_file(reference)
    return {
        key.removeprefix(f"{name}/"): value.astype(np.float32)
        for key, value in everything.items()
        if key.startswith(f"{name}/")
    }


def compared(made: Arrays, wanted: Arrays) -> tuple[bool, str]:
    """Whether everything recorded was made, within its tolerance, and the differences."""
    if not wanted:
        return False, "nothing is recorded for it"
    rows = [_difference(key, made.get(key), value) for key, value in sorted(wanted.items())]
    return all(good for good, _ in rows), "; ".join(text for _, text in rows)


def _difference(key: str, made: np.ndarray | None, wanted: np.ndarray) -> tuple[bool, str]:
    if made is None or made.shape != wanted.shape:
        return False, f"{key} {'missing' if made is None else made.shape}, recorded {wanted.shape}"
    difference = np.abs(made - wanted)
    if key.startswith("latent"):
        error = float(difference.max() / max(np.abs(wanted).max(), 1e-6))
        return error <= LATENT, f"{key} {error:.1e} (of {LATENT:.0e})"
    error = float(difference.mean())
    return error <= PICTURE, f"{key} {error:.3f}/255 (of {PICTURE})"


def draw_inputs(folder: Path) -> None:
    """The two pictures that the cases load: colours with a fine wave, plain and with a hole in its middle."""
    y, x = np.mgrid[0:192, 0:256].astype(np.float32)
    wave = 0.5 + 0.5 * np.sin(x / 9) * np.cos(y / 7)
    colours = np.stack([x / 255, y / 191, wave], axis=-1)
    photo = Image.fromarray((colours * 255).round().astype(np.uint8))
    photo.save(folder / "parity_photo.png")
    opaque = np.full((192, 256), 255, np.uint8)
    opaque[48:144, 64:192] = 0
    photo.putalpha(Image.fromarray(opaque))
    photo.save(folder / "parity_masked.png")


def alone(path: Path, setting: Setting) -> Row:
    """A case in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(run_case, path, setting).result()
        except BrokenProcessPool:
            return Row(path.stem, False, "its process was killed, most likely for want of memory")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="Compare workflows with recorded results.")
    parser.add_argument("names", nargs="*", help="cases to run (default: all)")
    parser.add_argument("--cases", type=Path, required=True, help="folder of API-format workflows")
    parser.add_argument("--reference", type=Path, required=True, help="safetensors file of recorded results")
    parser.add_argument("--models", type=Path, required=True, help="folder with checkpoints/, loras/, ...")
    parser.add_argument(
        "--inputs", type=Path, help="folder of input pictures (default: the two standard ones)"
    )
    parser.add_argument("--precision", default="fp32", choices=("auto", "fp32", "bf16", "fp16"))
    parser.add_argument("--together", action="store_true", help="run all cases in one process")
    parser.add_argument("--skip", nargs="*", default=(), help="cases not to run")
    return parser.parse_args(arguments)


def chosen(cases: Path, names: Sequence[str], skip: Sequence[str]) -> list[Path]:
    """The files of the cases asked for. Raises SystemExit with a sentence for one that is not there."""
    known = {path.stem: path for path in sorted(cases.glob("*.json"))}
    if unknown := [name for name in (*names, *skip) if name not in known]:
        sys.exit(f"{cases} has no case {', '.join(unknown)}. It has {', '.join(known) or 'none'}.")
    return [path for name, path in known.items() if (not names or name in names) and name not in skip]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row a case; 1 when one of them failed."""
    asked = parsed(arguments)
    paths = chosen(asked.cases, asked.names, asked.skip)
    failed, memory = 0, MemoryStore(MODELS_KEPT, measure, weights_in) if asked.together else None
    with tempfile.TemporaryDirectory() as own:
        inputs = asked.inputs or Path(own)
        if asked.inputs is None:
            draw_inputs(inputs)
        setting = Setting(
            asked.reference, asked.models.resolve(), inputs, Path(own) / "hashes", asked.precision
        )
        for path in paths:
            row = alone(path, setting) if memory is None else run_case(path, setting, memory)
            failed += not row.passed
            print(row.line(), flush=True)
    print(json.dumps({"passed": len(paths) - failed, "failed": failed}))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
