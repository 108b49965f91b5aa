"""A pass with a real token: prepared by us, signed by its wallet, shown by the views."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from psycopg import AsyncConnection
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from spl.token import instructions as spl
from spl.token import models

from commands.command import Command, Outcome, look
from commands.passes import Identify
from commands.request_upgrade import Minting, RequestUpgrade
from commands.upgrades import SeeUpgrade
from consumers.gateways.level_ports import LevelWanted
from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_tokens import TOKEN, held_at
from consumers.level_check import LevelCheck
from consumers.reactions.promise import Desk
from consumers.reconciler import Report, one_round
from domain.solana import Prepared
from domain.upgrade import Upgrade
from domain.upgrade_events import UpgradeRecipe, UpgradeRequested
from ledger.ledger import Ledger
from projections.levels import Levels
from projections.upgrades import Upgrades
from tests.gateways.devnet_side import Devnet
from tests.gateways.solana_levels_side import CID, address, completed
from tests.projections.looking import catch_up
from tests.reconciling.worlds import RICH


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Owner:
    """One pass with one wallet, on the chain and in the ledger."""

    url: str
    ledger: Ledger
    devnet: Devnet
    tokens: SolanaLevels
    wallet: Keypair
    pass_id: str

    @property
    def address(self) -> str:
        return address(self.wallet)

    async def do(self, command: Command) -> Outcome:
        return await Desk(self.ledger, now).do(command, cause="test")

    async def sign_in(self) -> None:
        identity = f"solana:{self.address}"
        await self.do(Identify(identity=identity, new_pass_id=self.pass_id))

    async def upgrade(self) -> Upgrade:
        see = SeeUpgrade(owner=self.pass_id)
        return see.upgrade(await look(self.ledger, see))

    async def ask(self, recipe: UpgradeRecipe) -> str:
        """Begins an attempt; what the wallet has signed, and not sent."""
        id_, recent = str(uuid4()), await self.devnet.chain.blockhash()
        made: list[Prepared] = []

        def prepared(terms: UpgradeRequested) -> Prepared:
            wanted = LevelWanted(terms.wallet, terms.level, terms.cid, id_)
            if recipe == "nft_unlock":
                made.append(self.tokens.prepare_unlock(wanted, recent))
            else:
                made.append(self.tokens.prepare_burn(terms.burns, terms.wallet, id_, recent))
            return made[0]

        request = RequestUpgrade(
            asked_by=self.pass_id,
            kind="unlock" if recipe == "nft_unlock" else "upgrade",
            recipe=recipe,
            upgrade_id=id_,
            record=RICH,
            minting=Minting(self.tokens.mint_of(id_), lambda level: ("{}", CID), prepared),
            expires_at=now() + timedelta(seconds=45),
        )
        await self.do(request)
        return completed(self.tokens, made[0], self.wallet)

    async def unlocked(self) -> str:
        """Has its first token, which nobody of ours has seen land; its mint."""
        await self.devnet.lands(await self.ask("nft_unlock"))
        assert [found for report in await self.round() for found in report.findings]
        token = (await self.upgrade()).token
        assert token
        return token.mint

    async def sends_away(self, mint: str, to: Keypair, signer: Keypair | None = None) -> None:
        """Confirmed, not final yet."""
        signer, key = signer or self.wallet, Pubkey.from_string(mint)
        payer = signer.pubkey()
        sent = models.TransferParams(
            program_id=TOKEN,
            source=held_at(payer, key),
            dest=held_at(to.pubkey(), key),
            owner=payer,
            amount=1,
        )
        opened = spl.create_idempotent_associated_token_account(payer, to.pubkey(), key)
        recent = Hash.from_string((await self.devnet.chain.blockhash()).value)
        message = MessageV0.try_compile(payer, [opened, spl.transfer(sent)], [], recent)
        whole = bytes(VersionedTransaction(message, [signer]))
        await self.devnet.chain.broadcast(base64.b64encode(whole).decode())
        await self.devnet.passes(1)

    async def round(self) -> list[Report]:
        """The views as they are now, compared once with the chain."""
        for projection in (Levels(), Upgrades()):
            await catch_up(self.url, self.ledger, projection)
        check = LevelCheck(Desk(self.ledger, now), self.tokens)
        async with await AsyncConnection.connect(self.url, autocommit=True) as connection:
            return await one_round(connection, [check], now)

    async def found(self) -> list[tuple[str, str]]:
        """What one round came to: kind and what was done."""
        (report,) = await self.round()
        assert not report.failure
        return [(each.kind, each.done) for each in report.findings]
