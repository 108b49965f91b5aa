"""Asks Solana, and hands it signed bytes.

Questions go to one endpoint after the other until one answers, beginning with the one that answered
last. What money depends on is asked of all, and counts only when they agree: a node that lags, or
has forgotten, says "unknown" with the same face as one that knows (spec `providers.md` §6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import httpx
from solders.signature import Signature

from consumers.gateways import solana_json as read
from consumers.gateways import solana_node as says
from consumers.gateways import solana_wire as wire
from consumers.gateways.json_rpc import Endpoint, NodeRefused
from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from consumers.gateways.solana_ports import Absence, Blockhash, Commitment, Fate, Paid
from ledger.coalesce import Coalescer

SIGNATURES_AT_ONCE = 256
ASKERS_AT_ONCE = 10_000

PREFLIGHT_FAILED, BAD_SIGNATURE = -32002, -32003
ALREADY_PROCESSED, BLOCKHASH_NOT_FOUND = '"AlreadyProcessed"', '"BlockhashNotFound"'
NO_MONEY_FOR_FEES = '"InsufficientFundsForFee"'

Answer = TypeVar("Answer")


class SolanaRpc:
    """The `SolanaChain` port. `client` is the caller's to close; it may be one for questions only,
    since bytes that are sent twice are the same transaction. `treasury` is the payee of `paid`."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        treasury: str,
        client: httpx.AsyncClient,
        timeout_s: float = 10.0,
    ) -> None:
        if not urls:
            raise ValueError("no RPC endpoint was given")
        self._nodes = [Endpoint(client, url, timeout_s=timeout_s) for url in dict.fromkeys(urls)]
        self._treasury = treasury
        self._begin_with = 0
        self._blockhashes: Coalescer[Commitment, Blockhash] = Coalescer(
            self._blockhash, limit=ASKERS_AT_ONCE
        )
        self._fates: Coalescer[str, Fate | None] = Coalescer(
            self._fates_known, limit=SIGNATURES_AT_ONCE
        )

    async def blockhash(self, commitment: Commitment = "confirmed") -> Blockhash:
        return await self._blockhashes.ask(commitment)

    async def heights(self) -> tuple[int, int]:
        """(confirmed, finalized), each the lowest of the endpoints that answer."""
        told = await self._each(says.heights)
        known = [one for one in told if not isinstance(one, Failure)]
        if not known:
            raise _first_failure(told)
        return min(confirmed for confirmed, _ in known), min(finalized for _, finalized in known)

    async def fate(self, signature: str) -> Fate | None:
        """Also asked of the next endpoint when one does not know it."""
        return await self._fates.ask(_readable(signature))

    async def verdict(self, signature: str) -> Fate | None:
        _readable(signature)
        return await self.agreed(signature, lambda node: says.finalized_fate(node, signature))

    async def absence(self, signature: str, last_valid_height: int) -> Absence | None:
        _readable(signature)
        proofs = await self.all_say(lambda node: says.absence(node, signature, last_valid_height))
        return min(proofs, key=lambda proof: proof.height) if proofs else None

    async def paid(self, signature: str) -> Paid | None:
        _readable(signature)
        return await self.agreed(signature, lambda node: self._paid(node, signature))

    async def simulate(self, raw: str) -> str:
        """A blockhash that an endpoint does not know is TryAgain, since that one may lag; what has
        landed already would not fail."""
        how = {"encoding": "base64", "commitment": "confirmed"}

        async def ask(node: Endpoint) -> str:
            _, value = read.in_context(await node.ask("simulateTransaction", [raw, how]))
            return _unless_behind(node, read.error_text(read.record(value).get("err")))

        return await self.first(ask)

    async def broadcast(self, raw: str) -> None:
        failures: list[Failure] = []
        for node in self._in_order():
            try:
                return await _send(node, raw)
            except (TryAgain, WillNotWork) as failure:
                failures.append(failure)
        # One that did not say no may have passed them on.
        raise next((one for one in failures if isinstance(one, TryAgain)), failures[0])

    async def transaction(self, signature: str) -> Mapping[str, Any] | None:
        """The finalized `getTransaction` answer in encoding `json`; None while there is none."""
        return await self.first(lambda node: says.transaction(node, _readable(signature)))

    async def account(self, address: str) -> read.Account | None:
        how = {"encoding": "base64", "commitment": "confirmed"}

        async def ask(node: Endpoint) -> read.Account | None:
            return read.account(await node.ask("getAccountInfo", [address, how]))

        return await self.first(ask)

    async def first(self, ask: Callable[[Endpoint], Awaitable[Answer]]) -> Answer:
        """What the first endpoint says that answers."""
        failures: list[TryAgain] = []
        for node in self._in_order():
            try:
                answer = await ask(node)
            except TryAgain as failure:
                failures.append(failure)
                continue
            self._begin_with = self._nodes.index(node)
            return answer
        raise failures[0]

    async def agreed(
        self, about: str, ask: Callable[[Endpoint], Awaitable[Answer | None]]
    ) -> Answer | None:
        """What all endpoints say of one thing; None when it is not there for one of them yet."""
        told = await self.all_say(ask)
        if any(one != told[0] for one in told):
            raise TryAgain(f"the endpoints disagree about {about}", after_s=2.0)
        return told[0] if told else None

    async def all_say(self, ask: Callable[[Endpoint], Awaitable[Answer | None]]) -> list[Answer]:
        """One answer of each endpoint; empty when one of them said None, whoever else is silent."""
        told = await self._each(ask)
        if None in told:
            return []
        if any(isinstance(one, Failure) for one in told):
            raise _first_failure(told)
        return [one for one in told if one is not None and not isinstance(one, Failure)]

    async def rent(self, size: int) -> int:
        """Lamports that an account of `size` bytes must hold to stay."""

        async def ask(node: Endpoint) -> int:
            return read.integer(await node.ask("getMinimumBalanceForRentExemption", [size]))

        return await self.first(ask)

    async def _blockhash(self, wanted: list[Commitment]) -> list[Blockhash | BaseException]:
        def ask(commitment: Commitment) -> Callable[[Endpoint], Awaitable[Blockhash]]:
            async def told(node: Endpoint) -> Blockhash:
                how = {"commitment": commitment}
                return read.blockhash(await node.ask("getLatestBlockhash", [how]))

            return told

        found = {each: await self.first(ask(each)) for each in dict.fromkeys(wanted)}
        return [found[each] for each in wanted]

    async def _fates_known(self, signatures: list[str]) -> list[Fate | BaseException | None]:
        known: dict[str, Fate] = {}
        silent: list[TryAgain] = []
        for node in self._in_order():
            left = [each for each in dict.fromkeys(signatures) if each not in known]
            if not left:
                break
            try:
                known |= (await says.fates(node, left))[1]
            except TryAgain as failure:
                silent.append(failure)
        if len(silent) == len(self._nodes):
            raise silent[0]
        return [known.get(each) for each in signatures]

    async def _paid(self, node: Endpoint, signature: str) -> Paid | None:
        told = await says.transaction(node, signature)
        if told is None or told["meta"]["err"] is not None:
            return None
        return Paid(signature, told["slot"], read.gain(told, self._treasury))

    def _in_order(self) -> list[Endpoint]:
        return self._nodes[self._begin_with :] + self._nodes[: self._begin_with]

    async def _each(self, ask: Callable[[Endpoint], Awaitable[Answer]]) -> list[Answer | Failure]:
        """What every endpoint says, a failure being the answer of one."""

        async def told(node: Endpoint) -> Answer | Failure:
            try:
                return await ask(node)
            except Failure as failure:
                return failure

        return await asyncio.gather(*map(told, self._nodes))


