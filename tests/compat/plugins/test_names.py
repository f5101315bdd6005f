"""The import names: what packs read, call, patch and subclass."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from host.folders import SOURCES
from tests.compat.plugins.packs import ANY, SHOW, Shelf, ran
from tests.compat.plugins.test_loading import good

CHECKPOINT = SOURCES / "models" / "checkpoints" / "darkroom-tiny.safetensors"


@pytest.fixture
def named(shelf: Shelf) -> Shelf:
    """A shelf with one pack, so that the names are installed."""
    shelf.pack("one", good("One"))
    shelf.load()
    return shelf


def module(name: str) -> Any:
    return importlib.import_module(name)


def test_folder_paths_finds_files_and_packs_may_change_its_folders(named: Shelf) -> None:
    paths = module("folder_paths")
    loras = named.home / "models" / "loras"
    (loras / "inner").mkdir(parents=True)
    (loras / "inner" / "a.safetensors").touch()
    (loras / "readme.txt").touch()
    assert paths.get_filename_list("loras") == ["inner/a.safetensors"]
    assert paths.get_full_path("loras", "inner/a.safetensors") == str(loras / "inner" / "a.safetensors")
    assert paths.get_full_path("loras", "../../secret") is None
    with pytest.raises(FileNotFoundError):
        paths.get_full_path_or_raise("loras", "b.safetensors")
    paths.add_model_folder_path("mine", str(loras / "inner"), is_default=True)
    paths.folder_names_and_paths["mine"][1].add(".safetensors")
    assert paths.get_filename_list("mine") == ["a.safetensors"]
    assert paths.folder_names_and_paths["mine"][0][0] == paths.get_folder_paths("mine")[0]
    paths.output_directory = str(named.home / "elsewhere")
    assert paths.get_output_directory() == str(named.home / "elsewhere")
    assert paths.get_annotated_filepath("a.png [output]") == str(named.home / "elsewhere" / "a.png")
    assert paths.models_dir == str(named.home / "models") and paths.base_path == str(named.home)


def test_pictures_are_counted_on_and_never_leave_their_folder(named: Shelf) -> None:
    paths, out = module("folder_paths"), named.home / "output"
    folder, name, number, inner, _ = paths.get_save_image_path("sub/x_%width%", str(out), 64, 48)
    assert (Path(folder), name, number, inner) == (out / "sub", "x_64", 1, "sub")
    (out / "sub" / "x_64_00007_.png").touch()
    assert paths.get_save_image_path("sub/x_64", str(out))[2] == 8
    with pytest.raises(ValueError, match="leads out"):
        paths.get_save_image_path("../../x", str(out))


def test_core_classes_have_their_old_methods_and_one_live_mapping(named: Shelf) -> None:
    nodes = module("nodes")
    assert nodes.NODE_CLASS_MAPPINGS["ImageScale"] is nodes.ImageScale and "One" in nodes.NODE_CLASS_MAPPINGS
    nodes.NODE_CLASS_MAPPINGS["Later"] = object
    assert "Later" in module("nodes").NODE_CLASS_MAPPINGS
    assert nodes.MAX_RESOLUTION == 16384
    image = torch.rand(1, 8, 8, 3)
    (scaled,) = nodes.ImageScale().upscale(image, "bilinear", 16, 4, "disabled")
    assert scaled.shape == (1, 4, 16, 3)
    (latent,) = nodes.EmptyLatentImage().generate(64, 32)
    assert latent["samples"].shape == (1, 4, 4, 8)
    assert nodes.EmptyLatentImage.INPUT_TYPES()["required"]["width"][0] == "INT"
    from nodes import registry  # our own code goes on finding its modules

    assert len(registry()) > 200
    assert Path(nodes.__file__).parent == Path(module("folder_paths").base_path) != SOURCES


def test_a_subclass_of_save_image_saves_where_it_says(named: Shelf) -> None:
    nodes, paths = module("nodes"), module("folder_paths")

    class Mine(nodes.SaveImage):
        def __init__(self) -> None:
            super().__init__()
            self.output_dir, self.type, self.prefix_append = paths.get_temp_directory(), "temp", "_mine"

    picture = torch.full((2, 4, 6, 3), 0.5)
    shown = Mine().save_images(picture, "x", prompt={"1": {}}, extra_pnginfo={"workflow": {"nodes": []}})
    first, second = shown["ui"]["images"]
    assert first == {"filename": "x_mine_00001_.png", "subfolder": "", "type": "temp"}
    with Image.open(Path(paths.get_temp_directory()) / second["filename"]) as saved:
        assert saved.size == (6, 4) and np.array(saved)[0, 0, 0] == 127
        assert saved.text == {"prompt": '{"1": {}}', "workflow": '{"nodes": []}'}  # type: ignore[attr-defined]


def test_packs_sample_with_the_old_functions_and_get_what_our_nodes_give(named: Shelf) -> None:
    nodes, sd, samplers = module("nodes"), module("comfy.sd"), module("comfy.samplers")
    model, clip, vae, _ = sd.load_checkpoint_guess_config(str(CHECKPOINT))
    (positive,) = nodes.CLIPTextEncode().encode(clip, "a red circle")
    (negative,) = nodes.CLIPTextEncode().encode(clip, "")
    (latent,) = nodes.EmptyLatentImage().generate(64, 64)
    (made,) = nodes.common_ksampler(
        model, 5, 2, 4.0, "euler", "normal", positive, negative, latent, denoise=1.0
    )
    (ours,) = nodes.KSampler().sample(model, 5, 2, 4.0, "euler", "normal", positive, negative, latent)
    assert torch.equal(made["samples"], ours["samples"])
    assert nodes.VAEDecode().decode(vae, made)[0].shape == (1, 64, 64, 3)
    model_sampling = model.get_model_object("model_sampling")
    sigmas = samplers.calculate_sigmas(model_sampling, "karras", 4)
    assert sigmas.shape == (5,) and sigmas[-1] == 0
    noise = module("comfy.sample").prepare_noise(latent["samples"], 5)
    sampler = samplers.KSAMPLER(module("comfy.k_diffusion.sampling").sample_euler)
    custom = module("comfy.sample").sample_custom(
        model, noise, 4.0, sampler, samplers.calculate_sigmas(model_sampling, "normal", 2), positive,
        negative, latent["samples"], seed=5,
    )  # fmt: skip
    assert torch.allclose(custom, made["samples"], atol=1e-5)
    samplers.SCHEDULER_HANDLERS["mine"] = samplers.SchedulerHandler(
        lambda n, sigma_min, sigma_max: torch.linspace(sigma_max, 0, n + 1), use_ms=False
    )
    assert samplers.calculate_sigmas(model_sampling, "mine", 3).shape == (4,)


def test_deep_names_can_be_imported_and_subclassed_and_say_so_when_used(named: Shelf) -> None:
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel  # type: ignore[import-not-found]

    class Mine(UNetModel, torch.nn.Module):
        pass

    with pytest.raises(RuntimeError, match=r"Not supported by this host: comfy\.ldm.*UNetModel"):
        Mine()
    with pytest.raises(RuntimeError, match=r"comfy\.ops\.fp8_linear"):
        module("comfy").ops.fp8_linear(1, 2)
    assert module("comfy_extras.nodes_mask").GrowMask is module("nodes").GrowMask
    assert module("comfy_extras.nodes_post_processing").Blend is module("nodes").ImageBlend


def test_modules_of_comfy_can_be_imported_without_the_package_as_its_folder_is_searched(named: Shelf) -> None:
    assert module("cli_args").args is module("comfy.cli_args").args
    attention = module("ldm.modules.attention")
    assert attention.optimized_attention is module("comfy.ldm.modules.attention").optimized_attention
    with pytest.raises(ImportError):
        module("no_such_module_of_comfy")


def test_sigmas_of_k_diffusion_are_those_of_the_nodes(named: Shelf) -> None:
    sampling = module("comfy.k_diffusion.sampling")
    poly = sampling.get_sigmas_polyexponential(3, 1.0, 4.0, rho=2.0)
    assert poly.tolist() == pytest.approx([4.0, 2**0.5, 1.0, 0.0])
    assert sampling.get_sigmas_vp(4)[-1] == 0.0
    assert sampling.get_sigmas_laplace(3, 0.1, 10.0).tolist() == pytest.approx([10.0, 1.0, 0.1], rel=1e-3)


def test_an_object_of_a_deep_name_that_a_pack_makes_while_loading_speaks_up_when_used(shelf: Shelf) -> None:
    code = """
