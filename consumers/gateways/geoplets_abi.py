"""The events of USDC's signed payments (EIP-3009) and of the Geoplets contract, in a receipt.

Pure functions. FiatToken says AuthorizationUsed and moves the money with nothing in between, so
the payment of a use is the Transfer in the very next log, and a batch never lends one Transfer to
two uses.
"""

from __future__ import annotations

from eth_abi.abi import encode

from consumers.gateways.evm_json import TRANSFER, Log, Receipt, address_in, expect_topics, malformed
from consumers.gateways.x402_ports import AuthorizationSeen, GeopletSeen

# keccak of AuthorizationUsed(address,bytes32), and so on.
AUTHORIZATION_USED = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5"
AUTHORIZATION_CANCELED = "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81"
GEOPLET_MINTED = "0x4ee2f55d7429f79eccbe2709127acbb3feee8660da2c2a4051e4c899584be52c"

_AUTHORIZATION_STATE = "0xe94a0102"  # authorizationState(address,bytes32)
_FID_MINTED = "0x69513990"  # fidMinted(uint256)


def authorization_state(payer: str, nonce: str) -> str:
    """Calldata."""
    return _AUTHORIZATION_STATE + encode(["address", "bytes32"], [payer, _bytes(nonce)]).hex()


def fid_minted(fid: int) -> str:
    """Calldata."""
    return _FID_MINTED + encode(["uint256"], [fid]).hex()


def yes_or_no(answer: object) -> bool:
    """A bool as `eth_call` gives it; TryAgain for less, as from where no contract is."""
    words = {"0x" + "0" * 64: False, "0x" + "0" * 63 + "1": True}
    if not isinstance(answer, str) or answer not in words:
        raise malformed(f"a bool was expected, not {str(answer)[:80]!r}")
    return words[answer]


def topic(value: str | int) -> str:
    """An address in hex, or a number, as the 32 bytes of an indexed field."""
    number = value if isinstance(value, int) else int(value, 16)
    return f"0x{number:064x}"


def authorizations_in(mined: Receipt, token: str, payee: str) -> tuple[AuthorizationSeen, ...]:
    """Every authorization that was used or cancelled in a receipt, with what it paid `payee`.

    `pay_to` is where the money went, whoever that is; empty, with an amount of 0, when none moved.
    """
    following = (*mined.logs[1:], None)
    return tuple(
        _authorization(mined, log, after, payee)
        for log, after in zip(mined.logs, following, strict=False)
        if log.address == token
        and log.topics
        and log.topics[0] in (AUTHORIZATION_USED, AUTHORIZATION_CANCELED)
    )


def geoplets_in(mined: Receipt, contract: str) -> tuple[GeopletSeen, ...]:
    """Every Geoplet that was minted in a receipt."""
    return tuple(
        _geoplet(mined, log)
        for log in mined.logs
        if log.address == contract and log.topics and log.topics[0] == GEOPLET_MINTED
    )


def _authorization(mined: Receipt, log: Log, after: Log | None, payee: str) -> AuthorizationSeen:
    expect_topics(log, 3)
    payer = address_in(log.topics[1])
    pay_to, amount = "", 0
    if log.topics[0] == AUTHORIZATION_USED and after is not None:
        pay_to, amount = _moved(log, after, payer)
    return AuthorizationSeen(
        payer=payer,
        nonce=log.topics[2],
        pay_to=pay_to,
        amount=amount if pay_to == payee else 0,
        tx_hash=mined.tx_hash,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        log_index=log.log_index,
    )


def _moved(used: Log, after: Log, payer: str) -> tuple[str, int]:
    """Who got how much from `payer` by the log right after the use; nobody nothing otherwise."""
    is_transfer = (
        after.address == used.address
        and after.log_index == used.log_index + 1
        and len(after.topics) == 3
        and after.topics[0] == TRANSFER
        and len(after.data) == 32
    )
    if not is_transfer or address_in(after.topics[1]) != payer:
        return "", 0
    return address_in(after.topics[2]), int.from_bytes(after.data)


def _geoplet(mined: Receipt, log: Log) -> GeopletSeen:
    expect_topics(log, 3)
    return GeopletSeen(
        fid=int(log.topics[1], 16),
        owner=address_in(log.topics[2]),
        tx_hash=mined.tx_hash,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        log_index=log.log_index,
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