async def _send(node: Endpoint, raw: str) -> None:
    how = {"encoding": "base64", "preflightCommitment": "confirmed", "maxRetries": 0}
    try:
        answer = await node.ask("sendTransaction", [raw, how])
    except NodeRefused as refusal:
        error = _preflight_error(refusal)
        if error is None:
            raise
        if _unless_behind(node, error):
            quota = error == NO_MONEY_FOR_FEES
            raise WillNotWork(error, error_class="quota" if quota else "refused") from refusal
        return
    if answer != wire.signature_of(raw):
        raise TryAgain(f"{node.name} took the bytes for another transaction")


def _preflight_error(refusal: NodeRefused) -> str | None:
    """Why the bytes themselves cannot succeed; None when the refusal says nothing of them."""
    if refusal.code == BAD_SIGNATURE:
        return '"SignatureFailure"'
    if refusal.code != PREFLIGHT_FAILED or not isinstance(refusal.data, dict):
        return None
    return read.error_text(refusal.data.get("err")) or None


def _unless_behind(node: Endpoint, error: str) -> str:
    """The error; empty when it says that the transaction has landed before."""
    if error == BLOCKHASH_NOT_FOUND:
        raise TryAgain(f"{node.name} does not know the blockhash, or not any more")
    return "" if error == ALREADY_PROCESSED else error


def _readable(signature: str) -> str:
    """One that no node can read would spoil the answer of all who ask with it."""
    try:
        return str(Signature.from_string(signature))
    except ValueError:
        raise WillNotWork(f"not a transaction's signature: {signature[:100]!r}") from None


def _first_failure(told: Iterable[object]) -> Failure:
    return next(one for one in told if isinstance(one, Failure))
