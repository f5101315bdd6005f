"""Loading: checkpoints and their parts."""

import os
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from diffusion.errors import DiffusionError
from graph.context import Context
from graph.facts import Inferred, Known
from graph.literals import Fault
from graph.node import node
from graph.outcome import Blocker
from graph.spec import FileChoice, Hint
from nodes.files import existing
from nodes.lazy import LazyModule
from nodes.lookups import checkpoint_at, checkpoint_facts
from nodes.sockets import Clip, Model, Vae

if TYPE_CHECKING:
    from diffusion import hub, loading
else:
    hub = LazyModule("diffusion.hub")
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


def with_embeddings(clip: Any, context: Context) -> Any:
    """The text encoder, told where a prompt's embedding:NAME is looked for."""
    if clip is not None:
        clip.embedding_folders = tuple(context.job.files.folders("embeddings"))
    return clip


def parts(found: Any, name: str, context: Context) -> tuple[Model, Clip, Vae]:
    """A loaded checkpoint as a node gives it: what it lacks stops the nodes that want it."""
    clip = _part(with_embeddings(found.clip, context), name, "text encoder", "CLIPLoader")
    vae = _part(found.vae, name, "VAE", "VAELoader")
    return found.model, clip, vae


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
    return parts(found, ckpt_name, context)


Config = Literal[
    "anything_v3.yaml",
    "v1-inference.yaml",
    "v1-inference_clip_skip_2.yaml",
    "v1-inference_clip_skip_2_fp16.yaml",
    "v1-inference_fp16.yaml",
    "v1-inpainting-inference.yaml",
    "v2-inference-v.yaml",
    "v2-inference-v_fp32.yaml",
    "v2-inference.yaml",
    "v2-inference_fp32.yaml",
    "v2-inpainting-inference.yaml",
]
_SKIPS_A_LAYER: Final = ("anything_v3", "v1-inference_clip_skip_2")
_VELOCITY: Final = "v2-inference-v"


@node(
    "CheckpointLoader",
    title="Load Checkpoint With Config (DEPRECATED)",
    category="advanced/loaders",
    deprecated="Use CheckpointLoaderSimple: a file tells what it is.",
    fingerprint=precision,
    infer=checkpoint_facts("ckpt_name", "checkpoints"),
)
def checkpoint_loader(
    config_name: Annotated[
        Config, Hint("Says what the network puts out (-v: velocity) and whether the text skips a layer.")
    ],
    ckpt_name: CheckpointFile,
    context: Context,
) -> tuple[Model, Clip, Vae]:
    """A checkpoint's parts, with what a configuration of the first programs says of them."""
    prediction = "v_prediction" if config_name.startswith(_VELOCITY) else "eps"
    path = existing(context, "checkpoints", ckpt_name)
    found = loading.load_checkpoint(path, prediction=prediction)
    if found.clip is not None and config_name.startswith(_SKIPS_A_LAYER):
        found.clip.clip_layer(-2)
    return parts(found, ckpt_name, context)


@node(
    "DiffusersLoader",
    title="DiffusersLoader",
    category="advanced/loaders/deprecated",
    fingerprint=precision,
    infer=checkpoint_facts("model_path", "diffusers"),
)
def diffusers_loader(
    model_path: Annotated[
        str,
        FileChoice("diffusers"),
        Hint("A folder in models/diffusers that holds model_index.json."),
    ],
    context: Context,
) -> tuple[Model, Clip, Vae]:
    """The denoiser, text encoder and VAE of a model folder as diffusers saves it."""
    found = loading.load_checkpoint(existing(context, "diffusers", model_path))
    return parts(found, model_path, context)


def _hub_facts(known: Known) -> Inferred:
    id = known.values.get("model")
    if not isinstance(id, str) or known.files is None:
        return Inferred()
    try:
        wanted = hub.hub_id(id)
    except DiffusionError as error:
        return Inferred(faults={"model": Fault("bad_hub_id", str(error))})
    copies = (hub.local_copy(wanted, folder) for folder in known.files.folders("diffusers"))
    path = next((copy for copy in copies if copy), None)
    return checkpoint_at(path, "model") if path else Inferred()


_MEGABYTE: Final = 1_000_000


@node(
    "HubLoader",
    title="Load Model From Hub",
    category="loaders",
    fingerprint=precision,
    infer=_hub_facts,
)
def hub_loader(
    model: Annotated[
        str,
        Hint(
            "owner/name on the hub, with @revision or /file.safetensors after it if need be. It is fetched "
            "once, into models/diffusers; HF_ENDPOINT and HF_TOKEN are heeded."
        ),
    ] = "stabilityai/stable-diffusion-xl-base-1.0",
    *,
    context: Context,
) -> tuple[Model, Clip, Vae]:
    """The denoiser, text encoder and VAE of a model on the hub, fetched when it is first used."""
    wanted = hub.hub_id(model)
    files = context.job.files
    copies = (hub.local_copy(wanted, folder) for folder in files.folders("diffusers"))
    path = next((copy for copy in copies if copy), None)
    if path is None:
        context.log(f"Fetching {model}; stop it whenever you like, the next run goes on from there.")
        path = hub.fetch(wanted, files.folder("diffusers"), lambda done, all: _tell(context, done, all))
    return parts(loading.load_checkpoint(path), model, context)


def _tell(context: Context, done: int, total: int) -> None:
    """Progress in megabytes."""
    context.progress(done // _MEGABYTE, max(1, total // _MEGABYTE))
