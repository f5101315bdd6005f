"""Latents: batches, and files of them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, Literal

from graph.context import Context
from graph.facts import Facts, Known, carry
from graph.node import node
from graph.outcome import Outcome
from graph.spec import FileChoice, Hint, Number
from nodes import saving
from nodes.files import existing
from nodes.latent import with_values
from nodes.lazy import LazyModule
from nodes.lookups import CELL
from nodes.sockets import Latent

if TYPE_CHECKING:
    import torch
    from safetensors import torch as safe

    from nodes import pictures, tensors
else:
    torch = LazyModule("torch")
    safe = LazyModule("safetensors.torch")
    pictures = LazyModule("nodes.pictures")
    tensors = LazyModule("nodes.tensors")

UNSCALED: Final = "latent_format_version_0"
"""Marks files whose latents are as a VAE gives them; older files hold them scaled for SD1."""
OLD_SCALE: Final = 0.18215
Values = Annotated[Latent, Hint("The latents.")]


def _numbers(samples: Latent) -> list[int]:
    return list(samples.get("batch_index", range(samples["samples"].shape[0])))


def _both(known: Known) -> Mapping[str, Facts]:
    first, second = known.fact("samples1", "batch"), known.fact("samples2", "batch")
    batch = first + second if first and second else None
    return {"LATENT": {**known.facts.get("samples1", {}), "batch": batch}}


@node("LatentBatch", title="LatentBatch", category="latent/batch", infer=_both)
def latent_batch(
    samples1: Annotated[Latent, Hint("The first latents.")],
    samples2: Annotated[Latent, Hint("The second latents, scaled and cut to the size of the first.")],
) -> Latent:
    """Two batches of latents as one; each keeps the noise it would get in its own."""
    first, second = samples1["samples"], samples2["samples"]
    if first.shape[1:] != second.shape[1:]:
        second = tensors.resize(second, first.shape[-1], first.shape[-2], "bilinear", "center")
    joined = with_values(samples1, torch.cat((first, second)))
    return joined | {"batch_index": _numbers(samples1) + _numbers(samples2)}


@node(
    "LatentBatchSeedBehavior",
    title="LatentBatchSeedBehavior",
    category="latent/advanced",
    infer=carry("samples", to=["LATENT"]),
)
def latent_batch_seed_behavior(
    samples: Latent,
    seed_behavior: Annotated[
        Literal["random", "fixed"],
        Hint("random: each gets noise of its own; fixed: all get the first one's."),
    ] = "fixed",
) -> Latent:
    """Latents whose noise is the same for all of a batch, or differs."""
    plain = {name: value for name, value in samples.items() if name != "batch_index"}
    if seed_behavior == "random":
        return plain
    return plain | {"batch_index": [_numbers(samples)[0]] * samples["samples"].shape[0]}


def _one_by_one(latents: Iterable[Latent]) -> Iterator[Latent]:
    """Each latent alone, its mask (1, 1, H, W) of the size it had and its number beside it."""
    before = 0
    for given in latents:
        values = given["samples"]
        count = values.shape[0]
        mask = given.get("noise_mask")
        height, width = values.shape[-2] * CELL, values.shape[-1] * CELL
        planes = torch.ones(1, height, width) if mask is None else mask.reshape(-1, *mask.shape[-2:])
        masks = tensors.repeat_to(planes, count)[:, None]
        numbers = given.get("batch_index", range(before, before + count))
        for place, number in enumerate(numbers):
            part = slice(place, place + 1)
            yield {"samples": values[part], "noise_mask": masks[part], "batch_index": [number]}
        before += count


def _joined(parts: list[Latent]) -> Latent:
    whole: Latent = {
        "samples": torch.cat([part["samples"] for part in parts]),
        "noise_mask": torch.cat(_of_one_size(parts)),
        "batch_index": [number for part in parts for number in part["batch_index"]],
    }
    if bool((whole["noise_mask"] == 1).all()):
        del whole["noise_mask"]
    return whole


def _of_one_size(parts: list[Latent]) -> "list[torch.Tensor]":
    """Their masks, in pixels where they differ in size."""
    masks = [part["noise_mask"] for part in parts]
    if len({mask.shape for mask in masks}) == 1:
        return masks
    height, width = (side * CELL for side in parts[0]["samples"].shape[-2:])
    return [tensors.resized_mask(mask, width, height)[:, None] for mask in masks]


def _shape(part: Latent) -> tuple[int, ...]:
    return tuple(part["samples"].shape[1:])


@node("RebatchLatents", title="Rebatch Latents", category="latent/batch")
def rebatch_latents(
    latents: Annotated[
        list[Latent], Hint("Latents in batches of any length; other sizes begin a new batch.")
    ],
    batch_size: Annotated[int, Number(1, 4096), Hint("How many latents a batch shall hold.")] = 1,
) -> list[Latent]:
    """The same latents in batches of another length; the last of a size may be shorter."""
    batches = list[Latent]()
    for _, run in groupby(_one_by_one(latents), key=_shape):
        parts = list(run)
        batches += [_joined(parts[at : at + batch_size]) for at in range(0, len(parts), batch_size)]
    return batches


@node("SaveLatent", title="SaveLatent", category="_for_testing", output=True, idempotent=False)
def save_latent(
    samples: Annotated[Latent, Hint("The latents to save.")],
    context: Context,
    filename_prefix: Annotated[
        str, Hint("How file names start; may name a subfolder and hold %date:yyyy-MM-dd% and such.")
    ] = "latents/ComfyUI",
) -> Outcome:
    """Latents saved as a safetensors file in the output folder, with the workflow that made them inside."""
    values = samples["samples"].contiguous()
    data = safe.save({"latent_tensor": values, UNSCALED: torch.empty(0)}, dict(context.job.metadata))

    def save(names: Iterator[Path]) -> Path:
        def write(file: IO[bytes]) -> None:
            file.write(data)

        return pictures.save_whole(names, write)

    sides = values.movedim(1, -1)
    shown = saving.saved_together(sides, context, filename_prefix, save, ".latent")
    return Outcome(ui={"latents": list[Any](shown)})


@node("LoadLatent", title="LoadLatent", category="_for_testing")
def load_latent(
    latent: Annotated[str, FileChoice("input", upload="latent"), Hint("A .latent file in the input folder.")],
    context: Context,
) -> Latent:
    """Latents from a file in the input folder."""
    path = existing(context, "input", latent)
    try:
        stored = safe.load(path.read_bytes())
        values = stored["latent_tensor"].float()
    except Exception as error:  # safetensors raises a class of its own for every damage
        raise ValueError(f"{latent} is no file of latents. Choose one that SaveLatent wrote.") from error
    return {"samples": values if UNSCALED in stored else values / OLD_SCALE}
