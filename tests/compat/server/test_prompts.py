from pathlib import Path
from typing import Any

import pytest

from graph.registry import Registry
from tests.compat.server.site import CORE, TOYS, Json, Site, picture_prompt, site_at

NOTHING: dict[str, Any] = {}


def error_of(reply: Any) -> dict[str, Any]:
    assert reply.status == 400, reply.text
    return reply.json["error"]


def node_errors(site: Site, nodes: Json, status: int = 400, **more: Any) -> Json:
    reply = site.prompt(nodes, **more)
    assert reply.status == status, reply.text
    return reply.json["node_errors"]


def only_error(site: Site, nodes: Json, node: str) -> Json:
    found = node_errors(site, nodes)
    assert list(found) == [node]
    (error,) = found[node]["errors"]
    return error


def blank(**inputs: Json) -> Json:
    nodes = picture_prompt()
    nodes["1"]["inputs"] |= inputs
    return nodes


def test_a_prompt_is_taken_with_its_id_and_number(site: Site) -> None:
    first, second = site.prompt(picture_prompt()).json, site.prompt(picture_prompt()).json
    assert (first["number"], second["number"]) == (0, 1)
    assert first["node_errors"] == NOTHING
    assert len(first["prompt_id"]) == 36 and first["prompt_id"] != second["prompt_id"]


def test_an_id_of_the_client_is_kept_as_text(site: Site) -> None:
    assert site.prompt(picture_prompt(), prompt_id=77).json["prompt_id"] == "77"
    assert list(site.jobs.jobs) == ["77"]


def test_a_prompt_that_ended_makes_room_for_another_of_its_id(site: Site) -> None:
    site.prompt(picture_prompt(), prompt_id="a")
    assert error_of(site.prompt(picture_prompt(), prompt_id="a"))["type"] == "prompt_id_taken"
    site.jobs.start("a", "3")
    site.jobs.finish("a")
    assert site.prompt(picture_prompt(), prompt_id="a").status == 200
    assert site.get("/history/a").json == NOTHING


def test_front_negates_the_number_and_a_given_one_leaves_the_counter(site: Site) -> None:
    assert site.prompt(picture_prompt(), number=5).json["number"] == 5.0
    assert site.prompt(picture_prompt(), number="2.5").json["number"] == 2.5
    assert [site.prompt(picture_prompt()).json["number"] for _ in range(2)] == [0, 1]
    assert site.prompt(picture_prompt(), front=True).json["number"] == -2
    assert site.prompt(picture_prompt()).json["number"] == 3
    order = [entry[0] for entry in site.get("/queue").json["queue_pending"]]
    assert order == sorted(order)


def test_the_counter_grows_by_a_prompt_that_fails_too(site: Site) -> None:
    site.prompt({})
    site.post("/prompt", {})
    site.prompt(blank(width="x"), number=9)
    assert site.prompt(picture_prompt()).json["number"] == 2


def test_client_and_documents_come_back_without_the_secrets(site: Site) -> None:
    extra = {
        "extra_pnginfo": {"workflow": {"a": 1}},
        "auth_token_comfy_org": "s",
        "api_key_comfy_org": "t",
        "x": [1],
    }
    id = site.prompt(picture_prompt(), client_id="me", extra_data=extra).json["prompt_id"]
    ((number, same, prompt, kept, outputs),) = site.get("/queue").json["queue_pending"]
    assert (number, same, outputs) == (0, id, ["3"])
    assert prompt == picture_prompt()
    assert kept == {"client_id": "me", "extra_pnginfo": {"workflow": {"a": 1}}, "x": [1]}
    assert site.jobs.jobs[id].client_id == "me"
    assert site.jobs.kept[id].texts == {"workflow": {"a": 1}, "prompt": picture_prompt()}


