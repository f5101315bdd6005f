"""What the server costs: its start, its memory, the time of a small prompt, prompts a second, many sockets.

.venv/bin/python benchmarks/server.py [start] [prompts] [sockets] [kills]

Without names, all but the kills: twenty times the worker is killed at a random moment of sampling, and the
picture must equal an undisturbed one. Exit code 1 when a goal is missed. Other work on the machine shows.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import statistics
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import psutil

ROOT = Path(__file__).resolve().parent.parent
STARTS = 5
PROMPTS = 200
SOCKETS = 1000
KILLS = 20
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; most: whether the goal is the most or the least there may be."""

    what: str
    value: float
    unit: str
    goal: float
    most: bool = True

    @property
    def is_met(self) -> bool:
        return self.value <= self.goal if self.most else self.value >= self.goal


@dataclass(frozen=True, slots=True)
class Client:
    """A server that runs, and a client of it."""

    url: str
    process: Process
    session: aiohttp.ClientSession

    async def get(self, path: str) -> Any:
        async with self.session.get(self.url + path) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json(content_type=None)

    async def post(self, path: str, body: Json) -> Any:
        async with self.session.post(self.url + path, json=body) as reply:
            assert reply.status < 300, await reply.text()
            return await reply.json()


@asynccontextmanager
async def server(home: Path, *options: str) -> AsyncGenerator[Client]:
    """`./darkroom serve` in an installation of its own, as soon as it listens."""
    environment = {**os.environ, "DARKROOM_HOME": str(home), "OMP_NUM_THREADS": "1"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "darkroom"), "serve", "--port", "0", "--cpu", *options),
        stdout=PIPE,
        stderr=DEVNULL,
        env=environment,
    )
    try:
        assert process.stdout
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            yield Client(line.rpartition(" ")[2].strip(), process, session)
    finally:
        process.terminate()
        await process.wait()


async def ready(client: Client) -> None:
    """Wait until a worker can take jobs."""
    while True:
        async with client.session.get(f"{client.url}/readyz") as reply:
            if reply.status == 200:
                return
        await asyncio.sleep(0.05)


def prompt(colour: int) -> Json:
    """A picture of 64×48 in three nodes, in the API format."""
    return {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": colour},
        },
        "2": {
            "class_type": "ImageScale",
            "inputs": {
                "image": ["1", 0],
                "upscale_method": "nearest-exact",
                "width": 32,
                "height": 24,
                "crop": "disabled",
            },
        },
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }


async def starts(home: Path) -> list[Row]:
    """From the command to the first answer; memory when nothing happens."""
    rows, memory = list[Row](), list[float]()
    for path in ("/api/system_stats", "/object_info"):
        took = list[float]()
        for _ in range(STARTS):
            began = time.perf_counter()
            async with server(home) as client:
                await client.get(path)
                took.append(time.perf_counter() - began)
                if path == "/object_info" and not memory:
                    await ready(client)
                    await asyncio.sleep(1.0)
                    memory.append(psutil.Process(client.process.pid).memory_info().rss / 2**20)
        rows.append(Row(f"start to {path}, median of {STARTS}", statistics.median(took), "s", 1.0))
    return [*rows, Row("memory of the idle server", memory[0], "MB", 120.0)]


async def prompts(home: Path) -> list[Row]:
    """POST to the end of one small prompt after the other, then many at once."""
    async with server(home) as client:
        await ready(client)
        took = list[float]()
        async with client.session.ws_connect(f"{client.url}/ws?clientId=bench") as socket:
            for number in range(PROMPTS):
                began = time.perf_counter()
                sent = await client.post("/prompt", {"prompt": prompt(number), "client_id": "bench"})
                await ended(socket, sent["prompt_id"])
                took.append(time.perf_counter() - began)
        rate = await many(client)
    return [
        Row(f"POST to the end of a prompt, median of {PROMPTS}", statistics.median(took) * 1000, "ms", 6.0),
        Row(f"{PROMPTS} prompts at once", rate, "a second", 300.0, most=False),
    ]


async def ended(socket: aiohttp.ClientWebSocketResponse, id: str) -> None:
    """Wait for the event that ends a prompt."""
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            event = json.loads(message.data)
            told = event["data"]
            if event["type"] == "executing" and told["node"] is None and told["prompt_id"] == id:
                return


async def many(client: Client) -> float:
    """Prompts a second when many are handed in at once, from the first POST to the last end."""
    began = time.perf_counter()
    numbers = range(10_000, 10_000 + PROMPTS)
    await asyncio.gather(*(client.post("/prompt", {"prompt": prompt(number)}) for number in numbers))
    while (await client.get("/prompt"))["exec_info"]["queue_remaining"]:
        await asyncio.sleep(0.01)
    return PROMPTS / (time.perf_counter() - began)


