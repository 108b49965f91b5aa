"""The chain: what was sent, what landed and when, and every account at every commitment level.

A transaction that is sent executes at once in the current slot, unless it is steered: dropped, it
is accepted and never lands; held, it waits until it is let go, and lands only if its blockhash is
good then. Steering and what is held are forgotten with the process, as a node's memory pool is.
What landed is on disk before anybody is told, and is executed again at the next start.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from solders.account import Account
from solders.instruction import Instruction
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from embedded.solana import genesis, slots
from embedded.solana.bank import Bank
from embedded.solana.disk import Disk
from embedded.solana.envelope import Envelope
from embedded.solana.machine import Machine, Ran
from embedded.solana.receipts import MEMOS, Balances, Landed
from embedded.solana.slots import Commitment, Slots


@dataclass(frozen=True, slots=True)
class Pace:
    """A slot's length, and after how many slots one is final. A chain on disk keeps its slots'
    length for good, or its past would move."""

    slot_ms: int = slots.SLOT_MS
    finalized_after: int = slots.FINALIZED_AFTER


@dataclass(slots=True)
class Steering:
    """What happens to the next transactions that are sent."""

    drop_next: int = 0
    hold_next: int = 0
    held: list[Envelope] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)


class Chain:
    def __init__(
        self, now: datetime, pace: Pace, folder: Path | None = None, programs: Path | None = None
    ) -> None:
        self.machine = Machine(programs)
        self.bank = Bank(self.machine)
        self.steering = Steering()
        self.landed: list[Landed] = []
        self._by_signature: dict[str, Landed] = {}
        self._by_key: dict[Pubkey, list[Landed]] = {}
        self._before: deque[tuple[int, dict[Pubkey, Account | None]]] = deque()
        self._advanced_ms = 0
        self._disk = Disk(folder)
        self.slots = Slots(_milliseconds(now), pace.slot_ms, pace.finalized_after)
        self._replay()
        self.at(now)

    def at(self, now: datetime) -> None:
        """Time passes by being told; slots follow."""
        self.slots.move_to(_milliseconds(now) + self._advanced_ms)

    def advance(self, count: int) -> None:
        """Lets `count` slots pass at once."""
        self._disk.write("advanced", slots=count)
        self._advance(count)

    def finalize(self) -> None:
        """Everything that landed so far is final."""
        self.advance(self.slots.finalized_after + slots.CONFIRMED_AFTER)

    def account(self, key: Pubkey, commitment: Commitment) -> Account | None:
        """As it was in the newest block at `commitment`."""
        newest = self.slots.tip(commitment)
        found = self.machine.account(key)
        for slot, before in reversed(self._before):
            if slot <= newest:
                break
            found = before.get(key, found)
        return found

    def find(self, signature: str) -> Landed | None:
        return self._by_signature.get(signature)

    def about(self, key: Pubkey) -> list[Landed]:
        """What landed with this account in it, oldest first."""
        return self._by_key.get(key, [])

    def open(self, raw: bytes) -> Envelope:
        """ValueError when the bytes are no transaction, UnknownTable when a table is missing."""
        return Envelope.open(raw, self.machine.account)

    def rehearse(self, envelope: Envelope) -> tuple[Ran, dict[Pubkey, Account]]:
        self._enter(self.slots.tip())
        return self.bank.rehearse(envelope)

    def submit(self, envelope: Envelope) -> None:
        """Takes a transaction as a leader would: what cannot land is lost without a word. One that
        was dropped or is held stays so when it is sent again."""
        steering, id_ = self.steering, envelope.signature
        if id_ in steering.dropped or id_ in {each.signature for each in steering.held}:
            return
        if steering.drop_next:
            steering.drop_next -= 1
            steering.dropped.add(id_)
        elif steering.hold_next:
            steering.hold_next -= 1
            steering.held.append(envelope)
        else:
            self._land(envelope)

    def forget_steering(self) -> None:
        self.steering = Steering()

    def land_held(self) -> int:
        """How many of the held transactions landed."""
        held, self.steering.held = self.steering.held, []
        return sum(self._land(envelope) for envelope in held)

    def airdrop(self, to: Pubkey, lamports: int) -> str:
        """Lamports from the faucet, by a transaction as any other; its signature."""
        faucet = genesis.faucet()
        given = TransferParams(from_pubkey=faucet.pubkey(), to_pubkey=to, lamports=lamports)
        number = Instruction(min(MEMOS, key=str), f"airdrop {len(self.landed)}".encode(), [])
        recent = slots.blockhash(self.slots.tip())
        message = Message.new_with_blockhash([transfer(given), number], faucet.pubkey(), recent)
        envelope = self.open(bytes(VersionedTransaction(message, [faucet])))
        self._land(envelope)
        return envelope.signature

    def _land(self, envelope: Envelope) -> bool:
        recent = envelope.message.recent_blockhash
        known = envelope.signature in self._by_signature
        if known or self.slots.slot_of_blockhash(recent) is None or not envelope.signed():
            return False
        slot = self.slots.tip()
        if not self._execute(envelope, slot):
            return False
        self._disk.write("transaction", slot=slot, raw=b64encode(envelope.raw).decode())
        return True

    def _execute(self, envelope: Envelope, slot: int) -> bool:
        """Whether it landed: one whose fee nobody can pay does not."""
        self._enter(slot)
        written = {key: self.machine.account(key) for key in envelope.written()}
        before = Balances.of(self.machine, envelope.keys)
        ran = self.bank.execute(envelope)
        after = Balances.of(self.machine, envelope.keys)
        if ran.fault is not None and before.lamports[0] == after.lamports[0]:
            return False
        landed = Landed(envelope, slot, self.slots.time_of(slot), ran, before, after)
        self.landed.append(landed)
        self._by_signature[landed.signature] = landed
        for key in envelope.keys:
            self._by_key.setdefault(key, []).append(landed)
        while self._before and self._before[0][0] <= self.slots.tip("finalized"):
            self._before.popleft()
        self._before.append((slot, written))
        return True

    def _enter(self, slot: int) -> None:
        self.bank.enter(slot, self.slots.time_of(slot))

    def _advance(self, count: int) -> None:
        self._advanced_ms += count * self.slots.slot_ms
        self.slots.move_to(self.slots.now_ms + count * self.slots.slot_ms)

    def _replay(self) -> None:
        born = False
        for line in self._disk.lines():
            match line["kind"]:
                case "genesis":
                    self.slots.born_at, self.slots.slot_ms = line["at_ms"], line["slot_ms"]
                    born = True
                case "advanced":
                    self._advance(line["slots"])
                case "transaction":
                    self.slots.move_to(self.slots.start_of(line["slot"]))
                    landed = self._execute(self.open(b64decode(line["raw"])), line["slot"])
                    assert landed, "what landed once lands again"
        if not born:
            made = {"at_ms": self.slots.born_at, "slot_ms": self.slots.slot_ms}
            self._disk.write("genesis", **made)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
