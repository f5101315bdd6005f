"""Which output fits which input."""

import pytest

from graph.sockets import ANY, SocketType, accepts, as_list, conflicts, names_fit, socket_type, union

IMAGE = SocketType(("IMAGE",))
MASK = SocketType(("MASK",))
SDXL = SocketType(("MODEL",), (("family", "sdxl"),))
SD1 = SocketType(("MODEL",), (("family", "sd1"),))
MODEL = SocketType(("MODEL",))


@pytest.mark.parametrize(
    ("wanted", "given", "fits"),
    [
        (IMAGE, IMAGE, True),
        (IMAGE, MASK, False),
        (ANY, IMAGE, True),
        (IMAGE, ANY, True),
        (union((IMAGE, MASK)), MASK, True),
        (MASK, union((IMAGE, MASK)), True),
        (IMAGE, as_list(IMAGE), True),
        (as_list(IMAGE), IMAGE, True),
        (socket_type("FLOAT"), socket_type("INT"), True),
        (socket_type("INT"), socket_type("FLOAT"), False),
        (socket_type("COMBO"), socket_type("STRING"), True),
        (MODEL, SDXL, True),
        (SDXL, MODEL, True),
        (SDXL, SDXL, True),
        (SDXL, SD1, False),
    ],
)
def test_an_output_fits_by_name_and_known_facts(wanted: SocketType, given: SocketType, fits: bool) -> None:
    assert accepts(wanted, given) is fits


def test_facts_do_not_count_for_names() -> None:
    assert names_fit(SDXL, SD1)
    assert conflicts(SDXL.facts, SD1.facts) == (("family", "sdxl", "sd1"),)


def test_a_type_is_read_from_its_text() -> None:
    assert socket_type("IMAGE,MASK") == socket_type("IMAGE | MASK") == SocketType(("IMAGE", "MASK"))
    assert socket_type("*") == socket_type("") == socket_type("IMAGE,*") == ANY


def test_a_union_keeps_the_facts_that_all_share() -> None:
    assert union((SDXL, SDXL)) == SDXL
    assert union((SDXL, SD1)) == MODEL
    assert union((IMAGE, ANY)) == ANY


def test_a_type_is_shown_with_its_facts() -> None:
    assert str(as_list(SDXL)) == "list of MODEL<family sdxl>"
    assert str(union((IMAGE, MASK))) == "IMAGE|MASK"
