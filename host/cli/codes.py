"""Exit codes."""

from typing import Final

DONE: Final = 0
INVALID: Final = 2
"""A workflow or arguments are wrong; nothing ran."""
FAILED: Final = 3
"""A node failed."""
CANCELLED: Final = 4
"""Ctrl-C; what was finished is kept."""
