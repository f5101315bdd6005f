"""What docs/server.md and the Dockerfile say of the server is true: options, routes, numbers, signatures."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, get_args

import typer

from host.cli.app import build
from host.cli.serve import SECRET_VARIABLE, TOKEN_VARIABLE
from host.jobs.board import DATABASE, Retention
from host.jobs.model import EventKind
from host.server.app import OUR_ROUTES
from host.server.security import ROLES
from host.server.settings import Settings
from host.server.webhooks import PAUSES, SIGNATURE, signature
from host.server.workflow_files import MOST_VERSIONS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "server.md").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
FOREIGN = {"--data-binary", "--json", "--build-arg", "--gpus"}


def serve_options() -> set[str]:
    parameters = typer.main.get_group(build()).commands["serve"].params
    return {option for parameter in parameters for option in parameter.opts}


def test_the_page_names_every_option_of_serve_and_no_other() -> None:
    spelled_twice = {"--tls-certfile", "--tls-keyfile"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) - FOREIGN
    assert named == serve_options() - spelled_twice


def test_every_address_on_the_page_is_a_route() -> None:
    patterns = [re.compile(re.sub(r"\{\w+\}", "[^/]+", route.full_path)) for route in OUR_ROUTES]
    named = re.findall(r"(/(?:api/v1/|healthz|readyz|metrics)[^\s\"`?)]*)", PAGE)
    assert len(named) > 20
    assert [path for path in named if not any(pattern.fullmatch(path) for pattern in patterns)] == []


def test_every_command_with_curl_asks_what_its_route_takes() -> None:
    commands = re.findall(r"^    curl ((?:.*\\\n)*.*)$", PAGE, re.MULTILINE)
    assert len(commands) > 20
    for command in commands:
        words = shlex.split(command.replace("\\\n", " "))
        address = next(word for word in words if word.startswith("localhost:8188"))
        path, _, query = address.removeprefix("localhost:8188").partition("?")
        sends = {"--data-binary", "--json", "-F"} & set(words)
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if sends else "GET"
        route = next(
            (
                item
                for item in OUR_ROUTES
                if item.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", item.full_path), path)
            ),
            None,
        )
        assert route is not None, command
        fields = set(route.query.model_fields) if route.query else set()
        assert {part.partition("=")[0] for part in query.split("&") if part} <= fields, command
        assert bool(sends) is bool(route.body or route.raw), command
        if "--json" in words and "$(" not in command:
            assert route.body is not None
            route.body.model_validate(json.loads(words[words.index("--json") + 1]))


def test_variables_roles_events_and_numbers_are_those_of_the_code() -> None:
    assert set(re.findall(r"DARKROOM_[A-Z_]+", PAGE)) == {TOKEN_VARIABLE, SECRET_VARIABLE}
    assert [row for row in re.findall(r"^\| (\w+) \| ", PAGE, re.MULTILINE) if row in ROLES] == list(ROLES)
    table = PAGE.partition("| kind | tells |")[2].partition("## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if "|" in row]
    assert {word for row in rows for word in re.findall(r"`(\w+)`", row)} == set(get_args(EventKind))
    first, *rest = PAUSES
    pauses = ", ".join(f"{pause:g}" for pause in (first, *rest[:-1]))
    assert f"after {pauses} and {rest[-1]:g} seconds" in PAGE
    settings = Settings(ROOT)
    assert f"({settings.keep_jobs:,})" in PAGE and f"hold ({settings.largest_upload // 2**20})" in PAGE
    assert f"{Retention().bytes // 2**30} GB" in PAGE and f"last {MOST_VERSIONS} versions" in PAGE
    assert DATABASE in PAGE and SIGNATURE in PAGE


def test_the_check_of_a_webhooks_signature_works() -> None:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    space: dict[str, Any] = {}
    exec(found[1], space)
    header = signature("secret", b"body")[SIGNATURE]
    assert space["is_genuine"]("secret", b"body", header)
    assert not space["is_genuine"]("secret", b"other", header)
    assert not space["is_genuine"]("wrong", b"body", header)


def test_the_image_starts_the_server_with_options_there_are() -> None:
    command = json.loads(re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[0])
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[0])
    assert entry == ["python", "server.py"] and command[0] == "serve"
    assert {word for word in command if word.startswith("--")} <= serve_options()
    for copied in re.findall(r"^COPY (.*) \./?$", DOCKERFILE, re.MULTILINE):
        assert all((ROOT / name).exists() for name in copied.split())
    assert f"EXPOSE {Settings(ROOT).port}" in DOCKERFILE


def test_the_image_holds_what_the_server_needs_and_no_secrets() -> None:
    left_out = [
        line for line in (ROOT / ".dockerignore").read_text("utf-8").split() if not line.startswith("!")
    ]
    needed = ("server.py", "graph", "diffusion", "nodes", "host", "compat", "workflows", "input", "models")
    assert not set(left_out) & set(needed)
    assert {"user", "output", ".git", ".venv"} <= set(left_out)
