"""Orders paid by x402 and what may happen to them, for the tests of X402Order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from domain import geoplet_events as made
from domain import x402_events as happened
from domain.geoplet_mint import MintFound
from domain.x402_attempt import Landing
from domain.x402_order import X402Order
from tests.spec import NOON, Given

PAYER, STRANGER = "0x" + "a" * 40, "0x" + "b" * 40
PRICE, DEEP = 1_000_000, 3
MINT: dict[str, Any] = {"order_id": "7e57", "fid": 12345, "payment_type": "mint"}
REGENERATE: dict[str, Any] = {"order_id": "9ec7", "fid": 12345, "payment_type": "regenerate"}
LASTS = timedelta(minutes=15)
DEADLINE = int((NOON + LASTS).timestamp())


def opening(ids: Any) -> happened.X402OrderOpened:
    return happened.X402OrderOpened(
        **ids,
        pass_id="pass:user:fid:12345",
        number=1,
        recipe="geoplet_mint" if ids is MINT else "regenerate",
        asset="USDC",
        amount=str(PRICE),
        chain_id=8453,
        token="0x" + "c" * 40,
        pay_to="0x" + "d" * 40,
    )


def verified(nonce: str = "0x1", at: datetime = NOON, ids: Any = MINT) -> Any:
    return happened.X402PaymentVerified(
        **ids,
        nonce=nonce,
        payer=PAYER,
        pay_to="0x" + "d" * 40,
        amount=str(PRICE),
        valid_after=0,
        valid_before=int((at + LASTS).timestamp()),
        version=1,
        header=f"header of {nonce}",
        header_hash="",
        facilitator="onchainfi",
        payment_id="p1",
        seen_block=5,
        verified_at=at,
        expires_at=at + LASTS,
    )


def submitted(nonce: str = "0x1", cause: str = "payer", ids: Any = MINT) -> Any:
    return happened.X402PaymentSubmitted(**ids, nonce=nonce, submitted_at=NOON, cause=cause)


def tried(number: int = 1, nonce: str = "0x1") -> Any:
    return happened.X402SettlementTried(**MINT, nonce=nonce, number=number)


def rejected(nonce: str = "0x1", reason: str = "insufficient_funds") -> Any:
    return happened.X402PaymentRejected(**MINT, nonce=nonce, reason=reason, rejected_at=NOON)


def replaced(nonce: str, by: str) -> Any:
    return happened.X402PaymentReplaced(**MINT, nonce=nonce, by=by)


def dismissed(nonce: str = "0x1", reason: str = "payer") -> Any:
    return happened.X402PaymentDismissed(**MINT, nonce=nonce, reason=reason)


def expired(nonce: str = "0x1") -> Any:
    return happened.X402PaymentExpired(**MINT, nonce=nonce)


def lapsed(nonce: str = "0x1", ids: Any = MINT) -> Any:
    proof = {"proof_block": 900, "proof_block_hash": "0xb900", "proof_time": DEADLINE + 1}
    return happened.X402PaymentLapsed(**ids, nonce=nonce, **proof)


def used(tx_hash: str = "0xt1", block_hash: str = "0xb10", **more: Any) -> Landing:
    """An authorization's use, as the chain shows it."""
    facts: dict[str, Any] = {"payer": PAYER, "amount": PRICE, "block_number": 10, "log_index": 0}
    return Landing(**{**facts, "depth": DEEP, **more}, tx_hash=tx_hash, block_hash=block_hash)


def settled(nonce: str = "0x1", found: Landing | None = None, ids: Any = MINT) -> Any:
    facts = (found or used()).facts()
    return happened.X402PaymentSettled(**ids, nonce=nonce, **facts, settled_at=NOON)


def surplus(nonce: str, found: Landing) -> Any:
    due = {"asset": "USDC", "refund_due": str(found.amount)}
    return happened.X402PaymentSurplusRecorded(**MINT, nonce=nonce, **found.facts(), **due)


def retracted(nonce: str = "0x1", tx_hash: str = "0xt1", block_hash: str = "0xb10") -> Any:
    ids = {**MINT, "nonce": nonce}
    block = {"tx_hash": tx_hash, "block_hash": block_hash}
    return happened.X402PaymentRetracted(**ids, **block, retracted_at=NOON)


def finalized(nonce: str = "0x1", tx_hash: str = "0xt1", block_hash: str = "0xb10") -> Any:
    block = {"tx_hash": tx_hash, "block_hash": block_hash}
    return happened.X402PaymentFinalized(**MINT, nonce=nonce, **block)


def failed(code: str, refund_due: int = 0, ids: Any = MINT, at: datetime = NOON) -> Any:
    due = {"tx_hash": "0xt1" if refund_due else "", "refund_due": str(refund_due)}
    return happened.X402OrderFailed(**ids, **due, error_code=code, failed_at=at)


def vouched(nonce: str = "77", to: str = PAYER, deadline: int = DEADLINE) -> made.VoucherIssued:
    facts: dict[str, Any] = {"signature": "0x5161", "proof_block": 5, "deadline": deadline}
    return made.VoucherIssued(**MINT, to=to, voucher_nonce=nonce, ours=True, **facts)


token = MintFound(PAYER, "0xm1", 20, "0xb20", 1)
seen = made.GeopletMintSeen(**MINT, **token.facts())
minted = made.GeopletMinted(**MINT, **token.facts(), minted_at=NOON)
mint_retracted = made.GeopletMintRetracted(**MINT, tx_hash="0xm1", block_hash="0xb20")


def asked_for(attempt: int = 1, at: datetime = NOON) -> made.RegenerationRequested:
    said = {"prompt": "a tiny planet", "provider": "openai", "model": "m"}
    return made.RegenerationRequested(**REGENERATE, attempt=attempt, **said, requested_at=at)


def not_made(error_class: str, attempt: int = 1, **more: Any) -> made.RegenerationFailed:
    said: dict[str, Any] = {"reason": "no", "retry_at": None, "gave_up": False, **more}
    return made.RegenerationFailed(**REGENERATE, attempt=attempt, error_class=error_class, **said)


def stored(attempt: int = 1) -> made.RegenerationStored:
    facts: dict[str, Any] = {"sha256": "00", "content_type": "image/webp", "bytes": 9}
    where = {"output_url": "http://assets.test/1.webp", "stored_at": NOON}
    return made.RegenerationStored(**REGENERATE, attempt=attempt, **where, **facts)


delivered = made.RegenerationDelivered(**REGENERATE)

opened = opening(MINT)
bought = opening(REGENERATE)
first, second = verified("0x1"), verified("0x2")
paid_picture = [
    bought,
    verified(ids=REGENERATE),
    submitted(ids=REGENERATE),
    settled(ids=REGENERATE),
]


def given(*history: Any) -> Given:
    return Given(X402Order(), *history)


def landing(nonce: str = "0x1", found: Landing | None = None, at: datetime = NOON) -> Any:
    return lambda order: order.land(nonce, found or used(), confirmations=DEEP, at=at)


def minting(found: MintFound = token, *, deep: bool = True) -> Any:
    return lambda order: order.record_mint(found, deep=deep, at=NOON)


def moved(found: MintFound = token, block: int = 21) -> MintFound:
    """The same mint, carried into another block by a reorg."""
    return replace(found, block_number=block, block_hash=f"0xb{block}")
