"""The server's own mint of `role_mint_final`: sign, record, then look up and broadcast.

The signed bytes are in the ledger before they leave, with the nonce that they use up; after that
only the same bytes are sent, until the chain shows the token or proves the nonce used otherwise.
"""

from __future__ import annotations

import base64
import json

from commands.command import look
from commands.orders import SeeOrder, SignFinalMint
from consumers.evidence import Examiner
from consumers.gateways.ports import EvmMinter, TryAgain
from consumers.reactions.payments import Payments
from consumers.reactions.promise import Desk, Promise
from domain.character import Character, character_stream
from domain.mint_view import order_ref
from domain.minter import Minter, NonceTaken, minter_stream
from domain.order import Order


class FinalMint:
    def __init__(
        self, desk: Desk, examiner: Examiner, minter: EvmMinter, payments: Payments
    ) -> None:
        self._desk, self._examiner = desk, examiner
        self._minter, self._payments = minter, payments

    async def mint(self, promise: Promise) -> None:
        """Takes the mint one step further; what the chain then shows comes in as a message."""
        see = SeeOrder(order_id=promise.order_id)
        seen = await look(self._desk.ledger, see)
        order = see.order(seen)
        if order.final_token_id is not None or order.payment is None:
            return
        if order.final_mint.signed is None:
            character = seen.get(Character, character_stream(order.character_id))
            await self._sign(order, character, promise)
            return
        # Looked up first: a nonce that is gone makes every broadcast fail, and is news.
        await self._payments.verify(promise)
        await self._minter.broadcast(order.final_mint.signed.raw)

    async def _sign(self, order: Order, character: Character, promise: Promise) -> None:
        assert order.payment is not None
        uri = metadata_uri(character)
        signed = await self._minter.sign_final_mint(
            order_ref(order.order_id), to=order.payment.payer, uri=uri, nonce=await self._nonce()
        )
        command = SignFinalMint(
            order_id=order.order_id,
            chain_id=self._examiner.chain.chain_id,
            tx_hash=signed.tx_hash,
            raw=signed.raw,
            sender=signed.sender.lower(),
            nonce=signed.nonce,
            to=order.payment.payer,
            uri=uri,
        )
        try:
            await self._desk.do(command, cause=promise.todo_id)
        except NonceTaken as taken:
            raise TryAgain(taken.sentence, after_s=0.1) from taken

    async def _nonce(self) -> int:
        stream = minter_stream(self._examiner.chain.chain_id, self._minter.address.lower())
        minter = Minter()
        for event in (await self._desk.ledger.streams([stream]))[stream].events:
            minter = minter.evolve(event)
        if minter.next_nonce is not None:
            return minter.next_nonce
        return await self._minter.pending_nonce()


def metadata_uri(character: Character) -> str:
    """The token's final metadata, carried by the token itself, so that no host can lose it."""
    assert character.image is not None
    metadata = {
        "name": f"{character.role} ({character.kind})",
        "image": character.image.output_url,
        "properties": {"character": character.character_id, "sha256": character.image.sha256},
    }
    text = json.dumps(metadata, sort_keys=True, separators=(",", ":"))
    return "data:application/json;base64," + base64.b64encode(text.encode()).decode()
