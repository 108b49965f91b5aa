"""Seedream by its row, against its twin (`providers.md` §2a); which hosts are fetched from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from consumers.gateways.mma_ports import Made
from consumers.gateways.ports import OutcomeUnknown, TryAgain, WillNotWork
from embedded.twins.seedream import Seedream
from tests.gateways.media_side import IMAGE, KEYS, PROMPT, Vendor, failure, provider, still, video
from tests.twins.alone import Alone, alone


@pytest.fixture(scope="module")
async def twin() -> AsyncIterator[Alone]:
    async with alone(Seedream()) as running:
        yield running


@pytest.fixture
async def seedream(twin: Alone) -> Vendor:
    return await Vendor.fresh(twin)


async def test_seedream_makes_a_picture_from_exactly_the_recorded_body(seedream: Vendor) -> None:
    maker = seedream.maker("seedream")
    wanted = still(
        images={"product": IMAGE, "inspirations": (f"{IMAGE}?1", f"{IMAGE}?2")},
        settings={"aspect_ratio": "16:9"},
    )
    made = await maker.start(wanted)
    assert isinstance(made, Made)
    content, content_type = await maker.fetch(made)
    assert (content[:4], content_type) == (b"\x89PNG", "image/png")
    assert made.facts["size"] == "1280x720"
    assert made.facts["usage"]["generated_images"] == 1
    (effect,) = await seedream.effects()
    body = effect["request"]["body"]
    assert body == maker.request_of(wanted)
    assert body["image"] == [IMAGE, f"{IMAGE}?1", f"{IMAGE}?2"]
    assert (body["prompt"], body["size"], body["watermark"]) == (PROMPT, "1280x720", False)


async def test_only_the_parameters_that_a_model_takes_are_sent(seedream: Vendor) -> None:
    maker = seedream.maker("seedream", parameters=["model", "prompt", "size"])
    assert maker.request_of(still()) == {
        "model": "seedream-4-0-250828",
        "prompt": PROMPT,
        "size": "1024x1024",
    }


def ark(code: str) -> dict[str, Any]:
    message = f"about {KEYS['seedream']}"
    return {"error": {"code": code, "message": message, "param": "", "type": "x"}}


@pytest.mark.parametrize(
    ("status", "body", "failed", "error_class"),
    [
        (400, ark("InputTextSensitiveContentDetected.PolicyViolation"), WillNotWork, "refused"),
        (400, ark("InputImageRiskDetection"), WillNotWork, "refused"),
        (400, ark("InvalidParameter.Size"), WillNotWork, "invalid"),
        (401, ark("AuthenticationError"), WillNotWork, "invalid"),
        (403, ark("AccountOverdueError"), WillNotWork, "quota"),
        (429, ark("QuotaExceeded"), WillNotWork, "quota"),
        (429, ark("RateLimitExceeded.EndpointRPMExceeded"), TryAgain, "throttled"),
        (429, ark("ServerOverloaded"), TryAgain, "transient"),
        (500, ark("InternalServiceError"), TryAgain, "transient"),
        (200, ark("OutputImageSensitiveContentDetected"), WillNotWork, "refused"),
        (200, {"data": [ark("OutputImageSensitiveContentDetected")]}, WillNotWork, "refused"),
        (200, {"data": []}, TryAgain, "transient"),
        (200, {"data": [{"b64_json": "%%"}]}, TryAgain, "transient"),
        (200, "<html>", TryAgain, "transient"),
        (502, None, OutcomeUnknown, "unknown"),
        (504, "late", OutcomeUnknown, "unknown"),
    ],
)
async def test_each_answer_of_seedream_has_its_class(
    seedream: Vendor, status: int, body: Any, failed: type, error_class: str
) -> None:
    await seedream.answers(status, body)
    found = await failure(seedream.maker("seedream").start(still()))
    assert (type(found), found.error_class) == (failed, error_class)


async def test_a_picture_that_is_cut_is_no_picture(seedream: Vendor) -> None:
    maker = seedream.maker("seedream")
    made = await maker.start(still())
    assert isinstance(made, Made)
    assert made.content
    cut = Made((), made.content[:-2_000], "image/png")
    assert isinstance(await failure(maker.fetch(cut)), TryAgain)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://127.0.0.1.evil.example/a.png",
        "http://127.0.0.1:1/a.png",
        "http://user@127.0.0.1/a.png",
        "file:///etc/passwd",
        "http://[/a.png",
    ],
)
async def test_an_output_on_a_foreign_host_is_not_fetched(seedream: Vendor, url: str) -> None:
    found = await failure(seedream.maker("seedream").fetch(Made((url,))))
    assert (type(found), found.error_class) == (WillNotWork, "invalid")


def test_a_maker_is_asked_only_for_what_it_makes_with_plain_settings() -> None:
    web = httpx.AsyncClient()
    kling = provider(web, "http://127.0.0.1:1", "kling")
    replicate = provider(web, "http://127.0.0.1:1", "replicate_video")
    for maker, wanted, why in (
        (kling, still(), "makes no still"),
        (kling, video(settings={"duration": {"$": "x"}}), "no plain value"),
        (kling, video(settings={"cfg": float("nan")}), "no plain value"),
        (replicate, video(settings={"duration": "long"}), "duration is no integer"),
    ):
        with pytest.raises(WillNotWork, match=why):
            maker.request_of(wanted)
