"""The page of workflows shows each of them as it is."""

import pytest
from PIL import Image

from graph.document_json import load_workflow
from tools.workflow_pages import PAGE, PICTURES, ROOT, names, text


@pytest.mark.parametrize("name", names())
def test_the_page_shows_every_shipped_workflow_with_its_picture(name: str) -> None:
    assert text(name, load_workflow(ROOT / "workflows" / f"{name}.json")) in PAGE.read_text("utf-8")
    with Image.open(PICTURES / f"{name}.webp") as picture:
        assert min(picture.size) >= 64
