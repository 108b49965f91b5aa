"""Level tokens as the routes see them: real transactions, and a chain that is told what to show."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from api.__main__ import prepared_level
from api.levels import Levels
from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_rpc import SolanaRpc
from domain.solana import Blockhash, Prepared
from domain.upgrade_events import UpgradeRecipe, UpgradeRequested
from tests.api.fake_solana import AUTHORITY, TREASURY, FakeSolana


@dataclass
class FakeLevels:
    """`lost`: mints whose token is not where it should be."""

    solana: FakeSolana
    recipe: UpgradeRecipe = "nft_upgrade"
    lost: set[str] = field(default_factory=set)

    @property
    def levels(self) -> Levels:
        unasked = SolanaRpc(["http://127.0.0.1:9"], treasury=TREASURY, client=httpx.AsyncClient())
        tokens = SolanaLevels(chain=unasked, authority=AUTHORITY)

        def prepare(terms: UpgradeRequested, blockhash: Blockhash) -> Prepared:
            return prepared_level(tokens, terms, blockhash)

        return Levels(
            recipe=self.recipe,
            mint_of=tokens.mint_of,
            metadata=lambda level, id_: (f'{{"level":{level}}}', f"bafk{level}{id_[:8]}"),
            prepare=prepare,
            complete=tokens.complete,
            signature_of=tokens.signature_of,
            held=self.held,
        )

    async def held(self, mint: str, wallet: str) -> bool:
        await self.solana.height()  # who is silent, is silent here too
        return mint not in self.lost
