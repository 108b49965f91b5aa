"""Sign-In with Solana, by the saved message of a wallet, by what is refused, and over HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from solders.keypair import Keypair

from api import siws
from api.sign_in import MalformedMessage, SignInRefused
from domain.event import Refused
from ledger.audit import spoken_time
from tests.api.opened import HOST, Api, opened
from tests.world import TestWorld

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "siws_derived.json").read_text())
AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WALLET = Keypair.from_seed(bytes(range(32)))


def written(**given: Any) -> str:
    """A message as a wallet writes it; `given` replaces lines, None leaves one out."""
    f = {
        "domain": HOST,
        "address": str(WALLET.pubkey()),
        "statement": "Welcome back.",
        "URI": f"https://{HOST}/login",
        "Version": "1",
        "Chain ID": "solana:mainnet",
        "Nonce": "a1b2c3d4e5f6",
        "Issued At": "2026-11-21T12:00:00.000Z",
        **given,
    }
    first, named = ("domain", "address", "statement"), []
    for name in ("URI", "Version", "Chain ID", "Nonce", "Issued At", *f):
        if name not in (*first, *named) and f[name] is not None:
            named.append(name)
    statement = "" if f["statement"] is None else f"\n\n{f['statement']}"
    lines = "\n".join(f"{name}: {f[name]}" for name in named)
    head = f"{f['domain']} wants you to sign in with your Solana account:\n{f['address']}"
    return f"{head}{statement}\n\n{lines}"


def judged(text: str, **more: Any) -> None:
    terms = {"address": str(WALLET.pubkey()), "domain": HOST, "at": AT, "wallet_at": AT}
    siws.judge(siws.parse(text), **(terms | more))


def test_the_saved_message_is_its_accounts() -> None:
    message = siws.parse(VECTOR["message"])
    signature = siws.signature_bytes(VECTOR["signature_base58"])
    assert siws.signed_by(message, signature) == VECTOR["address"]
    assert (message.domain, message.chain) == ("example.com", "mainnet")
    assert (message.nonce, message.uri) == ("oBbLoEldZs", "https://example.com/login")
    assert message.expiration_time == datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize("changed", ["statement", "signature", "address"])
def test_what_was_changed_after_signing_is_refused(changed: str) -> None:
    text, signature = VECTOR["message"], bytearray(siws.signature_bytes(VECTOR["signature_base58"]))
    if changed == "statement":
        text = text.replace("Click", "Press")
    if changed == "address":
        text = text.replace(VECTOR["address"], str(WALLET.pubkey()))
    if changed == "signature":
        signature[5] ^= 1
    with pytest.raises(SignInRefused):
        siws.signed_by(siws.parse(text), bytes(signature))


def test_an_account_for_which_anybody_can_sign_is_nobody() -> None:
    """Of the key that is the curve's neutral point, this is a signature of every message."""
    neutral = bytes([1]) + bytes(31)
    address = siws.Pubkey.from_bytes(neutral)
    with pytest.raises(SignInRefused):
        siws.signed_by(siws.parse(written(address=address)), neutral + bytes(32))


