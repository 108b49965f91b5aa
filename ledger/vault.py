"""The vault: one key a pass, wrapped by the master key, for the secret fields of its events.

The hash chain covers ciphertext, so erasing a pass deletes its key and nothing else: the fields
become unreadable, the chain, the balances and every total stay (`ledger.md`).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from typing import LiteralString

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg_pool import AsyncConnectionPool

from domain.event import ERASED
from ledger.coalesce import Coalescer

_MARK = "sealed:v1:"
_NONCE_BYTES = 12
_KEY_BYTES = 32
KEYS_AT_ONCE = 256

MAKE_KEY: LiteralString = (
    "INSERT INTO vault.keys (pass_id, wrapped_key) VALUES (%s, %s) ON CONFLICT DO NOTHING"
)
MAKE_KEYS: LiteralString = (
    "INSERT INTO vault.keys (pass_id, wrapped_key)"
    " SELECT * FROM unnest(%s::text[], %s::bytea[]) ON CONFLICT DO NOTHING"
)
LOAD_KEYS: LiteralString = "SELECT pass_id, wrapped_key FROM vault.keys WHERE pass_id = ANY (%s)"
FORGET_KEY: LiteralString = "DELETE FROM vault.keys WHERE pass_id = %s"


class Keyring:
    """The keys that this process holds. `master_key` is 32 bytes; rotating it rewraps the keys."""

    def __init__(self, master_key: bytes) -> None:
        self._master = AESGCM(master_key)
        self._keys: dict[str, AESGCM] = {}

    def missing(self, pass_ids: Iterable[str]) -> list[str]:
        return list(set(pass_ids) - self._keys.keys())

    def new_key(self, pass_id: str) -> bytes:
        """A fresh key for the pass, wrapped, as the vault stores it. Not held until added."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, os.urandom(_KEY_BYTES), pass_id.encode())

    def add(self, wrapped_keys: Iterable[tuple[str, bytes]]) -> None:
        for pass_id, wrapped in wrapped_keys:
            nonce, sealed = bytes(wrapped[:_NONCE_BYTES]), bytes(wrapped[_NONCE_BYTES:])
            self._keys[pass_id] = AESGCM(self._master.decrypt(nonce, sealed, pass_id.encode()))

    def forget(self, pass_id: str) -> None:
        self._keys.pop(pass_id, None)

    def seal(self, pass_id: str, text: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[pass_id].encrypt(nonce, text.encode(), pass_id.encode())
        return _MARK + base64.b64encode(nonce + sealed).decode()

    def reveal(self, pass_id: str, text: str) -> str:
        """The text, or `[erased]` once the key it was sealed with is gone.

        A pass that writes again after its erasure has a new key, which does not open the old texts.
        """
        if not text.startswith(_MARK):
            return text
        if pass_id not in self._keys:
            return ERASED
        raw = base64.b64decode(text.removeprefix(_MARK))
        nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        try:
            return self._keys[pass_id].decrypt(nonce, sealed, pass_id.encode()).decode()
        except InvalidTag:
            return ERASED


class Vault(Keyring):
    """The keyring of an async process, filled from the database as passes come up."""

    def __init__(self, pool: AsyncConnectionPool, master_key: bytes) -> None:
        super().__init__(master_key)
        self._pool = pool
        self._making: Coalescer[str, None] = Coalescer(self._make, limit=KEYS_AT_ONCE)

    async def make_keys(self, pass_ids: Iterable[str]) -> None:
        """Sees to it that each pass has a key; two that make one at once end with the same."""
        for pass_id in self.missing(pass_ids):
            await self._making.ask(pass_id)

    async def _make(self, pass_ids: list[str]) -> list[BaseException | None]:
        wanted = self.missing(pass_ids)
        if not wanted:
            return [None] * len(pass_ids)
        keys = [self.new_key(pass_id) for pass_id in wanted]
        async with self._pool.connection() as connection:
            await connection.execute(MAKE_KEYS, (wanted, keys), prepare=True)
        await self.load_keys(wanted)
        return [None] * len(pass_ids)

    async def load_keys(self, pass_ids: Iterable[str]) -> None:
        wanted = self.missing(pass_ids)
        if not wanted:
            return
        async with self._pool.connection() as connection:
            self.add(await (await connection.execute(LOAD_KEYS, (wanted,))).fetchall())

    async def erase(self, pass_id: str) -> None:
        """Deletes the key of a pass. Other processes forget it when they next start."""
        async with self._pool.connection() as connection:
            await connection.execute(FORGET_KEY, (pass_id,))
        self.forget(pass_id)
