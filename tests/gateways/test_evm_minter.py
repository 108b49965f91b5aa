from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumers.gateways.evm_minter import EvmRoleMinter
from consumers.gateways.ports import (
    Failure,
    OutcomeUnknown,
    SignedTransaction,
    TryAgain,
    WillNotWork,
)
from embedded.place import Place
from tests.contracts.chain import Chain, new_order_ref
from tests.contracts.twisted_node import (
    Cut,
    Dropped,
    Fault,
    Question,
    Raw,
    Silence,
    error,
    twisted_node,
)
from tests.gateways.evm_side import evm_minter, evm_rpc

URI = "https://assets.example/characters/1.json"


async def signed(minter: EvmRoleMinter, chain: Chain, **changes: Any) -> SignedTransaction:
    nonce = await minter.pending_nonce()
    words = {"order_ref": new_order_ref(), "to": chain.wallet(), "uri": URI, "nonce": nonce}
    words |= changes
    return await minter.sign_final_mint(words.pop("order_ref"), **words)


def at_broadcast(fault: Fault) -> Callable[[Question, Any], Any]:
    def twist(question: Question, result: Any) -> Any:
        if question["method"] == "eth_sendRawTransaction":
            raise fault
        return result

    return twist


async def test_a_signed_mint_is_nowhere_until_it_is_broadcast(chain: Chain) -> None:
    order_ref, to = new_order_ref(), chain.wallet()
    async with evm_minter(chain, chain.url) as minter, evm_rpc(chain, chain.url) as rpc:
        transaction = await signed(minter, chain, order_ref=order_ref, to=to)
        assert await rpc.transaction(transaction.tx_hash) is None
        await minter.broadcast(transaction.raw)
        waiting = await rpc.transaction(transaction.tx_hash)
        assert waiting is not None
        assert (waiting.sender, waiting.nonce) == (minter.address, transaction.nonce)
        assert await rpc.final_mint_of(order_ref, from_block=0) is None
        chain.mine()
        final = await rpc.final_mint_of(order_ref, from_block=0)
    assert final is not None
    assert (final.tx_hash, final.to, final.uri) == (transaction.tx_hash, to, URI)
    assert final.token_id > 0


async def test_a_final_mint_is_not_a_payment(chain: Chain) -> None:
    order_ref = new_order_ref()
    async with evm_minter(chain, chain.url) as minter, evm_rpc(chain, chain.url) as rpc:
        transaction = await signed(minter, chain, order_ref=order_ref)
        await minter.broadcast(transaction.raw)
        chain.mine()
        seen = await rpc.transaction(transaction.tx_hash)
        assert seen is not None
        assert (seen.succeeded, seen.mints) == (True, ())


async def test_a_reorganisation_takes_a_final_mint_back(chain: Chain) -> None:
    order_ref = new_order_ref()
    async with evm_minter(chain, chain.url) as minter, evm_rpc(chain, chain.url) as rpc:
        transaction = await signed(minter, chain, order_ref=order_ref)
        await minter.broadcast(transaction.raw)
        chain.mine()
        chain.call("anvil_reorg", 1, [])
        assert await rpc.final_mint_of(order_ref, from_block=0) is None
        await minter.broadcast(transaction.raw)
        chain.mine()
        assert await rpc.final_mint_of(order_ref, from_block=0) is not None


async def test_the_same_bytes_may_be_broadcast_again_and_again(chain: Chain) -> None:
    async with evm_minter(chain, chain.url) as minter:
        transaction = await signed(minter, chain)
        await minter.broadcast(transaction.raw)
        await minter.broadcast(transaction.raw)
        chain.mine()
        await minter.broadcast(transaction.raw)
    assert chain.receipt(transaction.tx_hash)["status"] == "0x1"


async def test_a_nonce_that_another_transaction_took_will_not_work(chain: Chain) -> None:
    async with evm_minter(chain, chain.url) as minter:
        late = await signed(minter, chain)
        first = await signed(minter, chain, nonce=late.nonce)
        await minter.broadcast(first.raw)
        chain.mine()
        with pytest.raises(WillNotWork, match="another transaction took the nonce"):
            await minter.broadcast(late.raw)


async def test_what_waits_in_the_pool_counts_for_the_next_nonce(chain: Chain) -> None:
    async with evm_minter(chain, chain.url) as minter:
        transaction = await signed(minter, chain)
        await minter.broadcast(transaction.raw)
        assert await minter.pending_nonce() == transaction.nonce + 1
        chain.mine()
        assert await minter.pending_nonce() == transaction.nonce + 1


