"""What the examiner makes of a chain that moves on between two of its questions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from commands.command import Command
from commands.x402_outcome import RecordGeopletMint
from consumers.gateways.ports import Head
from consumers.gateways.x402_ports import AuthorizationSeen, GeopletSeen
from consumers.x402_evidence import X402Depths, X402Examiner
from domain.x402_order import X402Order
from tests.domain.x402_orders import MINT, PAYER, opening, settled, submitted, verified, vouched

SEEN = GeopletSeen(MINT["fid"], PAYER, "0x" + "1" * 64, 20, "0xb20", 0)


@dataclass
class MovingChain:
    """`mints`: what each look for the mint finds, the last one from then on; `minted_at`: from
    which block on the fid is minted."""

    mints: list[GeopletSeen | None]
    minted_at: int
    chain_id: int = 8453

    async def head(self) -> Head:
        return Head(number=20, hash="0xb20", time=0)

    async def block_hash(self, number: int) -> str | None:
        return None

    async def block(self, number: int) -> Head | None:
        return None

    async def authorization_used(self, payer: str, nonce: str) -> bool:
        return True

    async def use_of(self, payer: str, nonce: str, *, from_block: int) -> AuthorizationSeen | None:
        return None

    async def seen_in(self, tx_hash: str) -> list[AuthorizationSeen | GeopletSeen]:
        return []

    async def reverted(self, tx_hash: str) -> bool:
        return False

    async def fid_minted(self, fid: int, *, block: int | None = None) -> bool:
        return self.minted_at <= (20 if block is None else block)

    async def geoplet_of(self, fid: int, *, from_block: int) -> GeopletSeen | None:
        return self.mints.pop(0) if len(self.mints) > 1 else self.mints[0]

    async def sightings(self, first: int, last: int) -> list[AuthorizationSeen | GeopletSeen]:
        return []


def paid() -> X402Order:
    events = [opening(MINT), verified(), vouched(), submitted(), settled()]
    return reduce(X402Order.evolve, events, X402Order())


async def found_on(chain: MovingChain) -> list[Command]:
    return await X402Examiner(chain, X402Depths(1, 3, 12)).examine(paid())


async def test_a_mint_that_comes_between_two_questions_is_not_somebody_elses() -> None:
    assert await found_on(MovingChain([None], minted_at=20)) == []
    (found,) = await found_on(MovingChain([SEEN], minted_at=20))
    assert isinstance(found, RecordGeopletMint)
    assert found.found.owner == PAYER and not found.deep


async def test_a_fid_that_was_minted_long_before_is_told_of_as_somebody_elses() -> None:
    (found,) = await found_on(MovingChain([None], minted_at=3))
    assert isinstance(found, RecordGeopletMint) and found.found.owner == ""


async def test_a_fid_that_is_not_minted_is_nothing() -> None:
    assert await found_on(MovingChain([None], minted_at=99)) == []
