"""Executes transactions: real programs on the virtual machine, Bubblegum by its model, as one.

A transaction with modelled instructions stays atomic by stand-ins. Each modelled instruction is
judged against the accounts as the instructions before it leave them (a rehearsal of those), and
replaced, at its own place, by the system program's transfer of what it costs. The real machine then
runs the transaction: fees, balances, rent and every real instruction are its own, a failure of any
one undoes all, and the fee is paid. Only after success the model's changes are kept. An instruction
that the model refuses is replaced by one that the machine refuses, and the model's reason is told.
Log lines and inner instructions of the stand-ins are those of the programs they stand for.

Rent is judged at a transaction's end. Where the rehearsal of its beginning ends with too little of
it, the next instruction is judged against the accounts as they were before the transaction.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from solders.account import Account
from solders.instruction import CompiledInstruction
from solders.pubkey import Pubkey

from consumers.gateways.borsh import u32, u64
from consumers.gateways.bubblegum import BUBBLEGUM
from embedded.solana.anchor import Used
from embedded.solana.bubblegum import Draft, Invocation
from embedded.solana.envelope import Envelope
from embedded.solana.faults import of_instruction
from embedded.solana.machine import SYSTEM, Machine, Ran
from embedded.solana.steps import Step
from embedded.solana.trees import Tree

SYSTEM_UNITS = 150
_TRANSFER = 2
_STARTS = re.compile(r"Program \w+ invoke \[1\]$")


@dataclass(slots=True)
class Plan:
    """Instructions to run in place of the transaction's own, and the steps they stand for."""

    draft: Draft
    instructions: list[CompiledInstruction]
    steps: dict[int, Step] = field(default_factory=dict)

    def units(self) -> int:
        """What the modelled programs use beyond their stand-ins."""
        return sum(step.units - SYSTEM_UNITS for step in self.steps.values())


class Bank:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._trees: dict[Pubkey, Tree] = {}
        self._slot = 0

    def enter(self, slot: int, unix_time: int) -> None:
        self._slot = slot
        self.machine.enter(slot, unix_time)

    def execute(self, envelope: Envelope) -> Ran:
        plan = self._plan(envelope)
        if not plan.steps:
            return self.machine.run(envelope.transaction)
        ran = self.machine.run(envelope.with_instructions(plan.instructions))
        if ran.fault is None:
            plan.draft.keep(self.machine)
        return _told(envelope, ran, plan)

    def rehearse(self, envelope: Envelope) -> tuple[Ran, dict[Pubkey, Account]]:
        """What `execute` would do, and the accounts it would write; nothing changes."""
        plan = self._plan(envelope)
        if not plan.steps:
            return self.machine.rehearse(envelope.transaction)
        transaction = envelope.with_instructions(plan.instructions)
        ran, accounts = self.machine.rehearse(transaction)
        return _told(envelope, ran, plan), accounts

    def _plan(self, envelope: Envelope) -> Plan:
        draft = Draft(self._trees, self._slot, self.machine.rent)
        plan = Plan(draft, list(envelope.message.instructions))
        if self.machine.has_bubblegum:
            return plan
        for at, instruction in enumerate(envelope.message.instructions):
            if envelope.keys[instruction.program_id_index] != BUBBLEGUM:
                continue
            before, accounts = self._before(envelope, plan, at)
            if before and isinstance(before.fault, dict) and "InstructionError" in before.fault:
                break  # an earlier instruction fails, and with it the transaction
            step = plan.draft.run(self._invocation(envelope, plan, instruction, before, accounts))
            plan.steps[at] = step
            plan.instructions[at] = _stand_in(envelope, instruction, step)
            if step.fault is not None:
                break
        return plan

    def _before(
        self, envelope: Envelope, plan: Plan, at: int
    ) -> tuple[Ran | None, dict[Pubkey, Account]]:
        if at == 0:
            return None, {}
        return self.machine.rehearse(envelope.with_instructions(plan.instructions[:at]))

    def _invocation(
        self,
        envelope: Envelope,
        plan: Plan,
        instruction: CompiledInstruction,
        before: Ran | None,
        accounts: dict[Pubkey, Account],
    ) -> Invocation:
        used = tuple(
            Used(index, envelope.keys[index], envelope.signs(index), envelope.writes(index))
            for index in instruction.accounts
        )
        spent = before.units + plan.units() if before else 0

        def view(key: Pubkey) -> Account | None:
            return accounts.get(key) or self.machine.account(key)

        return Invocation(used, bytes(instruction.data), view, envelope.unit_limit() - spent)


