"""Both facilitators against their twins: the money moves on a real chain, or provably does not."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import httpx
import pytest

from consumers.gateways.eip712 import authorization_digest, signed
from consumers.gateways.evm_geoplets import GeopletRpc
from consumers.gateways.onchainfi import OnchainFi
from consumers.gateways.ports import OutcomeUnknown, TryAgain
from consumers.gateways.x402_facilitator import X402Facilitator
from consumers.gateways.x402_ports import Facilitator
from domain.x402 import PaymentTerms, SignedPayment
from embedded.parts.anvil import CHAIN_ID
from tests.contracts.chain import Chain
from tests.gateways.geoplets_side import PRICE, Payer, geoplet_rpc
from tests.gateways.x402_side import dev_key, pay
from tests.twins.conftest import TwinProcess
from tests.twins.control import Control
from tests.world import TestWorld


@dataclass(frozen=True)
class Scene:
    """`control` steers the facilitator that is asked, `moved` tells what the real one sent."""

    chain: Chain
    terms: PaymentTerms
    facilitator: Facilitator
    control: Control
    behind: Control
    rpc: GeopletRpc

    def payment(self, version: int = 1, **changes: int) -> SignedPayment:
        said = replace(Payer(self.chain, 3).authorization(), **changes)
        return pay(said, terms=self.terms, key=dev_key(3), version=version)

    def moved(self, payment: SignedPayment) -> list[str]:
        nonce = payment.authorization.nonce
        return [item["tx_hash"] for item in self.behind.get("ledger") if item["nonce"] == nonce]

    async def used(self, payment: SignedPayment) -> str:
        """The transaction that used the authorization, by the chain's word; or nothing."""
        said = payment.authorization
        seen = await self.rpc.use_of(said.payer, said.nonce, from_block=0)
        assert seen is None or (seen.amount, seen.pay_to) == (PRICE, self.terms.pay_to)
        return seen.tx_hash if seen else ""


@pytest.fixture(scope="module")
def on_a_chain(
    world: TestWorld, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Chain, TwinProcess]]:
    with world.chain() as made:
        ports = {"x402_facilitator": 0, "onchainfi": 0}
        settings = {"EVM_RPC_URLS": made.rpc_url, "MEGA_TWIN_PORTS": json.dumps(ports)}
        process = TwinProcess(tmp_path_factory.mktemp("settling"), settings)
        yield Chain(made.rpc_url, made.contracts), process
        process.end(signal.SIGTERM)


@pytest.fixture(params=["x402", "onchainfi"])
async def scene(
    request: pytest.FixtureRequest, on_a_chain: tuple[Chain, TwinProcess]
) -> AsyncIterator[Scene]:
    chain, twins = on_a_chain
    behind, onchainfi = twins.control("x402_facilitator"), twins.control("onchainfi")
    behind.reset()
    onchainfi.reset()
    made = chain.contracts
    terms = PaymentTerms(CHAIN_ID, made["usdc"].lower(), made["pay_to"].lower(), PRICE)
    async with httpx.AsyncClient() as client, geoplet_rpc(chain) as rpc:
        facilitator: Facilitator
        if request.param == "x402":
            facilitator = X402Facilitator(url=behind.url, client=client)
            yield Scene(chain, terms, facilitator, behind, behind, rpc)
        else:
            facilitator = OnchainFi(url=onchainfi.url, key="any", client=client)
            yield Scene(chain, terms, facilitator, onchainfi, behind, rpc)


async def verified(scene: Scene, payment: SignedPayment) -> str:
    """The id to settle by."""
    verdict = await scene.facilitator.verify(payment, scene.terms)
    assert (verdict.valid, verdict.reason) == (True, "")
    return verdict.payment_id


@pytest.mark.parametrize("version", [1, 2])
async def test_a_payment_of_either_version_is_verified_and_settled(
    scene: Scene, version: int
) -> None:
    payment = scene.payment(version)
    payment_id = await verified(scene, payment)
    assert await scene.used(payment) == ""
    answer = await scene.facilitator.settle(payment, scene.terms, payment_id=payment_id)
    assert (answer.settled, answer.pending) == (True, False)
    assert answer.tx_hash == await scene.used(payment)
    assert scene.moved(payment) == [answer.tx_hash]


async def test_a_signature_with_the_zero_of_some_wallets_is_settled(scene: Scene) -> None:
    payment = scene.payment()
    zero = f"{payment.signature[:-2]}{int(payment.signature[-2:], 16) - 27:02x}"
    payment = replace(payment, signature=zero)
    payment_id = await verified(scene, payment)
    assert (await scene.facilitator.settle(payment, scene.terms, payment_id=payment_id)).settled


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": 7}, "invalid_exact_evm_payload_authorization_value_mismatch"),
        ({"valid_before": 1}, "invalid_exact_evm_payload_authorization_valid_before"),
        ({"valid_after": 2**39}, "invalid_exact_evm_payload_authorization_valid_after"),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
