"""Providers as rows: what a row may say, templates of requests, and what answers mean."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from domain.provider_answer import Errors, Status, at, texts_at
from domain.provider_registry import DEFAULT_DEFAULTS, DEFAULT_REGISTRY
from domain.provider_template import ABSENT, check_template, render
from domain.providers import defaults_of, registry_of, row_of

VALUES = {
    "prompt": "a cup",
    "reference": "gen-1",
    "callback_url": "",
    "images.product": "https://a/p.png",
    "images.inspirations": ("https://a/1.png", "https://a/2.png"),
    "settings.aspect_ratio": "16:9",
    "settings.duration": 5,
    "settings.seed": "42",
    "defaults.size": "1K",
    "defaults.watermark": False,
    "defaults.sizes": {"16:9": "1280x720"},
    "defaults.parameters": ["model", "prompt"],
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ({"$": "prompt"}, "a cup"),
        ({"$": "images.logo"}, ABSENT),
        ({"$": "callback_url"}, ABSENT),
        ({"$": "defaults.watermark"}, False),
        ({"$": "settings.duration", "as": "text"}, "5"),
        ({"$": "settings.seed", "as": "integer"}, 42),
        ({"$": "settings.aspect_ratio", "map": {"16:9": "wide"}}, "wide"),
        ({"$": "settings.aspect_ratio", "map": {"1:1": "square"}}, ABSENT),
        ({"$": "settings.aspect_ratio", "map": "defaults.sizes"}, "1280x720"),
        ({"$": "settings.aspect_ratio", "map": "defaults.none"}, ABSENT),
        ({"$": "images.product", "then": {"mode": "pro"}}, {"mode": "pro"}),
        ({"$": "images.logo", "then": "pro"}, ABSENT),
        ({"$first": [{"$": "settings.size"}, {"$": "defaults.size"}, "2K"]}, "1K"),
        ({"$first": [{"$": "settings.size"}, "2K"]}, "2K"),
        ({"$first": []}, ABSENT),
        (
            {
                "$list": [
                    {"$": "images.logo"},
                    {"$": "images.product"},
                    {"$": "images.inspirations"},
                ]
            },
            ["https://a/p.png", "https://a/1.png", "https://a/2.png"],
        ),
        ({"$list": [{"$": "images.logo"}]}, ABSENT),
        ({"$allowed": {"prompt": {"$": "prompt"}, "seed": 1}}, {"prompt": "a cup"}),
        (
            {"a": {"$": "images.logo"}, "b": [{"$": "prompt"}, {"$": "images.logo"}], "c": None},
            {"b": ["a cup"], "c": None},
        ),
        ("{prompt} $prompt", "{prompt} $prompt"),
    ],
)
def test_a_template_becomes_what_its_references_name(template: Any, expected: Any) -> None:
    check_template(template)
    assert render(template, VALUES) == expected


def test_without_a_list_of_parameters_all_are_sent() -> None:
    values = {name: value for name, value in VALUES.items() if name != "defaults.parameters"}
    assert render({"$allowed": {"seed": 1}}, values) == {"seed": 1}


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ({"$": "env.HOME"}, "no reference"),
        ({"$": "images.secret"}, "no reference"),
        ({"$": "settings.__class__"}, "no reference"),
        ({"$": 3}, "no reference"),
        ({"$": "prompt", "as": "float"}, "text or integer"),
        ({"$": "prompt", "as": "text", "then": 1}, "one of as, map and then"),
        ({"$": "prompt", "or": 1}, "one of as, map and then"),
        ({"$": "prompt", "map": "settings.map"}, "map is an object"),
        ({"a": [{"$eval": "1"}]}, r"no \$eval"),
        ({"$first": {}}, "holds a list"),
        ({"$allowed": []}, "holds an object"),
        ({"$list": [], "b": 1}, "nothing stands beside"),
        (json.loads('{"a":' * 14 + "1" + "}" * 14), "levels deep"),
        (json.loads("[" * 14 + "]" * 14), "levels deep"),
    ],
)
def test_a_template_says_nothing_else(template: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_template(template)


@pytest.mark.parametrize("value", ["long", "1e3", "9" * 16, True, 1.5, ["5"]])
def test_a_setting_that_is_no_integer_is_not_sent_as_one(value: Any) -> None:
    with pytest.raises(ValueError, match=r"settings\.duration"):
        render({"$": "settings.duration", "as": "integer"}, {"settings.duration": value})


def test_pointers_find_what_is_there() -> None:
    document = {"a": [{"b": 1}, {"b": None}, {"c": 3}], "x/y": {"~": "t"}, "e": "", "n": [[7]]}
    assert at(document, "/a/*/b") == [1]
    assert at(document, "/a/2/c") == [3]
    assert at(document, "/a/9/c") == at(document, "/a/-1/c") == at(document, "/e/f") == []
    assert at(document, "/x~1y/~0") == ["t"]
    assert at(document, "/n/0/0") == [7]
    assert texts_at(document, ["/e", "/a", "/a/*/b", "/x~1y/~0"]) == ["1"]


ERRORS = Errors.model_validate(
    {
        "code": ["/error/code", "/data/*/error/code"],
        "message": ["/error/message"],
        "ok": ["0"],
        "rules": [
            {"code": "Limit", "status": 429, "class": "quota"},
            {"code": "Limit", "class": "throttled"},
            {"pattern": "*sensitive*", "class": "refused"},
        ],
    }
)


@pytest.mark.parametrize(
    ("status", "code", "message", "error_class"),
    [
        (429, "Limit.Rpm", "", "quota"),
        (400, "Limit", "", "throttled"),
        (400, "Limits", "", "invalid"),
        (200, "x", "This is SENSITIVE content", "refused"),
        (200, "SensitiveThing", "", "refused"),
        (402, "", "", "quota"),
        (429, "", "", "throttled"),
        (404, "", "", "invalid"),
        (200, "", "", "transient"),
        (500, "", "", "transient"),
        (409, "", "", "transient"),
    ],
)
def test_the_first_rule_that_fits_tells_the_class_and_the_status_else(
    status: int, code: str, message: str, error_class: str
) -> None:
    assert ERRORS.classify(status, code, message) == error_class


def test_codes_of_the_whole_and_of_one_output_are_kept_apart() -> None:
    whole, one = {"error": {"code": 1303}}, {"data": [{"url": "u"}, {"error": {"code": "bad"}}]}
    assert (ERRORS.code_of_all(whole), ERRORS.code_of_one(whole)) == ("1303", "")
    assert (ERRORS.code_of_all(one), ERRORS.code_of_one(one)) == ("", "bad")
    assert ERRORS.code_of_all({"error": {"code": 0}}) == ""


def test_a_state_without_a_meaning_is_none() -> None:
    words = {"at": ["/s"], "working": ["run"], "done": ["ok"], "failed": ["bad"]}
    status = Status.model_validate(words)
    told = [status.of({"s": word}) for word in ("run", "ok", "bad", "OK", 1)]
    assert told == ["working", "done", "failed", None, None]


def test_the_products_own_rows_and_defaults_fit_also_as_json() -> None:
    rows = registry_of(json.loads(json.dumps(DEFAULT_REGISTRY)))
    assert [(row.name, row.media, row.recoverable) for row in rows] == [
        ("seedream", "still", False),
        ("replicate", "still", False),
        ("kling", "video", True),
        ("replicate_video", "video", False),
    ]
    assert {row.name for row in rows} == set(DEFAULT_DEFAULTS)
    for value in DEFAULT_DEFAULTS.values():
        assert defaults_of(value)["model"]


def changed(path: str, value: Any) -> dict[str, Any]:
    """Kling's row with one thing changed; `...` takes it away."""
    row = deepcopy(next(row for row in DEFAULT_REGISTRY if row["name"] == "kling"))
    *way, last = path.split(".")
    inner = row
    for name in way:
        inner = inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return row


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("name", "Kling!", "name"),
        ("name", ..., "name: Field required"),
        ("shape", "sync", "shape"),
        ("base_url", "ftp://x", "base_url: must be a plain"),
        ("base_url", "https://user:key@x", "plain"),
        ("base_url", "https://x/?a=1", "plain"),
        ("base_url", "setting:DATABASE_URL", "must name one of"),
        ("path", "v1", "must be a path"),
        ("path", "/v1/../admin", "must be a path"),
        ("path", "/v1/{secret}", "may name"),
        ("auth", {"type": "basic"}, "auth"),
        ("auth", {"type": "bearer", "key": "secret-key"}, "auth"),
        ("auth", {"type": "header", "name": "X Y", "key": "k"}, "auth"),
        ("request.body", [], "must be an object"),
        ("request.body.$allowed.prompt", {"$": "prompts"}, "no reference"),
        ("request.headers", {"X\nY": "1"}, "no header"),
        ("response.poll", "/v1/tasks", "task_id"),
        ("response.find", "/v1/tasks", "reference"),
        ("response.task", ..., "needs task, status and poll"),
        ("response.outputs", ..., "needs outputs or base64"),
        ("response.outputs", ["data.url"], "JSON pointer"),
        ("response.status.done", [], "status.done"),
        ("errors.rules", [{"class": "refused"}], "a rule has"),
        ("errors.rules", [{"code": "1", "class": "bad"}], "class"),
        ("media", "audio", "media"),
        ("surprise", 1, "surprise"),
    ],
)
def test_a_malformed_row_is_told_what_is_wrong(path: str, value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        row_of(changed(path, value))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({}, "must be a list"),
        ([], "must be a list"),
        ([1], "malformed provider 1"),
        ([changed("media", "video")] * 2, "two providers called kling"),
        ([changed("media", "video"), changed("media", 1)], "malformed provider 2"),
    ],
)
def test_a_malformed_registry_is_told_what_is_wrong(value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        registry_of(value)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"model": ""},
        {"model": "../x"},
        {"model": "a b"},
        {"model": "m", "parameters": "all"},
        {"model": "m", "parameters": [1]},
        {"model": "m", "Size": "1K"},
        {"model": "m", "size": ["1K"]},
        {"model": "m", "sizes": {"1:1": {"w": 1}}},
    ],
)
def test_malformed_defaults_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"must|has"):
        defaults_of(value)


def test_the_row_in_the_documentation_fits() -> None:
    page = (Path(__file__).parents[2] / "docs/providers.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert row_of(json.loads(example)).recoverable
