"""What `@node` reads from a function, and what it refuses."""

import asyncio
from typing import Annotated, Any, Literal, NamedTuple

import pytest

from graph.context import Context
from graph.node import NodeError, node, spec_of
from graph.outcome import Blocker, Outcome
from graph.sockets import ANY, SocketType
from graph.spec import (
    MISSING,
    Choice,
    FileChoice,
    Hidden,
    Hint,
    Input,
    Number,
    Outputs,
    Text,
    Toggle,
)
from tests.graph.toys import Image, Latent, Mask, Thing, spec


class Parts(NamedTuple):
    image: Image
    mask: Mask


def inputs(function: Any) -> dict[str, Input]:
    return {item.name: item for item in spec(function).inputs}


def outputs(function: Any) -> list[tuple[str, str, bool]]:
    return [(item.name, str(item.type), item.is_list) for item in spec(function).outputs]


def refusal(function: Any, **options: Any) -> str:
    with pytest.raises(NodeError) as caught:
        node("Toy", **options)(function)
    return str(caught.value)


def test_the_function_is_given_back_unchanged() -> None:
    def double(x: int) -> int:
        """Give twice x."""
        return 2 * x

    assert node("Double")(double) is double
    assert double(2) == 4
    assert spec(double).description == "Give twice x."


def test_plain_types_get_widgets() -> None:
    @node("Toy")
    def toy(a: int, b: float, c: str, d: bool, e: Literal["x", "y"]) -> None:
        """Do nothing."""

    assert [(str(item.type), item.widget) for item in spec(toy).inputs] == [
        ("INT", Number()),
        ("FLOAT", Number()),
        ("STRING", Text()),
        ("BOOLEAN", Toggle()),
        ("COMBO", Choice(("x", "y"))),
    ]


def test_inputs_keep_the_order_of_the_parameters() -> None:
    @node("Toy")
    def toy(a: int = 1, *, z: Image, b: float = 2.0, y: Mask) -> None:
        """Do nothing."""

    assert list(inputs(toy)) == ["a", "z", "b", "y"]


def test_no_default_and_any_default_but_none_is_required() -> None:
    @node("Toy")
    def toy(
        a: Image,
        b: int = 3,
        c: Mask | None = None,
        d: Annotated[Literal["cpu", "gpu"], Hint(optional=True)] = "cpu",
    ) -> None:
        """Do nothing."""

    found = {name: (item.required, item.default) for name, item in inputs(toy).items()}
    assert found == {"a": (True, MISSING), "b": (True, 3), "c": (False, None), "d": (False, "cpu")}


def test_annotations_add_up() -> None:
    @node("Toy")
    def toy(steps: Annotated[Annotated[int, Number(1, 9)], Hint("how many", advanced=True)] = 2) -> None:
        """Do nothing."""

    found = inputs(toy)["steps"]
    assert (found.widget, found.hint) == (Number(1, 9), Hint("how many", advanced=True))


def test_files_and_texts_are_choices_and_texts() -> None:
    @node("Toy")
    def toy(
        name: Annotated[str, FileChoice("loras")],
        text: Annotated[str, Text(multiline=True)],
        pick: Annotated[str, Choice(("a", "b"))] = "a",
    ) -> None:
        """Do nothing."""

    assert [str(item.type) for item in spec(toy).inputs] == ["COMBO", "STRING", "COMBO"]
    assert inputs(toy)["name"].widget == FileChoice("loras")


def test_unions_lists_and_any_are_types_of_their_own() -> None:
    @node("Toy")
    def toy(a: Image | Mask, b: list[Image], c: Any, d: Image | Mask | None = None) -> None:
        """Do nothing."""

    assert [str(item.type) for item in spec(toy).inputs] == ["IMAGE|MASK", "list of IMAGE", "*", "IMAGE|MASK"]
    assert inputs(toy)["c"].type == ANY
    assert not inputs(toy)["d"].required


def test_a_number_of_two_types_keeps_its_widget() -> None:
    @node("Toy")
    def toy(x: int | float = 1) -> None:
        """Do nothing."""

    assert inputs(toy)["x"] == Input("x", SocketType(("INT", "FLOAT")), True, 1, Number())


def test_a_link_only_number_has_no_widget() -> None:
    @node("Toy")
    def toy(x: Annotated[int, Hint(link_only=True)] = 4) -> None:
        """Do nothing."""

    assert inputs(toy)["x"].widget is None


def test_context_and_hidden_parameters_are_no_inputs() -> None:
    @node("Toy")
    def toy(context: Context, x: int, me: Annotated[str, Hidden("UNIQUE_ID")] = "") -> None:
        """Do nothing."""

    assert list(inputs(toy)) == ["x"]
    assert spec(toy).hidden == {"context": "context", "me": "UNIQUE_ID"}