@pytest.mark.parametrize("info", [None, [], "x", {"prompt": 1}, {}])
def test_odd_picture_texts_come_back_as_they_were(site: Site, info: Json) -> None:
    site.prompt(picture_prompt(), extra_data={"extra_pnginfo": info})
    ((*_, kept, _),) = site.get("/queue").json["queue_pending"]
    assert kept == {"extra_pnginfo": info}


def test_the_remaining_prompts_are_counted(site: Site) -> None:
    for _ in range(3):
        site.queued(picture_prompt())
    assert site.get("/prompt").json == {"exec_info": {"queue_remaining": 3}}


def test_without_a_prompt_it_is_no_prompt(site: Site) -> None:
    for body in ({}, [], 3, None, {"client_id": "x"}):
        reply = site.post("/prompt", body)
        assert error_of(reply) == {
            "type": "no_prompt",
            "message": "No prompt provided",
            "details": "No prompt provided",
            "extra_info": {},
        }
        assert reply.json["node_errors"] == NOTHING


@pytest.mark.parametrize("prompt", [None, [], "text", 3])
def test_a_prompt_that_is_no_object_is_500(site: Site, prompt: Json) -> None:
    assert site.prompt(prompt).status == 500


@pytest.mark.parametrize("entry", [{"inputs": {}}, [], None, 3, "x", {"class_type": None}])
def test_a_node_without_class_type_is_invalid_prompt(site: Site, entry: Json) -> None:
    assert error_of(site.prompt({**picture_prompt(), "9": entry})) == {
        "type": "invalid_prompt",
        "message": "Cannot execute because a node is missing the class_type property.",
        "details": "Node ID '#9'",
        "extra_info": {},
    }


def test_an_unknown_class_is_refused_even_where_nothing_needs_it(site: Site) -> None:
    reply = site.prompt({**picture_prompt(), "9": {"class_type": "Nope", "inputs": {}}})
    assert error_of(reply)["message"] == "Cannot execute because node Nope does not exist."
    assert error_of(reply)["details"] == "Node ID '#9'"
    assert reply.json["node_errors"] == NOTHING


@pytest.mark.parametrize("targets", [None, [], ["2"], ["nope"], [["3"]]])
def test_without_an_output_to_run_it_is_prompt_no_outputs(site: Site, targets: Json) -> None:
    nodes = picture_prompt()
    if targets is None:
        del nodes["3"]
    reply = site.prompt(nodes, **({} if targets is None else {"partial_execution_targets": targets}))
    assert error_of(reply) == {
        "type": "prompt_no_outputs",
        "message": "Prompt has no outputs",
        "details": "",
        "extra_info": {},
    }


def test_only_the_outputs_asked_for_run(site: Site) -> None:
    nodes = {**picture_prompt(), "4": {"class_type": "Anything", "inputs": {"value": ["1", 0]}}}
    id = site.prompt(nodes, partial_execution_targets=["4"]).json["prompt_id"]
    assert site.jobs.kept[id].targets == ("4",)
    assert set(site.jobs.kept[id].workflow.nodes) == {"1", "4"}
    assert site.get("/queue").json["queue_pending"][0][2] == nodes


def test_a_node_nobody_needs_may_be_anything_with_a_class(site: Site) -> None:
    nodes = {**picture_prompt(), "9": {"class_type": "Invert"}, "8": {"class_type": "Invert", "inputs": [1]}}
    id = site.prompt(nodes).json["prompt_id"]
    assert set(site.jobs.kept[id].workflow.nodes) == {"1", "2", "3"}


def test_a_missing_input_is_told_with_the_outputs_that_need_it(site: Site) -> None:
    nodes = {
        **picture_prompt(),
        "4": {"class_type": "Save", "inputs": {"images": ["2", 0], "filename_prefix": "y"}},
    }
    del nodes["2"]["inputs"]["image"]
    reply = site.prompt(nodes)
    assert error_of(reply) == {
        "type": "prompt_outputs_failed_validation",
        "message": "Prompt outputs failed validation",
        "details": "",
        "extra_info": {},
    }
    assert reply.json["node_errors"] == {
        "2": {
            "errors": [
                {
                    "type": "required_input_missing",
                    "message": "Required input is missing",
                    "details": "image",
                    "extra_info": {"input_name": "image"},
                }
            ],
            "dependent_outputs": ["3", "4"],
            "class_type": "Invert",
        }
    }


