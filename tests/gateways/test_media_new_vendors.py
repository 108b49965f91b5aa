"""Vendors that nobody has heard of, one of each shape, work by a row alone."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from consumers.gateways.media import ConfiguredProviders, allowed
from consumers.gateways.mma_ports import Made, Submitted
from consumers.gateways.ports import TryAgain, WillNotWork
from domain.providers import registry_of, row_of
from embedded.twins.kling import motion
from embedded.twins.paint import paint
from embedded.twins.wire import Answer, Call
from tests.gateways.media_side import IMAGE, KEYS, PROMPT, ROWS, failure, of_row, still, video
from tests.twins.alone import Alone, alone

PIXIE = {
    "name": "pixie",
    "shape": "sync_json",
    "base_url": "https://pixie.example",
    "path": "/make/{model}",
    "auth": {"type": "header", "name": "X-Pixie-Key", "key": "vendor"},
    "request": {
        "body": {
            "text": {"$": "prompt"},
            "refs": {"$list": [{"$": "images.product"}, {"$": "images.inspirations"}]},
            "shape": {"$": "settings.aspect_ratio", "map": {"1:1": "square", "16:9": "wide"}},
        },
        "headers": {"X-Trace": {"$": "reference"}},
    },
    "response": {"base64": ["/images/*/b64"], "facts": {"cost": ["/cost"]}},
    "errors": {
        "code": ["/fault/kind"],
        "message": ["/fault/text"],
        "rules": [{"code": "nsfw", "class": "refused"}, {"code": "broke", "class": "quota"}],
    },
    "media": "still",
}
LOOM = {
    "name": "loom",
    "shape": "async_poll",
    "base_url": "https://loom.example",
    "path": "/v2/jobs",
    "auth": {"type": "none"},
    "request": {"body": {"job": {"frame": {"$": "images.image"}, "ref": {"$": "reference"}}}},
    "response": {
        "task": ["/job/id", "/items/0/id"],
        "status": {"at": ["/job/state"], "working": ["RUN"], "done": ["OK"], "failed": ["BAD"]},
        "poll": "/v2/jobs/{task_id}",
        "find": "/v2/jobs?ref={reference}",
        "outputs": ["/job/files/*/href"],
    },
    "errors": {
        "message": ["/job/why"],
        "rules": [{"pattern": "*against our rules*", "class": "refused"}],
    },
    "media": "video",
}
REEL = {
    **LOOM,
    "name": "reel",
    "shape": "async_webhook",
    "auth": {"type": "header", "name": "Authorization", "key": "vendor", "prefix": "Key "},
    "request": {"body": {"frame": {"$": "images.image"}, "hooks": {"done": {"$": "callback_url"}}}},
}


class Unheard:
    """All three vendors in one; `calls` are what they were asked."""

    name = "unheard"
    base_path = ""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.states = ["RUN", "OK"]

    async def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        match call.method, call.path.strip("/").split("/"):
            case "POST", ["make", _]:
                picture = paint(PROMPT, seed=0, width=64, height=64)
                images = [{"b64": base64.b64encode(picture).decode()}]
                return Answer.json(200, {"images": images, "cost": 3})
            case "POST", ["v2", "jobs"]:
                return Answer.json(202, {"job": {"id": 77}})
            case "GET", ["v2", "jobs"]:
                known = call.query["ref"] in str(self.calls[0].body)
                return Answer.json(200, {"items": [{"id": 77}] if known else []})
            case "GET", ["v2", "jobs", "77"]:
                state = self.states.pop(0)
                files = [{"href": f"{call.origin}/files/a.mp4"}] if state == "OK" else []
                return Answer.json(200, {"job": {"state": state, "files": files, "why": state}})
            case "GET", ["files", _]:
                return Answer(200, motion())
        return Answer(404)


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[tuple[Alone, Unheard]]:
    twin = Unheard()
    async with alone(twin) as vendor:
        yield vendor, twin


@pytest.fixture
def vendor(running: tuple[Alone, Unheard]) -> tuple[Alone, Unheard]:
    running[1].__init__()  # type: ignore[misc]
    return running


async def test_a_synchronous_vendor_makes_a_still(vendor: tuple[Alone, Unheard]) -> None:
    at, twin = vendor
    maker = of_row(at.client, at.url, PIXIE)
    wanted = still(
        images={"inspirations": (IMAGE, f"{IMAGE}?2")}, settings={"aspect_ratio": "16:9"}
    )
    made = await maker.start(wanted)
    assert isinstance(made, Made)
    assert made.facts == {"cost": 3}
    assert (await maker.fetch(made))[1] == "image/png"
    (call,) = twin.calls
    assert call.path == "/make/the-model"
    assert call.headers["x-pixie-key"] == KEYS["vendor"]
    assert call.headers["x-trace"] == wanted.reference
    expected = {"text": PROMPT, "refs": [IMAGE, f"{IMAGE}?2"], "shape": "wide"}
    assert call.readable_body() == expected == maker.request_of(wanted)


async def test_a_header_that_cannot_carry_a_text_ends_the_attempt_before_it_is_sent(
    vendor: tuple[Alone, Unheard],
) -> None:
    at, twin = vendor
    headers = {"X-Title": {"$": "prompt"}}
    maker = of_row(at.client, at.url, PIXIE | {"request": {"body": {}, "headers": headers}})
    for prompt in ("two\nlines", "東京"):
        found = await failure(maker.start(still(prompt=prompt)))
        assert (type(found), found.error_class) == (WillNotWork, "invalid")
    assert twin.calls == []


async def test_what_a_header_would_lose_at_its_ends_is_not_sent(
    vendor: tuple[Alone, Unheard],
) -> None:
    at, twin = vendor
    headers = {"X-Title": {"$": "prompt"}}
    maker = of_row(at.client, at.url, PIXIE | {"request": {"body": {}, "headers": headers}})
    await maker.start(still(prompt=" a cup "))
    assert twin.calls[0].headers["x-title"] == "a cup"


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_a_row_does_not_say_how_a_request_is_framed(name: str) -> None:
    for row in (
        PIXIE | {"request": {"body": {}, "headers": {name: "3"}}},
        PIXIE | {"auth": {"type": "header", "name": name, "key": "vendor"}},
    ):
        with pytest.raises(ValueError, match="no header of a row"):
            row_of(row)


async def test_a_fact_that_repeats_a_key_or_where_we_are_called_is_not_kept(
    vendor: tuple[Alone, Unheard],
) -> None:
    at, _ = vendor
    facts = {name: [f"/{name}"] for name in ("key", "hook", "cost")}
    maker = of_row(at.client, at.url, PIXIE | {"response": {"outputs": ["/url"], "facts": facts}})
    said = {"key": [KEYS["vendor"]], "hook": "https://mega.example/webhooks/kling/s", "cost": 3}
    await at.steer("script", {"response": {"body": {**said, "url": f"{at.url}/files/a"}}})
    made = await maker.start(still())
    assert isinstance(made, Made) and made.facts == {"cost": 3}


async def test_its_errors_have_the_classes_of_its_rules(vendor: tuple[Alone, Unheard]) -> None:
    at, _ = vendor
    maker = of_row(at.client, at.url, PIXIE)
    for status, kind, error_class in (
        (200, "nsfw", "refused"),
        (400, "nsfw.hard", "refused"),
        (400, "broke", "quota"),
        (400, "else", "invalid"),
        (503, "else", "transient"),
    ):
        body = {"fault": {"kind": kind, "text": f"no: {KEYS['vendor']}"}}
        await at.steer("script", {"response": {"status": status, "body": body}})
        assert (await failure(maker.start(still()))).error_class == error_class


@pytest.mark.parametrize("row", [LOOM, REEL], ids=["async_poll", "async_webhook"])
async def test_an_asynchronous_vendor_makes_a_video(
    vendor: tuple[Alone, Unheard], row: dict[str, Any]
) -> None:
    at, twin = vendor
    maker = of_row(at.client, at.url, row)
    wanted = video(callback_url="https://mega.example/hook/secret")
    task = await maker.start(wanted)
    assert task == Submitted("77")
    assert await maker.poll("77") is None
    made = await maker.poll("77")
    assert made is not None
    assert (await maker.fetch(made))[1] == "video/mp4"
    posted = twin.calls[0]
    if row is LOOM:
        assert await maker.find(wanted) == task
        assert await maker.find(video()) is None
        assert "authorization" not in posted.headers
    else:
        assert posted.headers["authorization"] == f"Key {KEYS['vendor']}"
        told = {"frame": IMAGE, "hooks": {"done": wanted.callback_url}}
        assert posted.readable_body() == told


async def test_its_failed_task_and_its_unknown_word(vendor: tuple[Alone, Unheard]) -> None:
    at, twin = vendor
    maker = of_row(at.client, at.url, LOOM)
    twin.states = ["BAD", "HMM"]
    found = await failure(maker.poll("77"))
    assert (type(found), found.error_class) == (WillNotWork, "transient")
    assert isinstance(await failure(maker.poll("77")), TryAgain)
    body = {"job": {"state": "BAD", "why": "It is against our rules"}}
    await at.steer("script", {"response": {"body": body}})
    assert (await failure(maker.poll("77"))).error_class == "refused"


def test_such_rows_fit_into_the_registry_beside_the_products_own() -> None:
    rows = registry_of([*ROWS.values(), PIXIE, LOOM, REEL])
    assert [row.recoverable for row in rows[-3:]] == [False, True, True]


@pytest.mark.parametrize(
    ("row", "defaults", "why"),
    [
        ({**PIXIE, "base_url": "https://evil.example"}, {"model": "m"}, "MEGA_PROVIDER_HOSTS"),
        ({**PIXIE, "base_url": "https://pixie.example.evil"}, {"model": "m"}, "PROVIDER_HOSTS"),
        ({**PIXIE, "base_url": "setting:OPENAI_URL"}, {"model": "m"}, "OPENAI_URL is missing"),
        ({**PIXIE, "auth": {"type": "bearer", "key": "nobody"}}, {"model": "m"}, "nobody"),
        ({**PIXIE, "shape": "sync"}, {"model": "m"}, "shape"),
        (PIXIE, {}, "model"),
        (PIXIE, {"model": "../admin"}, "model"),
    ],
)
def test_a_row_that_leads_nowhere_allowed_will_not_work(
    row: dict[str, Any], defaults: dict[str, Any], why: str
) -> None:
    makers = ConfiguredProviders(
        client=httpx.AsyncClient(), urls={}, keys=KEYS, hosts=frozenset({"pixie.example"})
    )
    with pytest.raises(WillNotWork, match=why) as raised:
        makers.of(row, defaults)
    assert raised.value.error_class == "invalid"


@pytest.mark.parametrize(
    ("auth", "base_url", "why"),
    [
        ({"type": "bearer", "key": "openai"}, "https://pixie.example", "openai is not for"),
        ({"type": "bearer", "key": "openai"}, "setting:SEEDREAM_URL", "openai is not for"),
        (
            {"type": "header", "name": "X-Key", "key": "kling_secret"},
            "https://pixie.example",
            "not",
        ),
        ({"type": "kling_jwt"}, "https://pixie.example", "kling_access is not for"),
        ({"type": "bearer", "key": "seedream"}, "http://ark.example", "seedream is not for"),
        ({"type": "bearer", "key": "replicate"}, "https://pixie.example", "replicate is not for"),
    ],
)
def test_a_key_of_the_product_goes_to_the_vendor_that_gave_it_and_nowhere_else(
    auth: dict[str, Any], base_url: str, why: str
) -> None:
    hosts = frozenset({"pixie.example", "ark.example"})
    urls = {"SEEDREAM_URL": "https://ark.example/api/v3", "OPENAI_URL": "https://gpt.example"}
    keys = KEYS | {"openai": "sk-openai"}
    makers = ConfiguredProviders(client=httpx.AsyncClient(), urls=urls, keys=keys, hosts=hosts)
    with pytest.raises(WillNotWork, match=why):
        makers.of({**PIXIE, "auth": auth, "base_url": base_url}, {"model": "m"})
    own = {"type": "bearer", "key": "seedream"}
    assert makers.of({**PIXIE, "auth": own, "base_url": "https://ark.example"}, {"model": "m"})


@pytest.mark.parametrize("host", ["xn--0", "xn--", "[fe80::1%25eth0]..ß]"])
def test_a_host_that_is_no_name_in_any_script_is_not_allowed(host: str) -> None:
    assert not allowed(f"https://{host}/a.png", frozenset({"pixie.example"}))
