from pathlib import Path

import pytest

from compat.server.conventions import is_cross_site
from compat.server.replies import read_json
from tests.compat.server.site import Site, picture_prompt, site_at

EVERYWHERE = [
    "/prompt", "/queue", "/history", "/object_info", "/models", "/embeddings", "/system_stats", "/features",
    "/extensions", "/users", "/settings", "/i18n", "/workflow_templates", "/experiment/models",
]  # fmt: skip


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_route_answers_at_its_path_and_under_api(site: Site, path: str) -> None:
    plain, under = site.get(path), site.get(f"/api{path}")
    assert (plain.status, plain.body) == (200, under.body)
    assert plain.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("path", EVERYWHERE)
def test_what_answers_get_answers_head(site: Site, path: str) -> None:
    reply = site.ask("HEAD", path)
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize("path", ["/prompt", "/no/such/path", "/userdata/a.json", "/api/queue"])
def test_options_of_any_path_is_200_with_no_body(site: Site, path: str) -> None:
    reply = site.ask("OPTIONS", path)
    assert (reply.status, reply.body) == (200, b"")


def test_wrong_methods_are_405_and_unknown_paths_404(site: Site) -> None:
    assert site.ask("DELETE", "/prompt").status == 405
    assert site.ask("DELETE", "/prompt").text == "405: Method Not Allowed"
    assert site.get("/no/such/path").status == 404
    assert site.get("/api/internal/logs").status == 404
    assert site.get("/manager/version").status == 404
    assert site.get("/user.css").status == 404


TYPES = [None, "application/octet-stream", "application/x-www-form-urlencoded", "text/plain;charset=UTF-8"]


@pytest.mark.parametrize("type", [*TYPES, "application/json"])
def test_json_is_read_whatever_the_content_type(site: Site, type: str | None) -> None:
    headers = {"Content-Type": type} if type else {}
    assert site.post("/prompt", {"prompt": picture_prompt()}, headers=headers).status == 200


BODIES = [
    "/prompt",
    "/queue",
    "/history",
    "/free",
    "/settings",
    "/settings/a",
    "/users",
    "/internal/logs/subscribe",
]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900])
def test_a_body_that_is_no_json_is_500_with_the_known_text(site: Site, path: str, body: bytes) -> None:
    reply = site.ask("PATCH" if "logs" in path else "POST", path, data=body)
    assert reply.status == 500
    assert reply.text == "500 Internal Server Error\n\nServer got itself in trouble"
    assert reply.headers["Content-Type"].startswith("text/plain")


def test_success_with_nothing_to_say_has_no_body(site: Site) -> None:
    for path, body in [
        ("/queue", {}),
        ("/history", {}),
        ("/free", {}),
        ("/settings", {}),
        ("/settings/a", 1),
    ]:
        reply = site.post(path, body)
        assert (reply.status, reply.body) == (200, b"")
    for body in (b"", b"broken", b"{}"):
        reply = site.post("/interrupt", body)
        assert (reply.status, reply.body) == (200, b"")
    assert site.post("/interrupt", b"[]").status == 500


def test_unknown_query_parameters_are_ignored(site: Site) -> None:
    assert site.get("/queue?clientId=abc&x=1").status == 200


def test_nan_counts_as_null_and_halves_of_characters_are_replaced() -> None:
    assert read_json(b'{"a": NaN, "b": "\\ud800x", "c": "\\ud83d\\ude00"}') == {
        "a": None,
        "b": "?x",
        "c": "😀",
    }


CROSS = [
    ("127.0.0.1:8188", "http://127.0.0.1:8188", False),
    ("localhost:8188", "http://evil.example", True),
    ("127.0.0.1:8188", "http://127.0.0.1:9999", True),
    ("127.0.0.1", "http://127.0.0.1:9999", False),
    ("[::1]:8188", "http://[::1]:8188", False),
    ("[::1]:8188", "http://localhost:8188", True),
    ("127.0.0.1:8188", "null", True),
    ("127.0.0.1:8188", "http://[", True),
    ("pictures.example", "http://evil.example", False),
    ("", "http://evil.example", False),
    ("localhost", "", False),
]


@pytest.mark.parametrize(("host", "origin", "refused"), CROSS)
def test_pages_of_other_sites_are_told_by_host_and_origin(host: str, origin: str, refused: bool) -> None:
    assert is_cross_site(host, origin) is refused


def test_a_page_of_another_site_gets_403_with_no_body(site: Site) -> None:
    reply = site.get("/queue", headers={"Origin": "http://evil.example"})
    assert (reply.status, reply.body) == (403, b"")


def test_with_an_origin_allowed_headers_are_sent_and_nothing_is_refused(tmp_path: Path) -> None:
    with site_at(tmp_path, cors_origin="https://a.example") as site:
        for path in ("/queue", "/no/such/path"):
            headers = site.get(path, headers={"Origin": "http://evil.example"}).headers
            assert headers["Access-Control-Allow-Origin"] == "https://a.example"
            assert headers["Access-Control-Allow-Methods"] == "POST, GET, DELETE, PUT, OPTIONS"
            assert headers["Access-Control-Allow-Headers"] == "Content-Type, Authorization"
            assert headers["Access-Control-Allow-Credentials"] == "true"


def test_caching_goes_by_the_path(tmp_path: Path) -> None:
    pack = tmp_path / "custom_nodes" / "pack"
    (pack / "web").mkdir(parents=True)
    (pack / "__init__.py").write_text('WEB_DIRECTORY = "./web"')
    for name in ("a.js", "a.css", "index.de.json", "a.png"):
        (pack / "web" / name).write_text("x")
    with site_at(tmp_path) as site:
        for name in ("a.js", "a.css", "index.de.json"):
            assert site.get(f"/extensions/pack/{name}").headers["Cache-Control"] == "no-cache"
        assert site.get("/extensions/pack/a.png").headers["Cache-Control"] == "public, max-age=86400"
        assert site.get("/extensions/pack/b.png").headers["Cache-Control"] == "public, max-age=3600"
        assert "Cache-Control" not in site.get("/view?filename=x.png").headers
        root = site.get("/").headers
        assert (root["Cache-Control"], root["Pragma"], root["Expires"]) == ("no-cache", "no-cache", "0")


def test_replies_are_compressed_only_when_that_was_chosen(site: Site, tmp_path: Path) -> None:
    headers = {"Accept-Encoding": "gzip"}
    assert "Content-Encoding" not in site.get("/object_info", headers=headers).headers
    with site_at(tmp_path, compress=True) as compressing:
        assert compressing.get("/object_info", headers=headers).headers["Content-Encoding"] == "gzip"


def test_a_body_over_the_upload_limit_is_refused(tmp_path: Path) -> None:
    with site_at(tmp_path, largest_upload=1000) as site:
        assert site.post("/prompt", b"x" * 2000).status == 413
        assert site.get("/features").json == {"supports_preview_metadata": True, "max_upload_size": 1000}
