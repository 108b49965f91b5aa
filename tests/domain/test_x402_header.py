"""A payment header is read or refused with x402's word for it, and never repeated."""

from __future__ import annotations

import base64
import json
from copy import deepcopy

import pytest
from hypothesis import given as forall
from hypothesis import strategies as some

from domain.x402 import Authorization, SignedPayment
from domain.x402_header import HEADER_CHARS_MAX, BadHeader, read_payment

PAYER, PAYEE, NONCE = "0x" + "Aa" * 20, "0x" + "Bb" * 20, "0x" + "Cc" * 32
SIGNATURE = "0x" + "5e" * 65
V1 = {
    "x402Version": 1,
    "scheme": "exact",
    "network": "base",
    "payload": {
        "signature": SIGNATURE,
        "authorization": {
            "from": PAYER,
            "to": PAYEE,
            "value": "1000000",
            "validAfter": "0",
            "validBefore": "1900000000",
            "nonce": NONCE,
        },
    },
}
TERMS = {"scheme": "exact", "network": "eip155:8453", "asset": "0x" + "Dd" * 20}
V2 = {
    "x402Version": 2,
    "accepted": {**TERMS, "amount": "1000000", "payTo": PAYEE, "extra": {"name": "USD Coin"}},
    "payload": V1["payload"],
}
MISSING = object()


def spoken(message) -> str:
    return base64.b64encode(json.dumps(message).encode()).decode()


def changed(message, path, value):
    """The message with another value at a place; MISSING takes it away."""
    made = deepcopy(message)
    inner = made
    for name in path[:-1]:
        inner = inner[name]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return made


def refusal(header) -> str:
    with pytest.raises(BadHeader) as caught:
        read_payment(header)
    told = f"{caught.value!r} {caught.value.__cause__!r}"
    assert SIGNATURE not in told
    assert len(header) < 20 or header not in told
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.reason


def test_version_1_is_read_with_addresses_in_lower_case():
    header = spoken(V1)
    said = Authorization(PAYER.lower(), PAYEE.lower(), 1_000_000, 0, 1_900_000_000, NONCE.lower())
    assert read_payment(header) == SignedPayment(1, "exact", "base", said, SIGNATURE, header)


def test_version_2_is_read_with_the_terms_that_its_payer_accepted():
    payment = read_payment(spoken(V2))
    assert (payment.version, payment.network) == (2, "eip155:8453")
    assert payment.accepted == ("0x" + "dd" * 20, PAYEE.lower(), "1000000")
    assert payment.authorization == read_payment(spoken(V1)).authorization


def test_neither_the_signature_nor_the_header_is_in_a_repr():
    payment = read_payment(spoken(V1))
    assert SIGNATURE not in repr(payment)
    assert spoken(V1) not in repr(payment)


def test_what_the_protocol_adds_later_is_not_in_the_way():
    assert read_payment(spoken({**V1, "extensions": {"x": [1]}})).version == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "%%%",
        "not base64",
        spoken(V1)[:-1],
        spoken(V1) + "!",
        spoken(V1).rstrip("=") + "\n",
        "é",
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"{").decode(),
        base64.b64encode(b"").decode(),
        base64.b64encode(b'{"x402Version": 1').decode(),
        spoken([V1]),
        spoken("text"),
        spoken(1),
        spoken(None),
        base64.b64encode(b"[" * 12_000).decode(),
        base64.b64encode(b'{"a":' * 2_400).decode(),
        "A" * (HEADER_CHARS_MAX + 4),
        "1" * 1_000_000,
        base64.b64encode(b'{"x402Version":' + b"9" * 5_000 + b"}").decode(),
    ],
    ids=range(20),
)
def test_what_is_no_json_object_in_base64_is_no_payment(header):
    assert refusal(header) == "invalid_payload"


@pytest.mark.parametrize("version", [0, 3, -1, "1", 1.0, 2.0, 1.5, None, [], {}, True, MISSING])
def test_another_version_is_told(version):
    assert refusal(spoken(changed(V1, ["x402Version"], version))) == "invalid_x402_version"


NUMBERS = ("value", "validAfter", "validBefore")
NO_NUMBERS = (1, 1.0, "1.0", "-1", "", "0x1", "1e6", " 1", "1\n", "٣", "9" * 79, None, True, [])
NO_ADDRESS = ("", "0x", "0x" + "a" * 39, "0x" + "g" * 40, "a" * 40, "0x" + "a" * 40 + "\n", 1, None)
NO_SIGNATURE = ("", "0x", "0xabc", "5e" * 65, "0x" + "zz" * 65, 7, None, "0x" + "5e" * 4097)
WRONG = [
    *((["payload", "authorization", name], value) for name in NUMBERS for value in NO_NUMBERS),
    *((["payload", "authorization", "from"], value) for value in NO_ADDRESS),
    *((["payload", "authorization", "to"], value) for value in NO_ADDRESS),
    *((["payload", "authorization", "nonce"], value) for value in ("0x1", NONCE + "00", 5, None)),
    *((["payload", "signature"], value) for value in NO_SIGNATURE),
    *(([name], value) for name in ("scheme", "network") for value in (1, None, [])),
    (["payload"], "text"),
    (["payload", "authorization"], []),
]


@pytest.mark.parametrize(("path", "value"), WRONG, ids=range(len(WRONG)))
def test_a_field_of_another_kind_is_no_payment(path, value):
    assert refusal(spoken(changed(V1, path, value))) == "invalid_payload"


FIELDS = ("from", "to", "value", "validAfter", "validBefore", "nonce")
REQUIRED = [
    *((V1, ["payload", "authorization", name]) for name in FIELDS),
    *((V1, [name]) for name in ("scheme", "network", "payload")),
    (V1, ["payload", "signature"]),
    (V1, ["payload", "authorization"]),
    *((V2, ["accepted", name]) for name in ("scheme", "network", "asset", "amount", "payTo")),
    (V2, ["accepted"]),
    (V2, ["payload"]),
]


@pytest.mark.parametrize(("message", "path"), REQUIRED, ids=range(len(REQUIRED)))
def test_a_missing_field_is_no_payment(message, path):
    assert refusal(spoken(changed(message, path, MISSING))) == "invalid_payload"


@pytest.mark.parametrize("amount", [1_000_000, 1.0, "-1", "", None])
def test_accepted_terms_of_another_kind_are_no_payment(amount):
    assert refusal(spoken(changed(V2, ["accepted", "amount"], amount))) == "invalid_payload"


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=8,
)


@forall(some.one_of(some.text(), some.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_no_text_at_all_is_more_than_a_refusal(header):
    refusal(header)


@forall(some.sampled_from([path for path, _ in WRONG]), json_values)
def test_no_value_at_any_place_is_more_than_a_refusal(path, value):
    try:
        read_payment(spoken(changed(V1, path, value)))
    except BadHeader as bad:
        assert bad.reason in ("invalid_payload", "invalid_x402_version")
