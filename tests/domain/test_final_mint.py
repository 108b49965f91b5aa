"""The server's own mint: signed once, taken back with its block, and sent again as it was."""

from __future__ import annotations

from domain import order_events as happened
from domain.final_mint import FinalMint
from tests.spec import Given

IDS = {"order_id": "7e57", "character_id": "c0de"}
PAYER, MINTER = "0x" + "a" * 40, "0x" + "d" * 40

signed = happened.FinalMintSigned(
    **IDS, tx_hash="0xf1", raw="0x02", sender=MINTER, nonce=3, to=PAYER, uri="data:,"
)
dropped = happened.FinalMintDropped(**IDS, tx_hash="0xf1", nonce=3)
minted = happened.TokenMinted(
    **IDS, tx_hash="0xf1", block_number=9, block_hash="0xb9", log_index=0, token_id="4"
)
retracted = happened.TokenRetracted(**IDS, tx_hash="0xf1", block_hash="0xb9")
final = happened.TokenFinalized(**IDS, tx_hash="0xf1", block_hash="0xb9")


def given(*history):
    return Given(FinalMint(), *history)


def test_a_mint_is_signed_once():
    given().when(lambda m: m.sign(signed)).then(signed)
    given(signed, minted).when(lambda m: m.sign(signed)).then()


def test_a_mint_whose_nonce_is_gone_may_be_signed_anew():
    given(signed).when(lambda m: m.drop("0xf1")).then(dropped)
    given(signed).when(lambda m: m.drop("0xf2")).then()
    given(signed, dropped).when(lambda m: m.sign(signed)).then(signed)


def test_a_token_on_chain_is_recorded_once_and_its_mint_not_dropped():
    given(signed).when(lambda m: m.record(minted)).then(minted)
    given(signed, minted).when(lambda m: m.drop("0xf1")).then()


def test_a_reorg_takes_the_token_back_and_leaves_the_signed_bytes():
    given(signed, minted).when(lambda m: m.retract("0xb8")).then()
    given(signed, minted).when(lambda m: m.retract("0xb9")).then(retracted)
    given(signed, minted, retracted).when(lambda m: m.sign(signed)).then()
    given(signed, minted, retracted).when(lambda m: m.record(minted)).then(minted)


def test_what_is_final_is_not_taken_back():
    given(signed, minted).when(lambda m: m.finalize("0xb9")).then(final)
    given(signed, minted, final).when(lambda m: m.retract("0xb9")).then()
