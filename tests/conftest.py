"""What every test lives by: no test asks a model hub for anything."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
