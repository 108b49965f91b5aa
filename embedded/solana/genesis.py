"""What exists on the development network from its first slot: keys and their lamports.

Every key here is public and made for this purpose; none may ever hold anything of worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from consumers.gateways.bubblegum import BUBBLEGUM, COMPRESSION, CORE, NOOP

DEV_WALLETS = 10
LAMPORTS_PER_SOL = 10**9
WALLET_LAMPORTS = 100 * LAMPORTS_PER_SOL
AUTHORITY_LAMPORTS = 1_000 * LAMPORTS_PER_SOL
TREASURY_LAMPORTS = LAMPORTS_PER_SOL
FAUCET_LAMPORTS = 500_000_000 * LAMPORTS_PER_SOL

# The name of the network, from which its genesis hash and all blockhashes follow.
SEED = sha256(b"mega development world: Solana").digest()

MODELLED_PROGRAMS = (BUBBLEGUM, COMPRESSION, NOOP, CORE)
PROGRAM_LAMPORTS = 1_141_440  # rent of the 36 bytes that an upgradeable program's account has


@dataclass(frozen=True, slots=True)
class Wallet:
    """A development wallet: its address and its public test key, 64 bytes in base58."""

    address: str
    private_key: str


def dev_wallets() -> tuple[Wallet, ...]:
    return tuple(_told(_keypair(f"wallet {number}")) for number in range(DEV_WALLETS))


def authority() -> Wallet:
    """Pays fees and mints; the development value of SOLANA_AUTHORITY_KEY."""
    return _told(_keypair("authority"))


def treasury() -> Wallet:
    return _told(_keypair("treasury"))


def faucet() -> Keypair:
    """Whose lamports `requestAirdrop` gives away."""
    return _keypair("faucet")


def balances() -> dict[Pubkey, int]:
    """Lamports at the first slot."""
    given = {Pubkey.from_string(wallet.address): WALLET_LAMPORTS for wallet in dev_wallets()}
    given[Pubkey.from_string(authority().address)] = AUTHORITY_LAMPORTS
    given[Pubkey.from_string(treasury().address)] = TREASURY_LAMPORTS
    given[faucet().pubkey()] = FAUCET_LAMPORTS
    return given


def _keypair(name: str) -> Keypair:
    return Keypair.from_seed(
        sha256(f"mega development world: Solana {name} test key".encode()).digest()
    )


def _told(keypair: Keypair) -> Wallet:
    return Wallet(str(keypair.pubkey()), str(keypair))
