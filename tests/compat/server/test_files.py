"""Uploads, views, masks and models: what is kept, what is shown, and what is refused."""

import json
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import FormData
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.compat.server.site import Reply, Site

ESCAPES = [
    "../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "a/../../secret.txt",
    "/etc/passwd",
    "..\\secret.txt",
    "a\\..\\..\\secret.txt",
    "C:\\secret.txt",
    "c:/secret.txt",
    "\\\\host\\share",
    "secret.txt\0.png",
    "\0",
    "nul",
    "con.png",
    "link/secret.txt",
    "link",
    "....//secret.txt",
    "x" * 5000,
    "..",
    ".",
]
SECRET = b"a secret of this machine"


def png(
    mode: str = "RGB", size: tuple[int, int] = (8, 6), colour: object = (10, 20, 30), **texts: str
) -> bytes:
    info, file = PngInfo(), BytesIO()
    for key, value in texts.items():
        info.add_text(key, value)
    Image.new(mode, size, colour).save(file, "png", pnginfo=info)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


def form(data: bytes | None = b"x", name: str | None = "a.png", **fields: str) -> FormData:
    made = FormData(default_to_multipart=True)
    if data is not None and name is None:
        made.add_field("image", "x")
    elif data is not None:
        made.add_field("image", data, filename=name, content_type="application/octet-stream")
    for key, value in fields.items():
        made.add_field(key, value)
    return made


def upload(site: Site, data: bytes | None = b"x", name: str | None = "a.png", **fields: str) -> Reply:
    return site.post("/upload/image", form(data, name, **fields))


def opened(reply: Reply) -> Image.Image:
    assert reply.status == 200
    return Image.open(BytesIO(reply.body))


@pytest.fixture
def site(site: Site) -> Site:
    """With a secret beside the folders, and links to it inside them."""
    (site.home / "secret.txt").write_bytes(SECRET)
    for kind in ("input", "output", "temp", "user/default", "models/checkpoints", "custom_nodes/pack/web"):
        folder = site.home / kind
        folder.mkdir(parents=True)
        (folder / "link").symlink_to(site.home)
    (site.home / "custom_nodes" / "pack" / "__init__.py").write_text('WEB_DIRECTORY = "web"')
    (site.home / "custom_nodes" / "pack" / "examples").mkdir()
    return site


# Paths


@pytest.mark.parametrize("name", ESCAPES)
def test_no_route_serves_a_file_outside_its_folder(site: Site, name: str) -> None:
    text, part = quote(name, safe="%"), quote(name, safe="")
    paths = [
        f"/view?filename={text}",
        f"/view?filename=secret.txt&subfolder={text}",
        f"/view?filename={text}&type=input&preview=webp",
        f"/view?filename={text} [input]".replace(" ", "%20"),
        f"/view_metadata/checkpoints?filename={text}",
        f"/view_metadata/{part}?filename=secret.txt",
        f"/userdata/{part}",
        f"/userdata?dir={text}&recurse=true",
        f"/v2/userdata?path={text}",
        f"/models/{part}",
        f"/experiment/models/preview/checkpoints/0/{part}",
        f"/experiment/models/preview/{part}/0/secret.txt",
        f"/extensions/pack/{part}",
        f"/extensions/{part}/secret.txt",
        f"/api/workflow_templates/pack/{part}",
        f"/internal/files/{part}",
    ]
    for path in paths:
        reply = site.get(path)
        assert reply.status < 500 and SECRET not in reply.body and b"secret.txt" not in reply.body, path
        assert reply.status in (400, 403, 404) or name in (".", "....//secret.txt"), (path, reply.status)


@pytest.mark.parametrize("name", ESCAPES)
def test_no_route_writes_a_file_outside_its_folder(site: Site, name: str) -> None:
    before = set(site.home.rglob("*"))
    raw = name.encode("utf-8", "surrogatepass").decode("latin-1")
    assert upload(site, SECRET, "a.png", subfolder=raw).status in (200, 400)
    if "\0" not in name:
        assert upload(site, SECRET, raw).status in (200, 400)
    part = quote(name, safe="")
    site.post("/userdata/a.json", b"{}")
    for path in (f"/userdata/{part}", f"/userdata/a.json/move/{part}"):
        assert site.ask("POST", path, data=SECRET).status in (200, 400, 403, 404), path
    site.ask("DELETE", f"/userdata/{part}")
    assert (site.home / "secret.txt").read_bytes() == SECRET
    allowed = [(site.home / kind).resolve() for kind in ("input", "user/default")]
    made = set(site.home.rglob("*")) - before
    assert all(any(path.resolve().is_relative_to(folder) for folder in allowed) for path in made), made


