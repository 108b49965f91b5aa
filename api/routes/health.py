"""Alive, ready, measured."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from fastapi import APIRouter, Request, Response
from psycopg_pool import PoolTimeout

from api.deps import parts_of, spoken
from api.parts import Parts
from api.reading import SQL
from api.speech import told
from api.waiting import reconciliations

router = APIRouter(tags=["health"])
LAG_MAX = 10_000
"""Events that a projection may be behind before this process says that it is not ready."""


@router.get("/healthz", **told("Alive", answers={200: {"alive": True}}, signed_in=False))
async def healthz(request: Request) -> Response:
    return spoken({"alive": True})


@router.get(
    "/readyz",
    **told(
        "Ready: the database answers and the projections keep up",
        answers={
            200: {
                "ready": True,
                "database": True,
                "head": 12,
                "projections": {"characters": {"position": 12, "lag": 0}},
            },
            503: {"ready": False, "database": False},
        },
        signed_in=False,
    ),
)
async def readyz(request: Request) -> Response:
    try:
        head, positions = await standing(parts_of(request))
    except (psycopg.OperationalError, PoolTimeout):
        return spoken({"ready": False, "database": False}, 503, {"Retry-After": "1"})
    shown = {n: {"position": p, "lag": max(head - p, 0)} for n, p in positions.items()}
    ready = all(view["lag"] <= LAG_MAX for view in shown.values())
    body = {"ready": ready, "database": True, "head": head, "projections": shown}
    return spoken(body, 200 if ready else 503)


@router.get(
    "/metrics",
    **told(
        "For Prometheus",
        answers={200: "mega_ledger_head 12.0"},
        media="text/plain",
        signed_in=False,
    ),
)
async def metrics(request: Request) -> Response:
    parts = parts_of(request)
    await measure(parts)
    return Response(parts.meters.text(), media_type="text/plain; version=0.0.4")


async def standing(parts: Parts) -> tuple[int, dict[str, int]]:
    """(last position of the ledger, position of each projection)"""
    rows = await parts.reader.rows(SQL["standing"])
    return next(p for n, p in rows if n is None), {n: p for n, p in rows if n is not None}


async def measure(parts: Parts) -> None:
    """Reads the state of ledger and views into the gauges."""
    head, positions = await standing(parts)
    lags: dict[tuple[str, ...], float] = {(n,): max(head - p, 0) for n, p in positions.items()}
    lags |= {(n,): behind for n, behind in await parts.reader.rows(SQL["topics_behind"])}
    state: dict[str, Any] = dict(await parts.reader.rows(SQL["counts"]))
    orders = {(s,): n for s, n in await parts.reader.rows(SQL["orders_by_status"])}
    meters = parts.meters
    meters.set("mega_ledger_head", "Last position of the ledger.", {(): head})
    meters.set("mega_projection_lag", "Events or messages not yet shown.", lags, "projection")
    meters.set("mega_parked", "What waits to be tried again.", {(): state["parked"]})
    meters.set("mega_todo_due", "Promises that are due.", {(): state["due"]})
    meters.set("mega_todo_oldest_seconds", "How long the oldest is due.", {(): state["oldest"]})
    meters.set("mega_orders", "Orders by status.", orders, "status")
    stale, climbing = state["levels_stale"], await parts.reader.rows(SQL["upgrades_by_state"])
    meters.set("mega_levels_stale_seconds", "How old the oldest unseen event is.", {(): stale})
    upgrades = {(s,): n for s, n in climbing}
    meters.set("mega_upgrades", "Unlocks and upgrades by state.", upgrades, "state")
    batches = {(kind, s): n for kind, s, n in await parts.reader.rows(SQL["batches_by_status"])}
    meters.set("mega_batches", "PFP batches by status.", batches, "recipe", "status")
    await measure_reconciliation(parts)
    await measure_x402(parts)


async def measure_reconciliation(parts: Parts) -> None:
    """The last round of every comparison with the outside; an age that grows means none ends."""
    found, now = await reconciliations(parts.reader.rows), parts.clock.now()
    told = {"checked": "Things compared.", "corrected": "Corrected.", "reviews": "For review."}
    for name, help_ in told.items():
        values = {(each["name"],): each[name] for each in found}
        parts.meters.set(f"mega_reconciliation_{name}", help_, values, "check")
    ages = {
        (each["name"],): (now - datetime.fromisoformat(each["finished_at"])).total_seconds()
        for each in found
        if each["finished_at"]
    }
    parts.meters.set("mega_reconciliation_age_seconds", "Since the last round.", ages, "check")


async def measure_x402(parts: Parts) -> None:
    """Seed 004's measures of the last day, by the views of the ledger that anybody may read."""
    meters, rows = parts.meters, parts.reader.rows
    ((success, settlement, seconds),) = await rows(SQL["x402_measures"])
    errors = {(code,): count for code, count in await rows(SQL["x402_errors"])}
    orders = {(kind, status): n for kind, status, n in await rows(SQL["x402_orders_by_status"])}
    told = {
        "mega_x402_success_rate": ("Percent of mint payments that were minted.", success),
        "mega_x402_settlement_rate": ("Percent of verified payments that settled.", settlement),
        "mega_x402_seconds_to_mint": ("From verified to minted, on average.", seconds),
    }
    for name, (help_, value) in told.items():
        meters.set(name, help_, {(): float("nan") if value is None else value})
    meters.set("mega_x402_errors", "Errors of the last day by code.", errors, "code")
    meters.set("mega_x402_orders", "Orders by status.", orders, "payment_type", "status")
