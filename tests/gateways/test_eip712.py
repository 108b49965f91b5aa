"""Digests and signers, against the SDK, eth_account, the vector and the token's own rules."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from eth_account import Account
from eth_keys import keys
from hypothesis import given, settings
from hypothesis import strategies as st
from x402.mechanisms.evm.eip712 import hash_eip3009_authorization
from x402.mechanisms.evm.types import ExactEIP3009Authorization
from x402.mechanisms.evm.verify import verify_eoa_signature

from consumers.gateways.eip712 import (
    authorization_digest,
    domain_separator,
    signer_of,
    voucher_digest,
    with_token_v,
)
from consumers.gateways.ports import TryAgain
from consumers.gateways.vouchers import Vouchers
from consumers.gateways.x402_signature import signed_by
from domain.x402 import Authorization, PaymentTerms, Voucher
from embedded.place import CHECKOUT
from tests.gateways.x402_side import PAYER_ADDRESS, TERMS, USDC, authorization, pay

VECTOR = json.loads((CHECKOUT / "tests/vectors/geoplets_mint_voucher.json").read_text())
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
addresses = st.binary(min_size=20, max_size=20).map(lambda each: "0x" + each.hex())
uints = st.integers(0, 2**256 - 1)

authorizations = st.builds(
    Authorization,
    payer=addresses,
    pay_to=addresses,
    value=uints,
    valid_after=uints,
    valid_before=uints,
    nonce=st.binary(min_size=32, max_size=32).map(lambda each: "0x" + each.hex()),
)
all_terms = st.builds(
    PaymentTerms,
    chain_id=st.integers(1, 2**64),
    token=addresses,
    pay_to=addresses,
    amount=uints,
    token_name=st.text(max_size=20),
    token_version=st.text(max_size=4),
)


def sdk_digest(said: Authorization, terms: PaymentTerms) -> bytes:
    told = ExactEIP3009Authorization(
        from_address=said.payer,
        to=said.pay_to,
        value=str(said.value),
        valid_after=str(said.valid_after),
        valid_before=str(said.valid_before),
        nonce=said.nonce,
    )
    return hash_eip3009_authorization(
        told, terms.chain_id, terms.token, terms.token_name, terms.token_version
    )


def vouchers(key: bytes = b"\x11" * 32) -> Vouchers:
    domain = VECTOR["domain"]
    return Vouchers(
        private_key="0x" + key.hex(),
        chain_id=domain["chainId"],
        contract=domain["verifyingContract"],
    )


def test_the_voucher_is_the_vectors() -> None:
    domain, voucher = VECTOR["domain"], Voucher(**VECTOR["message"])
    contract = domain["verifyingContract"]
    separator = domain_separator("Geoplets", "1", 8453, contract)
    digest = voucher_digest(voucher, chain_id=8453, contract=contract)
    signature = vouchers().sign(voucher)
    assert "0x" + separator.hex() == VECTOR["domain_separator"]
    assert "0x" + digest.hex() == VECTOR["digest"]
    assert signature == VECTOR["signature"]
    assert vouchers().address == VECTOR["signer"].lower()
    assert signer_of(digest, bytes.fromhex(signature[2:])) == vouchers().address


def test_the_domain_of_usdc_on_base_is_the_known_one() -> None:
    separator = domain_separator("USD Coin", "2", 8453, USDC).hex()
    assert (separator[:8], separator[-4:]) == ("02fa7265", "834f")


@given(authorizations, all_terms)
def test_an_authorizations_digest_is_the_sdks(said: Authorization, terms: PaymentTerms) -> None:
    assert authorization_digest(said, terms) == sdk_digest(said, terms)


@given(addresses, uints, uints, uints, st.integers(1, ORDER - 1))
@settings(max_examples=50)
def test_a_voucher_is_signed_as_eth_account_signs_it(
    to: str, fid: int, nonce: int, deadline: int, secret: int
) -> None:
    key, voucher = secret.to_bytes(32), Voucher(to, fid, nonce, deadline)
    message = {"to": to, "fid": fid, "nonce": nonce, "deadline": deadline}
    expected = Account.sign_typed_data(key, VECTOR["domain"], VECTOR["types"], message)
    assert vouchers(key).sign(voucher) == "0x" + bytes(expected.signature).hex()
    assert vouchers(key).address == Account.from_key(key).address.lower()


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=65, max_size=65))
def test_noise_is_nobodys_signature_or_somebodys_as_the_sdk_sees_it(
    digest: bytes, noise: bytes
) -> None:
    for v in (0, 1, 27, 28):
        signature = noise[:64] + bytes([v])
        signer = signer_of(digest, signature)
        if signer is not None:
            assert verify_eoa_signature(digest, signature, signer)


def test_a_signature_has_one_form_but_for_the_zero_of_some_wallets() -> None:
    digest = authorization_digest(authorization(), TERMS)
    signature = bytes.fromhex(pay().signature[2:])
    r, s, v = signature[:32], signature[32:64], signature[64]
    high = (ORDER - int.from_bytes(s)).to_bytes(32)
    assert signer_of(digest, signature) == PAYER_ADDRESS
    assert signer_of(digest, r + s + bytes([v - 27])) == PAYER_ADDRESS
    assert signer_of(digest, r + high + bytes([55 - v])) is None  # the same key, malleated
    for wrong in (2, 26, 29, 54, 255):
        assert signer_of(digest, r + s + bytes([wrong])) is None
    for cut in (signature[:64], signature + b"\x00", b""):
        assert signer_of(digest, cut) is None
    assert signer_of(digest, bytes(64) + b"\x1b") is None


def test_the_zero_of_some_wallets_becomes_the_tokens_27() -> None:
    told = pay().signature
    zero = told[:-2] + f"{int(told[-2:], 16) - 27:02x}"
    assert with_token_v(zero) == told == with_token_v(told)
    assert with_token_v("0x0000") == "0x0000"  # a contract wallet's, of any form


async def test_a_payer_signs_with_its_key() -> None:
    assert await signed_by(pay(), TERMS)
    assert not await signed_by(pay(key=keys.PrivateKey(b"\x23" * 32)), TERMS)
    assert not await signed_by(replace(pay(), signature="0x" + "00" * 65), TERMS)
    assert not await signed_by(pay(), replace(TERMS, token_name="USDC"))  # Base Sepolia's name
    assert not await signed_by(pay(), replace(TERMS, chain_id=84532))
    beyond = authorization(valid_before=2**256)
    assert not await signed_by(replace(pay(), authorization=beyond), TERMS)


@pytest.mark.parametrize("answer", [True, False])
async def test_a_contract_is_asked_what_it_signed(answer: bool) -> None:
    asked = []

    async def ask_wallet(address: str, digest: bytes, signature: bytes) -> bool:
        asked.append((address, digest, signature))
        return answer

    payment = replace(pay(), signature="0x" + "c0de" * 50)
    assert await signed_by(payment, TERMS, ask_wallet) is answer
    digest = authorization_digest(payment.authorization, TERMS)
    assert asked == [(PAYER_ADDRESS, digest, b"\xc0\xde" * 50)]
    assert await signed_by(pay(), TERMS, ask_wallet)
    assert len(asked) == 1  # a key's signature needs no chain


async def test_a_contract_that_cannot_be_asked_is_no_verdict() -> None:
    async def ask_wallet(address: str, digest: bytes, signature: bytes) -> bool | None:
        return None

    with pytest.raises(TryAgain):
        await signed_by(replace(pay(), signature="0xc0de"), TERMS, ask_wallet)


def test_a_bad_voucher_key_is_told_without_the_key() -> None:
    for bad in ("", "0x1234", "zz" * 32, "0x" + "00" * 32, "0x" + "ff" * 32):
        with pytest.raises(ValueError, match="voucher signer's key") as refused:
            Vouchers(private_key=bad, chain_id=8453, contract=USDC)
        assert not bad or bad not in str(refused.value)
    assert "11" * 8 not in repr(vouchers())


def test_verifying_and_signing_need_neither_web3_nor_the_sdk() -> None:
    modules = "consumers.gateways.x402_signature, consumers.gateways.vouchers"
    code = f"import sys, {modules}; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"web3", "x402", "eth_account", "httpx"} & set(loaded)