# Uploads


def test_an_upload_says_where_it_was_kept(site: Site) -> None:
    assert upload(site).json == {"name": "a.png", "subfolder": "", "type": "input"}
    reply = upload(site, b"y", "b.bin", type="output", subfolder="deep/er")
    assert reply.json == {"name": "b.bin", "subfolder": "deep/er", "type": "output"}
    assert (site.home / "output" / "deep" / "er" / "b.bin").read_bytes() == b"y"


def test_a_taken_name_gives_the_next_one_unless_the_content_is_the_same(site: Site) -> None:
    assert [upload(site, data).json["name"] for data in (b"1", b"2", b"1", b"3", b"2")] == [
        "a.png", "a (1).png", "a.png", "a (2).png", "a (1).png",
    ]  # fmt: skip
    assert upload(site, b"4", overwrite="true").json["name"] == "a.png"
    assert upload(site, b"5", overwrite="1").json["name"] == "a.png"
    assert (site.home / "input" / "a.png").read_bytes() == b"5"
    assert sorted(path.name for path in (site.home / "input").glob("*.*")) == [
        "a (1).png",
        "a (2).png",
        "a.png",
    ]


def test_what_is_no_upload_is_refused(site: Site) -> None:
    assert upload(site, None, None, subfolder="x").status == 400
    assert site.post("/upload/image", form(b"x", None)).status == 400
    assert upload(site, b"x", type="elsewhere").status == 500
    assert site.post("/upload/image", b"{}").status == 500
    broken = site.post(
        "/upload/image", b"--x\r\nno", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert broken.status in (400, 500)
    assert site.post("/upload/image", b"", headers={"Content-Type": "multipart/form-data"}).status in (
        400,
        500,
    )
    assert [path for path in (site.home / "input").iterdir() if path.name != "link"] == []


def test_a_name_where_a_folder_stands_is_refused(site: Site) -> None:
    upload(site, b"x", "a")
    assert upload(site, b"x", "b", subfolder="a").status == 400
    (site.home / "input" / "folder").mkdir()
    assert upload(site, b"x", "folder", overwrite="true").status == 400


# Masks


def test_a_mask_gives_the_original_its_alpha_and_keeps_its_texts(site: Site) -> None:
    upload(site, png(prompt='{"1": {}}', workflow="{}"), "photo.png")
    reference = json.dumps({"filename": "photo.png", "type": "input"})
    mask = png("RGBA", (8, 6), (255, 255, 255, 40))
    reply = site.post("/upload/mask", form(mask, "masked.png", original_ref=reference, subfolder="clipspace"))
    assert reply.json == {"name": "masked.png", "subfolder": "clipspace", "type": "input"}
    with Image.open(site.home / "input" / "clipspace" / "masked.png") as made:
        assert made.mode == "RGBA" and made.getpixel((0, 0)) == (10, 20, 30, 40)
        assert made.text == {"prompt": '{"1": {}}', "workflow": "{}"}  # pyright: ignore[reportAttributeAccessIssue]


def test_a_mask_needs_a_reference_and_a_name_inside(site: Site) -> None:
    assert site.post("/upload/mask", form(png())).status == 500
    for reference in ("{", "[]", "3", '{"filename": 3}', "{}"):
        assert site.post("/upload/mask", form(png(), original_ref=reference)).status == 500
    known = json.dumps({"filename": "photo.png", "type": "input"})
    upload(site, png(), "photo.png")
    assert site.post("/upload/mask", form(png(), "../m.png", original_ref=known)).status == 400
    assert site.post("/upload/mask", form(b"no picture", "m.png", original_ref=known)).status == 400
    for filename in ("../secret.txt", "/etc/passwd", "a/../../secret.txt"):
        outside = json.dumps({"filename": filename, "type": "input"})
        assert site.post("/upload/mask", form(png(), "m.png", original_ref=outside)).status == 400


def test_a_mask_of_a_picture_that_is_not_there_writes_nothing(site: Site) -> None:
    reply = site.post("/upload/mask", form(png(), "m.png", original_ref='{"filename": "none.png"}'))
    assert reply.status == 200
    assert not (site.home / "input" / "m.png").exists()


# Views


@pytest.fixture
def shown(site: Site) -> Site:
    (site.home / "output" / "a.png").write_bytes(png("RGBA", (8, 6), (10, 20, 30, 40)))
    (site.home / "output" / "rgb.png").write_bytes(png())
    (site.home / "output" / "sub").mkdir()
    (site.home / "output" / "sub" / "b.txt").write_text("0123456789")
    (site.home / "input" / "page.html").write_text("<script>alert(1)</script>")
    return site


def test_a_file_is_sent_with_its_name_and_type(shown: Site) -> None:
    reply = shown.get("/view?filename=a.png&rand=1")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "image/png")
    assert reply.headers["Content-Disposition"] == 'filename="a.png"'
    assert reply.body == (shown.home / "output" / "a.png").read_bytes()


