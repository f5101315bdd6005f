# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The functions of `comfy.sd1_clip` that take prompts apart; its text encoders are placeholders."""

from collections.abc import Mapping
from typing import Any, Final

from compat.names.session import Session
from diffusion.prompts import bracketed_parts, outer_groups

_HIDDEN: Final = {"\\)": "\0\1", "\\(": "\0\2"}
"""What stands for a bracket that belongs to the text."""


def escape_important(text: str) -> str:
    """A prompt in which brackets of the text are hidden from those that weigh."""
    for bracket, mark in _HIDDEN.items():
        text = text.replace(bracket, mark)
    return text


def unescape_important(text: str) -> str:
    """The same with the hidden brackets as they are read."""
    for bracket, mark in _HIDDEN.items():
        text = text.replace(mark, bracket[1])
    return text


def gen_empty_tokens(special_tokens: Mapping[str, Any], length: int) -> list[Any]:
    """The tokens of an empty prompt: a start and an end where the encoder has them, then padding."""
    ends = [special_tokens.get(name) for name in ("start", "end")]
    tokens = [token for token in ends if token is not None]
    return [*tokens, *[special_tokens.get("pad")] * (length - len(tokens))]


def prompt_text(session: Session) -> dict[str, Any]:
    """The names of `comfy.sd1_clip`."""
    return {
        "escape_important": escape_important,
        "unescape_important": unescape_important,
        "parse_parentheses": outer_groups,
        "token_weights": lambda string, current_weight: bracketed_parts(string, current_weight),
        "gen_empty_tokens": gen_empty_tokens,
    }
