"""Pictures of AUTOMATIC1111's web UI and Forge: what their text says becomes a workflow."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from compat.formats.known import FORMATS, READ_ONLY
from compat.formats.parameters_names import sampling_of
from compat.formats.parameters_reader import parse_parameters, recognises_parameters
from graph.document import Link, Workflow
from graph.document_json import parse_workflow, write_workflow
from graph.formats import read_any
from graph.problems import WorkflowError
from graph.validation import validate
from host.folders import folders_of
from nodes import registry

TEXT = """masterpiece, a (red:1.2) fox <lora:fine_lines:0.6> <lora:soft:0.5:0.25>, forest
second line
Negative prompt: blurry, "bad": hands
more of it
Steps: 28, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 5.5, Seed: 4294967296, Size: 832x1216, \
Model hash: 31e35c80fc, Model: sd_xl_base_1.0, VAE: sdxl_vae.safetensors, Clip skip: 2, \
Lora hashes: "fine_lines: ab12, soft: cd34", Version: v1.10.1"""


def read(text: str) -> Workflow:
    return read_any(picture(text), (*FORMATS, *READ_ONLY), registry(), "fox.png")


def picture(text: str) -> bytes:
    info, file = PngInfo(), BytesIO()
    info.add_text("parameters", text)
    Image.new("RGB", (8, 8)).save(file, "png", pnginfo=info)
    return file.getvalue()


def inputs(workflow: Workflow, id: str) -> dict[str, Any]:
    return dict(workflow.nodes[id].inputs)


def test_prompts_sizes_and_sampling_are_taken_over() -> None:
    workflow = read(TEXT)
    assert inputs(workflow, "positive")["text"] == "masterpiece, a (red:1.2) fox, forest\nsecond line"
    assert inputs(workflow, "negative")["text"] == 'blurry, "bad": hands\nmore of it'
    assert inputs(workflow, "latent") == {"width": 832, "height": 1216, "batch_size": 1}
    sampler = inputs(workflow, "sampler")
    assert (sampler["steps"], sampler["cfg"], sampler["seed"]) == (28, 5.5, 2**32)
    assert (sampler["sampler_name"], sampler["scheduler"]) == ("dpmpp_2m_sde", "karras")
    assert inputs(workflow, "weighting")["mode"] == "a1111"


def test_models_follow_each_other_and_keep_what_is_known_of_their_hashes() -> None:
    workflow = read(TEXT)
    assert inputs(workflow, "checkpoint") == {"ckpt_name": "sd_xl_base_1.0.safetensors"}
    assert workflow.lock == {"models": {"checkpoints/sd_xl_base_1.0.safetensors": "sha256:31e35c80fc"}}
    first, second = inputs(workflow, "lora"), inputs(workflow, "lora_2")
    assert (first["lora_name"], first["strength_model"], first["strength_clip"]) == (
        "fine_lines.safetensors",
        0.6,
        0.6,
    )
    assert (second["strength_clip"], second["strength_model"]) == (0.5, 0.25)
    assert second["model"] == Link("lora", "MODEL")
    assert inputs(workflow, "clip_skip")["stop_at_clip_layer"] == -2
    assert inputs(workflow, "vae")["vae_name"] == "sdxl_vae.safetensors"
    assert inputs(workflow, "sampler")["model"] == Link("lora_2", "MODEL")


def test_such_a_workflow_lacks_nothing_but_its_files(tmp_path: Path) -> None:
    found = validate(read(TEXT), registry(), folders_of(tmp_path))
    assert {problem.code for problem in found} == {"missing_file"}
    assert len(found) == 4
    text = write_workflow(read(TEXT))
    assert write_workflow(parse_workflow(json.loads(text))) == text


@pytest.mark.parametrize(
    ("told", "schedule", "found"),
    [
        ("DPM++ 2M Karras", "", ("dpmpp_2m", "karras")),
        ("DPM++ 2M", "", ("dpmpp_2m", "normal")),
        ("DPM++ 2M", "Automatic", ("dpmpp_2m", "karras")),
        ("DPM++ 3M SDE Exponential", "", ("dpmpp_3m_sde", "exponential")),
        ("Euler a", "SGM Uniform", ("euler_ancestral", "sgm_uniform")),
        ("Euler a", "Automatic", ("euler_ancestral", "normal")),
        ("DDIM", "", ("ddim", "ddim_uniform")),
        ("Something new", "Nobody knows", ("euler", "normal")),
    ],
)
def test_samplers_and_schedules_have_their_names_here(
    told: str, schedule: str, found: tuple[str, str]
) -> None:
    assert sampling_of(told, schedule) == found


def test_a_prompt_may_hold_anything_and_a_setting_a_quoted_text() -> None:
    found = parse_parameters('Steps: of stone\nSteps: 3, Sampler: Euler, TI: "a: 1, b: 2", Size: 64x64')
    assert (found.prompt, found.negative) == ("Steps: of stone", "")
    assert (found.settings["TI"], found.settings["Size"]) == ("a: 1, b: 2", "64x64")
    assert not recognises_parameters("a text about Steps: only")
    assert not recognises_parameters({"Steps:": "Sampler:"})


def test_broken_numbers_are_told_in_a_sentence() -> None:
    with pytest.raises(WorkflowError, match="cannot be read"):
        read("a\nSteps: many, Sampler: Euler, Size: 64x64")


def test_a_second_pass_is_left_out_and_said_so() -> None:
    (note,) = read(TEXT + ", Denoising strength: 0.5, Hires upscale: 2").notes
    assert "hires fix" in note["text"]


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_the_comment_of_jpeg_and_webp_is_read(kind: str) -> None:
    exif, file = Image.Exif(), BytesIO()
    exif[0x8769] = {0x9286: b"UNICODE\0" + TEXT.encode("utf-16-be")}
    Image.new("RGB", (8, 8)).save(file, kind, exif=exif)
    workflow = read_any(file.getvalue(), (*FORMATS, *READ_ONLY), registry(), "fox")
    assert inputs(workflow, "latent")["width"] == 832


def test_a_picture_with_a_workflow_is_not_read_by_its_parameters() -> None:
    info, file = PngInfo(), BytesIO()
    info.add_text("parameters", TEXT)
    info.add_text("prompt", '{"1": {"class_type": "EmptyLatentImage", "inputs": {"width": 64}}}')
    Image.new("RGB", (8, 8)).save(file, "png", pnginfo=info)
    assert list(read_any(file.getvalue(), (*FORMATS, *READ_ONLY), registry(), "fox").nodes) == ["1"]
