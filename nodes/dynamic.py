"""Prompts with choices, wildcards and times."""

from typing import TYPE_CHECKING, Annotated

from graph.context import Context, Files
from graph.node import node
from graph.spec import Hint, Number
from nodes import wildcards
from nodes.lazy import LazyModule
from nodes.prompt_facts import embedding_files, prompt_facts
from nodes.prompt_schedule import spans
from nodes.sockets import Clip, Conditioning, Lines, Seed

if TYPE_CHECKING:
    from diffusion import text as words
else:
    words = LazyModule("diffusion.text")


def _files_named(text: str | None, files: Files | None) -> list[list[str]]:
    """What may stand in for the wildcards of a text, or of any text that comes by link."""
    return [list(pair) for pair in wildcards.identities(text, files)] if files else []


@node("DynamicPrompt", title="Dynamic Prompt", category="utils/string", fingerprint=_files_named)
def dynamic_prompt(
    text: Annotated[
        Lines,
        Hint(
            "{a|b} is one of them, {3::a|b} makes a three times as likely, {2$$a|b|c} two of them, "
            "{1-2$$ and $$a|b} one or two joined by and, __colours__ a line of wildcards/colours.txt."
        ),
    ],
    context: Context,
    seed: Seed = 0,
) -> str:
    """A prompt with its choices made by a seed: the same seed gives the same prompt."""
    return wildcards.settled(text, seed, wildcards.lines_from(context.job.files))


@node(
    "PromptSchedule",
    title="Prompt Schedule",
    category="conditioning",
    infer=prompt_facts("text"),
    fingerprint=embedding_files("text"),
)
def prompt_schedule(
    clip: Annotated[Clip, Hint("The text encoder of a checkpoint.")],
    text: Annotated[
        Lines,
        Hint(
            "[a:b:0.5] turns from a to b after half of the steps, [b:0.5] adds b there, [a::0.5] drops a, "
            "[a|b] takes turns; 10 instead of 0.5 is a step."
        ),
    ],
    steps: Annotated[
        int, Number(1, 1000), Hint("The number of steps of the sampler, in which the changes are counted.")
    ] = 20,
) -> Conditioning:
    """A prompt that changes while the picture is made, each wording with its span of the schedule."""
    known = dict[str, Conditioning]()
    timed: Conditioning = []
    for start, end, wording in spans(text, steps):
        if wording not in known:
            known[wording] = words.encode(clip, wording)
        times = {"start_percent": start, "end_percent": end}
        timed += [[tokens, facts | times] for tokens, facts in known[wording]]
    return timed
