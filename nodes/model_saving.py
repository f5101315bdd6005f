"""Saving models: checkpoints, their parts, and the difference of two as a LoRA."""

from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from graph.context import Context
from graph.node import node
from graph.spec import Hint, Number, Text
from nodes.lazy import LazyModule
from nodes.sockets import Clip, Model, Vae

if TYPE_CHECKING:
    from diffusion import lora_extraction, saving
    from nodes import pictures
else:
    lora_extraction = LazyModule("diffusion.lora_extraction")
    saving = LazyModule("diffusion.saving")
    pictures = LazyModule("nodes.pictures")

CATEGORY: Final = "advanced/model_merging"
ENDING: Final = ".safetensors"
WHERE: Final = "Folder and beginning of the file's name, below the output folder."


def _save(context: Context, prefix: str, parts: Mapping[str, Any], said: Mapping[str, str]) -> None:
    """Write tensors under the next free name, with the workflow in the file, and say where."""
    folder = context.job.files.folder("output")
    where, name = pictures.place(folder, prefix)
    texts = dict(context.job.metadata) | dict(said)
    path = pictures.save_whole(
        pictures.counted_names(where, name, ENDING), partial(saving.write, parts=parts, metadata=texts)
    )
    context.log(f"Saved {PurePosixPath(path.relative_to(folder.resolve()))} in the output folder.")


def _title(prefix: str) -> str:
    return PurePosixPath(prefix.replace("\\", "/")).name


@node("CheckpointSave", title="Save Checkpoint", category=CATEGORY, output=True, agree="family")
def checkpoint_save(
    model: Model,
    clip: Clip,
    vae: Vae,
    filename_prefix: Annotated[str, Text(), Hint(WHERE)] = "checkpoints/ComfyUI",
    *,
    context: Context,
) -> None:
    """Saves a model, its text encoder and its VAE as one checkpoint; LoRAs and merges become weights."""
    parts = saving.model_parts(model) | saving.clip_parts(clip) | saving.vae_parts(vae)
    _save(context, filename_prefix, parts, saving.described(model, _title(filename_prefix)))


@node("ModelSave", title="ModelSave", category=CATEGORY, output=True)
def model_save(
    model: Model,
    filename_prefix: Annotated[str, Text(), Hint(WHERE)] = "diffusion_models/ComfyUI",
    *,
    context: Context,
) -> None:
    """Saves a denoiser alone, LoRAs and merges put into the weights; UNETLoader loads it."""
    said = saving.described(model, _title(filename_prefix))
    _save(context, filename_prefix, saving.model_parts(model), said)


@node("CLIPSave", title="CLIPSave", category=CATEGORY, output=True)
def clip_save(
    clip: Clip,
    filename_prefix: Annotated[str, Text(), Hint(WHERE)] = "clip/ComfyUI",
    *,
    context: Context,
) -> None:
    """Saves each text encoder as a file of its own, with its name at the end of the file's."""
    for name, parts in saving.encoder_parts(clip).items():
        _save(context, f"{filename_prefix}_clip_{name}", parts, {})


@node("VAESave", title="VAESave", category=CATEGORY, output=True)
def vae_save(
    vae: Vae,
    filename_prefix: Annotated[str, Text(), Hint(WHERE)] = "vae/ComfyUI_vae",
    *,
    context: Context,
) -> None:
    """Saves a VAE as a file of its own."""
    _save(context, filename_prefix, saving.vae_parts(vae, ""), {})


@node("LoraSave", title="Extract and Save Lora", category="_for_testing", output=True, experimental=True)
def lora_save(
    filename_prefix: Annotated[str, Text(), Hint(WHERE)] = "loras/ComfyUI_extracted_lora",
    rank: Annotated[
        int, Number(1, 4096, 1), Hint("Rows and columns kept of each layer; more is nearer and larger.")
    ] = 8,
    *,
    lora_type: Annotated[
        Literal["standard", "full_diff"],
        Hint("standard keeps two small matrices a layer, full_diff the whole difference."),
    ],
    bias_diff: Annotated[bool, Hint("Also keep what biases and norms differ by.")] = True,
    model_diff: Annotated[Model | None, Hint("The difference of two models, of ModelMergeSubtract.")] = None,
    text_encoder_diff: Annotated[
        Clip | None, Hint("The difference of two text encoders, of CLIPMergeSubtract.")
    ] = None,
    context: Context,
) -> None:
    """Saves the difference of two models as a LoRA."""
    if model_diff is None and text_encoder_diff is None:
        raise ValueError("There is no difference to save: link model_diff, text_encoder_diff or both.")
    parts = lora_extraction.extract_lora(
        model_diff, text_encoder_diff, rank, lora_type, bias_diff, context.progress, context.log
    )
    _save(context, filename_prefix, parts, {})