def test_extra_keywords_take_any_input() -> None:
    @node("Toy")
    def toy(x: int, **rest: Any) -> None:
        """Do nothing."""

    assert spec(toy).takes_any_input
    assert list(inputs(toy)) == ["x"]


def test_return_types_become_outputs() -> None:
    def one() -> Image: ...  # type: ignore[empty-body]
    def none() -> None: ...
    def parts() -> Parts: ...  # type: ignore[empty-body]
    def many() -> list[Image]: ...  # type: ignore[empty-body]
    def pair() -> tuple[Image, Mask]: ...  # type: ignore[empty-body]
    def shown() -> Image | Outcome: ...  # type: ignore[empty-body]
    def sink() -> Outcome: ...  # type: ignore[empty-body]
    def maybe() -> Parts | Blocker: ...  # type: ignore[empty-body]
    def declared() -> Annotated[Outcome, Outputs("LATENT", hole="MASK")]: ...  # type: ignore[empty-body]

    for function in (one, none, parts, many, pair, shown, sink, maybe, declared):
        function.__doc__ = "Give things."
        node("Toy")(function)
    assert outputs(one) == [("IMAGE", "IMAGE", False)]
    assert outputs(none) == outputs(sink) == []
    assert outputs(parts) == outputs(maybe) == [("image", "IMAGE", False), ("mask", "MASK", False)]
    assert outputs(many) == [("IMAGE", "list of IMAGE", True)]
    assert outputs(pair) == [("IMAGE", "IMAGE", False), ("MASK", "MASK", False)]
    assert outputs(shown) == [("IMAGE", "IMAGE", False)]
    assert outputs(declared) == [("LATENT", "LATENT", False), ("hole", "MASK", False)]


def test_outputs_can_be_named_in_the_decorator() -> None:
    @node("Toy", output_names=("first", "second"))
    def toy() -> tuple[Image, Image]:
        """Give two."""
        return Thing(), Thing()

    assert [name for name, _, _ in outputs(toy)] == ["first", "second"]


def test_run_gives_a_tuple_of_outputs() -> None:
    @node("One")
    def one(x: int) -> int:
        """Give x."""
        return x

    @node("Two")
    def two(x: int) -> tuple[int, str]:
        """Give x twice."""
        return x, str(x)

    @node("Sink")
    def sink(x: int) -> None:
        """Take x."""

    assert spec(one).run(x=1) == (1,)
    assert spec(two).run(x=1) == (1, "1")
    assert spec(sink).run(x=1) == ()


def test_run_lets_outcomes_through_and_spreads_a_blocker() -> None:
    outcome = Outcome((1,), ui={"text": ["hello"]})

    @node("Toy")
    def toy(stop: bool) -> tuple[int, str] | Outcome | Blocker:
        """Give an outcome."""
        return Blocker("no") if stop else outcome

    assert spec(toy).run(stop=False) is outcome
    assert spec(toy).run(stop=True) == (Blocker("no"), Blocker("no"))


def test_a_tuple_with_one_name_is_one_output() -> None:
    class Length(NamedTuple):
        length: int

    def count(text: str) -> Length:
        """How long a text is."""
        return Length(len(text))

    node("Count")(count)
    assert outputs(count) == [("length", "INT", False)]
    assert spec(count).run(text="abc") == (3,)
    assert type(spec(count).run(text="abc")[0]) is int


def test_a_wrong_number_of_outputs_is_told_in_a_sentence() -> None:
    @node("Toy")
    def toy() -> Parts:
        """Give one thing too few."""
        return (1,)  # type: ignore[return-value]

    with pytest.raises(TypeError, match="toy returned 1 values but declares 2 outputs"):
        spec(toy).run()


def test_an_async_function_makes_an_async_node() -> None:
    @node("Toy")
    async def toy(x: int) -> int:
        """Give x later."""
        await asyncio.sleep(0)
        return x

    assert spec(toy).is_async
    assert asyncio.run(spec(toy).run(x=5)) == (5,)


def test_a_list_parameter_takes_the_whole_list_and_the_others_their_first_item() -> None:
    @node("Toy")
    def toy(images: list[int], scale: int = 1) -> int:
        """Add up."""
        return sum(images) * scale

    assert spec(toy).takes_lists
    assert spec(toy).run(images=[1, 2, 3], scale=[10]) == (60,)


def test_a_node_that_takes_lists_gets_lists_only() -> None:
    @node("Toy", takes_lists=True)
    def toy(images: list[int], scale: list[int]) -> int:
        """Add up."""
        return sum(images) + sum(scale)

    assert spec(toy).run(images=[1, 2], scale=[3]) == (6,)


