"""The route that counts the tokens of a prompt, as the CLIP text encoders cut it."""

import asyncio
from importlib import import_module
from math import ceil
from typing import Final

from aiohttp import web
from pydantic import BaseModel, Field

from host.server.routing import body_of, route, told

_ROOM: Final = 75
"""Tokens of a chunk, without its start and end."""
_LONGEST: Final = 100_000


class PromptText(BaseModel):
    """A prompt."""

    text: str = Field(max_length=_LONGEST)


class TokenCount(BaseModel):
    """The tokens of a prompt, and the chunks of 77 that they fill."""

    tokens: int
    chunks: int


@route("POST", "/prompts/tokens", "Count the tokens of a prompt", body=PromptText, reply=TokenCount)
async def count_tokens(request: web.Request) -> web.StreamResponse:
    """Weights do not count; an embedding counts as its name."""
    text = (await body_of(request, PromptText)).text
    tokens = await asyncio.to_thread(_count, text)
    return told({"tokens": tokens, "chunks": max(ceil(tokens / _ROOM), 1)})


def _count(text: str) -> int:
    tokenize = import_module("diffusion.tokenizer").tokenize
    parts = import_module("diffusion.prompts").weighted_parts(text)
    return sum(len(tokenize(words)) for words, _ in parts)
