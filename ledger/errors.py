"""How the ledger says no. A conflict is looked at again; the rest is the world misbehaving."""

from __future__ import annotations


class StreamConflict(Exception):
    """Somebody else wrote the expected version first. `stream` is the one at fault."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"stream {stream} has moved on")
        self.stream = stream


class LedgerUnavailable(Exception):
    """The ledger cannot be reached or written. Nothing may be done outside until it can."""


class BalanceRefused(Exception):
    """The database's own guard: credits would have gone below what is held."""
