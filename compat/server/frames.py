"""What goes over a socket: text messages, and pictures and texts as binary frames. Numbers are big-endian."""

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

from compat.server.replies import json_text

_PREVIEW: Final = 1
_TEXT: Final = 3
_PREVIEW_WITH_FACTS: Final = 4
_FORMATS: Final = {"image/jpeg": 1, "image/png": 2}


def text_frame(type: str, data: Any) -> str:
    """A message as JSON."""
    return json_text({"type": type, "data": data})


def preview_frame(type: str, picture: bytes) -> bytes:
    """A picture for clients that know the plain form; type: "image/jpeg" or "image/png"."""
    return struct.pack(">II", _PREVIEW, _FORMATS.get(type, 1)) + picture


def preview_frame_with_facts(facts: Mapping[str, Any], type: str, picture: bytes) -> bytes:
    """A picture with the node it belongs to."""
    told = json.dumps({**facts, "image_type": type}).encode()
    return struct.pack(">II", _PREVIEW_WITH_FACTS, len(told)) + told + picture


def progress_text_frame(node: str, text: str) -> bytes:
    """A text that a node shows while it runs."""
    id = node.encode()
    return struct.pack(">II", _TEXT, len(id)) + id + text.encode("utf-8", "replace")
