"""What a payment must say to pay our terms; each fault has x402's own word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.x402 import EXPIRY_MARGIN_S, Authorization, PaymentTerms, SignedPayment

NOW = 1_900_000_000
TOKEN, PAY_TO, PAYER = "0x" + "cc" * 20, "0x" + "dd" * 20, "0x" + "aa" * 20
terms = PaymentTerms(chain_id=8453, token=TOKEN, pay_to=PAY_TO, amount=1_000_000)
said = Authorization(PAYER, PAY_TO, 1_000_000, 0, NOW + 900, "0x" + "01" * 32)
v1 = SignedPayment(1, "exact", "base", said, "0x5e", "header")
v2 = SignedPayment(2, "exact", "eip155:8453", said, "0x5e", "header", (TOKEN, PAY_TO, "1000000"))


def saying(payment: SignedPayment, **changed) -> SignedPayment:
    return replace(payment, authorization=replace(payment.authorization, **changed))


@pytest.mark.parametrize("payment", [v1, v2], ids=["v1", "v2"])
def test_a_payment_of_our_terms_has_no_fault(payment):
    assert terms.fault(payment, NOW) == ""


@pytest.mark.parametrize(
    ("payment", "reason"),
    [
        (replace(v1, version=3), "invalid_x402_version"),
        (replace(v1, scheme="upto"), "unsupported_scheme"),
        (replace(v1, network="base-sepolia"), "network_mismatch"),
        (replace(v1, network="eip155:8453"), "network_mismatch"),
        (replace(v2, network="base"), "network_mismatch"),
        (replace(v2, network="eip155:1"), "network_mismatch"),
        (replace(v2, accepted=(PAYER, PAY_TO, "1000000")), "invalid_payment_requirements"),
        (replace(v2, accepted=(TOKEN, PAYER, "1000000")), "invalid_payment_requirements"),
        (replace(v2, accepted=(TOKEN, PAY_TO, "1")), "invalid_payment_requirements"),
        (saying(v1, pay_to=PAYER), "invalid_exact_evm_payload_recipient_mismatch"),
        (saying(v1, value=999_999), "invalid_exact_evm_payload_authorization_value_mismatch"),
        (saying(v1, value=1_000_001), "invalid_exact_evm_payload_authorization_value_mismatch"),
        (
            saying(v1, valid_before=NOW + EXPIRY_MARGIN_S - 1),
            "invalid_exact_evm_payload_authorization_valid_before",
        ),
        (saying(v1, valid_after=NOW + 1), "invalid_exact_evm_payload_authorization_valid_after"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_has_its_word(payment, reason):
    assert terms.fault(payment, NOW) == reason


def test_the_edges_of_its_time_are_good():
    assert terms.fault(saying(v1, valid_before=NOW + EXPIRY_MARGIN_S), NOW) == ""
    assert terms.fault(saying(v1, valid_after=NOW), NOW) == ""


def test_a_chain_without_a_name_in_version_1_is_called_as_in_version_2():
    dev = replace(terms, chain_id=31337)
    assert dev.network(1) == dev.network(2) == "eip155:31337"
    assert dev.fault(replace(v1, network="eip155:31337"), NOW) == ""
    assert replace(terms, chain_id=84532).network(1) == "base-sepolia"
