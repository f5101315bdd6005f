"""Who may ask what, and what every reply carries."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from host.cli.serve import spelled_out
from host.server.app import OUR_ROUTES
from host.server.jobs_json import job_json
from host.server.openapi import openapi
from host.server.security import COOKIE, ROLES
from host.server.serving import CannotServe, empty_temp, server_folders, sole_use
from host.server.settings import Settings, is_loopback
from host.services import Services
from tests.host.serving import FORMATS, Served, Shared, run, served, settings_for, shown, toy_types

TOKENS = {f"secret-{role}": role for role in ROLES}


async def status(server: Served, method: str, path: str, token: str = "", **more: Any) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with server.session.request(method, server.url + path, headers=headers, **more) as reply:
        return reply.status


def test_each_role_may_do_what_it_may_and_no_more(tmp_path: Path) -> None:
    def extra(app: web.Application) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.Response()

        app.router.add_post("/prompt", answer)
        app.router.add_post("/userdata/x", answer)
        app.router.add_get("/queue", answer)

    async def story() -> None:
        services = Services(lambda: FORMATS, toy_types, extra)
        async with served(tmp_path, services, tokens=TOKENS, worker_command=("/bin/false",)) as server:
            asked = {
                ("GET", "/api/v1/jobs"): "viewer",
                ("GET", "/metrics"): "viewer",
                ("POST", "/api/v1/system/free"): "runner",
                ("POST", "/api/v1/queue/clear"): "editor",
                ("GET", "/queue"): "viewer",
                ("POST", "/prompt"): "runner",
                ("POST", "/userdata/x"): "editor",
            }
            for (method, path), needed in asked.items():
                assert await status(server, method, path) == 401
                assert await status(server, method, path, "secret-nobody") == 401
                for role in ROLES:
                    may = ROLES.index(role) >= ROLES.index(needed)
                    found = await status(server, method, path, f"secret-{role}")
                    assert (found == 403) is not may, (method, path, role)
            assert await status(server, "GET", "/healthz") == 200
            async with server.session.get(f"{server.url}/api/v1/jobs?token=secret-viewer") as reply:
                kept = reply.cookies[COOKIE]
            assert (kept.value, kept["httponly"], kept["samesite"]) == ("secret-viewer", True, "Strict")
            headers = {"Cookie": f"{COOKIE}={kept.value}"}
            async with server.session.get(f"{server.url}/api/v1/jobs", headers=headers) as reply:
                assert reply.status == 200

    run(story())


def test_other_sites_and_names_made_up_for_this_machine_are_refused(shared: Shared) -> None:
    async def story(server: Served) -> None:
        port = server.url.rpartition(":")[2]
        refused = [
            {"Host": "evil.example"},
            {"Host": f"evil.example:{port}"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Host": f"localhost:{port}", "Origin": f"http://127.0.0.1:{port}"},
        ]
        for headers in refused:
            async with server.session.get(f"{server.url}/api/v1/jobs", headers=headers) as reply:
                assert reply.status == 403, headers
        for headers in ({"Host": "localhost"}, {"Origin": server.url}, {"Host": "[::1]:80"}):
            async with server.session.get(f"{server.url}/api/v1/jobs", headers=headers) as reply:
                assert reply.status == 200, headers
                assert reply.headers["X-Content-Type-Options"] == "nosniff"
                assert "default-src 'none'" in reply.headers["Content-Security-Policy"]

    shared.run(story)


def test_files_are_served_from_their_folders_only(shared: Shared) -> None:
    home = shared.home
    (home / "output" / "sub").mkdir(parents=True)
    (home / "output" / "sub" / "a b.png").write_bytes(b"picture")
    (home / "output" / "page.html").write_text("<script>")
    (home / "secret.txt").write_text("secret")
    (home / "output" / "way").symlink_to(home)

    async def story(server: Served) -> None:
        url = f"{server.url}/api/v1/files/"
        async with server.session.get(f"{url}output?name=sub%2Fa%20b.png") as reply:
            assert (reply.status, reply.content_type, await reply.read()) == (200, "image/png", b"picture")
        async with server.session.get(f"{url}output?name=page.html") as reply:
            assert reply.content_type == "application/octet-stream"
            assert reply.headers["Content-Disposition"].startswith("attachment")
        names = [
            "../secret.txt",
            "way/secret.txt",
            str(home / "secret.txt"),
            "..\\secret.txt",
            "a\0",
            "",
            ".",
        ]
        names += ["%2e%2e/secret.txt", "sub/../../secret.txt", "C:\\secret.txt", "con", "x" * 5000]
        for name in names:
            async with server.session.get(f"{url}output", params={"name": name}) as reply:
                assert reply.status in (400, 404), name
        async with server.session.get(f"{url}models?name=a") as reply:
            assert reply.status == 404

    shared.run(story)


def test_a_body_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, largest_upload=1000, worker_command=("/bin/false",)) as server:
            await server.post(shown(1, tag="x" * 2000), status=413)

    run(story())


def test_our_api_describes_itself_and_its_replies_fit(shared: Shared) -> None:
    async def story(server: Served) -> None:
        told = await server.ask("GET", "/api/v1/openapi.json", status=200)
        assert told == json.loads(json.dumps(openapi(OUR_ROUTES)))
        assert told["openapi"].startswith("3.1")
        paths = told["paths"]
        assert {(route.method.lower(), route.full_path) for route in OUR_ROUTES} == {
            (method, path) for path, methods in paths.items() for method in methods
        }
        text = json.dumps(told)
        for reference in set(text.split('"#/components/schemas/')[1:]):
            assert reference.partition('"')[0] in told["components"]["schemas"]
        job = await server.run(shown(5))
        found = await server.board.get(job["id"])
        assert found is not None
        shape = told["components"]["schemas"]["JobShape"]
        assert set(shape["required"]) == set(job_json(found))

    shared.run(story)


def test_health_readiness_metrics_and_system_tell_how_it_is(shared: Shared) -> None:
    async def story(server: Served) -> None:
        await server.run(shown(77))
        assert (await server.ask("GET", "/readyz", status=200))["ok"]
        system = await server.ask("GET", "/api/v1/system", status=200)
        assert system["workers"][0]["state"] == "idle"
        assert system["workers"][0]["cache"]["entries"] > 0
        assert system["jobs"] == {"done": 1}
        async with server.session.get(f"{server.url}/metrics") as reply:
            lines = (await reply.text()).splitlines()
        assert 'darkroom_worker_state{worker="0",device="cpu",state="idle"} 1' in lines
        assert any(line.startswith('darkroom_jobs_ended_total{state="done"}') for line in lines)
        await server.ask("POST", "/api/v1/system/free", {"free_memory": True}, 202)
        again = await server.run(shown(77))
        verdicts = {timing["verdict"] for timing in again["nodes"]}
        assert "ran" in verdicts and "cached" not in verdicts, "freed memory holds no result"

    shared.run(story)


def test_options_that_may_stand_alone_mean_what_they_mean_in_comfyui() -> None:
    assert spelled_out(["serve", "--listen", "--port", "1"]) == [
        "serve",
        "--listen",
        "0.0.0.0,::",
        "--port",
        "1",
    ]
    assert spelled_out(["serve", "--listen", "10.0.0.1"]) == ["serve", "--listen", "10.0.0.1"]
    assert spelled_out(["serve", "--enable-cors-header"])[-1] == "*"


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("evil.localhost.com", False),
    ],
)
def test_this_machine_is_told_from_others(name: str, local: bool) -> None:
    assert is_loopback(name) is local
    assert Settings(Path(), listen=("127.0.0.1", name)).is_local is local


def test_temp_is_emptied_and_links_out_of_it_are_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("x")
    settings = settings_for(tmp_path, temp=tmp_path / "temp", models=tmp_path / "m")
    folders = server_folders(settings)
    assert folders.places["checkpoints"][0] == tmp_path / "m" / "checkpoints"
    folders.folder("temp").joinpath("sub").mkdir()
    (tmp_path / "temp" / "way").symlink_to(tmp_path)
    (tmp_path / "temp" / "a.png").write_text("x")
    empty_temp(folders)
    assert list((tmp_path / "temp").iterdir()) == []
    assert kept.exists()


def test_a_folder_of_jobs_is_used_by_one_server_only(tmp_path: Path) -> None:
    with sole_use(tmp_path), pytest.raises(CannotServe, match="Another server"), sole_use(tmp_path):
        pass
    with sole_use(tmp_path):
        pass
