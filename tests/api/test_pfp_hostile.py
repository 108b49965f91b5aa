"""Nothing but the prepared transaction pays: others are made by hand here, and by chance."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from api.problems import TABLE
from tests.api.collectors import Collector
from tests.api.fake_solana import PRICE, TREASURY, signed
from tests.api.geoplets import refused


def content(transaction: str) -> VersionedTransaction:
    return VersionedTransaction.from_bytes(base64.b64decode(transaction))


def encoded(transaction: Any) -> str:
    return base64.b64encode(bytes(transaction)).decode()


async def test_a_transaction_without_the_wallets_signature_is_told_so(cleo: Collector) -> None:
    prepared = await cleo.prepared(1)
    id_, unsigned = prepared["batchId"], prepared["transactionBase64"]
    assert refused(await cleo.confirm(id_, unsigned)) == (422, "SIGNATURE_MISSING")
    assert refused(await cleo.confirm(id_)) == (422, "SIGNATURE_MISSING")
    assert refused(await cleo.confirm(id_, autoMint=True)) == (422, "SIGNATURE_MISSING")
    given = content(cleo.sign(prepared))
    ours, theirs = given.signatures
    other = Keypair().sign_message(bytes(given.message))
    for wrong in (other, ours, Signature.default()):
        replaced = VersionedTransaction.populate(given.message, [ours, wrong])
        answer = await cleo.confirm(id_, encoded(replaced))
        assert refused(answer) == (422, "SIGNATURE_MISSING")
    swapped = VersionedTransaction.populate(given.message, [theirs, ours])
    assert refused(await cleo.confirm(id_, encoded(swapped))) == (422, "TRANSACTION_MISMATCH")
    assert (await cleo.batch(id_)).status == "prepared"


async def test_a_changed_transaction_is_refused_even_when_it_is_signed_anew(
    cleo: Collector,
) -> None:
    """It pays a lamport less, with the wallet as its payer; and what was prepared, resigned by
    a payer of the wallet's choice."""
    prepared = await cleo.prepared(5)
    payer, treasury = cleo.key.pubkey(), Pubkey.from_string(TREASURY)
    cheap = transfer(TransferParams(from_pubkey=payer, to_pubkey=treasury, lamports=5 * PRICE - 1))
    recent = content(prepared["transactionBase64"]).message.recent_blockhash
    message = MessageV0.try_compile(payer, [cheap], [], recent)
    answer = await cleo.confirm(
        prepared["batchId"], encoded(VersionedTransaction(message, [cleo.key]))
    )
    assert refused(answer) == (422, "TRANSACTION_MISMATCH")


@pytest.mark.parametrize(
    "said",
    ["", "!", "AAAA", "AQ==", base64.b64encode(bytes(1_232)).decode(), "A" * 4_096],
    ids=["nothing", "no base64", "3 bytes", "1 byte", "zeros", "too long"],
)
async def test_what_is_no_transaction_is_refused(cleo: Collector, said: str) -> None:
    id_ = (await cleo.prepared(1))["batchId"]
    assert refused(await cleo.confirm(id_, said)) == (422, "TRANSACTION_MISMATCH")


_numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_json = st.recursive(
    st.none() | st.booleans() | _numbers | st.text(max_size=90),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
_names = st.sampled_from(["batchId", "signedTransactionBase64", "autoMint", "wallet"])


@given(body=_json | st.dictionaries(_names, _json))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_said_gets_a_problem_and_records_nothing(
    cleo: Collector, body: Any
) -> None:
    before = await cleo.here.position()
    status, code = refused(await cleo.ask("confirm-batch", body))
    assert status in (404, 413, 422) and code in {code for _, code, _ in TABLE.values()}
    assert await cleo.here.position() == before


@given(
    place=st.integers(min_value=0),
    mask=st.integers(1, 255),
    cut=st.none() | st.integers(min_value=0),
    anew=st.booleans(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_changed_in_the_transaction_pays_for_nothing(
    cleo: Collector, place: int, mask: int, cut: int | None, anew: bool
) -> None:
    """A byte is changed, or the end cut off; when it still is a transaction, the wallet may have
    signed it anew. Base64 of another form is no other transaction, so whole bytes are changed."""
    prepared = await cleo.prepared(3)
    raw = bytearray(base64.b64decode(cleo.sign(prepared)))
    if cut is None:
        raw[place % len(raw)] ^= mask
    else:
        del raw[cut % len(raw) :]
    changed = resigned(bytes(raw), cleo.key) if anew else base64.b64encode(raw).decode()
    if changed == cleo.sign(prepared):  # only the wallet's signature was spoilt, and mended
        return
    status, code = refused(await cleo.confirm(prepared["batchId"], changed))
    assert (status, code) in ((422, "TRANSACTION_MISMATCH"), (422, "SIGNATURE_MISSING"))
    assert (await cleo.batch(prepared["batchId"])).status == "prepared"


def resigned(raw: bytes, key: Keypair) -> str:
    text = base64.b64encode(raw).decode()
    try:
        return signed(text, key)
    except ValueError:
        return text
