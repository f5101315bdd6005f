"""The values that the newer interface names: what packs build and read of videos, sounds and meshes."""

import asyncio
import importlib
import sys
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch

from graph.events import NodeProgress
from tests.compat.plugins.packs import Shelf, ran
from tests.compat.plugins.test_loading import good

VIDEO = """
from fractions import Fraction
from comfy_api.latest import ComfyExtension, InputImpl, Types, io
import torch
class Make(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        fps = io.Float.Input("fps", default=8.0)
        return io.Schema(node_id="Make", inputs=[fps], outputs=[io.Video.Output()])
    @classmethod
    def execute(cls, fps):
        images = torch.arange(4.0)[:, None, None, None].expand(4, 16, 32, 3) / 4
        audio = {"waveform": torch.zeros(1, 2, 22050), "sample_rate": 44100}
        parts = Types.VideoComponents(images, Fraction(fps), audio)
        return io.NodeOutput(InputImpl.VideoFromComponents(parts))
class Read(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Read", inputs=[io.Video.Input("video")], outputs=[], is_output_node=True)
    @classmethod
    def execute(cls, video):
        cut = video.as_trimmed(0.125, 0.25).get_components()
        sound = cut.audio["waveform"].shape[-1]
        told = video.get_dimensions(), video.get_duration(), tuple(cut.images.shape), sound
        return io.NodeOutput(ui={"text": [repr(told), Types.VideoContainer.get_extension("auto")]})
class Extension(ComfyExtension):
    async def get_node_list(self):
        return [Make, Read]
async def comfy_entrypoint():
    return Extension()
"""


@pytest.fixture
def api(shelf: Shelf) -> Any:
    shelf.pack("one", good("One"))
    shelf.load()
    return importlib.import_module("comfy_api.latest")


def test_a_pack_makes_a_video_and_reads_it(shelf: Shelf) -> None:
    shelf.pack("video", VIDEO)
    prompt = {
        "a": {"class_type": "Make", "inputs": {"fps": 8.0}},
        "b": {"class_type": "Read", "inputs": {"video": ["a", 0]}},
    }
    result = ran(shelf.types(), prompt, shelf.home)
    assert [ui["text"] for ui in result.outputs.values()] == [
        ["((32, 16), 0.5, (2, 16, 32, 3), 11025)", "mp4"]
    ]


def test_older_modules_have_the_same_values(api: Any) -> None:
    assert importlib.import_module("comfy_api.input_impl").VideoFromFile is api.InputImpl.VideoFromFile
    assert importlib.import_module("comfy_api.util").VideoComponents is api.Types.VideoComponents
    assert importlib.import_module("comfy_api.input").VideoInput is api.Input.Video
    assert importlib.import_module("comfy_api.v0_0_2").Types.VideoCodec.as_input() == ["auto", "h264"]
    assert importlib.import_module("comfy_api.latest._util").MESH(1, 2).faces == 2
    assert issubclass(api.InputImpl.VideoFromFile, api.Input.Video) and api.Input.Image is torch.Tensor


def test_a_name_that_is_not_supported_says_so_when_it_is_used(api: Any) -> None:
    with pytest.raises(RuntimeError, match=r"Not supported by this host: comfy_api\.latest\.Types\.File3D"):
        api.Types.File3D("a.glb")


def test_a_video_file_needs_a_package_that_the_error_names(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(RuntimeError, match="the Python package av is not installed"):
        api.InputImpl.VideoFromFile("a.mp4").get_dimensions()


def test_a_video_cannot_be_written_in_another_kind(api: Any) -> None:
    video = api.InputImpl.VideoFromComponents(api.Types.VideoComponents(torch.zeros(1, 2, 2, 3), Fraction(1)))
    with pytest.raises(ValueError, match="as MP4 with H264 only, not as webm"):
        video.save_to(BytesIO(), "webm")


def test_a_video_written_to_a_file_is_read_again(api: Any, tmp_path: Path) -> None:
    pytest.importorskip("av")
    drawn = torch.linspace(0, 1, 8)[:, None, None, None].expand(8, 64, 96, 3)
    sound = {
        "waveform": torch.sin(torch.arange(44100) / 20)[None, None].repeat(1, 2, 1) * 0.5,
        "sample_rate": 44100,
    }
    made = api.InputImpl.VideoFromComponents(api.Types.VideoComponents(drawn, Fraction(8), sound))
    made.save_to(str(tmp_path / "a.mp4"), metadata={"prompt": {"1": {}}})
    buffer = BytesIO()
    api.InputImpl.VideoFromFile(str(tmp_path / "a.mp4")).save_to(buffer)
    for source in (str(tmp_path / "a.mp4"), buffer):
        video = api.InputImpl.VideoFromFile(source)
        parts = video.get_components()
        assert (
            video.get_dimensions() == (96, 64)
            and parts.frame_rate == 8
            and "mp4" in video.get_container_format()
        )
        assert abs(video.get_duration() - 1.0) < 0.1 and parts.metadata["prompt"] == '{"1": {}}'
        assert parts.images.shape == drawn.shape and (parts.images - drawn).abs().mean() < 0.03
        assert parts.audio["waveform"].shape[1] == 2 and parts.audio["waveform"].abs().max() > 0.4


def test_the_newer_interface_shows_progress(shelf: Shelf, api: Any) -> None:
    progress = """
from comfy_api.latest import ComfyAPI, ComfyAPISync, io
class Slow(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Slow", inputs=[], outputs=[], is_output_node=True)
    @classmethod
    async def execute(cls):
        await ComfyAPI().execution.set_progress(1, 4)
        ComfyAPISync().execution.set_progress(3, 4)
        return io.NodeOutput(ui={"text": ["done"]})
NODE_CLASS_MAPPINGS = {"Slow": Slow}
"""
    shelf.pack("slow", progress)
    events: list[Any] = []
    ran(shelf.types(), {"a": {"class_type": "Slow", "inputs": {}}}, shelf.home, events)
    assert [(e.done, e.total) for e in events if isinstance(e, NodeProgress)][:2] == [(1, 4), (3, 4)]
    assert asyncio.iscoroutinefunction(api.ComfyAPI().execution.set_progress)