def test_an_optional_input_without_a_default_is_none_when_it_is_left_out() -> None:
    @node("Toy")
    def toy(mask: Mask | None) -> bool:
        """Tell whether there is a mask."""
        return mask is not None

    assert spec(toy).run() == (False,)


def test_the_digest_changes_with_the_code_and_with_nothing_else() -> None:
    def make(code: str) -> str:
        names: dict[str, Any] = {"node": node}
        exec(code, names)
        return spec(names["toy"]).digest

    text = '@node("Toy")\ndef toy(x: int) -> int:\n    "Give a number."\n    return x + {}\n'
    assert make(text.format(1)) == make(text.format(1))
    assert make(text.format(1)) != make(text.format(2))
    nested = '@node("Toy")\ndef toy(x: int) -> int:\n    "Give a number."\n    return (lambda y: y * {})(x)\n'
    assert make(nested.format(1)) != make(nested.format(2))


def test_what_the_decorator_says_is_in_the_spec() -> None:
    @node(
        "Toy",
        title="A Toy",
        category="toys",
        output=True,
        version=3,
        deprecated="use another",
        experimental=True,
        idempotent=False,
        agree="family",
    )
    def toy(x: Latent) -> None:
        """Do nothing."""

    found = spec(toy)
    assert (found.id, found.title, found.category, found.version) == ("Toy", "A Toy", "toys", 3)
    assert (found.output, found.experimental, found.idempotent) == (True, True, False)
    assert (found.deprecated, found.extra["agree"]) == ("use another", ("family",))


def test_only_marked_functions_have_a_spec() -> None:
    assert spec_of(len) is None
    assert spec_of(Thing) is None
    assert spec_of(refusal) is None


def undocumented(x: int) -> None:
    pass


def below(x: Annotated[int, Number(1, 9)] = 0) -> None:
    """Do nothing."""


def above(x: Annotated[float, Number(0, 1)] = 1.5) -> None:
    """Do nothing."""


def no_number(x: int = True) -> None:
    """Do nothing."""


def no_whole(x: int = 1.5) -> None:  # type: ignore[assignment]
    """Do nothing."""


def no_choice(x: Literal["a", "b"] = "c") -> None:  # type: ignore[assignment]
    """Do nothing."""


def no_text(x: str = 3) -> None:  # type: ignore[assignment]
    """Do nothing."""


def no_flag(x: bool = 1) -> None:  # type: ignore[assignment]
    """Do nothing."""


def no_none(x: int = None) -> None:  # type: ignore[assignment] # noqa: RUF013
    """Do nothing."""


def no_socket(x: Thing) -> None:
    """Do nothing."""


def no_widget(x: Annotated[str, Number(1, 2)]) -> None:
    """Do nothing."""


def starred(*x: int) -> None:
    """Do nothing."""


def given_image(x: Image = 3) -> None:  # type: ignore[assignment]
    """Do nothing."""


def twins() -> tuple[Image, Image]:
    """Give two."""
    return Thing(), Thing()


def written(code: str) -> Any:
    names = dict[str, Any]()
    exec(code, names)
    return names["toy"]


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (undocumented, "it has no docstring"),
        (written("def toy(x) -> None: 'Do nothing.'"), "parameter x has no annotation"),
        (written("def toy(x: int): 'Do nothing.'"), "it has no return annotation"),
        (written("def toy(x: 'Nothing') -> None: 'Do nothing.'"), "its annotations cannot be read"),
        (below, "its default 0 is below its minimum 1"),
        (above, "its default 1.5 is above its maximum 1"),
        (no_number, "its default True is not a whole number"),
        (no_whole, "its default 1.5 is not a whole number"),
        (no_choice, "its default 'c' is not among its choices: 'a', 'b'"),
        (no_text, "its default 3 is not text"),
        (no_flag, "its default 1 is not True or False"),
        (no_none, "annotate it as optional"),
        (no_socket, 'write Annotated[Thing, Socket("THING")]'),
        (no_widget, "a Number widget does not fit STRING"),
        (starred, "parameter *x cannot be an input"),
        (given_image, "IMAGE only comes by link"),
        (twins, "two outputs are called IMAGE"),
    ],
)
def test_a_mistake_in_a_signature_is_a_sentence_at_load(function: Any, sentence: str) -> None:
    message = refusal(function)
    assert sentence in message
    assert message.startswith("Node 'Toy' (")


def test_output_names_must_match_the_outputs() -> None:
    assert "output_names has 1 names for 2 outputs" in refusal(twins, output_names=("a",))