def test_errors_of_output_nodes_stand_in_the_details(site: Site) -> None:
    reply = site.prompt({"3": {"class_type": "Save", "inputs": {}}})
    assert (
        error_of(reply)["details"]
        == "Required input is missing: images\nRequired input is missing: filename_prefix"
    )


def test_one_output_may_fail_and_the_other_run(site: Site) -> None:
    nodes = {**picture_prompt(), "4": {"class_type": "Save", "inputs": {"filename_prefix": "y"}}}
    assert list(node_errors(site, nodes, 200)) == ["4"]
    (job,) = site.jobs.kept.values()
    assert job.targets == ("3",)


@pytest.mark.parametrize("link", [[], ["1"], ["1", 0, 0], [1, 2, 3]])
def test_a_list_of_another_length_is_a_bad_link(site: Site, link: Json) -> None:
    nodes = picture_prompt()
    nodes["2"]["inputs"]["image"] = link
    assert only_error(site, nodes, "2") == {
        "type": "bad_linked_input",
        "message": "Bad linked input, must be a length-2 list of [node_id, slot_index]",
        "details": "image",
        "extra_info": {"input_name": "image", "input_config": ["IMAGE", {}], "received_value": link},
    }


def test_types_that_do_not_meet_are_named(site: Site) -> None:
    nodes = picture_prompt()
    nodes["1"]["inputs"]["width"] = ["2", 0]
    nodes["2"]["inputs"] = {"image": ["5", 0]}
    nodes["5"] = {"class_type": "Blank", "inputs": {"width": ["6", 0], "height": 8}}
    nodes["6"] = {"class_type": "Blank", "inputs": {"width": 8, "height": 8}}
    assert only_error(site, nodes, "5") == {
        "type": "return_type_mismatch",
        "message": "Return type mismatch between linked nodes",
        "details": "width, received_type(IMAGE) mismatch input_type(INT)",
        "extra_info": {
            "input_name": "width",
            "input_config": ["INT", {"default": 512}],
            "received_type": "IMAGE",
            "linked_node": ["6", 0],
        },
    }


@pytest.mark.parametrize(
    ("link", "kind", "words"),
    [
        (["99", 0], "KeyError", "'99'"),
        ([1, 0], "KeyError", "1"),
        (["1", 7], "IndexError", "tuple index out of range"),
        (["1", -1], "IndexError", "tuple index out of range"),
        (["1", "0"], "TypeError", "tuple indices must be integers or slices, not str"),
        ([["1"], 0], "TypeError", "unhashable type: 'list'"),
        ([{}, 0], "TypeError", "unhashable type: 'dict'"),
    ],
)
def test_a_link_to_nowhere_is_told_on_the_node_that_holds_it(
    site: Site, link: Json, kind: str, words: str
) -> None:
    nodes = picture_prompt()
    nodes["2"]["inputs"]["image"] = link
    error = only_error(site, nodes, "2")
    assert (error["type"], error["message"]) == (
        "exception_during_inner_validation",
        "Exception when validating inner node",
    )
    assert error["details"] == words
    extra = error["extra_info"]
    assert extra.pop("traceback")
    assert extra == {
        "input_name": "images",
        "input_config": ["IMAGE", {}],
        "exception_message": words,
        "exception_type": kind,
        "linked_node": ["2", 0],
    }


def test_a_link_to_nowhere_on_an_output_node_is_an_outer_exception(site: Site) -> None:
    nodes = picture_prompt()
    nodes["3"]["inputs"]["images"] = ["99", 0]
    error = only_error(site, nodes, "3")
    assert (error["type"], error["details"]) == ("exception_during_validation", "'99'")
    assert set(error["extra_info"]) == {"exception_type", "traceback"}


