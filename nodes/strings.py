"""Texts: joining, searching, replacing, changing letters, regular expressions."""

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal, NamedTuple

from graph.node import node
from graph.spec import Hint, Number
from nodes.sockets import Lines

CATEGORY: Final = "utils/string"

Words = Annotated[Lines, Hint("The text.")]
Pattern = Annotated[Lines, Hint("A regular expression in Python's way of writing.")]
Caseless = Annotated[bool, Hint("Take capital and small letters for the same.")]
Multiline = Annotated[bool, Hint("Let ^ and $ stand for the ends of every line.")]
DotAll = Annotated[bool, Hint("Let . stand for line ends too.")]
CaseSensitive = Annotated[bool, Hint("Tell capital from small letters.")]
Extraction = Literal["First Match", "All Matches", "First Group", "All Groups"]


class Length(NamedTuple):
    """How many characters a text has."""

    length: int


class Contains(NamedTuple):
    """Whether a text stands in another."""

    contains: bool


class Matches(NamedTuple):
    """Whether a pattern was found."""

    matches: bool


@node("StringConcatenate", title="Concatenate", category=CATEGORY)
def string_concatenate(
    string_a: Annotated[Lines, Hint("The first text.")],
    string_b: Annotated[Lines, Hint("The second text.")],
    delimiter: Annotated[str, Hint("What stands between them.")] = "",
) -> str:
    """Two texts as one."""
    return string_a + delimiter + string_b


@node("StringSubstring", title="Substring", category=CATEGORY)
def string_substring(
    string: Words,
    start: Annotated[int, Hint("The first character, counted from 0; below 0 from the end.")],
    end: Annotated[int, Hint("The character before which it stops, counted in the same way.")],
) -> str:
    """A part of a text."""
    return string[start:end]


@node("StringLength", title="Length", category=CATEGORY)
def string_length(string: Words) -> Length:
    """How many characters a text has."""
    return Length(len(string))


@node("CaseConverter", title="Case Converter", category=CATEGORY)
def case_converter(
    string: Words,
    mode: Annotated[
        Literal["UPPERCASE", "lowercase", "Capitalize", "Title Case"], Hint("The name shows what it does.")
    ],
) -> str:
    """A text in capital or small letters."""
    match mode:
        case "UPPERCASE":
            return string.upper()
        case "lowercase":
            return string.lower()
        case "Capitalize":
            return string.capitalize()
        case _:
            return string.title()


@node("StringTrim", title="Trim", category=CATEGORY)
def string_trim(
    string: Words, mode: Annotated[Literal["Both", "Left", "Right"], Hint("At which ends.")]
) -> str:
    """A text without spaces and line ends at its ends."""
    match mode:
        case "Left":
            return string.lstrip()
        case "Right":
            return string.rstrip()
        case _:
            return string.strip()


@node("StringReplace", title="Replace", category=CATEGORY)
def string_replace(
    string: Words,
    find: Annotated[Lines, Hint("What is replaced, everywhere.")],
    replace: Annotated[Lines, Hint("What takes its place.")],
) -> str:
    """A text with one part replaced by another everywhere."""
    return string.replace(find, replace)


@node("StringContains", title="Contains", category=CATEGORY)
def string_contains(
    string: Words,
    substring: Annotated[Lines, Hint("What is looked for.")],
    case_sensitive: CaseSensitive = True,
) -> Contains:
    """Whether one text stands in another."""
    text, part = _folded(case_sensitive, string, substring)
    return Contains(part in text)


@node("StringCompare", title="Compare", category=CATEGORY)
def string_compare(
    string_a: Annotated[Lines, Hint("The text that is looked at.")],
    string_b: Annotated[Lines, Hint("The text that it is compared with.")],
    mode: Annotated[Literal["Starts With", "Ends With", "Equal"], Hint("How they are compared.")],
    case_sensitive: CaseSensitive = True,
) -> bool:
    """Whether one text equals another, or starts or ends with it."""
    text, part = _folded(case_sensitive, string_a, string_b)
    match mode:
        case "Starts With":
            return text.startswith(part)
        case "Ends With":
            return text.endswith(part)
        case _:
            return text == part


def _folded(case_sensitive: bool, *texts: str) -> list[str]:
    return list(texts) if case_sensitive else [text.lower() for text in texts]


def _compiled(pattern: str, caseless: bool, multiline: bool, dotall: bool) -> re.Pattern[str]:
    flags = re.NOFLAG
    for flag, wanted in ((re.IGNORECASE, caseless), (re.MULTILINE, multiline), (re.DOTALL, dotall)):
        flags |= flag if wanted else re.NOFLAG
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        raise ValueError(f'The regular expression "{pattern}" is wrong{where}: {error.msg}.') from error


@node("RegexMatch", title="Regex Match", category=CATEGORY)
def regex_match(
    string: Words,
    regex_pattern: Pattern,
    case_insensitive: Caseless = True,
    multiline: Multiline = False,
    dotall: DotAll = False,
) -> Matches:
    """Whether a regular expression is found in a text."""
    pattern = _compiled(regex_pattern, case_insensitive, multiline, dotall)
    return Matches(pattern.search(string) is not None)


@node("RegexExtract", title="Regex Extract", category=CATEGORY)
def regex_extract(
    string: Words,
    regex_pattern: Pattern,
    mode: Annotated[Extraction, Hint("What is given: whole matches or one group of them; one a line.")],
    case_insensitive: Caseless = True,
    multiline: Multiline = False,
    dotall: DotAll = False,
    group_index: Annotated[int, Number(0, 100), Hint("Which group, counted from 1; 0 is the match.")] = 1,
) -> str:
    """What a regular expression finds in a text; nothing when it finds nothing."""
    pattern = _compiled(regex_pattern, case_insensitive, multiline, dotall)
    matches: Iterable[re.Match[str]] = pattern.finditer(string)
    if mode.endswith("Match") or mode == "All Matches":
        group = 1 if mode == "All Matches" and pattern.groups else 0
    else:
        group = group_index
    if group > pattern.groups or (mode == "All Groups" and not pattern.groups):
        return ""
    found = [match.group(group) or "" for match in matches]
    return "\n".join(found[:1] if mode.startswith("First") else found)


@node("RegexReplace", title="Regex Replace", category=CATEGORY)
def regex_replace(
    string: Words,
    regex_pattern: Pattern,
    replace: Annotated[Lines, Hint(r"What takes its place; \1 stands for the first group.")],
    case_insensitive: Annotated[
        bool, Hint("Take capital and small letters for the same.", optional=True)
    ] = True,
    multiline: Annotated[bool, Hint("Let ^ and $ stand for the ends of every line.", optional=True)] = False,
    dotall: Annotated[bool, Hint("Let . stand for line ends too.", optional=True)] = False,
    count: Annotated[int, Number(0, 100), Hint("How many are replaced; 0 is all.", optional=True)] = 0,
) -> str:
    """A text with everything that a regular expression finds replaced."""
    pattern = _compiled(regex_pattern, case_insensitive, multiline, dotall)
    try:
        return pattern.sub(replace, string, count=count)
    except (re.error, IndexError) as error:
        raise ValueError(f'The replacement "{replace}" is wrong: {error}.') from error
