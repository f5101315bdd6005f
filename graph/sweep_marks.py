"""What a sweep writes into the `extra` of the nodes it copies."""

from typing import Final

POINT: Final = "sweep_point"
"""The values that a copy was made for, by address."""
COPY_OF: Final = "sweep_of"
"""The node that it is a copy of."""