def test_a_name_may_say_its_folder_and_only_its_last_part_counts(shown: Site) -> None:
    assert shown.get("/view?filename=page.html%20%5Binput%5D&type=output").status == 200
    assert shown.get("/view?filename=other/a.png").status == 200
    assert shown.get("/view?filename=b.txt&subfolder=sub").body == b"0123456789"


@pytest.mark.parametrize("name", ["page.html", "page.xhtml", "page.js", "page.css", "page.svg"])
def test_what_a_browser_would_run_is_not_run(shown: Site, name: str) -> None:
    (shown.home / "input" / name).write_text("<script>alert(1)</script>")
    headers = shown.get(f"/view?filename={name}&type=input").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["Content-Type"] == (
        "image/svg+xml" if name.endswith("svg") else "application/octet-stream"
    )


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        ("filename=", 404),
        ("filename=none.png", 404),
        ("filename=sub", 404),
        ("filename=/a.png", 400),
        ("filename=a..png", 400),
        ("filename=a.png&type=models", 400),
        ("filename=a.png&subfolder=../input", 403),
        ("filename=a.png&subfolder=/etc", 403),
        ("filename=a.png&type=input", 404),
        ("filename=b.txt&subfolder=sub&preview=webp", 400),
    ],
)
def test_wrong_questions_for_a_picture_are_refused(shown: Site, query: str, status: int) -> None:
    assert shown.get(f"/view?{query}").status == status


def test_ranges_and_conditional_requests_work(shown: Site) -> None:
    path = "/view?filename=b.txt&subfolder=sub"
    part = shown.get(path, headers={"Range": "bytes=2-4"})
    assert (part.status, part.body) == (206, b"234")
    tag = shown.get(path).headers["ETag"]
    assert shown.get(path, headers={"If-None-Match": tag}).status == 304


PREVIEWS = [
    ("preview=webp", "WEBP"), ("preview=jpeg;50", "JPEG"), ("preview=gif", "WEBP"),
    ("preview=jpeg;x", "JPEG"), ("preview=jpeg&channel=rgba", "WEBP"), ("preview=jpeg&channel=rgb", "JPEG"),
    ("preview=jpeg;999", "JPEG"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "form"), PREVIEWS)
def test_previews_are_webp_or_jpeg(shown: Site, query: str, form: str) -> None:
    reply = shown.get(f"/view?filename=a.png&{query}")
    assert opened(reply).format == form
    assert reply.headers["Content-Type"] == f"image/{form.lower()}"


def test_channels_are_the_colours_or_black_with_the_alpha(shown: Site) -> None:
    colours = opened(shown.get("/view?filename=a.png&channel=rgb"))
    assert (colours.mode, colours.getpixel((0, 0))) == ("RGB", (10, 20, 30))
    alpha = opened(shown.get("/view?filename=a.png&channel=a"))
    assert (alpha.mode, alpha.getpixel((0, 0))) == ("RGBA", (0, 0, 0, 40))
    assert opened(shown.get("/view?filename=rgb.png&channel=a")).getpixel((0, 0)) == (0, 0, 0, 255)
    assert (
        shown.get("/view?filename=a.png&channel=rgba").body == (shown.home / "output" / "a.png").read_bytes()
    )


