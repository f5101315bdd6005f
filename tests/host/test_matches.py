"""Which files may take the place of one that is missing."""

import time

from host.matches import matches

NAMES = ["sd15/Dream_Shaper.safetensors", "dreamy.safetensors", "sdxl-base.safetensors", "other.ckpt"]


def found(missing: str, digest: str = "", digests: dict[str, str] | None = None) -> list[tuple[str, str]]:
    families = {"sdxl-base.safetensors": "sdxl"}
    every = matches(NAMES, missing, digest, digests or {}, lambda name: families.get(name, "sd1"))
    return [(item.name, item.why) for item in every]


def test_the_same_content_comes_first_whatever_its_name() -> None:
    digests = {"other.ckpt": "sha256:abcdef012345"}
    assert found("dreamy.safetensors", "sha256:abcdef", digests)[0] == ("other.ckpt", "hash")
    assert found("dreamy.safetensors", "", digests)[0] == ("dreamy.safetensors", "name")


def test_a_name_is_the_same_but_for_folder_spelling_and_ending() -> None:
    assert found("dreamshaper.ckpt")[0] == ("sd15/Dream_Shaper.safetensors", "name")
    assert found("models\\dream-shaper.pt")[0] == ("sd15/Dream_Shaper.safetensors", "name")


def test_of_names_that_are_only_alike_the_family_that_is_spoken_of_comes_first() -> None:
    assert found("somethingXL_v9.safetensors")[0] == ("sdxl-base.safetensors", "alike")


def test_nothing_fits_where_there_is_nothing() -> None:
    assert matches([], "a.ckpt", "", {}, lambda name: None) == []


def test_the_nearest_of_thousands_is_found_quickly() -> None:
    names = [f"style_{number:05}_v{number % 7}.safetensors" for number in range(5000)]
    began = time.perf_counter()
    found = matches(
        [*names, "water-colour.safetensors"], "watercolor_v2.safetensors", "", {}, lambda name: None
    )
    assert found[0].name == "water-colour.safetensors"
    assert time.perf_counter() - began < 5
