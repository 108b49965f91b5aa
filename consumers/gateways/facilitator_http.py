"""What every facilitator's HTTP has in common: a question that may be asked again, and an order
that may have moved money. Which statuses are a no before anything happened: `providers.md` §5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.web import MAX_REASON, Reply, json_object, post_once, wait_s
from domain.x402 import SignedPayment

READ_S = 30.0
"""How long a facilitator may be silent: the longest that one was seen to take is half of it."""

TURNED_AWAY = frozenset({400, 401, 402, 403, 404, 405, 413, 415, 422, 429})
"""Said before anything was done. Every other status but 200 leaves a settlement unknown."""

MAY_HAVE_MOVED = frozenset(
    {
        "settlement_pending",
        "transaction_failed",
        "duplicate_settlement",
        "invalid_transaction_state",
        "invalid_exact_evm_nonce_already_used",
        "invalid_exact_evm_transfer_event_mismatch",
        "unexpected_settle_error",
    }
)
"""Noes to a settlement that come after something was sent, by this call, an earlier one or somebody
else: version 1 says `transaction_failed` of a transaction that was only not mined in time."""

_LONG = re.compile(r"[\w+/=-]{100,}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Service:
    """A facilitator's HTTP side. `headers` hold its key; `secrets` are masked in what it says."""

    name: str
    client: httpx.AsyncClient
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    read_timeout_s: float = READ_S

    async def ask(self, url: str, body: Mapping[str, object]) -> Reply:
        """A question: however it breaks, asking again is safe."""
        try:
            return await self._post(url, body, reference="")
        except OutcomeUnknown as unknown:
            raise TryAgain(unknown.reason) from unknown

    async def order(self, url: str, body: Mapping[str, object], *, nonce: str) -> Reply:
        """A settlement: whatever breaks after sending is OutcomeUnknown(nonce)."""
        return await self._post(url, body, reference=nonce)

    async def _post(self, url: str, body: Mapping[str, object], *, reference: str) -> Reply:
        return await post_once(
            self.client,
            url,
            body,
            headers=self.headers,
            vendor=self.name,
            reference=reference,
            read_timeout_s=self.read_timeout_s,
            lookup=True,
        )

    def no_verdict(self, reply: Reply, payment: SignedPayment) -> Failure:
        """Of an answer to a question that says nothing of use."""
        if reply.status in TURNED_AWAY:
            return self._turned_away(reply, payment)
        return TryAgain(self._reason(reply, payment), after_s=wait_s(reply.headers, default=2.0))

    def no_outcome(self, reply: Reply, payment: SignedPayment) -> Failure:
        """Of an answer to a settlement that tells no outcome."""
        if reply.status in TURNED_AWAY:
            return self._turned_away(reply, payment)
        return self.unknown(reply, payment)

    def unknown(self, reply: Reply, payment: SignedPayment) -> OutcomeUnknown:
        """Of an answer to a settlement that says yes and contradicts itself."""
        reason = self._reason(reply, payment)
        return OutcomeUnknown(reason, reference=payment.authorization.nonce)

    def told(self, words: object, payment: SignedPayment) -> str:
        """A facilitator's words, bounded, without what nobody may read: whoever has the signature
        or a header with it, in whatever form it is repeated, can move the money."""
        text = " ".join(words.split()) if isinstance(words, str) else ""
        bare = payment.signature.removeprefix("0x")
        for secret in (*self.secrets, payment.header, payment.signature, bare):
            text = text.replace(secret, "***") if secret else text
        return _LONG.sub("***", text)[:MAX_REASON]

    def _turned_away(self, reply: Reply, payment: SignedPayment) -> Failure:
        reason = self._reason(reply, payment)
        if reply.status == 402:
            return WillNotWork(reason, error_class="quota")
        if reply.status == 429:
            after_s = wait_s(reply.headers, default=5.0)
            return TryAgain(reason, after_s=after_s, error_class="throttled")
        return TryAgain(reason, after_s=30.0, error_class="invalid")

    def _reason(self, reply: Reply, payment: SignedPayment) -> str:
        body = json_object(reply) or {}
        # What is said about a bad key repeats parts of it.
        words = "" if reply.status in (401, 403) else body.get("message") or body.get("error")
        said = self.told(words, payment)
        return f"{self.name}: HTTP {reply.status}{': ' if said else ''}{said}"


def tx_hash_in(value: Any) -> str:
    """A transaction's hash in lower case; empty when it is none."""
    return value.lower() if isinstance(value, str) and _HASH.fullmatch(value) else ""
