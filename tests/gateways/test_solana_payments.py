"""Prepared payments, and what a wallet may hand in: just that payment, with its signature."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from consumers.gateways.ports import WillNotWork
from consumers.gateways.solana_payments import HandedIn, Payments
from consumers.gateways.solana_ports import Blockhash, Prepared
from domain.pfp_refusals import SignatureMissing, TransactionMismatch
from tests.gateways.solana_side import AUTHORITY, RECENT, TREASURY, WALLET

WALLET_ADDRESS = str(WALLET.pubkey())
PAYMENTS = Payments(authority=AUTHORITY, treasury=TREASURY)
PAYMENT = PAYMENTS.prepare(WALLET_ADDRESS, 50_000_000, RECENT, reference="batch:1")
RAW = base64.b64decode(PAYMENT.raw)
READER = HandedIn()


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def signed(prepared: Prepared, wallet: Keypair = WALLET) -> str:
    """As a wallet's library does it: decoded, signed at its place, written again."""
    handed = VersionedTransaction.from_bytes(base64.b64decode(prepared.raw))
    content = to_bytes_versioned(handed.message)
    signatures = list(handed.signatures)
    place = [str(key) for key in handed.message.account_keys].index(WALLET_ADDRESS)
    signatures[place] = wallet.sign_message(content)
    return encoded(bytes(VersionedTransaction.populate(handed.message, signatures)))


def svm(*funded: Pubkey) -> LiteSVM:
    made = LiteSVM()
    for key in funded:
        made.airdrop(key, 10**9)
    return made


def latest(made: LiteSVM) -> Blockhash:
    return Blockhash(str(made.latest_blockhash()), 150)


def lands(made: LiteSVM, raw: str) -> bool:
    transaction = VersionedTransaction.from_bytes(base64.b64decode(raw))
    return isinstance(made.send_transaction(transaction), TransactionMetadata)


@pytest.mark.parametrize("priority_fee", [0, 5_000])
def test_a_payment_moves_the_lamports_and_we_pay_its_fee(priority_fee: int) -> None:
    made = svm(AUTHORITY.pubkey(), WALLET.pubkey())
    paying = Payments(authority=AUTHORITY, treasury=TREASURY, priority_fee=priority_fee)
    prepared = paying.prepare(WALLET_ADDRESS, 7_000_000, latest(made), reference="batch:1")
    assert not lands(made, prepared.raw), "not without the wallet"
    raw = READER.complete(prepared, WALLET_ADDRESS, signed(prepared))
    assert lands(made, raw)
    assert made.get_balance(Pubkey.from_string(TREASURY)) == 7_000_000
    assert made.get_balance(WALLET.pubkey()) == 10**9 - 7_000_000
    fees = 10_000 + priority_fee * 60_000 // 10**6
    assert made.get_balance(AUTHORITY.pubkey()) == 10**9 - fees


def test_a_payments_id_is_our_signature_and_two_of_one_wallet_differ() -> None:
    transaction = VersionedTransaction.from_bytes(RAW)
    assert transaction.message.account_keys[0] == AUTHORITY.pubkey()
    assert PAYMENT.signature == str(transaction.signatures[0])
    assert transaction.signatures[1] == Signature.default()
    assert base64.b64decode(PAYMENT.message) == to_bytes_versioned(transaction.message)
    again = PAYMENTS.prepare(WALLET_ADDRESS, 50_000_000, RECENT, reference="batch:1")
    other = PAYMENTS.prepare(WALLET_ADDRESS, 50_000_000, RECENT, reference="batch:2")
    assert again == PAYMENT and other.signature != PAYMENT.signature


def test_what_is_no_address_pays_nothing() -> None:
    with pytest.raises(WillNotWork):
        PAYMENTS.prepare("z" * 44, 5, RECENT, reference="batch:1")


def test_a_payment_is_complete_with_the_wallets_signature_and_reads_the_same_twice() -> None:
    complete = READER.complete(PAYMENT, WALLET_ADDRESS, signed(PAYMENT))
    assert complete == signed(PAYMENT)
    assert READER.complete(PAYMENT, WALLET_ADDRESS, complete) == complete


