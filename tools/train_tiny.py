"""Trains the embedded tiny model on generated scenes alone: `python tools/train_tiny.py --minutes 120`.

Progress is kept in training/tiny, so that the same command goes on where it was stopped. The stages share the
minutes: the autoencoder, the text encoder, the decoder once more on settled latents, and the U-Net.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
SHARES: Final = {"vae": 0.12, "text": 0.06, "decoder": 0.2, "unet": 0.56}
CHECKED: Final = 40
CFG: Final = 5.0


def main() -> None:
    """Runs what is left of the training, then writes the checkpoint when asked to."""
    options = _options()
    # Threads that spin while they wait for each other are slow on a machine that does other things too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.path.insert(0, str(ROOT))
    import torch

    from tools.tiny.export import export
    from tools.tiny.run import Run

    torch.set_num_threads(options.threads)
    options.folder.mkdir(parents=True, exist_ok=True)
    run = Run(options.folder, {stage: share * options.minutes for stage, share in SHARES.items()})
    parts = _train(run)
    _report(run, parts)
    if options.export:
        export(options.export, *parts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120, help="how long all stages may take together")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "training" / "tiny", help="where progress is kept"
    )
    parser.add_argument("--export", type=Path, help="write the checkpoint here, in fp16 and SD1's key layout")
    return parser.parse_args()


def _train(run: Any) -> Any:
    from tools.tiny.decoder import train_decoder
    from tools.tiny.pool import open_pool
    from tools.tiny.text import train_text
    from tools.tiny.unet import train_unet
    from tools.tiny.vae import train_vae

    pool = open_pool(run, train_vae(run))
    text = train_text(run)
    vae = train_decoder(run, pool)
    return vae, text, train_unet(run, text, pool, lambda unet: _report(run, (vae, text, unet)))


def _report(run: Any, parts: Any) -> None:
    """Logs how many held prompts come out right and keeps their pictures."""
    from PIL import Image

    from tools.tiny.check import score, sheet

    right, whole, pictures = score(parts, CHECKED, CFG)
    Image.fromarray(sheet(pictures)).save(run.folder / "held.png")
    run.log("held", right=round(right, 3), whole=round(whole, 3))


if __name__ == "__main__":
    main()
