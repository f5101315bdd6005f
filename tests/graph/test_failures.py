from json import JSONDecodeError

from graph.failures import full_name
from graph.mapping import WrongResult


def test_an_exception_is_told_by_module_and_name() -> None:
    assert full_name(ValueError) == "ValueError"
    assert full_name(JSONDecodeError) == "json.decoder.JSONDecodeError"
    assert full_name(WrongResult) == "graph.mapping.WrongResult"
