"""The names under which other systems know a pass, as `trades` and `badges` give them."""

from __future__ import annotations

import re
from collections.abc import Iterable

EVM_ADDRESS = re.compile(r"(?<![0-9A-Za-z])0x[0-9a-fA-F]{40}(?![0-9A-Za-z])")
WALLETS = ("solana:", "eip155:")
OF_USER = "pass:user:"


def as_stored(name: str) -> str:
    """A name as rows have it: EVM addresses, bare or within a longer name, in lower case."""
    if "0x" not in name:
        return name
    return EVM_ADDRESS.sub(lambda found: found[0].lower(), name)


def names_of(pass_ids: Iterable[str], identities: Iterable[str] = ()) -> list[str]:
    """Every name that means a pass: its ids (those of passes merged into it too), its identities,
    and both without what stands before a user id or an address."""
    names = set(pass_ids)
    names.update(f"{OF_USER}{identity}" for identity in identities)
    names.update([name.removeprefix(OF_USER) for name in names])
    for kind in WALLETS:
        names.update([name.removeprefix(kind) for name in names])
    return sorted({as_stored(name) for name in names})