def _stand_in(
    envelope: Envelope, instruction: CompiledInstruction, step: Step
) -> CompiledInstruction:
    """A refused instruction stands for itself: the machine has no code for it and refuses it too.

    So it is when the transaction looks the system program up in a table: no program may be called
    from there.
    """
    static = list(envelope.message.account_keys)
    if step.fault is None and SYSTEM not in static:
        step.fault = "UnsupportedProgramId"
    if step.fault is not None:
        return instruction
    giver, taker, lamports = step.transfer or (0, 0, 0)
    data = u32(_TRANSFER) + u64(lamports)
    return CompiledInstruction(static.index(SYSTEM), data, bytes((giver, taker)))


def _told(envelope: Envelope, ran: Ran, plan: Plan) -> Ran:
    """What the stand-ins did, in the words of the programs they stand for."""
    fault, failed_at, reached = ran.fault, None, len(plan.instructions)
    if isinstance(fault, dict) and "InstructionError" in fault:
        failed_at, reason = fault["InstructionError"]
        reached = failed_at + 1
        if failed_at in plan.steps:
            fault = {"InstructionError": [failed_at, plan.steps[failed_at].fault or reason]}
    run = {at: step for at, step in plan.steps.items() if at < reached}
    logs: list[str] = []
    for at, lines in enumerate(_by_instruction(envelope, ran, plan)):
        failure = fault["InstructionError"][1] if at == failed_at else None
        logs += _logs(run[at], lines, failure) if at in run else lines
    inner = tuple(
        tuple(run[at].inner) if at in run else group for at, group in enumerate(ran.inner)
    )
    units = ran.units + sum(
        step.units - (SYSTEM_UNITS if step.fault is None else 0) for step in run.values()
    )
    returned = next(
        ((BUBBLEGUM, step.returned) for step in reversed(run.values()) if step.returned),
        ran.returned,
    )
    return replace(ran, fault=fault, logs=tuple(logs), inner=inner, units=units, returned=returned)


def _by_instruction(envelope: Envelope, ran: Ran, plan: Plan) -> Iterator[list[str]]:
    """The log lines of each instruction in turn; one that logged nothing has none."""
    lines = list(ran.logs)
    for instruction in plan.instructions:
        program = envelope.keys[instruction.program_id_index]
        own: list[str] = []
        if lines and lines[0] == f"Program {program} invoke [1]":
            own.append(lines.pop(0))
            while lines and not _STARTS.match(lines[0]):
                own.append(lines.pop(0))
        yield own


def _logs(step: Step, lines: list[str], failure: str | dict[str, int] | None) -> list[str]:
    """`lines` are those of the system program, called from the top in place of the step."""
    used = f"Program {BUBBLEGUM} consumed {step.units} of {step.budget} compute units"
    told = list(step.until_transfer)
    if step.fault is None and step.transfer:
        told += [lines[0].replace("invoke [1]", "invoke [2]"), *lines[1:]]
    if failure is not None:
        rest = step.after_transfer if step.fault is not None else []
        return [*told, *rest, used, f"Program {BUBBLEGUM} failed: {of_instruction(failure)}"]
    told += [*step.after_transfer, used]
    if step.returned:
        told.append(f"Program return: {BUBBLEGUM} {b64encode(step.returned).decode()}")
    return [*told, f"Program {BUBBLEGUM} success"]