def test_a_picture_bomb_is_refused(shown: Site) -> None:
    from struct import pack
    from zlib import crc32

    def chunk(name: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + name + data + pack(">I", crc32(name + data))

    header = chunk(b"IHDR", pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0))
    bomb = shown.home / "output" / "bomb.png"
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"x") + chunk(b"IEND", b""))
    assert shown.get("/view?filename=bomb.png&preview=webp").status == 400
    assert shown.get("/view?filename=bomb.png&channel=rgb").status == 400


# Models


def safetensors(path: Path, **texts: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = json.dumps({"__metadata__": texts} if texts else {}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def test_model_folders_and_files_are_listed(site: Site) -> None:
    safetensors(site.home / "models" / "loras" / "sub" / "b.safetensors")
    safetensors(site.home / "models" / "loras" / "a.safetensors")
    (site.home / "models" / "loras" / "notes.txt").write_text("x")
    safetensors(site.home / "models" / "embeddings" / "e.v1.safetensors")
    assert site.get("/models").json[:6] == [
        "checkpoints", "configs", "loras", "vae", "text_encoders", "diffusion_models",
    ]  # fmt: skip
    assert len(site.get("/models").json) >= 20
    assert site.get("/models/loras").json == ["a.safetensors", "sub/b.safetensors"]
    assert site.get("/embeddings").json == ["e.v1"]
    assert site.get("/models/custom_nodes").json == []
    for unknown in ("unet", "clip", "nope", "input"):
        assert site.get(f"/models/{unknown}").status == 404
        assert site.get(f"/experiment/models/{unknown}").status == 404


def test_models_are_told_with_places_and_facts(site: Site) -> None:
    safetensors(site.home / "models" / "text_encoders" / "a.safetensors")
    safetensors(site.home / "models" / "clip" / "b.safetensors")
    folders = {entry["name"]: entry["folders"] for entry in site.get("/experiment/models").json}
    assert "configs" not in folders and "custom_nodes" not in folders
    assert folders["text_encoders"] == [
        str(site.home / "models" / name) for name in ("text_encoders", "clip")
    ]
    found = site.get("/experiment/models/text_encoders").json
    assert [(model["name"], model["pathIndex"]) for model in found] == [
        ("a.safetensors", 0),
        ("b.safetensors", 1),
    ]
    assert set(found[0]) == {"name", "pathIndex", "modified", "created", "size"}


def test_a_model_files_texts_are_told(site: Site) -> None:
    safetensors(site.home / "models" / "loras" / "a.safetensors", ss_tag="cat")
    safetensors(site.home / "models" / "loras" / "bare.safetensors")
    (site.home / "models" / "loras" / "broken.safetensors").write_bytes(b"\xff" * 40)
    assert site.get("/view_metadata/loras?filename=a.safetensors").json == {"ss_tag": "cat"}
    for name in ("bare.safetensors", "broken.safetensors", "none.safetensors", "a.ckpt", ""):
        assert site.get(f"/view_metadata/loras?filename={name}").status == 404
    assert site.get("/view_metadata/nope?filename=a.safetensors").status == 404
    assert site.get("/view_metadata/loras").status == 404


def test_a_models_picture_lies_beside_it_or_inside_it(site: Site) -> None:
    from base64 import b64encode

    folder = site.home / "models" / "loras"
    safetensors(folder / "a.safetensors")
    (folder / "a.preview.png").write_bytes(png())
    safetensors(folder / "b.safetensors", ssmd_cover_images=json.dumps([b64encode(png()).decode()]))
    safetensors(folder / "c.safetensors", ssmd_cover_images="broken")
    for name in ("a", "b"):
        reply = site.get(f"/experiment/models/preview/loras/0/{name}.safetensors")
        assert opened(reply).format == "WEBP" and reply.headers["Content-Type"] == "image/webp"
    for path in ("loras/0/c.safetensors", "loras/9/a.safetensors", "loras/x/a.safetensors", "nope/0/a"):
        assert site.get(f"/experiment/models/preview/{path}").status == 404
