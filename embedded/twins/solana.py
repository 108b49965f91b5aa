"""Solana, as a node and an index answer: the development network, and how tests steer it.

Everything that a client asks goes to `POST /` (JSON-RPC). Real are the virtual machine, signatures,
the system, token and memo programs; modelled are Bubblegum V2 and the index (`embedded.solana`).
A slot lasts `MEGA_TWIN_SOLANA_SLOT_MS` (400) milliseconds, a transaction is final after
`MEGA_TWIN_SOLANA_FINALITY_SLOTS` (32) slots. `SOLANA_PROGRAMS_DIR` may hold the four binaries of
Bubblegum, which are then used instead of the model.

`POST /_twin/chain {drop_next?, hold_next?, land_held?, advance_slots?, finalize?, das_lag_slots?}`,
done in this order, → `{slot, height, finalized_slot, held, landed_held}`: the next transactions are
accepted and never land, or are kept until they are let go; slots pass; what landed becomes final;
the index is late. `/_twin/clock` lets slots pass as well. `/_twin/reset` forgets the steering.

Effect kind: `transaction_landed` {signature, err, slot}, told with the first call after it landed.
With the effect `none` a transaction is accepted and never lands.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from embedded.solana import slots
from embedded.solana.chain import Chain, Pace
from embedded.solana.rpc import Rpc
from embedded.twins.script import parse
from embedded.twins.wire import Answer, Call

LANDED = "transaction_landed"


class Wanted(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    drop_next: int | None = Field(default=None, ge=0, le=100_000)
    hold_next: int | None = Field(default=None, ge=0, le=100_000)
    land_held: bool = False
    advance_slots: int = Field(default=0, ge=0, le=10_000_000)
    finalize: bool = False
    das_lag_slots: int | None = Field(default=None, ge=0, le=100_000)


class Solana:
    name = "solana"
    base_path = ""

    def __init__(self, folder: Path | None = None, pace: Pace | None = None) -> None:
        """`folder` is where the chain is kept; without one it is forgotten at the end. Without a
        `pace`, the environment says it."""
        programs = os.environ.get("SOLANA_PROGRAMS_DIR")
        place = Path(programs) if programs else None
        self.chain = Chain(datetime.now(UTC), pace or _pace(), folder, place)
        self._rpc = Rpc(self.chain)

    def forget(self) -> None:
        self.chain.forget_steering()
        self._rpc.index.lag = 0

    async def answer(self, call: Call) -> Answer:
        if (call.method, call.path) != ("POST", "/"):
            return Answer(405, b"Used HTTP Method is not allowed. POST is required\n")
        self.chain.at(call.journal.now())
        dropped = self.chain.steering.drop_next
        if not call.performs:
            self.chain.steering.drop_next = 1
        answer = self._rpc.answer(call.body)
        if not call.performs:
            self.chain.steering.drop_next = dropped
        self._tell(call)
        return Answer.json(200, answer)

    async def control(self, call: Call) -> Answer | None:
        if (call.method, call.path) != ("POST", "/_twin/chain"):
            return None
        wanted = parse(Wanted, call.body)
        self.chain.at(call.journal.now())
        steering, landed = self.chain.steering, 0
        if wanted.drop_next is not None:
            steering.drop_next = wanted.drop_next
        if wanted.hold_next is not None:
            steering.hold_next = wanted.hold_next
        if wanted.land_held:
            landed = self.chain.land_held()
        if wanted.advance_slots:
            self.chain.advance(wanted.advance_slots)
        if wanted.finalize:
            self.chain.finalize()
        if wanted.das_lag_slots is not None:
            self._rpc.index.lag = wanted.das_lag_slots
        self._tell(call)
        newest = self.chain.slots.tip()
        told = {
            "slot": newest,
            "height": slots.height(newest),
            "finalized_slot": self.chain.slots.tip("finalized"),
            "held": len(steering.held),
            "landed_held": landed,
        }
        return Answer.json(200, told)

    def _tell(self, call: Call) -> None:
        """The ledger follows the chain, which was on disk first."""
        for landed in self.chain.landed[len(call.journal.items) :]:
            told = {"signature": landed.signature, "err": landed.ran.fault, "slot": landed.slot}
            call.journal.record(LANDED, {"signature": landed.signature}, told)


def _pace() -> Pace:
    given = os.environ.get
    return Pace(
        int(given("MEGA_TWIN_SOLANA_SLOT_MS") or slots.SLOT_MS),
        int(given("MEGA_TWIN_SOLANA_FINALITY_SLOTS") or slots.FINALIZED_AFTER),
    )