@pytest.mark.parametrize(
    "given",
    [
        {"statement": None},
        {"URI": None, "Version": None, "Chain ID": None, "Issued At": None},
        {"statement": None, "URI": None, "Version": None, "Chain ID": None, "Issued At": None},
        {"statement": "Grüezi — ようこそ"},
        {"Chain ID": "devnet"},
        {"Chain ID": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"},
        {"Issued At": "2026-11-21T16:00:00+04:00", "Expiration Time": "2026-11-21T12:00:01Z"},
        {"Not Before": "2026-11-21T12:00:00Z", "Request ID": "7"},
        {"Nonce": "ab" * 33 + "\nResources:\n- https://a.example/x\n- ipfs://b", "Issued At": None},
    ],
    ids=str,
)
def test_every_line_but_the_nonce_may_be_missing(given: dict[str, Any]) -> None:
    judged(written(**given))


def test_an_empty_line_for_a_missing_statement_is_read_too() -> None:
    judged(written(statement=None).replace("\n\n", "\n\n\n"))


@pytest.mark.parametrize(
    "given",
    [
        {"Nonce": None},
        {"Nonce": "short"},
        {"Nonce": "a1b2c3d4-5f6"},
        {"Version": "2"},
        {"Issued At": "yesterday"},
        {"Issued At": "2026-13-21T12:00:00Z"},
        {"URI": "not a uri"},
        {"address": "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"},
        {"address": "2" * 32},
        {"address": "z" * 44},
        {"domain": "mega.example evil"},
        {"statement": "two\nlines"},
        {"statement": "a\x00b"},
        {"Surprise": "x"},
    ],
    ids=str,
)
def test_what_the_grammar_forbids_is_malformed(given: dict[str, Any]) -> None:
    siws.parse(written())
    with pytest.raises(MalformedMessage):
        siws.parse(written(**given))


@pytest.mark.parametrize(
    "given",
    [
        {"domain": "evil.example"},
        {"domain": f"{HOST}:8000"},
        {"domain": f"{HOST}@evil.example"},
        {"URI": "https://evil.example/login"},
        {"URI": "http://127.0.0.1:8000/"},
        {"Chain ID": "8453"},
        {"Chain ID": "eip155:1"},
        {"Chain ID": "solana:evil"},
        {"Issued At": "2026-11-21T11:49:59Z"},
        {"Issued At": "2026-11-21T12:10:01Z"},
        {"Issued At": "0001-01-01T00:00:00+23:59"},
        {"Issued At": "9999-12-31T23:59:59-23:59"},
        {"Expiration Time": "2026-11-21T12:00:00Z"},
        {"Not Before": "2026-11-21T12:00:01Z"},
        {"address": str(Keypair.from_seed(bytes(32)).pubkey())},
    ],
    ids=str,
)
def test_a_message_for_elsewhere_or_another_time_is_refused(given: dict[str, Any]) -> None:
    judged(written())
    with pytest.raises(SignInRefused):
        judged(written(**given))


def test_only_development_takes_this_machine_for_the_uri_and_a_clock_left_behind() -> None:
    judged(written(URI="http://127.0.0.1:8000/"), loopback=True)
    moved = AT + timedelta(hours=5)
    judged(written(), at=moved)
    judged(written(**{"Issued At": spoken_time(moved)}), at=moved)
    with pytest.raises(SignInRefused):
        judged(written(), at=moved, wallet_at=moved)


def test_a_signature_is_64_bytes_in_base58_or_padded_base64() -> None:
    signature = WALLET.sign_message(b"x")
    assert siws.signature_bytes(str(signature)) == bytes(signature)
    padded = base64.b64encode(bytes(signature)).decode()
    assert siws.signature_bytes(padded) == bytes(signature)


# What a stranger may write: the fields of a message, and texts that are almost one.
hostile = st.text(max_size=120) | st.sampled_from(["", "1" * 88, "=" * 88, "A" * 86 + "==", "é=="])


@given(
    st.builds(
        lambda at, n, new: written()[:at] + new + written()[at + n :],
        st.integers(0, 300),
        st.integers(0, 60),
        hostile,
    )
    | hostile,
    hostile,
    hostile,
)
@example(written(), str(WALLET.pubkey()), str(WALLET.sign_message(b"x")))
def test_hostile_proofs_are_refused_and_never_crash(text: str, address: str, sig: str) -> None:
    with pytest.raises(Refused):
        account, message = siws.address(address), siws.parse(text)
        signature = siws.signature_bytes(sig)
        siws.judge(message, address=account, domain=HOST, at=AT, wallet_at=AT)
        siws.signed_by(message, signature)
    for read in (lambda: siws.address(address), lambda: siws.signature_bytes(sig)):
        try:
            read()
        except MalformedMessage as malformed:
            assert malformed.fields


@pytest.fixture(scope="module")
async def api(world: TestWorld) -> AsyncIterator[Api]:
    with world.database() as database:
        async with opened(world, database) as made:
            yield made


async def proof(api: Api, wallet: Keypair, **given: Any) -> dict[str, str]:
    lines = {"Nonce": await api.nonce(), "Issued At": spoken_time(api.parts.clock.now())}
    text = written(address=wallet.pubkey(), **(lines | given))
    signature = wallet.sign_message(text.encode())
    return {"address": str(wallet.pubkey()), "message": text, "signature": str(signature)}


async def test_a_wallet_signs_in_once_a_nonce_and_is_listed(api: Api) -> None:
    wallet = Keypair()
    given = await proof(api, wallet)
    answer = await api.post("/auth/siws", given)
    assert answer.status_code == 200, answer.text
    assert answer.json()["pass_id"] == f"pass:user:solana:{wallet.pubkey()}"
    assert "mega_session=" in answer.headers["set-cookie"]
    me = await api.get("/me", f"Bearer {answer.json()['access_token']}")
    assert me.json()["wallets"] == [{"kind": "solana", "address": str(wallet.pubkey())}]
    assert (await api.post("/auth/siws", given)).status_code == 401
    again = await api.post("/auth/siws", await proof(api, wallet))
    assert again.json()["pass_id"] == answer.json()["pass_id"]


async def test_a_wallet_is_linked_to_the_pass_that_asks(api: Api) -> None:
    who, wallet = await api.dev("siws-link"), Keypair()
    linked = await api.post("/auth/link", {"siws": await proof(api, wallet)}, who)
    assert (linked.status_code, linked.json()["pass_id"]) == (200, "pass:user:siws-link")
    signed_in = await api.post("/auth/siws", await proof(api, wallet))
    assert signed_in.json()["pass_id"] == "pass:user:siws-link"


async def test_a_refused_proof_burns_its_nonce_and_a_malformed_one_does_not(api: Api) -> None:
    wallet, nonce = Keypair(), await api.nonce()
    good = await proof(api, wallet, Nonce=nonce)
    for malformed in ({"signature": "0x00"}, {"address": "x"}, {"message": "x"}, {"more": 1}):
        assert (await api.post("/auth/siws", good | malformed)).status_code == 422
    another = {"address": str(Keypair().pubkey())}
    assert (await api.post("/auth/siws", good | another)).status_code == 401
    assert (await api.post("/auth/siws", good)).status_code == 401
    elsewhere = await proof(api, wallet, domain="evil.example")
    assert (await api.post("/auth/siws", elsewhere)).status_code == 401
    assert (await api.post("/auth/siws", await proof(api, Keypair()))).status_code == 200