def test_a_needed_node_without_inputs_is_told_likewise(site: Site) -> None:
    nodes = picture_prompt()
    del nodes["2"]["inputs"]
    error = only_error(site, nodes, "2")
    assert (error["type"], error["details"]) == ("exception_during_inner_validation", "'inputs'")


def test_a_circle_is_refused_without_node_errors(site: Site) -> None:
    nodes = picture_prompt()
    nodes["2"]["inputs"]["image"] = ["2", 0]
    reply = site.prompt(nodes)
    assert error_of(reply)["type"] == "prompt_outputs_failed_validation"
    assert reply.json["node_errors"] == NOTHING


def test_a_chain_of_any_length_is_checked(site: Site) -> None:
    nodes: Json = {"0": {"class_type": "Blank", "inputs": {"width": 8, "height": 8}}}
    for number in range(1, 3000):
        nodes[str(number)] = {"class_type": "Invert", "inputs": {"image": [str(number - 1), 0]}}
    nodes["end"] = {"class_type": "Save", "inputs": {"images": ["2999", 0], "filename_prefix": "x"}}
    assert site.prompt(nodes).status == 200


@pytest.mark.parametrize(("sent", "kept"), [("40", 40), (40.9, 40), (True, 1), ({"__value__": 8}, 8)])
def test_whole_numbers_are_made_of_what_int_takes(site: Site, sent: Json, kept: int) -> None:
    assert site.prompt(blank(width=sent)).status == 200
    prompt = site.get("/queue").json["queue_pending"][0][2]
    assert prompt["1"]["inputs"]["width"] == kept and type(prompt["1"]["inputs"]["width"]) is int


def test_fractions_texts_and_flags_are_converted_too(tmp_path: Path) -> None:
    from tests.compat.toys import MIXED, NodeSpec, nothing, whole

    kinds = [input for input in MIXED.inputs if input.name in ("late", "on")]
    mixed = NodeSpec("Mixed", nothing, (*kinds, whole("last")), output=True)
    with site_at(tmp_path, Registry((mixed,))) as site:
        site.prompt({"1": {"class_type": "Mixed", "inputs": {"late": "1", "on": 1, "last": 2}}})
        prompt = site.get("/queue").json["queue_pending"][0][2]
        assert prompt["1"]["inputs"] == {"late": 1.0, "on": True, "last": 2}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("ten", "invalid literal for int() with base 10: 'ten'"),
        (None, "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'"),
        ({}, "int() argument must be a string, a bytes-like object or a real number, not 'dict'"),
    ],
)
def test_what_cannot_be_converted_is_told_with_its_value(site: Site, value: Json, words: str) -> None:
    assert only_error(site, blank(width=value), "1") == {
        "type": "invalid_input_type",
        "message": "Failed to convert an input value to a INT value",
        "details": f"width, {value}, {words}",
        "extra_info": {
            "input_name": "width",
            "input_config": ["INT", {"default": 512}],
            "received_value": value,
            "exception_message": words,
        },
    }


def test_bounds_and_choices_of_standard_nodes_are_told(tmp_path: Path) -> None:
    nodes: Json = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 0, "height": 64, "batch_size": 5000, "color": 0},
        },
        "2": {
            "class_type": "ImageScale",
            "inputs": {
                "image": ["1", 0],
                "upscale_method": "best",
                "width": 8,
                "height": 8,
                "crop": "disabled",
            },
        },
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }
    with site_at(tmp_path, CORE) as site:
        found = node_errors(site, nodes)
    small, big = found["1"]["errors"]
    assert (small["type"], small["message"], small["details"]) == (
        "value_smaller_than_min",
        "Value 0 smaller than min of 1",
        "width",
    )
    assert small["extra_info"]["received_value"] == 0
    assert (
        small["extra_info"]["input_config"][0] == "INT" and small["extra_info"]["input_config"][1]["min"] == 1
    )
    assert (big["type"], big["message"]) == ("value_bigger_than_max", "Value 5000 bigger than max of 4096")
    (choice,) = found["2"]["errors"]
    assert (choice["type"], choice["message"]) == ("value_not_in_list", "Value not in list")
    assert choice["details"].startswith("upscale_method: 'best' not in ['nearest-exact', 'bilinear'")
    assert choice["extra_info"]["input_config"][0][0] == "nearest-exact"