import comfy_extras.nodes_hooks
class Deep:
    tool = comfy_extras.nodes_hooks.SetClipHooks()
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}
    RETURN_TYPES = ("INT",)
    FUNCTION = "use"
    def use(self):
        return self.tool.apply_hooks(1)
NODE_CLASS_MAPPINGS = {"Deep": Deep, "Show": Show}
"""
    shelf.pack("deep", ANY + SHOW + code)
    prompt = {
        "d": {"class_type": "Deep", "inputs": {}},
        "s": {"class_type": "Show", "inputs": {"value": ["d", 0]}},
    }
    result = ran(shelf.types(), prompt, shelf.home)
    assert "comfy_extras.nodes_hooks.SetClipHooks.apply_hooks" in result.errors[0].message


def test_a_name_that_this_host_lacks_is_absent_where_a_pack_only_looks_for_it(named: Shelf) -> None:
    assert not hasattr(module("comfy.model_patcher"), "CoreModelPatcher")
    assert getattr(module("comfy.utils"), "pack_latents", None) is None
    tried = [False, False]
    try:
        from comfy.nested_tensor import NestedTensor  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        tried[0] = True
    try:
        import comfy.quant_ops  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        tried[1] = True
    assert tried == [True, True]
    import comfy.memory_management as used  # type: ignore[import-not-found]

    assert not used.aimdo_enabled


def test_a_pack_that_cannot_do_without_a_name_gets_it_though_it_asks_in_a_try(named: Shelf) -> None:
    try:
        from comfy.quant_ops import QuantizedTensor  # type: ignore[import-not-found]
    except ImportError:
        raise RuntimeError("This host is too old.") from None
    with pytest.raises(RuntimeError, match=r"comfy\.quant_ops\.QuantizedTensor"):
        QuantizedTensor()


def test_modules_of_core_nodes_are_found_by_those_who_only_look(named: Shelf) -> None:
    tried = list[str]()
    try:
        from comfy_extras import nodes_differential_diffusion  # type: ignore[import-not-found]

        tried.append(nodes_differential_diffusion.DifferentialDiffusion.__name__)
    except ImportError:
        pass
    assert tried == ["DifferentialDiffusion"]
    extras = module("comfy_extras.nodes_custom_sampler")
    latent = {"samples": torch.ones(1, 4, 2, 2)}
    assert extras.Noise_EmptyNoise().generate_noise(latent).abs().sum() == 0
    assert extras.Noise_RandomNoise(3).generate_noise(latent).std() > 0
    laid = module("comfy_extras.nodes_mask").composite(torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 2, 2), 8, 16)
    assert laid.nonzero()[:, 2:].tolist() == [[2, 1], [2, 2], [3, 1], [3, 2]]
    kernel = module("comfy_extras.nodes_post_processing").gaussian_kernel(4, 1.0)
    assert kernel.shape == (4, 4) and kernel.sum() == pytest.approx(1.0)


def test_newer_names_for_memory_and_precision_are_here(named: Shelf) -> None:
    management = module("comfy.model_management")
    assert management.intermediate_dtype() == torch.float32
    management.raise_non_oom(MemoryError())
    with pytest.raises(ValueError, match="other"):
        management.raise_non_oom(ValueError("other"))


def test_packs_take_prompts_apart_with_the_functions_of_sd1_clip(named: Shelf) -> None:
    clip = module("comfy.sd1_clip")
    hidden = clip.escape_important(r"a \(b\) (c (d:0.5)) (e)")
    parts = [(clip.unescape_important(text), weight) for text, weight in clip.token_weights(hidden, 2.0)]
    assert [text for text, _ in parts] == ["a (b) ", "c ", "d", " ", "e"]
    assert [weight for _, weight in parts] == pytest.approx([2.0, 2.2, 0.5, 2.0, 2.2])
    assert clip.gen_empty_tokens({"start": 1, "end": 2, "pad": 0}, 4) == [1, 2, 0, 0]
    with pytest.raises(RuntimeError, match=r"comfy\.sd1_clip\.SDClipModel"):
        clip.SDClipModel()


def test_a_previewer_that_this_host_lacks_can_be_imported(named: Shelf) -> None:
    from latent_preview import TAESD  # type: ignore[import-not-found]

    with pytest.raises(RuntimeError, match=r"latent_preview\.TAESD"):
        TAESD()


def test_an_upscaler_answers_to_the_names_of_a_network(named: Shelf) -> None:
    from safetensors.torch import load_file

    weights = load_file(SOURCES / "models" / "upscale_models" / "darkroom-tiny-2x.safetensors")
    made = module("comfy_extras.chainner_models.model_loading").load_state_dict(weights).eval()
    assert made.to("cpu", dtype=torch.float32).float().cpu() is made
    assert next(made.parameters()).dtype == torch.float32
    assert made(torch.zeros(1, 3, 8, 8)).shape[-1] == 8 * made.scale


def test_conditionings_get_masks_and_times_by_the_functions_of_hooks(named: Shelf) -> None:
    hooks, old, new = module("comfy.hooks"), [[torch.zeros(1), {}]], [[torch.ones(1), {"pooled_output": 1}]]
    made = hooks.set_conds_props_and_combine(
        [old], [new], strength=0.5, set_cond_area="bounds", mask=torch.ones(4, 4), timesteps_range=(0.1, 0.6)
    )
    ((first, second),) = made
    assert first is old[0] and new[0][1] == {"pooled_output": 1}
    assert second[1].pop("mask").shape == (1, 4, 4)
    assert second[1] == {
        "pooled_output": 1, "set_area_to_bounds": True, "mask_strength": 0.5,
        "start_percent": 0.1, "end_percent": 0.6,
    }  # fmt: skip
    assert hooks.HookGroup.combine_all_hooks([None, None]) is None
    with pytest.raises(RuntimeError, match=r"comfy\.hooks\.HookGroup"):
        hooks.set_conds_props([new], 1.0, "default", hooks=object())


def test_packs_may_put_functions_of_theirs_around_the_executors(named: Shelf) -> None:
    executor = module("execution").PromptExecutor
    for name in ("execute", "execute_async", "handle_execution_error", "add_message", "reset"):
        assert callable(getattr(executor, name))
    assert executor(None).handle_execution_error("p", {}, {}, [], None, None) is None


def test_a_core_node_that_this_host_lacks_says_so_when_a_pack_uses_it(named: Shelf) -> None:
    classes, caught = module("nodes").NODE_CLASS_MAPPINGS, False
    assert "NoSuchNode" not in classes
    with pytest.raises(RuntimeError, match=r"nodes\.NoSuchNode"):
        classes["NoSuchNode"]()
    try:
        classes["NoSuchNode"]
    except KeyError:
        caught = True
    assert caught


def test_layers_of_comfy_ops_are_layers(named: Shelf) -> None:
    layer = module("comfy.ops").manual_cast.Linear(2, 3)
    layer.weight.data.fill_(1.0)
    layer.bias.data.fill_(0.5)
    assert layer(torch.ones(1, 2)).tolist() == [[2.5, 2.5, 2.5]]


def test_samplers_that_packs_put_among_the_functions_can_be_named(named: Shelf) -> None:
    samplers = module("comfy.samplers")
    samplers.k_diffusion_sampling.sample_mine = lambda model, x, sigmas, **more: x
    assert samplers.sampler_object("mine").function(None, 1, None) == 1


def test_tools_for_tensors_and_conditioning_do_what_packs_expect(named: Shelf) -> None:
    utils, helpers = module("comfy.utils"), module("node_helpers")
    x = torch.rand(1, 3, 40, 56)
    tiled = utils.tiled_scale(
        x, lambda part: part.repeat_interleave(2, -1).repeat_interleave(2, -2), 16, 16, 4, 2
    )
    assert torch.allclose(tiled, x.repeat_interleave(2, -1).repeat_interleave(2, -2), atol=1e-5)
    assert utils.get_tiled_scale_steps(56, 40, 16, 16, 4) == 15
    assert utils.repeat_to_batch_size(torch.arange(2), 5).tolist() == [0, 1, 0, 1, 0]
    assert utils.common_upscale(x, 28, 20, "lanczos", "center").shape == (1, 3, 20, 28)
    weights = {"a.x": 1, "b.y": 2}
    assert utils.state_dict_prefix_replace(weights, {"a.": "c."}, filter_keys=True) == {"c.x": 1}
    cond = [["text", {"a": 1}]]
    assert helpers.conditioning_set_values(cond, {"b": 2}) == [["text", {"a": 1, "b": 2}]]
    assert cond == [["text", {"a": 1}]]


def test_the_server_takes_routes_and_messages(named: Shelf) -> None:
    server = module("server").PromptServer.instance

    @server.routes.get("/one/hello")
    async def hello(request: Any) -> Any:
        return request

    assert [route.path for route in server.routes] == ["/one/hello"]
    server.send_sync("one.said", {"n": torch.tensor(3)}, "me")
    assert named.sent == [("one.said", {"n": 3}, "me")]
    server.add_on_prompt_handler(lambda data: {**data, "seen": True})
    assert server.trigger_on_prompt({"prompt": {}}) == {"prompt": {}, "seen": True}


def test_a_pack_that_kills_the_process_is_left_out_the_next_time_and_the_others_load(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, [])
    shelf.pack("deadly", "import ctypes\nctypes.string_at(0)")
    shelf.pack("good", good("Good"))
    program = (
        "from pathlib import Path\nfrom host.folders import folders_of\n"
        "from host.plugins.loading import all_types\nfrom server import SERVICES\n"
        f"home = Path({str(tmp_path)!r})\n"
        "loaded = all_types(SERVICES, folders_of(home), home / 'cache')[1]\n"
        "print([(pack.name, pack.state) for pack in loaded.packs])"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], cwd=SOURCES, capture_output=True, text=True)
        for _ in range(2)
    ]
    assert runs[0].returncode < 0, runs[0]
    assert runs[1].stdout.strip() == "[('deadly', 'crashed'), ('good', 'loaded')]", runs[1].stderr
