"""What reactions may ask of the outside, and the three ways it can fail.

Every gateway is a translation: our value in, one vendor call with an explicit time-out, our value
out. A failure is one of three and no fourth (spec `providers.md` §0, `style.md` "Gateway").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from domain.provider_answer import ErrorClass as ErrorClass


class Failure(Exception):
    """The world misbehaves. `error_class` is one of the six of `providers.md` §0."""

    error_class: ErrorClass

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TryAgain(Failure):
    """Nothing happened, or nothing that counts; asking again after `after_s` seconds is safe."""

    def __init__(
        self, reason: str, *, after_s: float = 1.0, error_class: ErrorClass = "transient"
    ) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.error_class = error_class


class WillNotWork(Failure):
    """Asking again with the same words gives the same answer: `quota`, `refused` or `invalid`."""

    def __init__(self, reason: str, *, error_class: ErrorClass = "invalid") -> None:
        super().__init__(reason)
        self.error_class = error_class


class OutcomeUnknown(Failure):
    """It may have happened. Only a look-up by `reference` is allowed next."""

    error_class: ErrorClass = "unknown"

    def __init__(self, reason: str, *, reference: str) -> None:
        super().__init__(reason)
        self.reference = reference


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded, complete picture. `content` are the file's bytes."""

    content: bytes
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture at its permanent public URL (never signed, never expiring)."""

    url: str
    sha256: str
    content_type: str
    bytes: int
    width: int
    height: int


class ImageProvider(Protocol):
    """Makes one picture from a prompt. `reference` is our id of the attempt, for traces only."""

    name: str
    model: str

    async def generate(self, prompt: str, *, reference: str) -> Picture: ...


class PictureStore(Protocol):
    """Keeps pictures under permanent public URLs. Writing the same key twice is one picture."""

    async def put(self, key: str, picture: Picture) -> StoredPicture: ...

    async def find(self, key: str) -> StoredPicture | None: ...


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block a node knows. `time` is the chain's clock in unix seconds."""

    number: int
    hash: str
    time: int


@dataclass(frozen=True, slots=True)
class MintSeen:
    """One payment for an order, as its event in a mined block tells it.

    `kind` is `mint` (paid and minted in one, `token_id` set) or `payment` (paid, the token comes
    later, `token_id` None). `amount` in atomic units of `token`, as the ERC-20 Transfer from
    `payer` to `recipient` in the same receipt proves; 0 when there is no such transfer.
    Addresses are lower case hex, `order_ref` is the order's uuid as 32 bytes of hex (0x…).
    """

    kind: Literal["mint", "payment"]
    order_ref: str
    contract: str
    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int
    payer: str
    recipient: str
    token: str
    amount: int
    token_id: int | None


@dataclass(frozen=True, slots=True)
class FinalMintSeen:
    """The server's own mint after the picture (`role_mint_final`), as its event tells it."""

    order_ref: str
    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int
    to: str
    token_id: int
    uri: str


@dataclass(frozen=True, slots=True)
class TransactionSeen:
    """A transaction a node knows; `block_number` and `succeeded` are None while it waits."""

    tx_hash: str
    sender: str
    nonce: int
    block_number: int | None
    block_hash: str | None
    succeeded: bool | None
    mints: tuple[MintSeen, ...]


class EvmChain(Protocol):
    """Reads an EVM chain. Money decisions ask every configured endpoint and need them to agree.

    All calls raise TryAgain when a node is down, slow, pruned or disagrees with another.
    """

    chain_id: int

    async def head(self) -> Head: ...

    async def block_hash(self, number: int) -> str | None: ...

    async def transaction(self, tx_hash: str) -> TransactionSeen | None: ...

    async def mints_of(self, order_ref: str, *, from_block: int) -> list[MintSeen]: ...

    async def mints_between(self, first: int, last: int) -> list[MintSeen]: ...

    async def nonce_at(self, address: str, block_number: int) -> int: ...

    async def final_mint_of(self, order_ref: str, *, from_block: int) -> FinalMintSeen | None: ...


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Signed bytes and the hash they will have, recorded before they are broadcast."""

    raw: str
    tx_hash: str
    sender: str
    nonce: int


class EvmMinter(Protocol):
    """Signs and broadcasts the server's own mints. Signing sends nothing."""

    address: str

    async def pending_nonce(self) -> int: ...

    async def sign_final_mint(
        self, order_ref: str, *, to: str, uri: str, nonce: int
    ) -> SignedTransaction: ...

    async def broadcast(self, raw: str) -> None: ...
