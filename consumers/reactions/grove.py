"""Sees to it that there is a tree with room: signed, recorded, broadcast; when full, the next."""

from __future__ import annotations

import structlog

from commands.command import Command, look
from commands.grove import DropTree, FillTree, GrowTree, SeeGrove, SignTree
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_ports import SolanaChain, TreeKeeper
from consumers.reactions.promise import Desk
from domain.grove import Grove, TreeSigned

CAUSE = "grove"

log = structlog.get_logger()


class Trees:
    def __init__(self, desk: Desk, chain: SolanaChain, keeper: TreeKeeper, authority: str) -> None:
        self._desk, self._chain, self._keeper = desk, chain, keeper
        self._authority = authority

    async def tree(self) -> str:
        """The tree to mint into; empty while the next one grows."""
        grove = await self._see()
        if not grove.tree:
            await self._grow(grove)
            grove = await self._see()
        elif await self.full(grove.number):
            await self._do(FillTree(authority=self._authority, tree=grove.tree))
            return ""
        return grove.tree

    async def full(self, number: int) -> bool:
        standing = await self._keeper.standing(number)
        return 0 < standing.capacity <= standing.minted

    async def is_full(self, tree: str) -> bool:
        """Whether the tree that we mint into has no room any more."""
        grove = await self._see()
        return tree != grove.tree or await self.full(grove.number)

    async def _grow(self, grove: Grove) -> None:
        tree = self._keeper.address(grove.number)
        if grove.signed:
            await self._follow(grove.signed)
        elif capacity := (await self._keeper.standing(grove.number)).capacity:
            await self._do(GrowTree(authority=self._authority, tree=tree, capacity=capacity))
        else:
            creation = await self._keeper.sign_creation(grove.number, await self._chain.blockhash())
            signed = SignTree(authority=self._authority, tree=tree, creation=creation)
            if (await self._desk.do(signed, cause=CAUSE)).events:
                await self._broadcast(creation.raw)

    async def _follow(self, signed: TreeSigned) -> None:
        ids = {"authority": self._authority, "signature": signed.signature}
        if await self._chain.fate(signed.signature) is None:
            if await self._chain.absence(signed.signature, signed.last_valid_height):
                await self._do(DropTree(**ids, reason="lapsed"))
            else:
                await self._broadcast(signed.raw)
        elif verdict := await self._chain.verdict(signed.signature):
            if verdict.error:
                await self._do(DropTree(**ids, reason=verdict.error))
                return
            if capacity := (await self._keeper.standing(signed.number)).capacity:
                ids = {"authority": self._authority, "tree": signed.tree}
                await self._do(GrowTree(**ids, capacity=capacity))

    async def _broadcast(self, raw: str) -> None:
        """Whether anybody took it is seen on the chain."""
        try:
            await self._chain.broadcast(raw)
        except (TryAgain, WillNotWork) as unsent:
            log.warning("tree_not_sent", why=unsent.reason)

    async def _see(self) -> Grove:
        see = SeeGrove(authority=self._authority)
        return see.grove(await look(self._desk.ledger, see))

    async def _do(self, command: Command) -> None:
        await self._desk.do(command, cause=CAUSE)
