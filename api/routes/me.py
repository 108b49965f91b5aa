"""What a pass paid: statements that are signed and can be checked by anybody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.deps import parts_of, signed_in, spoken
from api.routes.examples import ORDER_ID
from api.speech import told
from api.statements import signed_statement

router = APIRouter()
PassId = Annotated[str, Path(examples=["pass:user:ada"])]
STATEMENT = {
    "statement": {
        "pass_id": "pass:user:ada",
        "position": 12,
        "head_hash": "9c1f",
        "assets": {
            "MPT": {
                "paid": "10000000",
                "delivered": "10000000",
                "credit": "0",
                "refund_due": "0",
                "refunded": "0",
                "expired": "0",
                "in_flight": "0",
            }
        },
        "lines": [
            {
                "event_id": f"order:{ORDER_ID}/3",
                "position": 9,
                "what": "role_mint samurai role: 10000000 MPT",
                "outcome": "delivered",
                "tx": "0x" + "5e" * 32,
            }
        ],
    },
    "key_id": "kU0x",
    "signature": "c2ln",
}


@router.get(
    "/ledger/statement/{pass_id}",
    tags=["ledger"],
    **told(
        "The signed statement of any pass",
        answers={200: STATEMENT},
        problems=(403, 404, 429, 503),
    ),
)
async def statement_of(request: Request, pass_id: PassId) -> Response:
    signed_in(request, "auditor")
    parts = parts_of(request)
    return spoken(await signed_statement(parts.reader.rows, parts.statement_key, pass_id))


@router.get(
    "/me/statement",
    tags=["me"],
    **told(
        "What I paid, and what became of it, signed",
        answers={200: STATEMENT},
        problems=(403, 429, 503),
    ),
)
async def my_statement(request: Request) -> Response:
    who = signed_in(request, "user")
    parts = parts_of(request)
    return spoken(await signed_statement(parts.reader.rows, parts.statement_key, who.pass_id))


@router.get(
    "/.well-known/mega-statement-keys",
    tags=["ledger"],
    **told(
        "The public keys of statements, as a JSON Web Key Set",
        answers={200: {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "kU0x", "x": "11qY"}]}},
        signed_in=False,
    ),
)
async def statement_keys(request: Request) -> Response:
    return spoken(parts_of(request).statement_key.published())
