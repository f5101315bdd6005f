"""Loading: checkpoints and their parts."""

import os
from typing import TYPE_CHECKING, Annotated, Any, cast

from graph.context import Context
from graph.node import node
from graph.outcome import Blocker
from graph.spec import FileChoice, Hint
from nodes.files import existing
from nodes.lazy import LazyModule
from nodes.lookups import checkpoint_facts
from nodes.sockets import Clip, Model, Vae

if TYPE_CHECKING:
    from diffusion import loading
else:
    loading = LazyModule("diffusion.loading")

CheckpointFile = Annotated[str, FileChoice("checkpoints"), Hint("A checkpoint in models/checkpoints.")]


def precision(**_: Any) -> str:
    """The precision models are to be loaded in; what they compute differs with it."""
    return os.environ.get("DARKROOM_PRECISION", "auto")


def _part(value: Any, name: str, what: str, instead: str) -> Any:
    """A part of a checkpoint, or what stops the nodes that want one it does not have."""
    if value is None:
        return Blocker(f"{name} has no {what}. Load one with {instead}.")
    return value


@node(
    "CheckpointLoaderSimple",
    title="Load Checkpoint",
    category="loaders",
    fingerprint=precision,
    infer=checkpoint_facts("ckpt_name", "checkpoints"),
)
def checkpoint_loader_simple(ckpt_name: CheckpointFile, context: Context) -> tuple[Model, Clip, Vae]:
    """A checkpoint's denoiser, text encoder and VAE."""
    found = loading.load_checkpoint(existing(context, "checkpoints", ckpt_name))
    clip = _part(found.clip, ckpt_name, "text encoder", "CLIPLoader")
    vae = _part(found.vae, ckpt_name, "VAE", "VAELoader")
    return cast(Model, found.model), clip, vae
