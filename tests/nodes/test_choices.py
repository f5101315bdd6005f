"""What widgets offer is what there is."""

import subprocess
import sys

from diffusion.names import SAMPLER_NAMES, SCHEDULE_NAMES
from diffusion.samplers import SAMPLERS
from diffusion.schedules import SCHEDULES


def test_every_sampler_can_be_chosen() -> None:
    assert set(SAMPLER_NAMES) == set(SAMPLERS)
    assert SAMPLER_NAMES[0] == "euler"


def test_every_schedule_can_be_chosen() -> None:
    assert set(SCHEDULE_NAMES) == set(SCHEDULES)
    assert SCHEDULE_NAMES[0] == "simple"


def test_listing_node_types_never_imports_torch() -> None:
    code = "import sys, nodes; nodes.registry(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
