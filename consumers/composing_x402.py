"""Facilitator, Base and vouchers, put together from the settings, for consumers and API alike."""

from __future__ import annotations

import httpx

from consumers.gateways.evm_geoplets import GeopletRpc
from consumers.gateways.onchainfi import OnchainFi
from consumers.gateways.vouchers import Vouchers
from consumers.gateways.x402_facilitator import X402Facilitator
from consumers.gateways.x402_ports import Facilitator
from settings import Settings, SettingsError


def geoplet_chain(settings: Settings, client: httpx.AsyncClient | None = None) -> GeopletRpc:
    """`client`: a quicker one, for who only asks."""
    assert settings.usdc_address and settings.geoplets_address and settings.mega_x402_pay_to
    return GeopletRpc(
        settings.evm_rpc_urls,
        chain_id=settings.evm_chain_id,
        token=settings.usdc_address,
        geoplets=settings.geoplets_address,
        pay_to=settings.mega_x402_pay_to,
        client=client,
    )


def facilitator(settings: Settings, web: httpx.AsyncClient) -> Facilitator:
    """The one that MEGA_FACILITATOR names; SettingsError when it is not set up."""
    if settings.mega_facilitator == "x402":
        if settings.mega_x402_facilitator_url is None:
            raise SettingsError("The setting MEGA_X402_FACILITATOR_URL is missing.")
        return X402Facilitator(url=settings.mega_x402_facilitator_url, client=web)
    if settings.mega_onchainfi_url is None:
        raise SettingsError("The setting MEGA_ONCHAINFI_URL is missing.")
    if settings.mega_onchainfi_key is None:
        raise SettingsError("The setting MEGA_ONCHAINFI_KEY is missing.")
    key = settings.mega_onchainfi_key.get_secret_value()
    return OnchainFi(url=settings.mega_onchainfi_url, key=key, client=web)


def vouchers(settings: Settings) -> Vouchers:
    assert settings.voucher_signer_key and settings.geoplets_address
    return Vouchers(
        private_key=settings.voucher_signer_key.get_secret_value(),
        chain_id=settings.evm_chain_id,
        contract=settings.geoplets_address,
    )