async def sockets(home: Path) -> list[Row]:
    """Each of many sockets follows its own job: how many saw every event once and in order."""
    async with server(home) as client:
        await ready(client)
        await client.post("/api/v1/queue/pause", {})
        jobs = [
            await client.post("/api/v1/jobs", {"workflow": prompt(number), "client_id": f"c{number % 50}"})
            for number in range(SOCKETS)
        ]
        following = [asyncio.create_task(follow(client, job["id"])) for job in jobs]
        await asyncio.sleep(2.0)
        await client.post("/api/v1/queue/resume", {})
        seen = await asyncio.wait_for(asyncio.gather(*following), 300)
        whole = 0
        for job, numbers in zip(jobs, seen, strict=True):
            stored = await client.get(f"/api/v1/jobs/{job['id']}/events")
            whole += numbers == [event["number"] for event in stored["events"]] and len(numbers) > 5
    return [Row(f"of {SOCKETS} sockets saw all, in order", whole, "sockets", SOCKETS, most=False)]


async def follow(client: Client, id: str) -> list[int]:
    """The numbers of all events of a job, as a socket tells them."""
    async with client.session.ws_connect(f"{client.url}/api/v1/jobs/{id}/events/socket") as socket:
        return [json.loads(message.data)["number"] async for message in socket]


async def kills(home: Path) -> list[Row]:
    """The worker is killed at random moments of sampling; the pictures must equal undisturbed ones."""
    models = home / "models" / "checkpoints"
    models.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "models" / "checkpoints" / "darkroom-tiny.safetensors", models)
    dice, equal, twice = random.Random(1), 0, 0
    async with server(home / "undisturbed") as client:
        shutil.copytree(home / "models", home / "undisturbed" / "models")
        await ready(client)
        wanted = [await picture(client, home / "undisturbed", seed) for seed in range(KILLS)]
    async with server(home) as client:
        for seed in range(KILLS):
            await ready(client)
            sent = await client.post("/api/v1/jobs", {"workflow": sampled(seed)})
            await until_sampling(client, sent["id"])
            await asyncio.sleep(dice.uniform(0.0, 0.3))
            system = await client.get("/api/v1/system")
            os.kill(system["workers"][0]["pid"], signal.SIGKILL)
            job = await until_over(client, sent["id"])
            equal += is_undisturbed(home, job, wanted[seed])
            twice += await ran_twice(client, sent["id"])
    return [
        Row(f"of {KILLS} pictures equal undisturbed ones", equal, "pictures", KILLS, most=False),
        Row("finished nodes that ran again", twice, "nodes", 0),
    ]


def is_undisturbed(home: Path, job: Json, wanted: bytes) -> bool:
    """Whether a job made these pixels; one that did not is printed."""
    if job["state"] == "done" and saved(home, job) == wanted:
        return True
    print(f"Not as undisturbed: {json.dumps(job)}")
    return False


def sampled(seed: int) -> Json:
    """A picture of the embedded model."""
    workflow = json.loads((ROOT / "workflows" / "txt2img.json").read_text())
    for node in workflow["nodes"].values():
        if "seed" in node.get("inputs", {}):
            node["inputs"] |= {"seed": seed, "steps": 40}
    return workflow


async def picture(client: Client, home: Path, seed: int) -> bytes:
    """The pixels of an undisturbed run."""
    return saved(home, await client.post("/api/v1/jobs?wait=true", {"workflow": sampled(seed)}))


def saved(home: Path, job: Json) -> bytes:
    """The pixels of the picture that a job saved."""
    from PIL import Image

    shown = next(output["files"][0] for output in job["outputs"] if output["files"])
    with Image.open(home / shown["kind"] / shown["name"]) as opened:
        return opened.tobytes()


async def until_sampling(client: Client, id: str) -> None:
    """Wait for the first step of sampling."""
    while True:
        events = (await client.get(f"/api/v1/jobs/{id}/events"))["events"]
        if any(event["kind"] == "progress" for event in events):
            return
        await asyncio.sleep(0.005)


async def until_over(client: Client, id: str) -> Json:
    """The job when it has ended."""
    while (job := await client.get(f"/api/v1/jobs/{id}"))["state"] in ("queued", "running"):
        await asyncio.sleep(0.02)
    return job


async def ran_twice(client: Client, id: str) -> int:
    """Nodes that a later attempt ran although an earlier one had finished them."""
    events = (await client.get(f"/api/v1/jobs/{id}/events"))["events"]
    ran = [
        event["data"]["node"]
        for event in events
        if event["kind"] == "node_finished" and event["data"]["verdict"] == "ran"
    ]
    lasting = [node for node in ran if "checkpoint" not in node]  # models live in memory only
    return len(lasting) - len(set(lasting))


PARTS: dict[str, Callable[[Path], Awaitable[list[Row]]]] = {
    "start": starts,
    "prompts": prompts,
    "sockets": sockets,
    "kills": kills,
}


async def measure(names: list[str]) -> list[Row]:
    """The rows of these parts, each on an installation of its own."""
    rows = list[Row]()
    for name in names:
        with TemporaryDirectory() as home:
            rows += await PARTS[name](Path(home))
    return rows


def main() -> int:
    """Measures and prints the table."""
    names = sys.argv[1:] or [name for name in PARTS if name != "kills"]
    rows = asyncio.run(measure(names))
    for row in rows:
        sign = "at most" if row.most else "at least"
        verdict = "ok" if row.is_met else "MISSED"
        print(f"{row.what:<48} {row.value:10.2f} {row.unit:<9} goal {sign} {row.goal:g}  {verdict}")
    return int(not all(row.is_met for row in rows))


if __name__ == "__main__":
    sys.exit(main())
