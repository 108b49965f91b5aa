"""What the examples of the documentation show; a test executes them against a real database."""

from __future__ import annotations

from base64 import b64encode
from json import dumps
from typing import Any

CHARACTER_ID = "5b1f1c0e-8f0f-5a63-9c56-0d6d1f6f5a10"
ORDER_ID = "0c4f1b62-6a0b-5f3c-8a3e-52f6a8f6b7d1"
TX_HASH = "0x" + "5e" * 32
BATCH_ID = "7d0f8a52-4a0c-4b6e-9d53-1f2f0a6c3b11"
SOLANA_WALLET = "EEU1j3CNZqQoBWGVKPBN2DZ8XaVQtZCtEKQF4QdF8mfg"
SIGNED_TRANSACTION = b64encode(b"\x02" + b"\x5e" * 128 + b"\x80\x01").decode()
UPGRADE_ID = "3f1b7c52-0d0e-4a6b-8f53-9a2f0a6c3b77"
UPLOAD_ID = "9a3c5f10-6f2e-4d0b-9c41-5b7e2d8a1f44"
UPLOADED = "https://assets.example/uploads/" + "5e" * 32 + ".png"
_contract, _token = "0x" + "c0" * 20, "0x" + "70" * 20

VOUCHER: dict[str, Any] = {
    "to": "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A",
    "fid": "12345",
    "nonce": "1736640000",
    "deadline": "1736640900",
}

PAYMENT: dict[str, Any] = {
    "x402Version": 1,
    "scheme": "exact",
    "network": "base",
    "payload": {
        "signature": "0x" + "1b" * 65,
        "authorization": {
            "from": VOUCHER["to"],
            "to": VOUCHER["to"],
            "value": "1000000",
            "validAfter": "1736640000",
            "validBefore": "1736640900",
            "nonce": "0x" + "5e" * 32,
        },
    },
}
PAYMENT_HEADER = b64encode(dumps(PAYMENT).encode()).decode()

ACCEPTS: dict[str, Any] = {
    "scheme": "exact",
    "network": "base",
    "maxAmountRequired": "1000000",
    "resource": "https://mega.example/api/get-mint-signature",
    "description": "Minting a Geoplet",
    "mimeType": "application/json",
    "payTo": "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A",
    "maxTimeoutSeconds": 900,
    "asset": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    "outputSchema": None,
    "extra": {"name": "USD Coin", "version": "2"},
}

SHOP_ORDER: dict[str, Any] = {
    "id": 450789469,
    "test": False,
    "cancelled_at": None,
    "financial_status": "paid",
    "customer": {"id": 207119551},
    "note_attributes": [{"name": "mg_pass_id", "value": "pass:user:ada"}],
    "line_items": [{"id": 466157049, "sku": "MINA-50", "quantity": 4}],
    "refunds": [],
}

SHOP_REFUND: dict[str, Any] = {
    "id": 929361464,
    "order_id": 450789469,
    "refund_line_items": [
        {"line_item_id": 466157049, "quantity": 1, "line_item": {"sku": "MINA-50"}}
    ],
}

CHARACTER: dict[str, Any] = {
    "id": CHARACTER_ID,
    "role": "samurai",
    "kind": "role",
    "image_status": "",
    "image_url": None,
    "mint_ui_state": "new",
    "mint_order_id": None,
    "mint_order_status": None,
    "mint_paid": None,
    "mint_has_tx": None,
    "wallet_step": None,
    "on_chain_token_id": None,
    "badge": "New",
    "helper_text": "Pay once to mint this role and get its image.",
    "next_action": "mint",
    "will_charge": True,
    "because": [f"character:{CHARACTER_ID}/1"],
}

ORDER: dict[str, Any] = {
    "order_id": ORDER_ID,
    "character_id": CHARACTER_ID,
    "status": "pending",
    "wallet_step": None,
    "chain_id": 8453,
    "transactions": {
        "approve": {"to": _token, "data": "0x095ea7b3", "value": "0"},
        "mint": {"to": _contract, "data": "0xe1856ff4", "value": "0"},
    },
    "price": {"asset": "MPT", "amount": "10000000"},
    "expires_at": "2026-01-01T01:00:00Z",
}

TRACKED: dict[str, Any] = {
    **ORDER,
    "attempts": 0,
    "failure": None,
    "evidence": None,
    "overpaid": [],
    "timeline": [
        {
            "event_id": f"order:{ORDER_ID}/1",
            "type": "order_opened.v1",
            "time": "2026-01-01T00:00:00Z",
        }
    ],
}

MINTED: dict[str, Any] = {
    "index": 1,
    "assetId": "D7tUzsqFW58BTKzAsug7soHTgu1E5UaYozAqMpfdxRuV",
    "imageUri": "https://gateway.irys.xyz/fb-nm9GW6KZkPihn9y37CaLArEzIVEhz1Njo5FXpKeA",
    "metadataUri": "https://gateway.irys.xyz/9w4nXn0q1mGkqk7J3G3mZ1bq5XH0f3m0m5l8h0k2JXU",
    "signature": "5FpSaWeB6DrGjvCQHnaLXnFvNig2AwYPpoJmDxwJu6cRsmVcevAePnre5ZrwcRB9nDa6BEKqWWaS6J"
    "nBtLdq3KQs",
}

BATCH: dict[str, Any] = {
    "batchId": BATCH_ID,
    "status": "prepared",
    "quantity": 5,
    "lamports": "100000000",
    "creditsApplied": 3,
    "minted": [],
    "remaining": 5,
    "expiresAt": "2026-01-01T00:01:00Z",
}

UPGRADE: dict[str, Any] = {
    "upgrade_id": UPGRADE_ID,
    "recipe": "nft_upgrade",
    "state": "minted",
    "level": 2,
    "reason_class": None,
    "reason": None,
    "expires_at": "2026-01-01T00:00:45Z",
    "wallet": SOLANA_WALLET,
    "burns": "8FkzE8XfE4vnuVGP5F4kYHSQTnZGHQGgNXnvVLgPBtoV",
    "mint": "4mKSoDDqApmF1DqXvVTSL6tu2zixrSSNjqMxUnwvVzy2",
    "metadata_uri": "ipfs://bafkreib",
    "evidence": {
        "volume_usd": "512000.5",
        "required_volume_usd": "500000",
        "badges": ["badge-1", "badge-2"],
        "config_version": 0,
    },
    "burn_signature": None,
    "mint_signature": None,
    "attempts": 0,
    "next_try_at": None,
    "timeline": [
        {
            "event": "upgrade_requested",
            "event_id": "upgrade:pass:user:ada/4",
            "state": "prepared",
            "at": "2026-01-01T00:00:00Z",
        }
    ],
}

GENERATION_ID = "1c7e6a54-2f0b-4d19-8a55-6f3b0c9d2e88"
DELIVERED = "https://assets.example/generations/" + "5e" * 32 + ".png"

GENERATION: dict[str, Any] = {
    "generation_id": GENERATION_ID,
    "kind": "still",
    "status": "queued",
    "parent_id": None,
    "brief": "A cup of matcha on wet stone, morning light",
    "prompt": None,
    "output_url": None,
    "settings": {"aspect_ratio": "4:3"},
    "style": None,
    "assets": {"product_image": UPLOADED},
    "provider": "seedream",
    "model": None,
    "cost": 1,
    "liked": False,
    "user_messages": [],
    "error": None,
    "created_at": "2026-01-01T00:00:00+00:00",
}
