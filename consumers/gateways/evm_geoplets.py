"""Reads what Base says about x402 payments in USDC and about Geoplets.

As with role mints, two endpoints that say the same are believed, block hashes included, and a
single one only when it is the only one there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import httpx

from consumers.gateways import evm_reads as reads
from consumers.gateways import geoplets_abi as abi
from consumers.gateways.evm_json import TRANSFER, Receipt
from consumers.gateways.evm_reads import Events
from consumers.gateways.evm_rpc import Node, Nodes
from consumers.gateways.ports import Head, TryAgain
from consumers.gateways.x402_ports import AuthorizationSeen, GeopletSeen

Seen = TypeVar("Seen")


class GeopletRpc:
    """The `GeopletChain` port over JSON-RPC.

    `token` is USDC, `geoplets` the contract, `pay_to` who must be paid, addresses in hex.
    `timeout_s` bounds each call to a node, `log_range_blocks` one `eth_getLogs` question.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_id: int,
        token: str,
        geoplets: str,
        pay_to: str,
        timeout_s: float = 10.0,
        log_range_blocks: int = 2_000,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.chain_id = chain_id
        self._nodes = Nodes(urls, chain_id=chain_id, timeout_s=timeout_s, client=client)
        self._token = token.lower()
        self._geoplets = geoplets.lower()
        self._pay_to = pay_to.lower()
        self._log_range_blocks = log_range_blocks
        self._highest = 0

    async def aclose(self) -> None:
        await self._nodes.aclose()

    async def head(self) -> Head:
        """The lower head of two nodes."""
        head = await reads.lower_head(self._nodes)
        self._highest = max(self._highest, head.number)
        return head

    async def block_hash(self, number: int) -> str | None:
        return await self._nodes.agreed(lambda node: reads.block_hash(node, number))

    async def block(self, number: int) -> Head | None:
        return await self._nodes.agreed(lambda node: reads.block(node, number))

    async def authorization_used(self, payer: str, nonce: str) -> bool:
        return (await self._views(self._token, [abi.authorization_state(payer, nonce)]))[0]

    async def seen_in(self, tx_hash: str) -> list[AuthorizationSeen | GeopletSeen]:
        async def ask(node: Node) -> list[AuthorizationSeen | GeopletSeen]:
            mined = await reads.receipt_of(node, tx_hash)
            if mined is None:
                return []
            uses = abi.authorizations_in(mined, self._token, self._pay_to)
            return [*uses, *abi.geoplets_in(mined, self._geoplets)]

        return await self._nodes.agreed(ask)

    async def reverted(self, tx_hash: str) -> bool:
        async def ask(node: Node) -> bool:
            mined = await reads.receipt_of(node, tx_hash)
            return mined is not None and not mined.succeeded

        return await self._nodes.agreed(ask)

    async def fid_minted(self, fid: int, *, block: int | None = None) -> bool:
        return (await self._views(self._geoplets, [abi.fid_minted(fid)], block))[0]

    async def fids_minted(self, fids: Sequence[int]) -> list[bool]:
        """`fidMinted` of each, all at the same newest block."""
        return await self._views(self._geoplets, [abi.fid_minted(fid) for fid in fids])

    async def use_of(self, payer: str, nonce: str, *, from_block: int) -> AuthorizationSeen | None:
        wanted = payer.lower(), nonce.lower()
        kinds = [abi.AUTHORIZATION_USED, abi.AUTHORIZATION_CANCELED]
        events = Events(self._token, [kinds, abi.topic(wanted[0]), wanted[1]])

        def seen_in(mined: Receipt) -> list[AuthorizationSeen]:
            uses = abi.authorizations_in(mined, self._token, self._pay_to)
            return [use for use in uses if (use.payer, use.nonce) == wanted]

        return await self._only_one([events], seen_in, from_block, "uses of one authorization")

    async def geoplet_of(self, fid: int, *, from_block: int) -> GeopletSeen | None:
        events = Events(self._geoplets, [abi.GEOPLET_MINTED, abi.topic(fid)])

        def seen_in(mined: Receipt) -> list[GeopletSeen]:
            minted = abi.geoplets_in(mined, self._geoplets)
            return [seen for seen in minted if seen.fid == fid]

        return await self._only_one([events], seen_in, from_block, "mints of one fid")

    async def sightings(self, first: int, last: int) -> list[AuthorizationSeen | GeopletSeen]:
        if first > last:
            return []
        events = [
            Events(self._token, [TRANSFER, None, abi.topic(self._pay_to)], worth=True),
            Events(self._geoplets, [abi.GEOPLET_MINTED]),
        ]
        return list(await self._agreed(events, self._sighted, first, last))

    def _sighted(self, mined: Receipt) -> list[AuthorizationSeen | GeopletSeen]:
        uses = abi.authorizations_in(mined, self._token, self._pay_to)
        found: list[AuthorizationSeen | GeopletSeen] = [use for use in uses if use.amount]
        found += abi.geoplets_in(mined, self._geoplets)
        return sorted(found, key=lambda seen: seen.log_index)

    async def _newest(self) -> int:
        """The newest block two nodes have, and none before a head that was told: who learned the
        time from that head must not be told what was true earlier."""
        await self.head()
        return self._highest

    async def _views(
        self, contract: str, questions: Sequence[str], block: int | None = None
    ) -> list[bool]:
        """Questions to a contract about exactly one block, the newest unless it is told."""
        number = await self._newest() if block is None else block

        async def ask(node: Node) -> tuple[str, list[bool]]:
            tip = await reads.hash_reached(node, number)
            calls = [{"to": contract, "data": data} for data in questions]
            asked = (node.call("eth_call", call, {"blockHash": tip}) for call in calls)
            return tip, [abi.yes_or_no(said) for said in await asyncio.gather(*asked)]

        _, answers = await self._nodes.agreed(ask)
        return answers

    async def _only_one(
        self,
        events: Sequence[Events],
        seen_in: Callable[[Receipt], Sequence[Seen]],
        from_block: int,
        what: str,
    ) -> Seen | None:
        newest = await self._newest()
        if from_block > newest:
            return None
        found = await self._agreed(events, seen_in, from_block, newest)
        if len(found) > 1:
            raise TryAgain(f"a node tells of {len(found)} {what}")
        return found[0] if found else None

    async def _agreed(
        self,
        events: Sequence[Events],
        seen_in: Callable[[Receipt], Sequence[Seen]],
        first: int,
        last: int,
    ) -> tuple[Seen, ...]:
        async def ask(node: Node) -> tuple[str, tuple[Seen, ...]]:
            span = self._log_range_blocks
            tip, mined = await reads.mined_with(node, events, first, last, span=span)
            return tip, tuple(seen for each in mined for seen in seen_in(each))

        _, found = await self._nodes.agreed(ask)
        return found
