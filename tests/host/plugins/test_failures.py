"""What is told of a plugin that could not be loaded."""

from importlib import import_module
from pathlib import Path

import pytest

from host.plugins.failures import trace_of


def raised(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> BaseException:
    """What importing a module with this code raises."""
    (folder / "sad.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder))
    with pytest.raises(Exception) as caught:
        import_module("sad")
    return caught.value


def test_a_traceback_begins_at_the_plugins_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = trace_of(raised(tmp_path, "import json\n\njson.loads('{')\n", monkeypatch), tmp_path).splitlines()
    assert told[1] == f'  File "{tmp_path / "sad.py"}", line 3, in <module>'
    assert any("json" in line and "decode" in line for line in told[2:])


def test_wrong_syntax_is_told_by_its_own_line_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = trace_of(raised(tmp_path, "x = 1\ndef sad(:\n", monkeypatch), tmp_path).splitlines()
    assert told[0] == f'  File "{tmp_path / "sad.py"}", line 2' and told[-1] == "SyntaxError: invalid syntax"


def test_what_no_file_of_the_plugin_raised_keeps_its_whole_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = raised(tmp_path, "raise ValueError('far')\n", monkeypatch)
    assert "import_module" in trace_of(error, tmp_path / "another")