def changed_payments() -> dict[str, str]:
    """Transactions that the wallet did sign, but that are not the one that was prepared."""
    less = PAYMENTS.prepare(WALLET_ADDRESS, 1, RECENT, reference="batch:1")
    elsewhere = Payments(authority=AUTHORITY, treasury=WALLET_ADDRESS)
    robbed = elsewhere.prepare(WALLET_ADDRESS, 50_000_000, RECENT, reference="batch:1")
    theirs = Payments(authority=WALLET, treasury=TREASURY)
    by_wallet = theirs.prepare(WALLET_ADDRESS, 50_000_000, RECENT, reference="batch:1")
    other_payer = Payments(authority=Keypair.from_seed(bytes([9]) * 32), treasury=TREASURY)
    foreign = other_payer.prepare(WALLET_ADDRESS, 50_000_000, RECENT, reference="batch:1")
    ours_missing = base64.b64decode(signed(PAYMENT))
    return {
        "another amount": signed(less),
        "another treasury": signed(robbed),
        "the wallet pays the fee": by_wallet.raw,
        "another fee payer": signed(foreign),
        "our signature is missing": encoded(RAW[:1] + bytes(64) + ours_missing[65:]),
        "signatures swapped": encoded(
            RAW[:1] + ours_missing[65:129] + ours_missing[1:65] + RAW[129:]
        ),
        "a byte more": encoded(ours_missing + b"\0"),
        "a byte less": encoded(ours_missing[:-1]),
        "the message alone": PAYMENT.message,
        "nothing": "",
        "no base64": "&&&&",
        "a space in base64": signed(PAYMENT)[:40] + " " + signed(PAYMENT)[40:],
        "no ASCII": "é" * 400,
        "a megabyte": "A" * 10**6,
    }


@pytest.mark.parametrize("name", changed_payments())
def test_another_transaction_is_a_mismatch(name: str) -> None:
    with pytest.raises(TransactionMismatch):
        READER.complete(PAYMENT, WALLET_ADDRESS, changed_payments()[name])


def test_without_the_wallets_own_signature_it_is_missing() -> None:
    stranger = Keypair.from_seed(bytes([8]) * 32)
    for handed in (PAYMENT.raw, signed(PAYMENT, stranger)):
        with pytest.raises(SignatureMissing):
            READER.complete(PAYMENT, WALLET_ADDRESS, handed)


def test_the_payment_of_another_wallet_is_a_mismatch() -> None:
    stranger = str(Keypair.from_seed(bytes([8]) * 32).pubkey())
    with pytest.raises(TransactionMismatch):
        READER.complete(PAYMENT, stranger, signed(PAYMENT))


SIGNED = base64.b64decode(signed(PAYMENT))
edits = st.lists(
    st.tuples(st.integers(0, len(SIGNED)), st.integers(0, 70), st.binary(max_size=70)), max_size=4
)


@given(edits | st.binary(max_size=1_300))
def test_only_the_signed_payment_is_ever_complete(hostile: object) -> None:
    raw = hostile if isinstance(hostile, bytes) else SIGNED
    for at, length, new in hostile if isinstance(hostile, list) else ():
        raw = raw[:at] + new + raw[at + length :]
    try:
        complete = READER.complete(PAYMENT, WALLET_ADDRESS, encoded(raw))
    except (TransactionMismatch, SignatureMissing):
        assert raw != SIGNED
    else:
        assert (complete, raw) == (encoded(SIGNED), SIGNED)


@given(st.text(max_size=300))
def test_text_that_is_no_transaction_is_a_mismatch(text: str) -> None:
    with pytest.raises(TransactionMismatch):
        READER.complete(PAYMENT, WALLET_ADDRESS, text)


def test_a_message_of_the_old_format_is_a_mismatch() -> None:
    message = MessageV0.from_bytes(base64.b64decode(PAYMENT.message)[1:])
    old = encoded(SIGNED[:129] + bytes(message))
    with pytest.raises(TransactionMismatch):
        READER.complete(PAYMENT, WALLET_ADDRESS, old)