async def test_a_bad_payment_has_x402s_reason(
    scene: Scene, version: int, changes: dict[str, int], reason: str
) -> None:
    verdict = await scene.facilitator.verify(scene.payment(version, **changes), scene.terms)
    assert (verdict.valid, verdict.reason) == (False, reason)


async def test_a_signature_under_base_sepolias_name_is_not_valid(scene: Scene) -> None:
    payment = scene.payment()
    sepolia = replace(scene.terms, token_name="USDC")
    misnamed = signed(authorization_digest(payment.authorization, sepolia), dev_key(3))
    verdict = await scene.facilitator.verify(replace(payment, signature=misnamed), scene.terms)
    assert (verdict.valid, verdict.reason) == (False, "invalid_exact_evm_payload_signature")


async def test_a_lost_answer_is_found_on_the_chain(scene: Scene) -> None:
    payment = scene.payment()
    payment_id = await verified(scene, payment)
    scene.control.script(match={"path": "/settle"}, drop="after_effect", effect="perform")
    with pytest.raises(OutcomeUnknown) as unknown:
        await scene.facilitator.settle(payment, scene.terms, payment_id=payment_id)
    assert unknown.value.reference == payment.authorization.nonce
    used = await scene.used(payment)
    assert scene.moved(payment) == [used] != [""]
    answer = await scene.facilitator.settle(payment, scene.terms, payment_id=payment_id)
    # Asked again, one tells the old hash and the other that the nonce was used: neither is a no.
    assert answer.settled or answer.pending
    assert scene.moved(payment) == [used]


async def test_a_burst_of_bad_gateways_is_unknown_until_the_chain_is_asked(scene: Scene) -> None:
    payment = scene.payment()
    payment_id = await verified(scene, payment)
    scene.control.script(match={"path": "/settle"}, times=2, response={"status": 502})
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await scene.facilitator.settle(payment, scene.terms, payment_id=payment_id)
    assert await scene.used(payment) == ""
    answer = await scene.facilitator.settle(payment, scene.terms, payment_id=payment_id)
    assert answer.settled and len(scene.moved(payment)) == 1


async def test_a_busy_facilitator_is_asked_later(scene: Scene) -> None:
    payment = scene.payment()
    headers = {"retry-after": "3"}
    scene.control.script(times=2, response={"status": 429, "headers": headers})
    for asked in (
        scene.facilitator.verify(payment, scene.terms),
        scene.facilitator.settle(payment, scene.terms, payment_id="pay_1"),
    ):
        with pytest.raises(TryAgain) as busy:
            await asked
        assert (busy.value.error_class, busy.value.after_s) == ("throttled", 3.0)
    assert await scene.used(payment) == ""


async def test_somebody_elses_submission_is_no_refusal(scene: Scene) -> None:
    payment = scene.payment()
    payment_id = await verified(scene, payment)
    front_run = Payer(scene.chain, 3).pays(payment.authorization, sender=scene.chain.wallets[8])
    answer = await scene.facilitator.settle(payment, scene.terms, payment_id=payment_id)
    assert (answer.settled, answer.pending) == (False, True)
    assert await scene.used(payment) == front_run


async def test_a_hash_that_is_on_no_chain_is_only_a_claim(scene: Scene) -> None:
    payment = scene.payment()
    payment_id = await verified(scene, payment)
    scene.control.script(match={"path": "/settle"}, effect="none")
    answer = await scene.facilitator.settle(payment, scene.terms, payment_id=payment_id)
    assert answer.settled and scene.chain.receipt(answer.tx_hash) is None
    assert await scene.used(payment) == ""


@pytest.mark.parametrize("scene", ["onchainfi"], indirect=True)
async def test_what_stays_pending_keeps_its_hash(scene: Scene) -> None:
    payment = scene.payment()
    payment_id = await verified(scene, payment)
    scene.control.post("behaviour", {"pending": 1}).raise_for_status()
    answer = await scene.facilitator.settle(payment, scene.terms, payment_id=payment_id)
    assert (answer.settled, answer.pending) == (False, True)
    assert answer.tx_hash == await scene.used(payment)


@pytest.mark.parametrize("scene", ["x402"], indirect=True)
async def test_what_is_not_mined_in_time_is_pending_in_both_versions(scene: Scene) -> None:
    """Version 1 calls it failed, and tells no hash."""
    payments = [scene.payment(version) for version in (1, 2)]
    scene.chain.call("evm_setAutomine", False)
    try:
        settling = (scene.facilitator.settle(each, scene.terms, payment_id="") for each in payments)
        old, new = await asyncio.gather(*settling)
        assert (old.settled, old.pending, old.tx_hash) == (False, True, "")
        assert (new.settled, new.pending, bool(new.tx_hash)) == (False, True, True)
        assert [await scene.used(each) for each in payments] == ["", ""]
        scene.chain.mine()
        assert all([await scene.used(each) for each in payments])
        assert await scene.used(payments[1]) == new.tx_hash
    finally:
        scene.chain.call("evm_setAutomine", True)
