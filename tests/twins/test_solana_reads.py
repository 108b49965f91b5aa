"""What the development network of Solana tells: simulations, accounts, tokens, fees."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
from solana.rpc.commitment import Processed
from solana.rpc.models import TxOpts
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import Transaction
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import (
    create_associated_token_account,
    get_associated_token_address,
    initialize_mint,
    mint_to,
)
from spl.token.models import InitializeMintParams, MintToParams

from consumers.gateways import base58
from embedded.solana import slots
from tests.twins.solana_side import (
    AUTHORITY,
    MEMO,
    TREASURY,
    WALLET,
    WALLETS,
    Side,
    memo,
    payment,
    sending,
    solana,
)

SIGNATURE_FEE = 5_000
NOW = TxOpts(preflight_commitment=Processed)


@pytest.fixture(scope="module")
async def network() -> AsyncIterator[Side]:
    async with solana() as running:
        yield running


@pytest.fixture
async def side(network: Side) -> Side:
    """In slots of its own, so that equal payments of two tests differ in their blockhash."""
    await network.alone.steer("chain", {"finalize": True})
    return network


async def test_a_simulation_changes_nothing(side: Side) -> None:
    transaction = await side.transaction([payment(1_000_000)], WALLET)
    raw = b64encode(bytes(transaction)).decode()
    asked = {
        "encoding": "base64",
        "commitment": "processed",
        "sigVerify": True,
        "accounts": {"encoding": "base64", "addresses": [str(TREASURY)]},
    }
    before = await side.lamports(TREASURY)
    told = (await side.result("simulateTransaction", raw, asked))["value"]
    assert (told["err"], told["unitsConsumed"]) == (None, 150)
    assert told["accounts"][0]["lamports"] == before + 1_000_000
    assert await side.lamports(TREASURY) == before
    await side.pass_slots(400)
    told = (await side.result("simulateTransaction", raw, asked))["value"]
    assert told["err"] == "BlockhashNotFound"
    replacing = {"encoding": "base64", "replaceRecentBlockhash": True}
    told = (await side.result("simulateTransaction", raw, replacing))["value"]
    assert told["err"] is None and told["replacementBlockhash"]["lastValidBlockHeight"]
    both = replacing | {"sigVerify": True}
    assert (await side.fault("simulateTransaction", raw, both))["code"] == -32602


async def test_a_transaction_is_told_in_json_and_as_bytes(side: Side) -> None:
    transaction = await side.transaction([payment(1_000_000), memo("m")], WALLET)
    signature = await side.result("sendTransaction", *sending(transaction))
    await side.pass_slots(slots.CONFIRMED_AFTER)
    seen = await side.seen(signature)
    assert seen["version"] == 0
    message = seen["transaction"]["message"]
    assert message["accountKeys"][0] == str(AUTHORITY.pubkey())
    assert message["instructions"][1]["data"] == base58.encode(b"m")
    assert seen["meta"]["loadedAddresses"] == {"writable": [], "readonly": []}
    raw = await side.seen(signature, encoding="base64")
    assert raw["transaction"] == [b64encode(bytes(transaction)).decode(), "base64"]
    fault = await side.fault("getTransaction", signature, {"commitment": "confirmed"})
    assert fault["code"] == -32015
    fault = await side.fault("getTransaction", signature, {"commitment": "processed"})
    assert fault["code"] == -32602
    message = Message.new_with_blockhash([payment(9)], WALLET.pubkey(), await side.recent())
    old = Transaction([WALLET], message, message.recent_blockhash)
    signature = await side.result(
        "sendTransaction",
        base58.encode(bytes(old)),
        {"encoding": "base58", "preflightCommitment": "processed"},
    )
    await side.pass_slots(slots.CONFIRMED_AFTER)
    told = await side.result("getTransaction", signature, {"commitment": "confirmed"})
    assert "version" not in told and "addressTableLookups" not in told["transaction"]["message"]


async def test_signatures_of_an_address_come_newest_first(side: Side) -> None:
    payer = WALLETS[5]
    sent = [
        await side.land([payment(1_000_000 + each, payer), memo("hi")], payer) for each in range(4)
    ]
    await side.alone.steer("chain", {"finalize": True})

    async def asked(**options: object) -> list[str]:
        told = await side.result("getSignaturesForAddress", str(payer.pubkey()), options)
        assert all(each["memo"] == "[2] hi" for each in told)
        return [each["signature"] for each in told]

    assert await asked() == sent[::-1]
    assert await asked(limit=2) == [sent[3], sent[2]]
    assert await asked(before=sent[2]) == [sent[1], sent[0]]
    assert await asked(until=sent[1]) == [sent[3], sent[2]]
    newest = await side.result("getSlot", {"commitment": "finalized"})
    ahead = {"minContextSlot": newest + 1_000}
    fault = await side.fault("getSignaturesForAddress", str(payer.pubkey()), ahead)
    assert fault["code"] == -32016


async def test_memos_of_a_transaction_are_told_in_their_order(side: Side) -> None:
    payer, unreadable = WALLETS[6], Instruction(MEMO, b"\xff\xfe", [])
    said = [memo("mega:burn:a"), payment(1, payer), memo("two ; é"), unreadable]
    await side.land(said, payer, skipPreflight=True)
    await side.alone.steer("chain", {"finalize": True})
    (told,) = await side.result("getSignaturesForAddress", str(payer.pubkey()))
    assert told["memo"] == "[11] mega:burn:a; [8] two ; é; [2] (unparseable)"
    assert told["err"] is not None


def token(mint: Pubkey, rent: int, amount: int) -> list[Instruction]:
    """A mint of two decimals, and `amount` of it for the wallet."""
    maker, owner = AUTHORITY.pubkey(), WALLET.pubkey()
    made = CreateAccountParams(
        from_pubkey=maker, to_pubkey=mint, lamports=rent, space=82, owner=TOKEN_PROGRAM_ID
    )
    begun = InitializeMintParams(
        decimals=2, program_id=TOKEN_PROGRAM_ID, mint=mint, mint_authority=maker
    )
    minted = MintToParams(
        program_id=TOKEN_PROGRAM_ID,
        mint=mint,
        dest=get_associated_token_address(owner, mint),
        mint_authority=maker,
        amount=amount,
    )
    return [
        create_account(made),
        initialize_mint(begun),
        create_associated_token_account(maker, owner, mint),
        mint_to(minted),
    ]


async def test_tokens_are_told_by_owner_mint_and_supply(side: Side) -> None:
    mint, owner = Keypair(), WALLET.pubkey()
    rent = await side.result("getMinimumBalanceForRentExemption", 82)
    account = get_associated_token_address(owner, mint.pubkey())
    signature = await side.land(token(mint.pubkey(), rent, 150), mint)
    await side.pass_slots(slots.CONFIRMED_AFTER)
    now = {"commitment": "confirmed", "encoding": "jsonParsed"}
    supply = (await side.result("getTokenSupply", str(mint.pubkey()), now))["value"]
    assert (supply["amount"], supply["uiAmountString"]) == ("150", "1.5")
    balance = (await side.result("getTokenAccountBalance", str(account), now))["value"]
    assert balance == supply
    for by in ({"mint": str(mint.pubkey())}, {"programId": str(TOKEN_PROGRAM_ID)}):
        told = (await side.result("getTokenAccountsByOwner", str(owner), by, now))["value"]
        assert [each["pubkey"] for each in told] == [str(account)]
        assert told[0]["account"]["data"]["parsed"]["info"]["tokenAmount"] == balance
    (largest,) = (await side.result("getTokenLargestAccounts", str(mint.pubkey()), now))["value"]
    assert largest == {"address": str(account), **balance}
    nobodys = await side.fault("getTokenLargestAccounts", str(Pubkey.new_unique()), now)
    no_mint = await side.fault("getTokenLargestAccounts", str(account), now)
    assert nobodys["code"] == no_mint["code"] == -32602
    (held,) = (await side.seen(signature))["meta"]["postTokenBalances"]
    assert (held["mint"], held["owner"]) == (str(mint.pubkey()), str(owner))
    assert held["uiTokenAmount"] == balance


async def test_an_airdrop_is_a_transaction(side: Side) -> None:
    poor = Keypair().pubkey()
    told = await side.client.request_airdrop(poor, 2_000_000_000)
    again = await side.client.request_airdrop(poor, 2_000_000_000)
    assert await side.lamports(poor) == 4_000_000_000
    assert told.value != again.value and await side.status(str(told.value))


async def test_accounts_are_cut_and_encoded_as_asked(side: Side) -> None:
    key = str(TREASURY)
    told = (await side.result("getAccountInfo", key, {"encoding": "base64"}))["value"]
    assert (told["data"], told["owner"]) == (["", "base64"], "1" * 32)
    cut = {"encoding": "base58", "dataSlice": {"offset": 1, "length": 3}}
    told = (await side.result("getAccountInfo", str(MEMO), cut))["value"]
    assert base58.decode(told["data"][0]) == b"ELF" and told["executable"]
    fault = await side.fault("getAccountInfo", str(MEMO), {"encoding": "base58"})
    assert fault["code"] == -32600
    nobody = str(Pubkey.new_unique())
    several = await side.result("getMultipleAccounts", [key, nobody], {"encoding": "base64"})
    assert [bool(each) for each in several["value"]] == [True, False]


async def test_a_node_behind_says_so(side: Side) -> None:
    newest = await side.result("getSlot", {"commitment": "processed"})
    ahead = {"minContextSlot": newest + 1_000}
    for method, params in (
        ("getLatestBlockhash", [ahead]),
        ("getBalance", [str(TREASURY), ahead]),
        ("getBlockHeight", [ahead]),
    ):
        fault = await side.fault(method, *params)
        assert fault["code"] == -32016 and fault["data"]["contextSlot"] <= newest + 5


async def test_an_unknown_method_and_unreadable_calls_are_named(side: Side) -> None:
    assert (await side.fault("getNothing"))["code"] == -32601
    assert (await side.fault("getBalance", "not a key"))["code"] == -32602
    assert (await side.fault("sendTransaction", "AAAA", {"encoding": "base64"}))["code"] == -32602
    broken = await side.alone.client.post("/", content=b"{")
    assert broken.json()["error"]["code"] == -32700
    calls = [{"jsonrpc": "2.0", "id": each, "method": "getHealth"} for each in (7, 8)]
    told = (await side.alone.client.post("/", json=calls)).json()
    assert [(each["id"], each["result"]) for each in told] == [(7, "ok"), (8, "ok")]


async def test_fees_are_told_before_they_are_paid(side: Side) -> None:
    transaction = await side.transaction([payment(1)], WALLET)
    message = transaction.message
    assert isinstance(message, MessageV0)
    fee = await side.client.get_fee_for_message(message, Processed)
    assert fee.value == 2 * SIGNATURE_FEE
    assert len(await side.result("getRecentPrioritizationFees")) == 150
    told = await side.result("getPriorityFeeEstimate", {"options": {"priorityLevel": "High"}})
    assert told["priorityFeeEstimate"] > 0
