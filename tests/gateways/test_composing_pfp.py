"""What PFPs are kept in, as the settings say it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from solders.keypair import Keypair

from consumers.composing_pfp import vaults
from consumers.gateways.ans104 import decode
from consumers.gateways.vault_ports import Sealed
from settings import Settings, SettingsError

KEY = Keypair.from_seed(b"\7" * 32)
IRYS = {"irys_url": "https://node.example", "solana_authority_key": str(KEY)}
IPFS = {"mega_pfp_vault": "ipfs", "ipfs_urls": ("https://kubo.example",)}


def sealed(**given: Any) -> Sealed:
    settings = Settings.load(**given)
    named = vaults(settings, httpx.AsyncClient(verify=False))[settings.mega_pfp_vault]
    return named.seal(b"hello", "text/plain", reference="unit-1")


def test_irys_signs_with_the_authority_and_reads_from_the_node_unless_told_otherwise() -> None:
    item = sealed(**IRYS)
    assert decode(item.body).owner == bytes(KEY.pubkey())
    assert item.uri == f"https://node.example/{item.item_id}"
    elsewhere = sealed(**IRYS, irys_gateway_url="https://gateway.example/")
    assert elsewhere.uri == f"https://gateway.example/{item.item_id}"


def test_ipfs_has_addresses_of_ipfs_unless_told_otherwise() -> None:
    assert sealed(**IPFS).uri == f"ipfs://{sealed(**IPFS).item_id}"
    elsewhere = sealed(**IPFS, ipfs_gateway_url="https://gateway.example/ipfs/")
    assert elsewhere.uri == f"https://gateway.example/ipfs/{elsewhere.item_id}"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (IRYS | {"irys_url": None}, "IRYS_URL"),
        (IRYS | {"mega_pfp_vault": "ipfs"}, "IPFS_URLS"),
        (IPFS | {"ipfs_urls": ()}, "IPFS_URLS"),
    ],
)
def test_a_vault_that_is_not_set_up_names_the_setting(given: dict[str, Any], missing: str) -> None:
    with pytest.raises(SettingsError, match=rf"^The setting {missing} is missing\.$"):
        sealed(**given)
