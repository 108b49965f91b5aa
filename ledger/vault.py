"""The vault: one key a pass, wrapped by the master key, for the secret fields of its events.

The hash chain covers ciphertext, so erasing a pass deletes its key and nothing else: the fields
become unreadable, the chain, the balances and every total stay (`ledger.md`).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg_pool import AsyncConnectionPool

from domain.event import ERASED

_MARK = "sealed:v1:"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class Vault:
    """Seals and opens texts of a pass. `master_key` is 32 bytes; rotating it rewraps the keys."""

    def __init__(self, pool: AsyncConnectionPool, master_key: bytes) -> None:
        self._pool = pool
        self._master = AESGCM(master_key)
        self._keys: dict[str, AESGCM] = {}

    async def make_keys(self, pass_ids: Iterable[str]) -> None:
        """Sees to it that each pass has a key; two that make one at once end with the same."""
        for pass_id in set(pass_ids) - self._keys.keys():
            wrapped = self._wrap(pass_id, os.urandom(_KEY_BYTES))
            async with self._pool.connection() as connection:
                await connection.execute(
                    "INSERT INTO vault.keys (pass_id, wrapped_key) VALUES (%s, %s)"
                    " ON CONFLICT DO NOTHING",
                    (pass_id, wrapped),
                )
        await self.load_keys(pass_ids)

    async def load_keys(self, pass_ids: Iterable[str]) -> None:
        wanted = list(set(pass_ids) - self._keys.keys())
        if not wanted:
            return
        async with self._pool.connection() as connection:
            rows = await connection.execute(
                "SELECT pass_id, wrapped_key FROM vault.keys WHERE pass_id = ANY (%s)", (wanted,)
            )
            for pass_id, wrapped in await rows.fetchall():
                self._keys[pass_id] = AESGCM(self._unwrap(pass_id, bytes(wrapped)))

    async def erase(self, pass_id: str) -> None:
        """Deletes the key of a pass. Other processes forget it when they next start."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM vault.keys WHERE pass_id = %s", (pass_id,))
        self._keys.pop(pass_id, None)

    def seal(self, pass_id: str, text: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[pass_id].encrypt(nonce, text.encode(), pass_id.encode())
        return _MARK + base64.b64encode(nonce + sealed).decode()

    def reveal(self, pass_id: str, text: str) -> str:
        """The text, or `[erased]` once the key is gone."""
        if not text.startswith(_MARK):
            return text
        if pass_id not in self._keys:
            return ERASED
        raw = base64.b64decode(text.removeprefix(_MARK))
        nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        return self._keys[pass_id].decrypt(nonce, sealed, pass_id.encode()).decode()

    def _wrap(self, pass_id: str, key: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, pass_id.encode())

    def _unwrap(self, pass_id: str, wrapped: bytes) -> bytes:
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        return self._master.decrypt(nonce, sealed, pass_id.encode())
