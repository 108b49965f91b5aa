"""Sees to it that there is a tree with room: signed, recorded, broadcast; when full, the next."""

from __future__ import annotations

from commands.command import Command, look
from commands.grove import DropTree, FillTree, GrowTree, SeeGrove, SignTree
from consumers.gateways.solana_ports import SolanaChain, TreeKeeper
from consumers.reactions.promise import Desk
from domain.grove import Grove, TreeSigned

CAUSE = "grove"


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
        capacity = (await self._keeper.standing(grove.number)).capacity
        if capacity:
            await self._do(GrowTree(authority=self._authority, tree=tree, capacity=capacity))
        elif grove.signed:
            await self._follow(grove.signed)
        else:
            creation = await self._keeper.sign_creation(grove.number, await self._chain.blockhash())
            signed = SignTree(authority=self._authority, tree=tree, creation=creation)
            if (await self._desk.do(signed, cause=CAUSE)).events:
                await self._chain.broadcast(creation.raw)

    async def _follow(self, signed: TreeSigned) -> None:
        ids = {"authority": self._authority, "signature": signed.signature}
        fate = await self._chain.fate(signed.signature)
        if fate and fate.commitment == "finalized" and fate.error:
            await self._do(DropTree(**ids, reason=fate.error))
        elif fate is None:
            if await self._chain.absence(signed.signature, signed.last_valid_height):
                await self._do(DropTree(**ids, reason="lapsed"))
            else:
                await self._chain.broadcast(signed.raw)

    async def _see(self) -> Grove:
        see = SeeGrove(authority=self._authority)
        return see.grove(await look(self._desk.ledger, see))

    async def _do(self, command: Command) -> None:
        await self._desk.do(command, cause=CAUSE)
