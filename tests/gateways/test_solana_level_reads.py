"""What became of level tokens, found by its effect, whoever acted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from spl.token import instructions as spl
from spl.token import models

from consumers.gateways import solana_wire as wire
from consumers.gateways.level_ports import BurnSeen
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_tokens import TOKEN, burning, creation, held_at
from tests.gateways.devnet_side import Devnet, development_network
from tests.gateways.solana_levels_side import CID, address, completed, minted_to, wanted
from tests.gateways.solana_levels_side import burning as burning_by
from tests.gateways.solana_side import AUTHORITY


@pytest.fixture(scope="module")
async def devnet() -> AsyncIterator[Devnet]:
    async with development_network() as made:
        yield made


@pytest.fixture
def levels(devnet: Devnet) -> SolanaLevels:
    return SolanaLevels(chain=devnet.chain, authority=AUTHORITY)


def moved(mint: str, source: Keypair, to: Keypair) -> list[Any]:
    """To an account that is not the associated one, as an exchange might have it."""
    token, payer = Pubkey.from_string(mint), source.pubkey()
    sent = models.TransferParams(
        program_id=TOKEN,
        source=held_at(payer, token),
        dest=held_at(to.pubkey(), token),
        owner=payer,
        amount=1,
    )
    return [spl.create_associated_token_account(payer, to.pubkey(), token), spl.transfer(sent)]


async def state(levels: SolanaLevels, mint: str, owner: Keypair) -> tuple[str, str]:
    (seen,) = await levels.holdings([(mint, address(owner))])
    assert seen.mint == mint and seen.slot > 0
    return seen.state, seen.owner


async def test_a_token_that_moved_on_is_still_found_as_minted_to_its_owner(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet, buyer = await devnet.wallet(), await devnet.wallet()
    token = wanted(wallet)
    prepared = levels.prepare_unlock(token, await devnet.chain.blockhash())
    mint = levels.mint_of(token.reference)
    assert await state(levels, mint, wallet) == ("absent", "")
    await devnet.lands(completed(levels, prepared, wallet))
    assert await state(levels, mint, wallet) == ("held", address(wallet))
    found = await levels.minted(token)
    await devnet.sends(wallet, *moved(mint, wallet, buyer))
    assert await levels.minted(token) == found and found is not None
    assert await levels.burned(mint) is None, "it left an account and came to another"
    assert await state(levels, mint, wallet) == ("held", address(buyer))
    await devnet.lands(await burning_by(devnet, levels, mint, buyer))
    burn = await levels.burned(mint)
    assert burn is not None and burn.owner == address(buyer)
    assert await levels.minted(token) == found
    assert await state(levels, mint, wallet) == ("burned", "")


async def test_an_account_that_was_given_away_is_its_new_owners(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet, other = await devnet.wallet(), await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    given = models.SetAuthorityParams(
        program_id=TOKEN,
        account=held_at(wallet.pubkey(), Pubkey.from_string(mint)),
        authority=models.AuthorityType.ACCOUNT_OWNER,
        current_authority=wallet.pubkey(),
        new_authority=other.pubkey(),
    )
    await devnet.sends(wallet, spl.set_authority(given))
    assert await state(levels, mint, wallet) == ("held", address(other))


async def test_many_tokens_are_looked_at_with_few_questions(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    both = SolanaLevels(chain=devnet.both, authority=AUTHORITY)
    mint = await minted_to(devnet, levels, wallet)
    nobody = [(levels.mint_of(str(each)), address(wallet)) for each in range(119)]
    devnet.liar.asked.clear()
    found = await both.holdings([*nobody[:60], (mint, address(wallet)), *nobody[60:]])
    assert [one.state for one in found] == ["absent"] * 60 + ["held"] + ["absent"] * 59
    assert devnet.liar.asked == ["getMultipleAccounts"] * 3


async def test_a_burn_of_the_wallets_own_counts_and_names_no_upgrade(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    mine = burning(Pubkey.from_string(mint), wallet.pubkey())
    gift = transfer(
        TransferParams(from_pubkey=wallet.pubkey(), to_pubkey=AUTHORITY.pubkey(), lamports=1)
    )
    signature = await devnet.sends(wallet, *wire.priority(9_000, units=90_000), gift, *mine, gift)
    burn = await levels.burned(mint)
    assert burn is not None and burn == BurnSeen(mint, address(wallet), signature, burn.slot, "")


async def test_a_burn_that_a_delegate_signed_was_not_signed_by_the_owner(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet, delegate = await devnet.wallet(), await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    account = held_at(wallet.pubkey(), Pubkey.from_string(mint))
    leave = models.ApproveParams(
        program_id=TOKEN,
        source=account,
        delegate=delegate.pubkey(),
        owner=wallet.pubkey(),
        amount=1,
    )
    await devnet.sends(wallet, spl.approve(leave))
    burned = models.BurnParams(
        program_id=TOKEN,
        account=account,
        mint=Pubkey.from_string(mint),
        owner=delegate.pubkey(),
        amount=1,
    )
    signature = await devnet.sends(delegate, spl.burn(burned))
    burn = await levels.burned(mint)
    assert burn is not None and (burn.owner, burn.signature) == ("", signature)


async def test_a_burn_that_failed_is_none(devnet: Devnet, levels: SolanaLevels) -> None:
    wallet, thief = await devnet.wallet(), await devnet.wallet()
    mint = Pubkey.from_string(await minted_to(devnet, levels, wallet))
    owned = {"program_id": TOKEN, "mint": mint, "amount": 1, "owner": thief.pubkey()}
    stolen = spl.burn(models.BurnParams(**owned, account=held_at(wallet.pubkey(), mint)))
    failed = await devnet.sends(thief, wire.memo("mega:burn:x"), stolen, preflight=False)
    fate = await devnet.chain.verdict(failed)
    assert fate is not None and fate.error
    assert await levels.burned(str(mint)) is None
    await devnet.lands(await burning_by(devnet, levels, str(mint), wallet))
    assert await devnet.sends(thief, wire.memo("mega:burn:x"), stolen, preflight=False)
    burn = await levels.burned(str(mint))
    assert burn is not None and burn.owner == address(wallet)


@pytest.mark.parametrize("other", [{"level": 2}, {"cid": "c" * 59}, {"owner": str(TOKEN)}])
async def test_another_token_than_was_wanted_will_not_work(
    devnet: Devnet, levels: SolanaLevels, other: dict[str, Any]
) -> None:
    token = wanted(await devnet.wallet())
    await devnet.lands(levels.sign_mint(token, await devnet.chain.blockhash()).raw)
    with pytest.raises(WillNotWork):
        await levels.minted(replace(token, **other))
    assert await levels.minted(token) is not None


async def test_nothing_is_proved_before_its_height_is_past(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    token, mint = wanted(wallet), await minted_to(devnet, levels, wallet)
    recent = await devnet.chain.blockhash()
    unlock = levels.mint_of(token.reference)
    late = completed(levels, levels.prepare_unlock(token, recent), wallet)
    await devnet.front.steer("chain", {"hold_next": 1})
    await devnet.chain.broadcast(late)
    assert await levels.never_minted(unlock, recent.last_valid_height) is None
    assert await levels.never_burned(mint, recent.last_valid_height) is None
    await devnet.passes(200)
    await devnet.final()
    proof = await levels.never_minted(unlock, recent.last_valid_height)
    assert proof is not None and (proof.signature, proof.slot > proof.height) == ("", True)
    assert proof.height > recent.last_valid_height
    assert await levels.never_burned(mint, recent.last_valid_height) is not None
    await devnet.front.steer("chain", {"land_held": True})
    assert await levels.minted(token) is None, "its blockhash is no good any more"


async def test_what_happened_is_never_proved_not_to_have(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    await devnet.lands(await burning_by(devnet, levels, mint, wallet))
    assert await levels.never_minted(mint, 1) is None
    assert await levels.never_burned(mint, 1) is None


async def test_lamports_at_a_mints_address_are_no_mint(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    token = wanted(wallet)
    mint = levels.mint_of(token.reference)
    gift = TransferParams(
        from_pubkey=wallet.pubkey(), to_pubkey=Pubkey.from_string(mint), lamports=10**6
    )
    await devnet.sends(wallet, transfer(gift))
    assert await levels.minted(token) is None
    assert await levels.never_minted(mint, 1) is not None
    assert await state(levels, mint, wallet) == ("absent", "")


async def test_mints_are_told_in_their_order_among_all_else(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    _, start = await levels.mints_after("")
    wallet, forger = await devnet.wallet(), await devnet.wallet()
    mints = [await minted_to(devnet, levels, wallet, level) for level in (1, 2)]
    mention = transfer(
        TransferParams(from_pubkey=forger.pubkey(), to_pubkey=AUTHORITY.pubkey(), lamports=1)
    )
    words, mint = wire.memo(f"mega:level:5:{CID}"), Keypair()
    of_their_own = creation(forger.pubkey(), mint.pubkey(), forger.pubkey())
    await devnet.sends(forger, words, mention, *of_their_own, signs=mint)
    last = await devnet.sends(forger, words, mention)
    seen, cursor = await levels.mints_after(start)
    assert [(one.mint, one.level, one.cid, one.owner) for one in seen] == [
        (mints[0], 1, CID, address(wallet)),
        (mints[1], 2, CID, address(wallet)),
    ]
    assert cursor == last
    assert await levels.mints_after(seen[0].signature) == (seen[1:], cursor)
    assert await levels.mints_after(cursor) == ([], cursor)
    everything, newest = await levels.mints_after("")
    assert everything[-2:] == seen and newest == cursor
    with pytest.raises(TryAgain):
        await levels.mints_after(str(forger.sign_message(b"unknown")))