def test_long_lists_of_choices_are_counted_and_not_sent(tmp_path: Path) -> None:
    nodes: Json = {
        "1": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "nope"}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
    with site_at(tmp_path, CORE) as site:
        if "KSamplerSelect" not in CORE or "PreviewAny" not in CORE:
            pytest.skip("these nodes are not there yet")
        (error,) = node_errors(site, nodes)["1"]["errors"]
    assert "not in (list of length" in error["details"]
    assert error["extra_info"]["input_config"] is None


def test_a_missing_model_is_not_in_the_list_and_a_missing_picture_fails_validation(tmp_path: Path) -> None:
    nodes: Json = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "no.safetensors"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "no.png"}},
        "3": {"class_type": "VAEEncode", "inputs": {"pixels": ["2", 0], "vae": ["1", 2]}},
        "4": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["1", 2]}},
        "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
        "6": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }
    with site_at(tmp_path, CORE) as site:
        found = node_errors(site, nodes)
    assert found["1"]["errors"][0]["type"] == "value_not_in_list"
    assert found["1"]["errors"][0]["details"] == "ckpt_name: 'no.safetensors' not in []"
    assert found["2"]["errors"][0]["type"] == "custom_validation_failed"
    assert found["2"]["errors"][0]["details"].startswith("image - ")
    assert found["2"]["errors"][0]["extra_info"] == {"input_name": "image"}
    assert found["2"]["dependent_outputs"] == ["6"]


def test_a_node_types_own_check_fails_its_validation(site: Site) -> None:
    nodes: Json = {"1": {"class_type": "Checked", "inputs": {"number": 13}}}
    error = only_error(site, nodes, "1")
    assert error["type"] == "custom_validation_failed"
    assert error["message"] == "Custom validation failed for node"
    assert "must not be 13." in error["details"]
    nodes["2"] = {"class_type": "Checked", "inputs": {"number": 12}}
    assert list(node_errors(site, nodes, 200)) == ["1"]


def test_undeclared_inputs_and_other_keys_are_ignored(site: Site) -> None:
    nodes = blank(nothing=["9", 9], more={"a": 1})
    nodes["1"] |= {"_meta": {"title": "A"}, "is_changed": None, "x": 1}
    assert site.prompt(nodes).status == 200
    assert site.get("/queue").json["queue_pending"][0][2] == nodes


@pytest.mark.parametrize("value", [10**41, -(10**40), {"a": 10**50}])
def test_values_that_cannot_be_read_back_are_refused_at_once(site: Site, value: Json) -> None:
    reply = site.prompt(blank(more=value))
    assert (error_of(reply)["type"], reply.json["node_errors"]) == ("invalid_prompt", {})


def test_values_nested_too_deep_are_refused_at_once(site: Site) -> None:
    deep: Json = []
    for _ in range(100):
        deep = [deep]
    assert error_of(site.prompt(blank(more=deep)))["type"] == "invalid_prompt"


def test_a_full_disk_is_said_and_not_a_crash(site: Site) -> None:
    site.jobs.full = True
    reply = site.prompt(picture_prompt())
    assert (reply.status, reply.json["error"]["details"]) == (503, "The disk is full.")


def test_nothing_that_was_sent_is_changed_by_checking() -> None:
    from compat.server.prompt_checks import check_prompt
    from host.folders import Folders

    nodes = picture_prompt("64")
    check_prompt(nodes, TOYS, Folders({}))
    assert nodes == picture_prompt("64")