async def test_a_second_final_mint_of_an_order_is_not_even_signed(chain: Chain) -> None:
    order_ref = new_order_ref()
    async with evm_minter(chain, chain.url) as minter:
        transaction = await signed(minter, chain, order_ref=order_ref)
        await minter.broadcast(transaction.raw)
        chain.mine()
        with pytest.raises(WillNotWork, match="refuses"):
            await signed(minter, chain, order_ref=order_ref)


async def test_nobody_else_can_be_the_minter(chain: Chain) -> None:
    key = "0x" + "11" * 32
    async with evm_minter(chain, chain.url, private_key=key) as stranger:
        with pytest.raises(WillNotWork, match="refuses"):
            await signed(stranger, chain)


async def test_dear_gas_is_waited_out(chain: Chain) -> None:
    async with evm_minter(chain, chain.url, most_wei_per_gas=1) as minter:
        with pytest.raises(TryAgain, match="too dear"):
            await signed(minter, chain)


@pytest.mark.parametrize("fault", [Dropped(), Cut(), Silence(), Raw(b"", 502), Raw(b"{}")])
async def test_a_lost_answer_leaves_the_outcome_unknown_and_its_hash_to_look_up(
    chain: Chain, fault: Fault
) -> None:
    async with (
        twisted_node(chain.url, at_broadcast(fault)) as node,
        evm_minter(chain, node.url, timeout_s=0.5) as minter,
        evm_rpc(chain, chain.url) as rpc,
    ):
        transaction = await signed(minter, chain)
        with pytest.raises(OutcomeUnknown) as failure:
            await minter.broadcast(transaction.raw)
        assert failure.value.reference == transaction.tx_hash
        chain.mine()
        seen = await rpc.transaction(transaction.tx_hash)
        assert seen is not None
        assert seen.succeeded


REFUSALS: dict[str, tuple[Fault, type[Failure], str]] = {
    "funds": (error(-32000, "insufficient funds for gas * price + value"), WillNotWork, "quota"),
    "fee": (error(-32000, "max fee per gas less than block base fee"), TryAgain, "transient"),
    "replacement": (error(-32000, "replacement transaction underpriced"), TryAgain, "transient"),
    "throttled": (Raw(b"", 429), TryAgain, "throttled"),
    "not bytes": (error(-32602, "invalid params"), WillNotWork, "invalid"),
    "a riddle": (error(-32603, "internal error"), OutcomeUnknown, "unknown"),
    "other hash": (Raw(b'{"jsonrpc": "2.0", "id": 1, "result": "0x1"}'), OutcomeUnknown, "unknown"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refused_broadcast_has_its_class(chain: Chain, name: str) -> None:
    fault, kind, error_class = REFUSALS[name]
    async with (
        twisted_node(chain.url, at_broadcast(fault)) as node,
        evm_minter(chain, node.url) as minter,
    ):
        transaction = await signed(minter, chain)
        with pytest.raises(kind) as failure:
            await minter.broadcast(transaction.raw)
    assert failure.value.error_class == error_class
    chain.mine()


async def test_already_known_is_a_success(chain: Chain) -> None:
    known = at_broadcast(error(-32000, "already known"))
    async with twisted_node(chain.url, known) as node, evm_minter(chain, node.url) as minter:
        transaction = await signed(minter, chain)
        await minter.broadcast(transaction.raw)
    chain.mine()


async def test_one_node_that_takes_it_is_enough(chain: Chain) -> None:
    lost = at_broadcast(Dropped())
    async with (
        twisted_node(chain.url, lost) as node,
        evm_minter(chain, node.url, chain.url) as minter,
    ):
        transaction = await signed(minter, chain)
        await minter.broadcast(transaction.raw)
    chain.mine()
    assert chain.receipt(transaction.tx_hash)["status"] == "0x1"


async def test_where_nobody_listens_nothing_was_sent(chain: Chain, tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{Place.at(tmp_path).ports['dead']}"
    async with evm_minter(chain, chain.url) as minter:
        transaction = await signed(minter, chain)
    async with evm_minter(chain, dead) as cut_off:
        with pytest.raises(TryAgain):
            await cut_off.broadcast(transaction.raw)


async def test_the_key_is_in_no_error_and_no_repr(chain: Chain) -> None:
    key = chain.contracts["minter_key"]
    async with evm_minter(chain, chain.url, chain_id=1) as minter:
        with pytest.raises(WillNotWork) as failure:
            await minter.pending_nonce()
        told = f"{failure.value!r} {minter!r} {minter.__dict__!r}"
    assert key[2:] not in told
