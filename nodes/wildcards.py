"""Dynamic prompts beyond a plain choice: weights, several at once, and lists in files."""

import random
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from graph.context import Files
from graph.dynamic_prompts import choose
from graph.suggestions import did_you_mean

KIND: Final = "wildcards"
DEEPEST: Final = 20
"""How often wildcards may stand in lines of wildcards."""
LARGEST: Final = 4 * 2**20
"""The most bytes a wildcard file may have."""
NAME: Final = re.compile(r"__([\w*./ -]+?)__")
SEVERAL: Final = re.compile(r"\s*(\d+)?(-)?(\d+)?\s*\$\$", re.DOTALL)
SOLE: Final = re.compile(r"\{(\s*[\d-]*\s*\$\$(?:[^{}|]*?\$\$)?)?\s*__([\w*./ -]+?)__\s*\}")
WEIGHT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*::")

Lines = Callable[[str], Sequence[str]]
"""The lines of a wildcard by its name."""


def names_in(text: str) -> list[str]:
    """The wildcards that a text names, `__colours__` as colours, in their order."""
    return list(dict.fromkeys(NAME.findall(text)))


def settled(text: str, seed: int, lines: Lines) -> str:
    r"""One reading of a dynamic prompt: `{a|b}`, `{3::a|b}`, `{2$$a|b|c}`, `{1-2$$ and $$a|b}`, `__file__`.

    The same seed gives the same reading. `{2$$__colours__}` draws two different lines. `\{` is a plain brace.

    Raises:
        ValueError: for a wildcard that is not there, or that names itself.
    """
    dice = random.Random(f"{seed}")
    for _ in range(DEEPEST):
        if not NAME.search(text):
            return choose(text, dice, pick)
        text = SOLE.sub(lambda found: _options(found, lines), text)
        text = NAME.sub(lambda found: _drawn(found.group(1), lines, dice), text)
    raise ValueError(f"The wildcards {', '.join(names_in(text))} name one another without an end.")


def _options(found: re.Match[str], lines: Lines) -> str:
    return "{" + (found.group(1) or "") + "|".join(lines(found.group(2))) + "}"


def _drawn(name: str, lines: Lines, dice: random.Random) -> str:
    found = list(lines(name))
    weights = [_weight(line)[0] for line in found]
    return _weight(dice.choices(found, weights)[0])[1] if sum(weights) else ""


def pick(options: Sequence[str], dice: random.Random) -> str:
    """One of some options, by their weights; or several different ones when the first begins with `2$$`."""
    head = SEVERAL.match(options[0])
    if head is None or not any(head.groups()):
        return "".join(_sample(options, 1, dice))
    rest, joint = options[0][head.end() :], ", "
    if "$$" in rest:
        joint, _, rest = rest.partition("$$")
    low, dash, high = head.groups()
    least = int(low) if low else 1 if dash else int(high or 1)
    most = int(high) if high else len(options) if dash else least
    count = dice.randint(min(least, most), max(least, most))
    return joint.join(_sample([rest, *options[1:]], count, dice))


def _sample(options: Sequence[str], count: int, dice: random.Random) -> list[str]:
    """Up to `count` different options in the order they are drawn, each by its weight."""
    left, drawn = [_weight(option) for option in options], list[str]()
    while left and len(drawn) < count and any(weight for weight, _ in left):
        at = dice.choices(range(len(left)), [weight for weight, _ in left])[0]
        drawn.append(left.pop(at)[1])
    return drawn


def _weight(option: str) -> tuple[float, str]:
    found = WEIGHT.match(option)
    return (float(found.group(1)), option[found.end() :]) if found else (1.0, option)


def lines_from(files: Files) -> Lines:
    """Reads wildcards from the files of a kind: `colours` is colours.txt, `animals/*` all in a folder.

    Empty lines and those that begin with # do not count.
    """

    def lines(name: str) -> Sequence[str]:
        known = [entry for entry in files.names(KIND) if entry.endswith(".txt")]
        wanted = [entry for entry in known if fnmatchcase(entry.removesuffix(".txt"), name)]
        found = [line for entry in wanted for line in _read(files.find(KIND, entry))]
        if not found:
            hint = did_you_mean(name, [entry.removesuffix(".txt") for entry in known])
            place = files.folder(KIND) / f"{name}.txt"
            raise ValueError(f"There is no wildcard {name}, or it is empty. {hint} It would be {place}.")
        return found

    return lines


def _read(path: Path | None) -> list[str]:
    if path is None or path.stat().st_size > LARGEST:
        return []
    rows = (line.strip() for line in path.read_text("utf-8-sig", "replace").splitlines())
    return [line for line in rows if line and not line.startswith("#")]


def identities(text: str | None, files: Files) -> list[tuple[str, str]]:
    """The wildcard files there are, with what changes when they do; nothing for a text that names none."""
    if text is not None and not NAME.search(text):
        return []
    return [(name, files.identity(KIND, name)) for name in files.names(KIND)]
