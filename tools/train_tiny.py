"""Trains the embedded tiny models on generated scenes alone, a part at a time: `train_tiny.py xl`.

sd1 is the tiny model itself (120 minutes on two cores). All other parts start from the shipped one and take,
on one core: xl with its two text encoders 34 minutes, refiner and control (a ControlNet for edges) 14, style
(a LoRA) and upscaler 6, word (an embedding) 3. Progress is kept in training/tiny: the same command goes on
where it was stopped.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
NAMES: Final = ("sd1", "xl", "control", "refiner", "style", "word", "upscaler")


def main() -> None:
    """Runs what is left of a part's training, then writes its file."""
    options = _options()
    # Threads that spin while they wait for each other are slow on a machine that does other things too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.path.insert(0, str(ROOT))
    import torch

    from tools.tiny.parts import PARTS, minutes_of
    from tools.tiny.run import Run

    torch.set_num_threads(options.threads)
    options.folder.mkdir(parents=True, exist_ok=True)
    part = PARTS[options.part]
    minutes = part.minutes if options.minutes is None else options.minutes
    part.make(Run(options.folder, minutes_of(options.part, minutes)), options.models)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=NAMES, help="what to train")
    parser.add_argument(
        "--minutes", type=float, help="how long it may take in all (the shipped file's, if not said)"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "training" / "tiny", help="where progress is kept"
    )
    parser.add_argument(
        "--models", type=Path, default=ROOT / "models", help="the folder of models to write into"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
