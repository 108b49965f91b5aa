"""Whatever is malformed gets one clear problem, and nothing is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.body import BYTES_MAX, DEPTH_MAX, canonical, parse
from api.problems import Invalid
from tests.api.living import Caller, Living

GOOD = b'{"role":"samurai","kind":"role"}'
BAD_BODIES: dict[str, bytes] = {
    "broken": b'{"role":',
    "empty": b"",
    "not UTF-8": b'{"role":"\xff","kind":"role"}',
    "UTF-16": '{"role":"samurai","kind":"role"}'.encode("utf-16"),
    "an array": b'["samurai"]',
    "a text": b'"samurai"',
    "null": b"null",
    "two values": GOOD + GOOD,
    "a comment": b'{"role":"samurai",/* */"kind":"role"}',
    "NaN": b'{"role":NaN,"kind":"role"}',
    "Infinity": b'{"role":-Infinity,"kind":"role"}',
    "a number beyond doubles": b'{"role":1e999,"kind":"role"}',
    "a number beyond 64 bits": b'{"role":9223372036854775808,"kind":"role"}',
    "a double beyond 64 bits": b'{"role":1e19,"kind":"role"}',
    "a number of 5,000 digits": b'{"role":' + b"9" * 5_000 + b"}",
    "a name given twice": b'{"role":"samurai","role":"oracle","kind":"role"}',
    "U+0000 escaped": b'{"role":"sam\\u0000urai","kind":"role"}',
    "U+0000 raw": b'{"role":"sam\x00urai","kind":"role"}',
    "a lone surrogate": b'{"role":"\\ud800","kind":"role"}',
    "a lone surrogate as a name": b'{"\\udfff":1,"role":"samurai","kind":"role"}',
    "an unknown field": b'{"role":"samurai","kind":"role","price":1}',
    "a missing field": b'{"role":"samurai"}',
    "a wrong type": b'{"role":7,"kind":"role"}',
    "a wrong word": b'{"role":"samurai","kind":"boss"}',
    "an empty text": b'{"role":"","kind":"role"}',
    "a long text": b'{"role":"' + b"x" * 65 + b'","kind":"role"}',
    "too deep": b'{"role":' + b"[" * 40 + b"]" * 40 + b',"kind":"role"}',
    "too deep to parse": b"[" * 100_000,
}
BAD_HASHES: dict[str, Any] = {
    "short": "0x12",
    "no 0x": "12" * 32,
    "not hex": "0x" + "zz" * 32,
    "long": "0x" + "12" * 33,
    "a newline": "0x" + "12" * 32 + "\n",
    "a number": 12,
    "null": None,
    "a list": ["0x" + "12" * 32],
    "other digits": "0x" + "\u0661" * 64,
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
async def test_a_bad_body_is_refused_and_records_nothing(
    here: Living, ada: Caller, body: bytes
) -> None:
    before = await here.position()
    answer = await ada.ask("POST", "/characters", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert answer.json()["fields"]
    assert await here.position() == before


@pytest.mark.parametrize("tx_hash", BAD_HASHES.values(), ids=BAD_HASHES.keys())
async def test_a_bad_hash_is_refused(here: Living, ada: Caller, tx_hash: Any) -> None:
    order = await ada.order()
    before = await here.position()
    answer = await ada.post(f"/mint-orders/{order['order_id']}/transactions", {"tx_hash": tx_hash})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert answer.json()["fields"][0]["field"] == "body.tx_hash"
    assert await here.position() == before


async def test_a_hash_in_capitals_is_the_same_hash(here: Living, ada: Caller) -> None:
    order = await ada.order()
    path = f"/mint-orders/{order['order_id']}/transactions"
    first = await ada.post(path, {"tx_hash": "0x" + "AB" * 32})
    again = await ada.post(path, {"tx_hash": "0x" + "ab" * 32})
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.headers["X-Ledger-Position"] == again.headers["X-Ledger-Position"]


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "in chunks"])
async def test_a_body_of_more_than_a_mebibyte_is_413(ada: Caller, declared: bool) -> None:
    async def chunks() -> Any:
        for _ in range(17):
            yield b" " * (BYTES_MAX // 16)

    content = b" " * (BYTES_MAX + 1) if declared else chunks()
    answer = await ada.ask("POST", "/characters", content=content)
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


async def test_a_body_of_exactly_a_mebibyte_is_read(ada: Caller) -> None:
    padded = GOOD + b" " * (BYTES_MAX - len(GOOD))
    assert (await ada.ask("POST", "/characters", content=padded)).status_code == 201


async def test_routes_without_a_body_take_nothing_or_an_empty_object(ada: Caller) -> None:
    path = f"/characters/{await ada.character()}/mint-orders"
    assert (await ada.ask("POST", path)).status_code == 201
    assert (await ada.ask("POST", path, content=b"{}")).status_code == 200
    refused = await ada.ask("POST", path, content=b'{"price":"-1"}')
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "body.price")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "-1"},
        {"limit": "1.5"},
        {"limit": "ten"},
        {"limit": "\u0661"},
        {"cursor": "?"},
        {"cursor": "LTE="},
        {"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"},
        {"min_position": "-1"},
        {"min_position": "soon"},
        {"min_position": "9" * 19},
    ],
    ids=str,
)
async def test_a_bad_question_is_refused(ada: Caller, query: dict[str, str]) -> None:
    answer = await ada.get("/characters", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


async def test_a_key_must_be_short_and_visible(ada: Caller) -> None:
    for key in ("", "x" * 256, "a b"):
        answer = await ada.post("/characters", json.loads(GOOD), Idempotency_Key=key)
        assert answer.status_code == 422
        assert answer.json()["fields"][0]["field"] == "Idempotency-Key"


_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
_leaves = st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | _texts
_values = st.recursive(
    _leaves, lambda inner: st.lists(inner) | st.dictionaries(_texts, inner), max_leaves=20
)


@given(value=_values, ascii_only=st.booleans())
def test_every_good_value_is_read_back(value: Any, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert parse(raw) == value
    assert canonical(parse(raw)) == canonical(value)


@given(depth=st.integers(1, 3 * DEPTH_MAX), brackets=st.sampled_from(["[]", "{}"]))
def test_depth_is_counted_outside_texts_only(depth: int, brackets: str) -> None:
    opening = "[" if brackets == "[]" else '{"a[[[[{{{{":'
    inner = '"' + '[{\\"' * 40 + '"'
    raw = (opening * depth + inner + brackets[1] * depth).encode()
    if depth <= DEPTH_MAX:
        parse(raw)
    else:
        with pytest.raises(Invalid):
            parse(raw)
