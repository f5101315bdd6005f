"""Every route of the whole server, ours and ComfyUI's: who may ask it, what it carries, where it may lead."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import FormData, web
from yarl import URL

from compat.server.routes import add_comfyui
from host.server.security import ROLES
from host.services import Services
from tests.host.documents import document
from tests.host.serving import FORMATS, Served, run, served, toy_types

TOKENS = {f"hidden-{role}": role for role in ROLES}
NO_WORKER = ("/bin/false",)
OPEN = {"/healthz", "/readyz"}
ROLE_OF = {
    "POST /api/v1/jobs": "runner",
    "POST /api/v1/jobs/{id}/cancel": "runner",
    "POST /api/v1/jobs/{id}/pause": "runner",
    "POST /api/v1/jobs/{id}/resume": "runner",
    "POST /api/v1/jobs/{id}/retry": "runner",
    "POST /api/v1/jobs/{id}/duplicate": "runner",
    "POST /api/v1/jobs/{id}/move": "runner",
    "DELETE /api/v1/jobs/{id}": "runner",
    "POST /api/v1/queue/pause": "editor",
    "POST /api/v1/queue/resume": "editor",
    "POST /api/v1/queue/clear": "editor",
    "POST /api/v1/history/clear": "editor",
    "PUT /api/v1/workflows/{name}": "editor",
    "DELETE /api/v1/workflows/{name}": "editor",
    "POST /api/v1/workflows/{name}/rename": "editor",
    "POST /api/v1/workflows/validate": "viewer",
    "POST /api/v1/workflows/convert": "viewer",
    "POST /api/v1/workflows/missing": "viewer",
    "POST /api/v1/assets": "runner",
    "POST /api/v1/assets/{kind}/{name}/mask": "runner",
    "POST /api/v1/prompts/tokens": "viewer",
    "DELETE /api/v1/assets/{kind}/{name}": "editor",
    "PATCH /api/v1/settings": "editor",
    "POST /api/v1/plugins/{name}/enable": "admin",
    "POST /api/v1/plugins/{name}/disable": "admin",
    "GET /api/v1/logs": "admin",
    "GET /api/v1/system/storage": "admin",
    "POST /api/v1/system/free": "runner",
    "POST /prompt": "runner",
    "POST /queue": "runner",
    "POST /interrupt": "runner",
    "POST /free": "runner",
    "POST /history": "runner",
    "POST /upload/image": "runner",
    "POST /upload/mask": "runner",
    "POST /settings": "editor",
    "POST /settings/{id}": "editor",
    "POST /users": "editor",
    "POST /userdata/{file}": "editor",
    "POST /userdata/{file}/move/{dest}": "editor",
    "DELETE /userdata/{file}": "editor",
    "GET /internal/logs": "admin",
    "GET /internal/logs/raw": "admin",
    "PATCH /internal/logs/subscribe": "admin",
    "GET /internal/folder_paths": "admin",
    "GET /internal/files/{kind}": "admin",
}
"""What each route needs; one that only looks and is not named needs a viewer, any other fails the test."""


class Whole:
    """A server with all routes."""

    def __init__(self) -> None:
        self.apps = list[web.Application]()
        self.services = Services(lambda: FORMATS, toy_types, self.add)

    def add(self, app: web.Application) -> None:
        add_comfyui(app)
        self.apps.append(app)

    def routes(self) -> Iterator[tuple[str, str]]:
        """The method and path pattern of each route."""
        for route in self.apps[0].router.routes():
            if route.method != "HEAD" and route.resource is not None:
                yield route.method, route.resource.canonical


def needed(method: str, path: str) -> str:
    """The role that a route is meant to need."""
    bare = path if path.startswith("/api/v1/") else path.removeprefix("/api")
    role = ROLE_OF.get(f"{method} {bare}", "viewer" if method == "GET" else None)
    assert role is not None, f"{method} {path} is new: say in ROLE_OF who may ask it"
    return role


async def status(server: Served, method: str, path: str, token: str = "", **more: Any) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # The pattern as an address, with an x for each part, leads to the route and mostly to nothing there.
    url = URL(server.url + path.replace("{", "x").replace("}", "x"), encoded=True)
    async with server.session.request(method, url, headers=headers, **more) as reply:
        if reply.status not in (101, 200):
            await reply.read()
        return reply.status


def test_every_route_needs_the_role_that_it_should(tmp_path: Path) -> None:
    whole = Whole()

    async def story() -> None:
        async with served(tmp_path, whole.services, tokens=TOKENS, worker_command=NO_WORKER) as server:
            asked = [route for route in whole.routes() if route[1] not in OPEN]
            assert len(asked) > 130
            for method, path in asked:
                least = ROLES.index(needed(method, path))  # type: ignore[arg-type]
                assert await status(server, method, path) == 401, (method, path)
                assert await status(server, method, path, "hidden-nobody") == 401, (method, path)
                for role in ROLES[: least + 1]:
                    found = await status(server, method, path, f"hidden-{role}")
                    refused = ROLES.index(role) < least
                    assert (found == 403) is refused and found != 401, (method, path, role, found)
            for path in OPEN:
                assert await status(server, "GET", path) in (200, 503)

    run(story(), 100)


def test_no_route_answers_pages_of_other_sites_or_other_names(tmp_path: Path) -> None:
    whole = Whole()

    async def story() -> None:
        async with served(tmp_path, whole.services, worker_command=NO_WORKER) as server:
            for method, path in whole.routes():
                for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
                    url = URL(server.url + path.replace("{", "x").replace("}", "x"), encoded=True)
                    async with server.session.request(method, url, headers=headers) as reply:
                        assert reply.status == 403, (method, path, headers, reply.status)
                        assert reply.headers["X-Content-Type-Options"] == "nosniff"

    run(story(), 60)


def test_what_is_refused_never_tells_the_token(tmp_path: Path, capfd: Any) -> None:
    whole = Whole()

    async def story() -> None:
        async with served(tmp_path, whole.services, tokens=TOKENS, worker_command=NO_WORKER) as server:
            for path in (
                "/api/v1/nowhere",
                "/nowhere",
                "/api/v1/jobs/x",
                "/api/v1/logs",
                f"/view?{'x' * 9000}",
            ):
                mark = "&" if "?" in path else "?"
                async with server.session.get(f"{server.url}{path}{mark}token=hidden-admin") as reply:
                    assert "hidden-admin" not in await reply.text()
            log = await server.ask("GET", "/api/v1/logs?token=hidden-admin", status=200)
            assert "hidden-" not in str(log)

    run(story())
    written = capfd.readouterr()
    assert "hidden-" not in written.out + written.err


CLIMBING = [
    "../secret.txt", "..%2Fsecret.txt", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt",
    "..%5Csecret.txt", "sub%2F..%2F..%2Fsecret.txt", "....//secret.txt", "way%2Fsecret.txt",
    "way/secret.txt", "%252e%252e%252fsecret.txt", "..%c0%afsecret.txt", "%2Fetc%2Fpasswd",
    "%2F%2Fetc%2Fpasswd", "C%3A%5Csecret.txt", "C%3Asecret.txt", "%5C%5Chost%5Cshare%5Csecret.txt",
    "%5C%5C%3F%5CC%3A%5Csecret.txt", "secret.txt%00.png", "%00", "con", "CON.png", "nul", "aux.txt",
    "com1", "lpt9.png", "file%3A%2F%2F%2Fetc%2Fpasswd",
]  # fmt: skip
"""Names that lead out of a folder, or to a device. `way` is a link to the folder with the secret."""
READING = [
    "/api/v1/files/output?name={}", "/api/v1/files/{}?name=a.png", "/api/v1/assets/output/{}",
    "/api/v1/assets/output/{}/thumbnail", "/api/v1/assets/{}/a.png", "/api/v1/workflows/{}",
    "/api/v1/workflows/{}/versions", "/api/v1/workflows/a?version={}", "/api/v1/templates/{}",
    "/api/v1/templates/{}/picture",
    "/api/v1/models/files/checkpoints/{}", "/api/v1/models/files/checkpoints/{}/preview",
    "/api/v1/models/files/{}/a", "/view?filename={}&type=output",
    "/view?filename=secret.txt&subfolder={}&type=output",
    "/view?filename={}&type=input&preview=webp", "/userdata/{}", "/api/userdata/{}",
    "/userdata?dir={}", "/v2/userdata?path={}", "/view_metadata/checkpoints?filename={}",
    "/experiment/models/preview/checkpoints/0/{}", "/extensions/pack/{}", "/extensions/{}/x.js",
    "/api/workflow_templates/pack/{}", "/internal/files/{}", "/models/{}",
]  # fmt: skip
SECRET = "the secret of this test"


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    """A home inside a folder with a secret; links in it lead out."""
    home = tmp_path / "home"
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "secret.txt.json").write_text(f'"{SECRET}"')
    folders = [
        "output",
        "input",
        "user/default",
        "user/default/workflows",
        "models/checkpoints",
        "custom_nodes/pack/web",
    ]
    for folder in folders:
        (home / folder).mkdir(parents=True, exist_ok=True)
        (home / folder / "way").symlink_to(tmp_path)
        (home / folder / "a.png").write_bytes(b"x")
    (home / "custom_nodes" / "pack" / "__init__.py").write_text('WEB_DIRECTORY = "web"\n')
    (home / "secret.txt").write_text(SECRET)
    return home


def test_no_route_that_reads_files_leads_out_of_its_folder(traps: Path) -> None:
    whole = Whole()

    async def story() -> None:
        async with served(traps, whole.services, worker_command=NO_WORKER) as server:
            for place in READING:
                for name in CLIMBING:
                    url = URL(server.url + place.format(name), encoded=True)
                    async with server.session.get(url) as reply:
                        assert SECRET not in await reply.text(errors="replace"), (place, name)
                        assert reply.status < 500, (place, name, reply.status)

    run(story(), 60)


def test_no_route_that_writes_files_leads_out_of_its_folder(traps: Path) -> None:
    whole = Whole()
    outside = [traps.parent, *(path for path in [traps, traps / "user"])]

    def seen() -> list[tuple[str, bytes]]:
        files = (path for folder in outside for path in folder.iterdir() if path.is_file())
        return sorted(
            (str(path), path.read_bytes())
            for path in files
            if not path.name.startswith(("jobs.sqlite", "server.lock"))
        )

    async def story() -> None:
        async with served(traps, whole.services, worker_command=NO_WORKER) as server:
            before = seen()
            for name in CLIMBING:
                for method, place in WRITING:
                    url = URL(server.url + place.format(name), encoded=True)
                    async with server.session.request(method, url, json=document({})) as reply:
                        assert reply.status < 500, (method, place, name, reply.status, await reply.text())
                for path in ("/upload/image", "/upload/mask", "/api/v1/assets"):
                    await uploaded(server, path, name)
            assert seen() == before

    run(story(), 60)


WRITING = [
    ("PUT", "/api/v1/workflows/{}"),
    ("DELETE", "/api/v1/workflows/{}"),
    ("POST", "/api/v1/workflows/{}/rename"),
    ("POST", "/api/v1/plugins/{}/enable"),
    ("POST", "/api/v1/plugins/{}/disable"),
    ("POST", "/api/v1/assets?name={}"),
    ("POST", "/api/v1/assets?name=x&folder={}"),
    ("DELETE", "/api/v1/assets/output/{}"),
    ("POST", "/userdata/{}"),
    ("DELETE", "/userdata/{}"),
    ("POST", "/userdata/a.png/move/{}"),
    ("POST", "/userdata/{}/move/x"),
    ("POST", "/settings/{}"),
]


async def uploaded(server: Served, path: str, name: str) -> None:
    plain = URL(f"http://x/?n={name}", encoded=True).query.get("n", "x").replace("\0", "")
    form = FormData(default_to_multipart=True)
    form.add_field("image", b"x", filename=plain or "x")
    form.add_field("subfolder", plain)
    form.add_field("original_ref", f'{{"filename": "{name}", "type": "output"}}')
    async with server.session.post(server.url + path, data=form) as reply:
        assert reply.status < 500, (path, name, reply.status)


def test_pages_that_users_made_are_never_run_by_a_browser(tmp_path: Path) -> None:
    whole = Whole()
    for folder in ("output", "user/default"):
        (tmp_path / folder).mkdir(parents=True)
        for ending in ("html", "svg", "js", "xhtml", "htm", "mhtml", "xml"):
            (tmp_path / folder / f"page.{ending}").write_text("<script>alert(1)</script>")

    async def story() -> None:
        async with served(tmp_path, whole.services, worker_command=NO_WORKER) as server:
            for ending in ("html", "svg", "js", "xhtml", "htm", "mhtml", "xml"):
                for place in ("/api/v1/files/output?name={}", "/view?filename={}", "/userdata/{}"):
                    async with server.session.get(server.url + place.format(f"page.{ending}")) as reply:
                        assert reply.status == 200
                        assert reply.headers["X-Content-Type-Options"] == "nosniff"
                        kept_apart = reply.headers["Content-Security-Policy"]
                        assert "sandbox" in kept_apart or "default-src 'none'" in kept_apart, (place, ending)
                        assert reply.content_type not in (
                            "text/html",
                            "application/xhtml+xml",
                            "text/javascript",
                        )

    run(story())


def test_a_server_that_others_can_reach_lets_nobody_in_without_a_token(tmp_path: Path) -> None:
    from dataclasses import replace

    from host.cli.serve import _with_tokens as with_tokens  # pyright: ignore[reportPrivateUsage]
    from host.server.settings import Settings

    near = Settings(tmp_path)
    far = replace(near, listen=("0.0.0.0",))
    assert not with_tokens(near, []).tokens
    made = with_tokens(far, []).tokens
    assert list(made.values()) == ["admin"] and all(len(token) >= 32 for token in made)
    assert not with_tokens(replace(far, insecure=True), []).tokens
    assert with_tokens(far, ["viewer:a", "b"]).tokens == {"a": "viewer", "b": "admin"}


def test_a_socket_needs_a_token_too(tmp_path: Path) -> None:
    whole = Whole()

    async def story() -> None:
        async with served(tmp_path, whole.services, tokens=TOKENS, worker_command=NO_WORKER) as server:
            for path in ("/ws", "/api/v1/events/socket"):
                with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
                    await server.session.ws_connect(server.url + path)
                async with server.session.ws_connect(f"{server.url}{path}?token=hidden-viewer") as socket:
                    assert not socket.closed
            await asyncio.sleep(0)

    run(story())
