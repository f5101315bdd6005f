"""What a client learns of the server: node types, machine, plugins' files, the log, the front end."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compat.server.front_end import NoFrontEnd, installed_front_end
from compat.server.packs import installed_folder
from tests.compat.server.site import CORE, Site, site_at
from tests.compat.toys import REFERENCE

ROOT = Path(__file__).parents[3]


# Node types


def test_all_node_types_are_told_and_one_at_a_time(site: Site) -> None:
    infos = site.get("/object_info").json
    assert set(infos) == {"Blank", "Invert", "Save", "Anything", "Checked"}
    assert site.get("/object_info/Save").json == {"Save": infos["Save"]}
    unknown = site.get("/object_info/Nope")
    assert (unknown.status, unknown.json) == (200, {})


def test_a_new_file_shows_in_the_choices(tmp_path: Path) -> None:
    with site_at(tmp_path, CORE) as site:

        def names() -> list[str]:
            return site.get("/object_info").json["LoadImage"]["input"]["required"]["image"][0]

        assert names() == []
        (tmp_path / "input").mkdir()
        (tmp_path / "input" / "new.png").write_bytes(b"x")
        assert names() == ["new.png"]
        assert site.get("/object_info/LoadImage").json["LoadImage"]["input"]["required"]["image"][0] == [
            "new.png"
        ]


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference folder is not there")
def test_every_standard_node_has_the_keys_clients_expect(tmp_path: Path) -> None:
    with site_at(tmp_path, CORE) as site:
        infos = site.get("/object_info").json
    keys = {"input", "input_order", "output", "output_is_list", "output_name", "name", "display_name",
            "description", "python_module", "category", "output_node"}  # fmt: skip
    assert all(keys <= set(info) for info in infos.values())
    assert all(isinstance(info["display_name"], str) for info in infos.values())


# The machine


def test_the_machine_is_told_with_versions_memory_and_devices(site: Site) -> None:
    stats = site.get("/system_stats").json
    assert set(stats["system"]) == {
        "os", "ram_total", "ram_free", "comfyui_version", "required_frontend_version",
        "installed_templates_version", "required_templates_version", "python_version",
        "pytorch_version", "embedded_python", "argv",
    }  # fmt: skip
    assert stats["system"]["os"] == os.name and stats["system"]["ram_total"] > 2**28
    assert stats["system"]["pytorch_version"].startswith("2.")
    (device,) = stats["devices"]
    assert (device["name"], device["type"], device["index"]) == ("cpu", "cpu", None)
    assert device["vram_total"] == device["torch_vram_total"] == stats["system"]["ram_total"]


def test_the_devices_are_those_of_the_workers(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from host.jobs.model import WorkerState

    sizes = {"vram_total": 4, "vram_free": 3, "torch_vram_total": 2, "torch_vram_free": 1}
    facts = {"name": "cuda:0 GPU", "type": "cuda", "index": 0, **sizes, "pytorch_version": "x"}
    monkeypatch.setattr(site.jobs, "workers", lambda: (WorkerState("cuda:0", "idle", facts=facts),))
    assert site.get("/system_stats").json["devices"] == [
        {"name": "cuda:0 GPU", "type": "cuda", "index": 0, **sizes}
    ]


def test_the_routes_import_neither_torch_nor_pillow() -> None:
    code = "import sys, compat.server.routes; print(sys.modules.keys() & {'torch', 'PIL', 'diffusers'})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# Plugins' files


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    pack = tmp_path / "custom_nodes" / "my pack"
    for name, text in {
        "__init__.py": 'raise RuntimeError("never run")\nWEB_DIRECTORY = "./js"\n',
        "js/a.js": "export {}",
        "js/deep/b.js": "export {}",
        "js/c.css": "x",
        "locales/en/main.json": '{"settings": {"a": {"name": "A"}}, "x": 1}',
        "locales/en/settings.json": '{"b": {"name": "B"}}',
        "locales/de/nodeDefs.json": '{"Node": {"display_name": "Knoten"}}',
        "locales/fr/main.json": "{broken",
        "example_workflows/one.json": "{}",
        "example_workflows/one.jpg": "x",
        "examples/two.json": "{}",
    }.items():
        (pack / name).parent.mkdir(parents=True, exist_ok=True)
        (pack / name).write_text(text)
    for other in ("off.disabled", "outside", "broken"):
        (tmp_path / "custom_nodes" / other).mkdir()
    (tmp_path / "custom_nodes" / "off.disabled" / "__init__.py").write_text('WEB_DIRECTORY = "."')
    (tmp_path / "custom_nodes" / "outside" / "__init__.py").write_text('WEB_DIRECTORY = "../../.."')
    (tmp_path / "custom_nodes" / "broken" / "__init__.py").write_text("def (:")
    return tmp_path


def test_plugins_scripts_are_listed_and_served_without_running_any_code(packed: Path) -> None:
    with site_at(packed) as site:
        assert site.get("/extensions").json == [
            "/extensions/my%20pack/a.js",
            "/extensions/my%20pack/deep/b.js",
        ]
        reply = site.get("/extensions/my%20pack/a.js")
        assert reply.body == b"export {}" and reply.headers["Content-Type"].endswith("/javascript")
        assert site.get("/extensions/off.disabled/__init__.py").status == 404
        assert site.get("/extensions/my%20pack/__init__.py").status == 404


def test_plugins_translations_are_merged_by_language(packed: Path) -> None:
    with site_at(packed) as site:
        texts = site.get("/i18n").json
    assert texts["en"] == {"settings": {"a": {"name": "A"}, "b": {"name": "B"}}, "x": 1}
    assert texts["de"] == {"nodeDefs": {"Node": {"display_name": "Knoten"}}}


def test_plugins_examples_are_listed_and_served(packed: Path) -> None:
    with site_at(packed) as site:
        assert site.get("/workflow_templates").json == {"my pack": ["one", "two"]}
        assert site.get("/api/workflow_templates/my%20pack/one.json").json == {}
        assert site.get("/api/workflow_templates/my%20pack/one.jpg").status == 200
        assert site.get("/api/workflow_templates/my%20pack/none.json").status == 404


def test_without_plugins_the_lists_are_empty(site: Site) -> None:
    assert [site.get(path).json for path in ("/extensions", "/i18n", "/workflow_templates")] == [[], {}, {}]


# The log


def test_the_log_is_read_whole_and_line_by_line(site: Site) -> None:
    logging.getLogger("darkroom").warning("a line for the log")
    entry = site.get("/internal/logs/raw").json["entries"][-1]
    assert entry["m"] == "a line for the log\n" and "T" in entry["t"]
    assert f"{entry['t']} - {entry['m']}" in site.get("/internal/logs").json
    assert set(site.get("/internal/logs/raw").json["size"]) == {"cols", "rows"}


def test_only_the_last_300_lines_are_kept(site: Site) -> None:
    for number in range(310):
        logging.getLogger("darkroom").warning("line %d", number)
    entries = site.get("/internal/logs/raw").json["entries"]
    assert len(entries) == 300 and entries[-1]["m"] == "line 309\n"


def test_a_client_may_follow_the_log_and_stop(site: Site) -> None:
    socket = site.socket("me")
    socket.hear()
    subscribe = {"clientId": "me", "enabled": True}
    reply = site.ask("PATCH", "/internal/logs/subscribe", data=json.dumps(subscribe))
    assert (reply.status, reply.body) == (200, b"")
    logging.getLogger("darkroom").warning("hello")
    told = socket.hear()
    assert told["type"] == "logs" and told["data"]["size"] is None
    assert [entry["m"] for entry in told["data"]["entries"]] == ["hello\n"]
    site.ask("PATCH", "/internal/logs/subscribe", data=json.dumps(subscribe | {"enabled": False}))
    logging.getLogger("darkroom").warning("again")
    assert socket.heard() == []


def test_folders_and_files_are_told_the_newest_first(site: Site) -> None:
    assert site.get("/internal/folder_paths").json["loras"] == [str(site.home / "models" / "loras")]
    (site.home / "output").mkdir()
    for age, name in enumerate(("old.png", "new.png")):
        (site.home / "output" / name).write_bytes(b"x")
        os.utime(site.home / "output" / name, (age, age))
    assert site.get("/internal/files/output").json == ["new.png", "old.png"]
    reply = site.get("/internal/files/models")
    assert (reply.status, reply.json) == (400, {"error": "Invalid directory type"})


# The front end


@pytest.fixture
def front_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package as the official front end's, found where Python finds packages."""
    for package, name, text in (
        ("comfyui_frontend_package", "static/index.html", "<html>front end</html>"),
        ("comfyui_frontend_package", "static/assets/a.js", "1"),
        ("comfyui_frontend_package", "static/extensions/core/x.js", "1"),
        ("comfyui_workflow_templates", "templates/index.json", "[]"),
    ):
        path = tmp_path / "packages" / package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (tmp_path / "packages" / package / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    return tmp_path


def test_the_official_front_end_is_served_from_its_package(front_end: Path) -> None:
    with site_at(front_end, frontend="comfyui") as site:
        assert site.get("/").text == "<html>front end</html>"
        assert site.get("/assets/a.js").headers["Content-Type"].endswith("/javascript")
        assert site.get("/templates/index.json").json == []
        assert site.get("/extensions/core/x.js").status == 200
        assert site.get("/extensions").json == ["/extensions/core/x.js"]
        for path in (
            "/../secret",
            "/%2e%2e/x",
            "/assets/..%2f..%2fx",
            "/assets",
            "/user.css",
            "/templates/no.json",
        ):
            assert site.get(path).status == 404, path
        assert site.get("/queue").status == 200


def test_loaders_that_the_front_end_needs_are_named_where_they_are_missing(front_end: Path) -> None:
    with site_at(front_end, frontend="comfyui") as site:
        infos = site.get("/object_info").json
        assert infos["GLIGENLoader"]["deprecated"] is True and infos["VAELoader"]["output"] == ["VAE"]
        reply = site.prompt({"1": {"class_type": "GLIGENLoader", "inputs": {}}})
        assert reply.json["error"]["message"] == "Cannot execute because node GLIGENLoader does not exist."


def test_an_absent_front_end_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compat.server.front_end.installed_folder", lambda *_: [])
    with pytest.raises(NoFrontEnd, match="pip install comfyui-frontend-package"):
        installed_front_end()
    assert installed_folder("no_such_package_at_all", "static") == []
