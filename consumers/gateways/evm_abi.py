"""The events of our RoleMint contract in a receipt.

Pure functions. Events: `contracts/src/RoleMint.sol`; the proof of a payment is the ERC-20's own
Transfer (spec `providers.md` §12).
"""

from __future__ import annotations

from dataclasses import dataclass

from consumers.gateways.evm_json import (
    TRANSFER,
    Log,
    Receipt,
    address_in,
    decoded,
    expect_topics,
)
from consumers.gateways.ports import FinalMintSeen, MintSeen

# keccak of RoleMinted(bytes32,address,uint256,address,address,uint256), and so on.
ROLE_MINTED = "0x803b4f356e78888b2982f0fccc21e36392784fa9c8d9c6409208a3e7cb39cde8"
ROLE_PAID = "0xcd801dac6f27ae90b0e9360764b2edf8bb18c3812ef65aeed6f19519e85396ed"
ROLE_MINTED_FINAL = "0x3830fe7315cd136126edc55da74494218f1c11e661d8af276f4e036ecd99541f"


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose events count, and which money moving where proves a payment. Lower case hex."""

    contract: str
    token: str
    treasury: str


def mints_in(mined: Receipt, terms: Terms) -> tuple[MintSeen, ...]:
    """Every payment for an order in a receipt, each with the Transfer that proves it.

    A Transfer proves one payment only: the nearest one before the event that no other event took,
    as our contract moves the money right before it speaks. What was paid is the smaller of what
    the event says and what moved.
    """
    unused = _transfers(mined, terms)
    mints = []
    for log in mined.logs:
        if (
            log.address == terms.contract
            and log.topics
            and log.topics[0]
            in (
                ROLE_MINTED,
                ROLE_PAID,
            )
        ):
            mints.append(_mint(mined, log, terms, unused))
    return tuple(mints)


def final_mints_in(mined: Receipt, contract: str) -> tuple[FinalMintSeen, ...]:
    """Every token that the server minted after the picture, in a receipt."""
    return tuple(
        _final_mint(mined, log)
        for log in mined.logs
        if log.address == contract and log.topics and log.topics[0] == ROLE_MINTED_FINAL
    )


def _mint(mined: Receipt, log: Log, terms: Terms, unused: list[tuple[int, str, int]]) -> MintSeen:
    minted = log.topics[0] == ROLE_MINTED
    expect_topics(log, 4 if minted else 3)
    token, recipient, said = decoded(["address", "address", "uint256"], log.data)
    payer = address_in(log.topics[2])
    moved = 0
    if (token, recipient) == (terms.token, terms.treasury):
        before = [each for each in unused if each[0] < log.log_index and each[1] == payer]
        if before:
            unused.remove(before[-1])
            moved = before[-1][2]
    return MintSeen(
        kind="mint" if minted else "payment",
        order_ref=log.topics[1],
        contract=log.address,
        tx_hash=mined.tx_hash,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        log_index=log.log_index,
        payer=payer,
        recipient=recipient,
        token=token,
        amount=min(said, moved),
        token_id=int(log.topics[3], 16) if minted else None,
    )


def _final_mint(mined: Receipt, log: Log) -> FinalMintSeen:
    expect_topics(log, 4)
    (uri,) = decoded(["string"], log.data)
    return FinalMintSeen(
        order_ref=log.topics[1],
        tx_hash=mined.tx_hash,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        log_index=log.log_index,
        to=address_in(log.topics[2]),
        token_id=int(log.topics[3], 16),
        uri=uri,
    )


def _transfers(mined: Receipt, terms: Terms) -> list[tuple[int, str, int]]:
    """`(log index, payer, amount)` of each movement of the expected token to the treasury."""
    return [
        (log.log_index, address_in(log.topics[1]), int.from_bytes(log.data))
        for log in mined.logs
        if log.address == terms.token
        and len(log.topics) == 3
        and log.topics[0] == TRANSFER
        and address_in(log.topics[2]) == terms.treasury
        and len(log.data) == 32
    ]
