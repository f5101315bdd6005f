"""Importing the network classes: what it leaves out, and what it leaves behind."""

import subprocess
import sys

SCRIPT = """
import sys
from diffusion.modules import text_classes, unet_class, vae_class
_, text = text_classes()
unet, vae = unet_class(), vae_class()
assert not {"sympy", "torch._dynamo", "torch._inductor"} & sys.modules.keys()
import torch, torch._dynamo, transformers
from diffusers import UNet2DConditionModel
assert UNet2DConditionModel is unet
assert transformers.CLIPTextModel is text
assert torch.compile(lambda x: x + 1, backend="eager")(torch.zeros(2)).sum() == 2
"""


def test_lean_imports_leave_out_the_compiler_and_leave_the_libraries_whole() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
