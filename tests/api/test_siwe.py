"""EIP-4361 by its official cases, and what our own judgement adds to them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from api import siwe
from api.problems import ChainSilent
from api.sign_in import SKEW, MalformedMessage, SignInRefused

VECTORS = Path(__file__).parents[1] / "vectors" / "siwe"
AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = "0x" + "11" * 32


def vectors(name: str) -> list[Any]:
    cases = json.loads((VECTORS / f"{name}.json").read_text())
    return [pytest.param(case, id=title) for title, case in cases.items()]


def written(**given: Any) -> str:
    """A message as a wallet writes it, with `given` in place of what would pass."""
    f = {
        "domain": "mega.example",
        "address": Account.from_key(KEY).address,
        "uri": "https://mega.example/login",
        "chainId": 8453,
        "nonce": "a1b2c3d4e5f6",
        "issuedAt": "2026-11-21T12:00:00Z",
        **given,
    }
    lines = [
        f"{f['domain']} wants you to sign in with your Ethereum account:",
        f["address"],
        "",
        *([f["statement"]] if f.get("statement") else []),
        "",
        f"URI: {f['uri']}",
        "Version: 1",
        f"Chain ID: {f['chainId']}",
        f"Nonce: {f['nonce']}",
        f"Issued At: {f['issuedAt']}",
    ]
    named = {"expirationTime": "Expiration Time", "notBefore": "Not Before"}
    lines += [f"{title}: {f[name]}" for name, title in named.items() if f.get(name)]
    return "\n".join(lines)


def signed(text: str, key: str = KEY) -> bytes:
    return bytes(Account.sign_message(encode_defunct(text=text), key).signature)


@pytest.mark.parametrize("case", vectors("parsing_positive"))
def test_a_message_of_the_standard_is_read_with_all_its_fields(case: Any) -> None:
    message = siwe.parse(case["message"])
    expected = case["fields"]
    assert message.scheme == expected.get("scheme")
    assert message.domain == expected["domain"]
    assert message.address == expected["address"]
    assert message.statement == expected.get("statement")
    assert message.uri == expected["uri"]
    assert message.chain_id == expected["chainId"]
    assert message.nonce == expected["nonce"]
    assert message.issued_at == datetime.fromisoformat(expected["issuedAt"])
    assert list(message.resources) == expected.get("resources", [])


@pytest.mark.parametrize("text", vectors("parsing_negative"))
def test_what_the_standard_forbids_is_malformed(text: str) -> None:
    with pytest.raises(MalformedMessage):
        siwe.parse(text)


@pytest.mark.parametrize("case", vectors("verification_positive"))
async def test_a_signature_of_the_standard_is_its_accounts(case: Any) -> None:
    message = siwe.parse(written(**case))
    signer = await siwe.signed_by(message, siwe.signature_bytes(case["signature"]))
    assert signer == case["address"].lower()


@pytest.mark.parametrize(
    "given",
    [
        {"domain": "evil.example"},
        {"domain": "mega.example:8000"},
        {"uri": "https://evil.example/login"},
        {"uri": "javascript:alert(1)"},
        {"uri": "https://[::cafe"},
        {"chainId": 1},
        {"issuedAt": "2026-11-21T12:01:01Z"},
        {"notBefore": "2026-11-21T12:00:01Z"},
        {"expirationTime": "2026-11-21T12:00:00Z"},
    ],
    ids=str,
)
def test_a_message_for_elsewhere_or_another_time_is_refused(given: dict[str, Any]) -> None:
    siwe.judge(siwe.parse(written()), domain="mega.example", chain_id=8453, at=AT)
    with pytest.raises(SignInRefused):
        siwe.judge(siwe.parse(written(**given)), domain="mega.example", chain_id=8453, at=AT)


def test_a_clock_that_is_a_little_ahead_is_forgiven() -> None:
    issued = (AT + SKEW).isoformat()
    siwe.judge(siwe.parse(written(issuedAt=issued)), domain="mega.example", chain_id=8453, at=AT)
    late = siwe.parse(written(issuedAt=(AT + SKEW + timedelta(seconds=1)).isoformat()))
    with pytest.raises(SignInRefused):
        siwe.judge(late, domain="mega.example", chain_id=8453, at=AT)


def test_only_development_takes_this_machine_for_the_uri() -> None:
    message = siwe.parse(written(uri="http://127.0.0.1:8000/auth/siwe"))
    siwe.judge(message, domain="mega.example", chain_id=8453, at=AT, loopback=True)
    with pytest.raises(SignInRefused):
        siwe.judge(message, domain="mega.example", chain_id=8453, at=AT)


@pytest.mark.parametrize("text", ["", "0x", "0x123", "deadbeef", "0xzz", "0x" + "00" * 5000])
def test_a_signature_that_is_not_hexadecimal_or_too_long_is_malformed(text: str) -> None:
    with pytest.raises(MalformedMessage):
        siwe.signature_bytes(text)


@pytest.mark.parametrize("bytes_", [b"\0", b"\0" * 65, b"\xff" * 65, b"\1" * 64 + b"\x05"])
async def test_a_signature_that_recovers_nobody_is_refused(bytes_: bytes) -> None:
    with pytest.raises(SignInRefused):
        await siwe.signed_by(siwe.parse(written()), bytes_)


async def test_a_message_changed_after_signing_is_refused() -> None:
    signature = signed(written())
    assert await siwe.signed_by(siwe.parse(written()), signature)
    with pytest.raises(SignInRefused):
        await siwe.signed_by(siwe.parse(written(nonce="a1b2c3d4e5f7")), signature)


async def test_a_contract_wallet_says_itself_what_it_signed() -> None:
    message, asked = siwe.parse(written()), []

    async def ask(address: str, digest: bytes, signature: bytes) -> bool:
        asked.append(digest)
        return (address, signature) == (message.address, b"any length")

    assert await siwe.signed_by(message, b"any length", ask) == message.address.lower()
    by_owner = Account.unsafe_sign_hash(asked[0], KEY).signature
    assert bytes(by_owner) == signed(written()), "the digest is the one that a wallet signs"
    with pytest.raises(SignInRefused):
        await siwe.signed_by(message, b"another", ask)


async def test_a_silent_chain_is_no_refusal_of_the_contract() -> None:
    async def ask(address: str, digest: bytes, signature: bytes) -> None:
        return None

    assert await siwe.signed_by(siwe.parse(written()), signed(written()), ask)
    with pytest.raises(ChainSilent):
        await siwe.signed_by(siwe.parse(written()), b"any length", ask)
