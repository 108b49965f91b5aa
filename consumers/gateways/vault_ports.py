"""What reactions may ask of permanent storage: files whose address is known before they are sent.

Failures are the three of `ports.py`; `quota` (the node wants to be funded) is a WillNotWork.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

VaultKind = Literal["irys", "ipfs"]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file ready to be sent: the same file and reference always give the same bytes and id.

    `body` is what is posted (for Irys the signed data item), `item_id` its id in the vault (Irys:
    transaction id, IPFS: CID), `uri` its permanent public address. `sha256` and `bytes` are of the
    content itself.
    """

    item_id: str
    uri: str
    body: bytes
    content_type: str
    sha256: str
    bytes: int


class Vault(Protocol):
    """A permanent store. Sealing sends nothing; posting the same bytes again costs nothing."""

    kind: VaultKind

    def seal(self, content: bytes, content_type: str, *, reference: str) -> Sealed: ...

    async def post(self, sealed: Sealed) -> str:
        """Returns once the vault has it: its signed receipt as JSON, the proof of it until it can
        be read everywhere, or nothing from a vault that gives none. TryAgain, WillNotWork
        (`quota`), or OutcomeUnknown, after which the same bytes may be posted again."""
        ...


class Cache(Protocol):
    """Our own copy of sealed bodies, until and after they are in the vault. Keys are ours."""

    async def keep(self, key: str, content: bytes, content_type: str) -> None: ...

    async def find(self, key: str) -> bytes | None: ...
