"""Masks that are painted on pictures: the colours stay, the transparency is the mask; tokens; modules."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from host.plugins.packs import Loaded, Pack
from host.plugins.remembered import write_loaded
from nodes.pictures import read_picture
from tests.host.serving import Served, Shared

MASK = np.tile(np.arange(32, dtype=np.uint8) * 8, (24, 1))


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def colours(channels: int = 3) -> np.ndarray[Any, Any]:
    return np.random.default_rng(7).integers(0, 256, (24, 32, channels), dtype=np.uint8)


async def kept(server: Served, name: str, mask: bytes, status: int = 201) -> Any:
    url = f"{server.url}/api/v1/assets/input/{name}/mask"
    async with server.session.post(url, data=mask, headers={"Content-Type": "image/png"}) as reply:
        assert reply.status == status, await reply.text()
        return await reply.json()


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_under_a_mask_stay_and_the_node_reads_the_mask_as_painted(
    shared: Shared, channels: int
) -> None:
    async def story(server: Served) -> None:
        pixels = colours(channels)
        (server.home / "input").mkdir(exist_ok=True)
        (server.home / "input" / f"cat{channels}.png").write_bytes(png(pixels))
        (made,) = (await kept(server, f"cat{channels}.png", png(MASK)))["assets"]
        assert made["name"] == f"masked/cat{channels}.png"
        found, mask = read_picture(server.home / "input" / made["name"])
        assert np.array_equal(np.rint(found[0] * 255), pixels[..., :3])
        assert np.array_equal(np.rint(mask[0] * 255), MASK)
        name = made["name"].replace("/", "%2F")
        (again,) = (await kept(server, name, png(255 - MASK)))["assets"]
        assert again["name"] == f"masked/cat{channels} (1).png"
        found, mask = read_picture(server.home / "input" / again["name"])
        assert np.array_equal(np.rint(found[0] * 255), pixels[..., :3])
        assert np.array_equal(np.rint(mask[0] * 255), 255 - MASK)

    shared.run(story)


def test_a_turned_photo_is_masked_as_it_is_seen_and_shown_without_transparency(shared: Shared) -> None:
    async def story(server: Served) -> None:
        (server.home / "input").mkdir(exist_ok=True)
        exif = Image.Exif()
        exif[274] = 6
        photo = Image.fromarray(colours()[:16])
        photo.save(server.home / "input" / "photo.jpg", exif=exif)
        mask = np.zeros((32, 16), np.uint8)
        mask[:8] = 255
        (made,) = (await kept(server, "photo.jpg", png(mask)))["assets"]
        _, found = read_picture(server.home / "input" / made["name"])
        assert found.shape == (1, 32, 16) and np.array_equal(found[0] * 255, mask)
        async with server.session.get(f"{server.url}/api/v1/assets/input/masked%2Fphoto.png/opaque") as reply:
            shown = Image.open(BytesIO(await reply.read()))
            assert (reply.status, shown.mode, shown.size) == (200, "RGB", (16, 32))

    shared.run(story)


def test_what_is_no_picture_gets_no_mask_and_leaves_no_file(shared: Shared) -> None:
    async def story(server: Served) -> None:
        (server.home / "input").mkdir(exist_ok=True)
        (server.home / "input" / "text.png").write_bytes(b"no picture")
        (server.home / "input" / "real.png").write_bytes(png(colours()))
        for name, mask, status in (
            ("text.png", png(MASK), 415),
            ("real.png", b"", 415),
            ("none.png", b"", 404),
        ):
            assert (await kept(server, name, mask, status))["problems"][0]["message"]
        assert not (server.home / "input" / "masked" / "real.png").exists()

    shared.run(story)


def test_tokens_are_counted_by_chunks_and_weights_do_not_count(shared: Shared) -> None:
    async def story(server: Served) -> None:
        async def counted(text: str) -> Any:
            return await server.ask("POST", "/api/v1/prompts/tokens", {"text": text}, 200)

        assert await counted("") == {"tokens": 0, "chunks": 1}
        assert (
            await counted("a (red:1.4) circle") == await counted("a red circle") == {"tokens": 3, "chunks": 1}
        )
        assert (await counted("a " * 76)) == {"tokens": 76, "chunks": 2}

    shared.run(story)


def test_modules_of_plugins_that_loaded_are_told_in_order(shared: Shared) -> None:
    async def story(server: Served) -> None:
        assert await server.ask("GET", "/api/v1/plugins/modules", status=200) == {"modules": []}
        packs = (
            Pack("a", "/a", "loaded", modules=("/plugins/a/one.js", "/plugins/a/two.js")),
            Pack("b", "/b", "failed", modules=("/plugins/b/no.js",)),
        )
        write_loaded(server.home / "cache", Loaded(packs))
        found = await server.ask("GET", "/api/v1/plugins/modules", status=200)
        assert found == {"modules": ["/plugins/a/one.js", "/plugins/a/two.js"]}
        write_loaded(server.home / "cache", Loaded())

    shared.run(story)
