"""The vendors' shapes: what the twins answer to good and to malformed image requests."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.twins.control import HTTP, Control

ARK = {"model": "seedream-4-0-250828", "prompt": "Portrait of a wanderer, dusk", "size": "1K"}
GPT = {"model": "gpt-image-1", "prompt": "Portrait of a sovereign"}
AUTHORIZED = {"Authorization": "Bearer any-key"}


def ark(twin: Control, **changes: Any) -> httpx.Response:
    return HTTP.post(
        f"{twin.url}/api/v3/images/generations", json={**ARK, **changes}, headers=AUTHORIZED
    )


def gpt(twin: Control, **changes: Any) -> httpx.Response:
    url = f"{twin.url}/v1/images/generations"
    return HTTP.post(url, json={**GPT, **changes}, headers=AUTHORIZED, timeout=20)


def opened(content: bytes) -> tuple[str | None, tuple[int, int]]:
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        return picture.format, picture.size


def test_seedream_answers_a_url_to_a_real_png_of_the_declared_size(seedream: Control) -> None:
    answer = ark(seedream, size="1280x720").json()
    assert set(answer) == {"model", "created", "data", "usage"}
    assert set(answer["usage"]) == {"generated_images", "output_tokens", "total_tokens"}
    (element,) = answer["data"]
    assert element["size"] == "1280x720"
    assert "X-Tos-Expires=86400" in element["url"]
    assert opened(HTTP.get(element["url"]).content) == ("PNG", (1280, 720))


def test_the_same_prompt_and_seed_give_the_same_picture(seedream: Control) -> None:
    def picture(**changes: Any) -> bytes:
        answer = ark(seedream, response_format="b64_json", **changes).json()
        return base64.b64decode(answer["data"][0]["b64_json"])

    assert picture() == picture(seed=0)
    assert picture() != picture(seed=1)
    assert opened(picture(output_format="jpeg")) == ("JPEG", (1024, 1024))


def test_a_picture_url_dies_after_a_day_of_the_twins_clock(seedream: Control) -> None:
    url = ark(seedream).json()["data"][0]["url"]
    seedream.post("clock", {"advance_s": 86_000})
    assert HTTP.get(url).status_code == 200
    seedream.post("clock", {"advance_s": 500})
    assert HTTP.get(url).status_code == 403


def test_several_pictures_are_billed_one_by_one(seedream: Control) -> None:
    before = len(seedream.billed())
    answer = ark(
        seedream,
        sequential_image_generation="auto",
        sequential_image_generation_options={"max_images": 3},
    ).json()
    assert len({element["url"] for element in answer["data"]}) == 3
    assert len(seedream.billed()) == before + 3


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"model": "seedream-9"}, 404, "InvalidEndpointOrModel.NotFound"),
        ({"prompt": None}, 400, "InvalidParameter"),
        ({"prompt": ""}, 400, "InvalidParameter"),
        ({"size": "640x480"}, 400, "InvalidParameter"),
        ({"size": "8192x256"}, 400, "InvalidParameter"),
        ({"size": "big"}, 400, "InvalidParameter"),
        ({"image": ["https://x/y.png"] * 15}, 400, "InvalidParameter"),
        ({"image": "file:///etc/passwd"}, 400, "InvalidParameter"),
        ({"stream": True}, 400, "InvalidParameter"),
    ],
)
def test_seedream_refuses_malformed_requests_and_bills_nothing(
    seedream: Control, changes: dict[str, Any], status: int, code: str
) -> None:
    before = len(seedream.billed())
    answer = ark(seedream, **changes)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"code", "message", "param", "type"}
    assert len(seedream.billed()) == before


def test_seedream_names_a_missing_parameter_and_a_missing_key(seedream: Control) -> None:
    url = f"{seedream.url}/api/v3/images/generations"
    missing = HTTP.post(url, json={"model": ARK["model"]}, headers=AUTHORIZED).json()["error"]
    assert (missing["code"], missing["param"]) == ("MissingParameter", "prompt")
    keyless = HTTP.post(url, json=ARK)
    assert keyless.status_code == 401
    assert keyless.json()["error"]["code"] == "AuthenticationError"
    assert HTTP.post(url, content=b"{", headers=AUTHORIZED).status_code == 400


def test_openai_answers_base64_only_in_the_declared_size_and_format(openai: Control) -> None:
    before = len(openai.billed())
    answer = gpt(openai, size="1024x1536", output_format="webp")
    assert answer.headers["x-request-id"].startswith("req_")
    (element,) = answer.json()["data"]
    assert list(element) == ["b64_json"]
    assert opened(base64.b64decode(element["b64_json"])) == ("WEBP", (1024, 1536))
    assert len(openai.billed()) == before + 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"model": "dall-e-9"}, 404, "model_not_found"),
        ({"response_format": "url"}, 400, "unknown_parameter"),
        ({"size": "1x1"}, 400, "invalid_value"),
        ({"prompt": "x" * 32_001}, 400, "invalid_value"),
        ({"n": 11}, 400, "invalid_value"),
    ],
)
def test_openai_refuses_malformed_requests_and_bills_nothing(
    openai: Control, changes: dict[str, Any], status: int, code: str
) -> None:
    before = len(openai.billed())
    answer = gpt(openai, **changes)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert len(openai.billed()) == before


def test_openai_asks_for_a_key_and_knows_no_other_path(openai: Control) -> None:
    keyless = HTTP.post(f"{openai.url}/v1/images/generations", json=GPT)
    assert (keyless.status_code, keyless.json()["error"]["code"]) == (401, "invalid_api_key")
    assert HTTP.get(f"{openai.url}/v1/models", headers=AUTHORIZED).status_code == 404
