"""What every test lives by: no test asks a model hub for anything, and models compute in fp32 unless told."""

import os

from hypothesis import settings

# How long one example takes says how busy the machine is; what hangs meets pytest's own limit.
settings.register_profile("darkroom", deadline=None)
settings.load_profile("darkroom")
os.environ["HF_HUB_OFFLINE"] = "1"
# Threads that wait for each other would spin, which on a busy machine costs several times the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# What "auto" stands for differs from machine to machine, and numbers with it.
os.environ.setdefault("DARKROOM_PRECISION", "fp32")
