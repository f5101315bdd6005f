"""The parts of the embedded files: what each is trained from, how long, and where it is written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from tools.tiny.check import score, sheet
from tools.tiny.control import export_control, train_control
from tools.tiny.decoder import train_decoder
from tools.tiny.export import export
from tools.tiny.export_xl import export_base, export_refiner
from tools.tiny.pool import open_pool
from tools.tiny.refiner import REFINER, train_refiner
from tools.tiny.run import Run
from tools.tiny.shipped import shipped_parts
from tools.tiny.style import export_style, train_style
from tools.tiny.text import train_text
from tools.tiny.towers import check_towers, train_towers
from tools.tiny.trial import refining_errors, try_checkpoint
from tools.tiny.unet import train_unet
from tools.tiny.upscaler import export_upscaler, train_upscaler
from tools.tiny.vae import train_vae
from tools.tiny.views import open_views
from tools.tiny.word import export_word, train_word
from tools.tiny.xl import train_base

TOWERS: Final = "towers"
_SD1_SHARES: Final = {"vae": 0.12, "text": 0.06, "decoder": 0.2, "unet": 0.56}
_CHECKED: Final = 40
_CFG: Final = 5.0
_BASE: Final = "checkpoints/darkroom-tiny-xl.safetensors"


@dataclass(frozen=True, slots=True)
class Part:
    """One file: where it lies under models/, the minutes that its shipped version took, how it is made."""

    file: str
    minutes: float
    make: Callable[[Run, Path], None]


def minutes_of(name: str, minutes: float) -> dict[str, float]:
    """The minutes of each stage of a part. The encoders of SDXL's kind, once trained, stay as they are."""
    if name == "sd1":
        return {stage: share * minutes for stage, share in _SD1_SHARES.items()}
    return {TOWERS: 5.5, name: minutes}


def _sd1(run: Run, models: Path) -> None:
    pool = open_pool(run, train_vae(run))
    text = train_text(run)
    vae = train_decoder(run, pool)
    unet = train_unet(run, text, pool, lambda unet: _report_sd1(run, (vae, text, unet)))
    _report_sd1(run, (vae, text, unet))
    export(models / PARTS["sd1"].file, vae, text, unet)


def _report_sd1(run: Run, parts: Any) -> None:
    """Logs how many held prompts come out right and keeps their pictures."""
    right, whole, pictures = score(parts, _CHECKED, _CFG)
    _keep(run, "sd1", pictures)
    run.log("held", right=round(right, 3), whole=round(whole, 3))


def _keep(run: Run, name: str, pictures: np.ndarray) -> None:
    Image.fromarray(sheet(pictures)).save(run.folder / f"{name}.png")


def _xl(run: Run, models: Path) -> None:
    vae, text, unet = shipped_parts()
    pupils = train_towers(run, text)
    run.log(TOWERS, **check_towers(pupils, text))
    base = train_base(run, unet, pupils, open_views(run, vae))
    export_base(models / _BASE, vae, pupils.towers, base)
    figures, pictures = try_checkpoint(models / _BASE, _CHECKED)
    _keep(run, "xl", pictures)
    run.log("xl", **figures)


def _refiner(run: Run, models: Path) -> None:
    vae, text, _ = shipped_parts()
    towers, file = train_towers(run, text).towers, models / PARTS["refiner"].file
    export_refiner(file, vae, towers, train_refiner(run, towers, open_views(run, vae)), REFINER)
    figures, pictures = refining_errors(models / _BASE, file, 24)
    _keep(run, "refiner", pictures)
    run.log("refiner", **figures)


def _control(run: Run, models: Path) -> None:
    vae, text, unet = shipped_parts()
    control = train_control(run, unet, text, open_views(run, vae))
    export_control(models / PARTS["control"].file, control)


def _style(run: Run, models: Path) -> None:
    export_style(models / PARTS["style"].file, train_style(run, shipped_parts()))


def _word(run: Run, models: Path) -> None:
    export_word(models / PARTS["word"].file, train_word(run, shipped_parts()))


def _upscaler(run: Run, models: Path) -> None:
    export_upscaler(models / PARTS["upscaler"].file, train_upscaler(run))


PARTS: Final[dict[str, Part]] = {
    "sd1": Part("checkpoints/darkroom-tiny.safetensors", 120, _sd1),
    "xl": Part(_BASE, 28, _xl),
    "control": Part("controlnet/darkroom-tiny-edges.safetensors", 14, _control),
    "refiner": Part("checkpoints/darkroom-tiny-xl-refiner.safetensors", 14, _refiner),
    "style": Part("loras/darkroom-tiny-style.safetensors", 6, _style),
    "word": Part("embeddings/darkroom-tiny-tree.safetensors", 3, _word),
    "upscaler": Part("upscale_models/darkroom-tiny-2x.safetensors", 6, _upscaler),
}
