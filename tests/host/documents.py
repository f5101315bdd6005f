"""Small workflows for tests."""

import json
from pathlib import Path
from typing import Any


def link(node: str, output: str) -> dict[str, Any]:
    """A link as JSON."""
    return {"link": [node, output]}


def node(type: str, **inputs: Any) -> dict[str, Any]:
    """A node as JSON."""
    return {"type": type, "inputs": inputs}


def document(nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow as JSON."""
    return {"format": "darkroom/1", "nodes": nodes, **more}


def grey(color: int = 0x808080, size: int = 8) -> dict[str, Any]:
    """A picture of one colour, saved."""
    return document(
        {
            "grey": node("EmptyImage", width=size, height=size, batch_size=1, color=color),
            "save": node("SaveImage", images=link("grey", "IMAGE"), filename_prefix="grey"),
        },
        ports={"colour": {"node": "grey", "input": "color"}},
    )


def sampled(model: str, size: int = 64, **second: Any) -> dict[str, Any]:
    """A picture sampled in one step; with `second`, refined by a second sampler with these inputs."""

    def sampler(latent: str, **inputs: Any) -> dict[str, Any]:
        return node(
            "KSampler",
            model=link("checkpoint", "MODEL"),
            positive=link("positive", "CONDITIONING"),
            negative=link("negative", "CONDITIONING"),
            latent_image=link(latent, "LATENT"),
            **{"seed": 7, "cfg": 5.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
            | inputs,
        )

    nodes = {
        "checkpoint": node("CheckpointLoaderSimple", ckpt_name=model),
        "positive": node("CLIPTextEncode", text="a red circle", clip=link("checkpoint", "CLIP")),
        "negative": node("CLIPTextEncode", text="", clip=link("checkpoint", "CLIP")),
        "latent": node("EmptyLatentImage", width=size, height=size, batch_size=1),
        "sampler": sampler("latent", steps=1),
    }
    last = "sampler"
    if second:
        nodes["second"] = sampler("sampler", **second)
        last = "second"
    nodes["decode"] = node("VAEDecode", samples=link(last, "LATENT"), vae=link("checkpoint", "VAE"))
    nodes["save"] = node("SaveImage", images=link("decode", "IMAGE"), filename_prefix="sampled")
    return document(
        nodes,
        ports={"prompt": {"node": "positive", "input": "text"}, "seed": {"node": "sampler", "input": "seed"}},
    )


def write(path: Path, workflow: Any) -> str:
    """Write a workflow to a file; gives its path as text."""
    path.write_text(json.dumps(workflow))
    return str(path)
