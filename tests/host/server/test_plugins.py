"""What the server tells of plugins without running them, and their files for browsers."""

from pathlib import Path

from host.plugins.packs import Loaded, Pack
from host.plugins.remembered import write_loaded
from tests.host.serving import Served, run, served


def plugin(root: Path, name: str, toml: str) -> Path:
    folder = root / name
    (folder / "web").mkdir(parents=True)
    (folder / "plugin.toml").write_text(toml)
    (folder / "web" / "dial.js").write_text("export default 1;")
    (folder / "web" / "page.html").write_text("<script>alert(1)</script>")
    (folder / "secret.py").write_text("raise ValueError('run in the server')")
    return folder


def test_every_plugin_is_told_with_what_became_of_it(tmp_path: Path) -> None:
    root = tmp_path / "custom_nodes"
    good = plugin(root, "good", "name = 'good'\nversion = '1.5'\ncapabilities = ['network']")
    plugin(root, "off.disabled", "name = 'off'")
    plugin(root, "new", "name = 'new'")
    bad = plugin(root, "bad", "name = 'bad'")
    packs = [
        Pack("good", str(good), "loaded", nodes=("A",), kind="native", version="1.5", notes=("Mind this.",)),
        Pack("bad", str(bad), "failed", message="No luck.", trace="Traceback", kind="native"),
        Pack("gone", str(root / "gone"), "loaded", nodes=("B",)),
    ]
    write_loaded(tmp_path / "cache", Loaded(packs))

    async def story() -> None:
        async with served(tmp_path) as server:
            told = await server.ask("GET", "/api/v1/plugins", status=200)
        found = {item["name"]: item for item in told["plugins"]}
        states = {name: item["state"] for name, item in found.items()}
        assert states == {"good": "loaded", "bad": "failed", "off": "disabled", "new": "waiting"}
        assert found["good"]["nodes"] == ["A"] and found["good"]["notes"] == ["Mind this."]
        assert found["bad"]["message"] == "No luck." and found["bad"]["trace"] == "Traceback"
        assert told["clashes"] == []

    run(story())


async def got(server: Served, path: str, **headers: str) -> tuple[int, str, str]:
    async with server.session.get(server.url + path, headers=headers) as reply:
        return reply.status, reply.headers.get("Content-Type", ""), reply.headers.get("ETag", "")


def test_files_in_a_plugins_web_folder_are_served_with_our_types_and_nothing_else_is(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "custom_nodes", "good", "name = 'good'")
    (tmp_path / "custom_nodes" / "good" / "web" / "out.js").symlink_to(folder / "secret.py")
    packs = [
        Pack("good", str(folder), "loaded", web=str(folder / "web"), kind="native"),
        Pack("bad", str(folder), "failed", web=str(folder / "web"), kind="native"),
    ]
    write_loaded(tmp_path / "cache", Loaded(packs))

    async def story() -> None:
        async with served(tmp_path) as server:
            status, kind, tag = await got(server, "/plugins/good/dial.js")
            assert status == 200 and kind.startswith("text/javascript") and tag
            assert (await got(server, "/plugins/good/dial.js", **{"If-None-Match": tag}))[0] == 304
            assert (await got(server, "/plugins/good/page.html"))[1] == "application/octet-stream"
            for path in (
                "good/../secret.py",
                "good/..%2Fsecret.py",
                "good/out.js",
                "bad/dial.js",
                "x/dial.js",
            ):
                assert (await got(server, f"/plugins/{path}"))[0] == 404, path

    run(story())
