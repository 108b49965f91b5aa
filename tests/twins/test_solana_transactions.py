"""The development network of Solana, asked as solana-py and other clients ask a node."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
from solana.rpc.commitment import Confirmed, Processed
from solana.rpc.core import RPCException
from solana.rpc.models import TxOpts
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import Transaction, VersionedTransaction
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
    signed,
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


async def test_a_payment_moves_lamports_and_fees(side: Side) -> None:
    before = await side.lamports(WALLET.pubkey()), await side.lamports(TREASURY)
    payer = await side.lamports(AUTHORITY.pubkey())
    transaction = await side.transaction([payment(50_000_000), memo("batch")], WALLET)
    sent = await side.client.send_raw_transaction(bytes(transaction), NOW)
    assert sent.value == transaction.signatures[0]
    after = await side.lamports(WALLET.pubkey()), await side.lamports(TREASURY)
    assert (before[0] - after[0], after[1] - before[1]) == (50_000_000, 50_000_000)
    assert payer - await side.lamports(AUTHORITY.pubkey()) == 2 * SIGNATURE_FEE
    await side.pass_slots(slots.CONFIRMED_AFTER)
    seen = await side.client.get_transaction(
        sent.value, commitment=Confirmed, max_supported_transaction_version=0
    )
    assert seen.value is not None
    meta = seen.value.transaction.meta
    assert meta is not None and meta.err is None and meta.fee == 2 * SIGNATURE_FEE
    assert meta.log_messages is not None
    assert any("batch" in line for line in meta.log_messages)


async def test_commitment_rises_with_the_slots(side: Side) -> None:
    old = await side.lamports(TREASURY, "finalized")
    signature = await side.land([payment(7_000_000)], WALLET)
    told = await side.status(signature)
    assert told and (told["confirmationStatus"], told["err"]) == ("processed", None)
    asked = {"maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
    assert await side.result("getTransaction", signature, asked) is None
    assert await side.lamports(TREASURY, "confirmed") == old
    await side.pass_slots(slots.CONFIRMED_AFTER)
    told = await side.status(signature)
    assert told and told["confirmationStatus"] == "confirmed"
    assert await side.lamports(TREASURY, "confirmed") == old + 7_000_000
    assert await side.lamports(TREASURY, "finalized") == old
    asked["commitment"] = "finalized"
    assert await side.result("getTransaction", signature, asked) is None
    await side.alone.steer("chain", {"finalize": True})
    told = await side.status(signature)
    assert told and (told["confirmationStatus"], told["confirmations"]) == ("finalized", None)
    assert await side.lamports(TREASURY, "finalized") == old + 7_000_000


async def test_a_blockhash_expires_by_height_and_not_by_slot(side: Side) -> None:
    told = await side.client.get_latest_blockhash(Processed)
    recent, last = told.value.blockhash, told.value.last_valid_block_height
    transaction = signed([payment(1_000_000)], recent, WALLET)
    height = (await side.client.get_block_height(Processed)).value
    assert (await side.client.get_slot(Processed)).value > last > height

    async def known() -> bool:
        asked = {"commitment": "processed"}
        return bool((await side.result("isBlockhashValid", str(recent), asked))["value"])

    now = await side.pass_slots(140)
    while now["height"] < last:
        now = await side.pass_slots(1)
    assert await known()
    while now["height"] <= last:
        now = await side.pass_slots(1)
    assert not await known()
    fault = await side.fault("sendTransaction", *sending(transaction))
    assert fault["data"]["err"] == "BlockhashNotFound"
    assert fault["message"] == "Transaction simulation failed: Blockhash not found"
    sent = await side.result("sendTransaction", *sending(transaction, skipPreflight=True))
    assert await side.status(sent) is None


async def test_preflight_knows_no_younger_blockhash_than_its_commitment(side: Side) -> None:
    transaction = await side.transaction([payment(1_000_000)], WALLET)
    with pytest.raises(RPCException, match="Blockhash not found"):
        await side.client.send_raw_transaction(bytes(transaction))


async def test_what_fails_in_preflight_is_not_sent(side: Side) -> None:
    too_much, before = [payment(10**15)], await side.ledger()
    assert await side.refused(too_much, WALLET) == {"InstructionError": [0, {"Custom": 1}]}
    with pytest.raises(RPCException, match="custom program error: 0x1"):
        await side.client.send_raw_transaction(bytes(await side.transaction(too_much, WALLET)), NOW)
    assert await side.ledger() == before


async def test_what_lands_and_fails_pays_its_fee_and_nothing_else(side: Side) -> None:
    payer, wallet = await side.lamports(AUTHORITY.pubkey()), await side.lamports(WALLET.pubkey())
    signature = await side.land([payment(5), payment(10**15)], WALLET, skipPreflight=True)
    told = await side.status(signature)
    assert told and told["err"] == {"InstructionError": [1, {"Custom": 1}]}
    assert payer - await side.lamports(AUTHORITY.pubkey()) == 2 * SIGNATURE_FEE
    assert await side.lamports(WALLET.pubkey()) == wallet
    item = (await side.ledger())[-1]
    assert (item["kind"], item["signature"], item["err"]) == (
        "transaction_landed",
        signature,
        told["err"],
    )


async def test_the_same_bytes_land_once(side: Side) -> None:
    before = len(await side.ledger())
    transaction = await side.transaction([payment(3_000_000)], WALLET)
    first = await side.result("sendTransaction", *sending(transaction))
    fault = await side.fault("sendTransaction", *sending(transaction))
    assert (fault["code"], fault["data"]["err"]) == (-32002, "AlreadyProcessed")
    assert await side.result("sendTransaction", *sending(transaction, skipPreflight=True)) == first
    assert len(await side.ledger()) == before + 1


async def test_a_bad_signature_is_refused_or_lost(side: Side) -> None:
    good = await side.transaction([payment(3_000_000)], WALLET)
    forged = VersionedTransaction.populate(good.message, [good.signatures[0], Signature.default()])
    assert (await side.fault("sendTransaction", *sending(forged)))["code"] == -32003
    sent = await side.result("sendTransaction", *sending(forged, skipPreflight=True))
    assert await side.status(sent) is None


async def test_a_dropped_transaction_is_accepted_and_never_lands(side: Side) -> None:
    await side.alone.steer("chain", {"drop_next": 1})
    dropped = await side.land([payment(1_000_000)], WALLET)
    await side.alone.steer("chain", {"finalize": True})
    assert await side.status(dropped) is None
    assert await side.status(await side.land([payment(2_000_000)], WALLET))


async def test_a_held_transaction_lands_when_it_is_let_go(side: Side) -> None:
    await side.alone.steer("chain", {"hold_next": 1})
    held = await side.land([payment(1_000_000)], WALLET)
    assert await side.status(held) is None
    told = await side.alone.steer("chain", {"land_held": True})
    assert (told["landed_held"], told["held"]) == (1, 0)
    assert await side.status(held)


async def test_a_transaction_held_too_long_never_lands(side: Side) -> None:
    await side.alone.steer("chain", {"hold_next": 1})
    held = await side.land([payment(1_000_000)], WALLET)
    told = await side.alone.steer("chain", {"advance_slots": 400})
    assert told["held"] == 1
    assert (await side.alone.steer("chain", {"land_held": True}))["landed_held"] == 0
    assert await side.status(held) is None


async def test_old_statuses_are_found_by_searching_only(side: Side) -> None:
    signature = await side.land([payment(1_000_000)], WALLET)
    assert await side.status(signature, search=False)
    await side.pass_slots(400)
    assert await side.status(signature, search=False) is None
    assert await side.status(signature, search=True)


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


async def test_tokens_are_told_by_owner_mint_and_supply(side: Side) -> None:
    mint, owner = Keypair(), WALLET.pubkey()
    rent = await side.result("getMinimumBalanceForRentExemption", 82)
    account = get_associated_token_address(owner, mint.pubkey())
    made = CreateAccountParams(
        from_pubkey=AUTHORITY.pubkey(),
        to_pubkey=mint.pubkey(),
        lamports=rent,
        space=82,
        owner=TOKEN_PROGRAM_ID,
    )
    signature = await side.land(
        [
            create_account(made),
            initialize_mint(
                InitializeMintParams(
                    decimals=2,
                    program_id=TOKEN_PROGRAM_ID,
                    mint=mint.pubkey(),
                    mint_authority=AUTHORITY.pubkey(),
                )
            ),
            create_associated_token_account(AUTHORITY.pubkey(), owner, mint.pubkey()),
            mint_to(
                MintToParams(
                    program_id=TOKEN_PROGRAM_ID,
                    mint=mint.pubkey(),
                    dest=account,
                    mint_authority=AUTHORITY.pubkey(),
                    amount=150,
                )
            ),
        ],
        mint,
    )
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
