from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi import decode
from eth_account import Account
from eth_utils import keccak

from tests.contracts.chain import Chain, RpcError, encoded_call

VECTOR = Path(__file__).parents[1] / "vectors" / "geoplets_mint_voucher.json"
MINT = "mintGeoplet((address,uint256,uint256,uint256),string,bytes)"
PICTURE = "UklGRg=="
STRANGER_KEY = "0x" + "11" * 32
FIDS = itertools.count(500)
TYPES = {
    "MintVoucher": [
        {"name": "to", "type": "address"},
        {"name": "fid", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]
}


def now(chain: Chain) -> int:
    return int(chain.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def voucher(chain: Chain, to: str, **other: Any) -> dict[str, Any]:
    said = {"to": to, "fid": next(FIDS), "nonce": 1, "deadline": now(chain) + 900}
    return said | other


def signed(chain: Chain, said: dict[str, Any], key: str = "") -> bytes:
    domain = {
        "name": "Geoplets",
        "version": "1",
        "chainId": 8453,
        "verifyingContract": chain.contracts["geoplets"],
    }
    key = key or chain.contracts["voucher_signer_key"]
    return bytes(Account.sign_typed_data(key, domain, TYPES, said).signature)


def call_data(said: dict[str, Any], picture: str, signature: bytes) -> str:
    return "0x" + encoded_call(MINT, tuple(said.values()), picture, signature)


def mint(chain: Chain, said: dict[str, Any], picture: str = PICTURE) -> Any:
    data = call_data(said, picture, signed(chain, said))
    return chain.receipt(chain.send(said["to"], chain.contracts["geoplets"], data))


def refusal(
    chain: Chain,
    said: dict[str, Any],
    picture: str = PICTURE,
    *,
    sender: str = "",
    signature: bytes = b"",
) -> str:
    """The sentence with which the contract would refuse the call now."""
    data = call_data(said, picture, signature or signed(chain, said))
    call = {"from": sender or said["to"], "to": chain.contracts["geoplets"], "data": data}
    with pytest.raises(RpcError) as refused:
        chain.call("eth_call", call, "latest")
    return str(refused.value).removeprefix("execution reverted: ")


def is_minted(chain: Chain, fid: int) -> bool:
    return bool(int.from_bytes(chain.view(chain.contracts["geoplets"], "fidMinted(uint256)", fid)))


def test_a_voucher_mints_the_token_of_its_fid_to_the_caller(chain: Chain) -> None:
    said = voucher(chain, chain.wallet())
    assert not is_minted(chain, said["fid"])
    receipt = mint(chain, said)
    assert receipt["status"] == "0x1"
    assert is_minted(chain, said["fid"])
    owner = chain.view(chain.contracts["geoplets"], "ownerOf(uint256)", said["fid"])
    assert decode(["address"], owner)[0] == said["to"]
    event = receipt["logs"][-1]["topics"]
    assert event[0] == "0x" + keccak(text="GeopletMinted(uint256,address)").hex()
    assert (int(event[1], 16), event[2][-40:]) == (said["fid"], said["to"][2:])


def test_the_domain_is_the_one_of_the_published_voucher(chain: Chain) -> None:
    """At the address on Base the digest is the recorded one, so the scheme is the same."""
    vector = json.loads(VECTOR.read_text())
    at = vector["domain"]["verifyingContract"]
    chain.call(
        "anvil_setCode", at, chain.call("eth_getCode", chain.contracts["geoplets"], "latest")
    )
    message = tuple(vector["message"].values())
    digest = chain.view(at, "digestOf((address,uint256,uint256,uint256))", message)
    assert "0x" + digest.hex() == vector["digest"]
    typehash = chain.view(at, "MINT_VOUCHER_TYPEHASH()")
    assert "0x" + typehash.hex() == vector["typehash"]


def test_a_voucher_past_its_deadline_is_refused(chain: Chain) -> None:
    said = voucher(chain, chain.wallet(), deadline=now(chain) - 1)
    assert refusal(chain, said) == "Signature expired"


def test_a_deadline_over_an_hour_ahead_is_refused(chain: Chain) -> None:
    # A call is judged at the time of the next block, which is a little later.
    said = voucher(chain, chain.wallet(), deadline=now(chain) + 3600 + 600)
    assert refusal(chain, said) == "Deadline too long"


def test_somebody_elses_voucher_is_refused(chain: Chain) -> None:
    said = voucher(chain, chain.wallet())
    assert refusal(chain, said, sender=chain.wallet()) == "Caller mismatch"


def test_a_used_voucher_is_refused(chain: Chain) -> None:
    said = voucher(chain, chain.wallet())
    mint(chain, said)
    assert refusal(chain, said) == "Signature already used"


@pytest.mark.parametrize("how", ["another key", "changed after signing", "no signature at all"])
def test_a_voucher_that_the_signer_did_not_sign_is_refused(chain: Chain, how: str) -> None:
    said = voucher(chain, chain.wallet())
    signature = {
        "another key": signed(chain, said, STRANGER_KEY),
        "changed after signing": signed(chain, said | {"nonce": 2}),
        "no signature at all": b"x",
    }[how]
    assert refusal(chain, said, signature=signature) == "Invalid signature"


def test_a_second_voucher_for_a_minted_fid_is_refused(chain: Chain) -> None:
    said = voucher(chain, chain.wallet())
    mint(chain, said)
    assert refusal(chain, said | {"nonce": 2}) == "FID already minted"
    assert mint(chain, said | {"nonce": 2})["status"] == "0x0"


def test_a_mint_needs_a_picture(chain: Chain) -> None:
    said = voucher(chain, chain.wallet())
    assert refusal(chain, said, picture="") == "Empty image data"


def test_a_picture_may_have_24_kb_of_base64(chain: Chain) -> None:
    said = voucher(chain, chain.wallet())
    assert refusal(chain, said, picture="A" * 24_577) == "Image too large (24KB max)"
    assert mint(chain, said, picture="A" * 24_576)["status"] == "0x1"
