"""My pass, and what it paid: statements that are signed and can be checked by anybody."""

from __future__ import annotations

from functools import reduce
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.deps import parts_of, signed_in, spoken
from api.routes.examples import ORDER_ID
from api.speech import told
from api.statements import signed_statement
from domain.passes import Pass
from ledger import audit

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
    "/me",
    tags=["me"],
    **told(
        "Who I am here: my pass, its other names, what is linked to it",
        answers={
            200: {
                "pass_id": "pass:user:ada",
                "aliases": [],
                "identities": ["fid:7"],
                "wallets": [{"kind": "evm", "address": "0x" + "a1" * 20}],
                "scopes": ["user"],
            }
        },
        problems=(429, 503),
    ),
)
async def me(request: Request) -> Response:
    who = signed_in(request)
    history = await audit.history(parts_of(request).reader.rows, [who.pass_id])
    known = reduce(lambda known, recorded: known.evolve(recorded.event), history, Pass())
    kinds = {"eip155": "evm", "solana": "solana"}
    named = [name.partition(":") for name in known.identities]
    wallets = [{"kind": kinds[kind], "address": a} for kind, _, a in named if kind in kinds]
    own = {"pass_id": who.pass_id, "aliases": list(who.names[1:])}
    linked = {"identities": list(known.identities), "wallets": wallets}
    return spoken({**own, **linked, "scopes": sorted(who.scopes)})


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
