"""What packs do to their host, over a whole server: it goes on, the others are there, the cause is named."""

import time
from pathlib import Path

from tests.compat.plugins.test_web import history
from tests.compat.plugins.whole import packs_site, wait_for_worker, write_pack
from tests.compat.server.site import Json, Site

SEGFAULT = "import ctypes; ctypes.string_at(0)"
BROKEN = {
    3: "raise ValueError('no')",
    17: "import sys; sys.exit(1)",
    31: "this is no python",
    44: SEGFAULT,
}


def node(name: str, body: str = "pass", before: str = "") -> str:
    return f"""
{before}
class {name}:
    @classmethod
    def INPUT_TYPES(cls):
        return {{"required": {{"x": ("INT", {{"default": 1}})}}}}
    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True
    def run(self, x):
        {body}
        return {{"ui": {{"text": [str(x)]}}}}
NODE_CLASS_MAPPINGS = {{"{name}": {name}}}
"""


def packs_nodes(site: Site) -> set[str]:
    infos = site.get("/object_info").json
    return {name for name, info in infos.items() if info["python_module"].startswith("custom_nodes.")}


def reports(site: Site) -> dict[str, Json]:
    return {item["name"]: item for item in site.get("/api/v1/plugins").json["plugins"]}


def prompt(name: str) -> Json:
    return {"1": {"class_type": name, "inputs": {"x": 5}}}


def test_sixty_packs_some_broken_neither_delay_the_first_answer_nor_hide_each_other(tmp_path: Path) -> None:
    for number in range(60):
        slow = "import time; time.sleep(2)" if number == 0 else ""
        write_pack(tmp_path, f"pack{number:02}", node(f"N{number}", before=BROKEN.get(number, slow)))
    with packs_site(tmp_path) as site:
        assert site.get("/system_stats").status == 200
        assert packs_nodes(site) == set()  # it answered before any pack was loaded
        whole = {f"N{number}" for number in range(60) if number not in BROKEN}
        end = time.monotonic() + 100
        while packs_nodes(site) != whole and time.monotonic() < end:
            site.wait(0.2)
        assert packs_nodes(site) == whole
        wait_for_worker(site)
        told = reports(site)
        assert {name for name, item in told.items() if item["state"] != "loaded"} == {
            f"pack{number:02}" for number in BROKEN
        }
        id = site.queued(prompt("N59"))
        assert history(site, id)["outputs"]["1"] == {"text": ["5"]}


def test_a_node_that_kills_the_worker_fails_its_job_by_name_and_the_queue_goes_on(tmp_path: Path) -> None:
    write_pack(tmp_path, "deadly", node("Deadly", SEGFAULT))
    write_pack(tmp_path, "good", node("Good"))
    with packs_site(tmp_path) as site:
        wait_for_worker(site)
        deadly, good = site.queued(prompt("Deadly")), site.queued(prompt("Good"))
        assert history(site, good)["outputs"]["1"] == {"text": ["5"]}
        assert history(site, deadly)["status"]["status_str"] == "error"
        failed = site.get(f"/api/v1/jobs/{deadly}").json
        assert failed["state"] == "failed" and "SIGSEGV" in failed["error"]["message"]
        assert failed["error"]["node"] == "1"
