"""Users, settings and users' own files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compat.server.site import Site, site_at


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Site]:
    with site_at(tmp_path, multi_user=True) as site:
        yield site


def put(site: Site, name: str, data: bytes = b"{}", query: str = "") -> Any:
    return site.post(f"/userdata/{name}{query}", data)


# Users


def test_with_one_user_it_is_told_whether_there_are_files(site: Site) -> None:
    assert site.get("/users").json == {"storage": "server", "migrated": False}
    site.post("/settings/a", 1)
    assert site.get("/users").json == {"storage": "server", "migrated": True}
    assert site.get("/settings", headers={"comfy-user": ""}).json == {"a": 1}


def test_several_users_have_files_of_their_own(many: Site) -> None:
    assert many.get("/users").json == {"storage": "server", "users": {}}
    anna = many.post("/users", {"username": "Anna / ../x"}).json
    assert many.get("/users").json["users"] == {anna: "Anna / ../x"}
    assert anna.startswith("Annax_")
    again = many.post("/users", {"username": "Anna / ../x"})
    assert (again.status, again.json) == (400, {"error": "Duplicate username."})
    assert many.post("/users", {}).status == 400
    many.post("/settings/a", 1, headers={"comfy-user": anna})
    assert many.get("/settings/a", headers={"comfy-user": anna}).json == 1
    assert (many.home / "user" / anna / "comfy.settings.json").is_file()


@pytest.mark.parametrize("user", [None, "nobody", "../..", "/etc"])
def test_an_unknown_user_is_refused(many: Site, user: str | None) -> None:
    headers = {"comfy-user": user} if user else {}
    assert many.get("/settings", headers=headers).status == 401
    assert many.post("/settings/a", 1, headers=headers).status == 401
    assert many.get("/v2/userdata", headers=headers).status == 403
    assert many.get("/userdata/a", headers=headers).status == 401


# Settings


def test_settings_are_merged_and_each_may_be_any_value(site: Site) -> None:
    assert site.get("/settings").json == {}
    assert site.get("/settings/none").json is None
    site.post("/settings", {"a": 1, "b": 2})
    site.post("/settings", {"b": [3]})
    for value in ("text", None, 4.5, {"x": []}):
        assert site.post("/settings/c", value).body == b""
        assert site.get("/settings/c").json == value
    assert site.get("/settings").json == {"a": 1, "b": [3], "c": {"x": []}}
    assert site.post("/settings", [1]).status == 500


def test_a_settings_id_may_hold_a_slash(site: Site) -> None:
    site.post("/settings/Comfy%2FThing", True)
    assert site.get("/settings/Comfy%2FThing").json is True
    assert site.get("/settings").json == {"Comfy/Thing": True}


def test_damaged_settings_count_as_none(site: Site) -> None:
    folder = site.home / "user" / "default"
    folder.mkdir(parents=True)
    for text in ("{", "[]", ""):
        (folder / "comfy.settings.json").write_text(text)
        assert site.get("/settings").json == {}


# Files


def test_a_file_is_written_read_and_removed(site: Site) -> None:
    assert put(site, "workflows%2Fa%20b.json", b'{"a": 1}').json == "workflows/a b.json"
    assert site.get("/userdata/workflows%2Fa%20b.json").body == b'{"a": 1}'
    assert site.ask("DELETE", "/userdata/workflows%2Fa%20b.json").status == 204
    assert site.ask("DELETE", "/userdata/workflows%2Fa%20b.json").status == 404
    assert site.get("/userdata/workflows%2Fa%20b.json").status == 404


def test_writing_may_spare_what_is_there_and_tell_more(site: Site) -> None:
    put(site, "a.json", b"1")
    reply = put(site, "a.json", b"2", "?overwrite=false")
    assert (reply.status, reply.text) == (409, "File already exists")
    facts = put(site, "a.json", b"22", "?overwrite=true&full_info=true").json
    assert (facts["path"], facts["size"]) == ("a.json", 2)
    assert facts["modified"] > 10**12 and facts["created"] > 10**12


def test_a_file_is_moved_unless_another_has_the_name(site: Site) -> None:
    put(site, "a.json", b"1")
    put(site, "b.json", b"2")
    assert site.post("/userdata/a.json/move/b.json?overwrite=false").status == 409
    assert site.post("/userdata/none/move/c.json").status == 404
    assert site.post("/userdata/a.json/move/deep%2Fc.json?full_info=true").json["path"] == "deep/c.json"
    assert site.post("/userdata/deep%2Fc.json/move/b.json").json == "b.json"
    assert site.get("/userdata/b.json").body == b"1"


@pytest.mark.parametrize("name", ["..%2Fx", "%2Fetc%2Fpasswd", "..%5Cx", "a%2F..%2F..%2Fx", "%00"])
def test_escapes_are_403(site: Site, name: str) -> None:
    put(site, "a.json")
    assert put(site, name).status == 403
    assert site.get(f"/userdata/{name}").status == 403
    assert site.ask("DELETE", f"/userdata/{name}").status == 403
    assert site.post(f"/userdata/a.json/move/{name}").status == 403


def test_a_name_where_a_folder_stands_is_no_crash(site: Site) -> None:
    put(site, "a%2Fb.json")
    assert put(site, "a").status == 400
    assert put(site, "a%2Fb.json%2Fc").status == 400
    assert site.post("/userdata/a%2Fb.json/move/a").status == 400


def test_folders_are_listed_in_every_form(site: Site) -> None:
    put(site, "workflows%2Fa.json", b"1")
    put(site, "workflows%2Fsub%2Fb.json", b"22")
    put(site, "workflows%2F.index.json", b"{}")
    assert site.get("/userdata?dir=workflows").json == ["a.json"]
    assert site.get("/userdata?dir=workflows&recurse=true").json == ["a.json", "sub/b.json"]
    assert site.get("/userdata?dir=workflows&recurse=true&split=true").json == [
        ["a.json", "a.json"],
        ["sub/b.json", "sub", "b.json"],
    ]
    full = site.get("/userdata?dir=workflows&recurse=true&full_info=true&split=true").json
    assert [(entry["path"], entry["size"]) for entry in full] == [("a.json", 1), ("sub/b.json", 2)]
    assert set(full[0]) == {"path", "size", "modified", "created"}


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("", 400, "Directory not provided"),
        ("?dir=", 400, "Directory not provided"),
        ("?dir=..", 403, "Invalid directory"),
        ("?dir=workflows", 404, "Directory not found"),
        ("?dir=subgraphs%2F", 404, "Directory not found"),
    ],
)
def test_a_folder_that_cannot_be_listed_is_told_as_text(
    site: Site, query: str, status: int, text: str
) -> None:
    reply = site.get(f"/userdata{query}")
    assert (reply.status, reply.text) == (status, text)


def test_everything_below_a_folder_is_listed_folders_first(site: Site) -> None:
    put(site, "workflows%2Fa.json", b"1")
    put(site, "b.txt", b"22")
    listed = site.get("/v2/userdata").json
    assert [(entry["name"], entry["path"], entry["type"]) for entry in listed] == [
        ("workflows", "workflows", "directory"),
        ("a.json", "workflows/a.json", "file"),
        ("b.txt", "b.txt", "file"),
    ]
    assert listed[1]["size"] == 1 and "modified" in listed[1]
    assert [entry["path"] for entry in site.get("/v2/userdata?path=workflows").json] == ["workflows/a.json"]
    assert site.get("/v2/userdata?path=none").status == 404
    assert site.get("/v2/userdata?path=..").status == 400


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from host.atomic import write_atomically

    write_atomically(tmp_path / "a.json", b"old")

    def fail(_file: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_workflow_that_is_saved_is_read_back_as_it_was(site: Site) -> None:
    text = json.dumps({"nodes": ["ü", "\u2028", 1.0]}).encode()
    put(site, "workflows%2Fü.json".replace("ü", "%C3%BC"), text)
    assert site.get("/userdata/workflows%2F%C3%BC.json").body == text
