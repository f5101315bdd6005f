"""The texts in a safetensors file's header, read without loading it."""

import json
from pathlib import Path
from typing import Any, Final, cast

_LARGEST: Final = 100 * 2**20


def safetensors_texts(path: Path) -> dict[str, Any] | None:
    """The `__metadata__` of a file, None when it has none or is no safetensors file."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= min(_LARGEST, path.stat().st_size - 8):
                return None
            header = json.loads(file.read(size))
    except (OSError, ValueError, RecursionError):
        return None
    texts = cast("dict[str, Any]", header).get("__metadata__") if isinstance(header, dict) else None
    return cast("dict[str, Any]", texts) if isinstance(texts, dict) else None
