"""What a modelled Bubblegum instruction leaves in its transaction: log lines, inner instructions,
compute units, the value it returns, and the one lamport transfer that the real system program does.

Compute units of a mint are those of the recording. Those of a creation and of a burn are estimates:
the lines are there, the numbers are not to be relied on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from consumers.gateways.bubblegum import BUBBLEGUM, COMPRESSION, NOOP
from embedded.solana.anchor import AnchorError, Used
from embedded.solana.machine import SYSTEM, Inner

NOOP_UNITS = 36


@dataclass(frozen=True, slots=True)
class Units:
    """Used when the leaf's noop is called, when the compression program is, when its noop is, by
    the compression program, and in all."""

    leaf_noop: int
    compression: int
    tree_noop: int
    of_compression: int
    total: int


MINT_UNITS = Units(32_012, 35_607, 52_715, 17_271, 56_060)
CREATE_UNITS = Units(0, 14_000, 26_000, 13_000, 30_000)
BURN_UNITS = Units(0, 24_000, 70_000, 50_000, 79_000)
REFUSED_UNITS = 12_000


@dataclass(slots=True)
class Step:
    """`until_transfer` and `after_transfer` are log lines around those of the system program; when
    there is no transfer, all are in the first. `transfer` is (from, to, lamports), accounts by
    their index."""

    budget: int
    units: int
    until_transfer: list[str] = field(default_factory=list)
    after_transfer: list[str] = field(default_factory=list)
    inner: list[Inner] = field(default_factory=list)
    transfer: tuple[int, int, int] | None = None
    fault: str | dict[str, int] | None = None
    returned: bytes = b""


class Writer:
    """Writes a step as the program runs. `places` are the accounts' indexes by key."""

    def __init__(self, name: str | None, budget: int, units: Units, used: Sequence[Used]) -> None:
        self._units = units
        self._budget = budget
        self._places = {each.key: each.index for each in used}
        self.step = Step(budget, units.total)
        self.lines = self.step.until_transfer
        self.log(f"Program {BUBBLEGUM} invoke [1]")
        if name:
            self.log(f"Program log: Instruction: {name}")

    def log(self, *lines: str) -> None:
        self.lines.extend(lines)

    def leaf_event(self, event: bytes) -> None:
        self._noop(event, 2, self._units.leaf_noop)

    def compression(
        self, name: str, data: bytes, accounts: Sequence[Pubkey], change_log: bytes
    ) -> None:
        """The compression program's instruction, with its event of what changed."""
        left = self._budget - self._units.compression
        self._call(COMPRESSION, accounts, data, 2)
        self.log(f"Program {COMPRESSION} invoke [2]", f"Program log: Instruction: {name}")
        self._noop(change_log, 3, self._units.tree_noop)
        used = self._units.of_compression
        self.log(
            f"Program {COMPRESSION} consumed {used} of {left} compute units",
            f"Program {COMPRESSION} success",
        )

    def transfer(self, giver: Pubkey, taker: Pubkey, lamports: int, data: bytes) -> None:
        """A call of the system program, `data` its real arguments; what is left goes after it."""
        self.step.transfer = (self._places[giver], self._places[taker], lamports)
        self._call(SYSTEM, (giver, taker), data, 2)
        self.lines = self.step.after_transfer

    def end(self, returned: bytes = b"") -> Step:
        self.step.returned = returned
        return self.step

    def refuse(self, fault: AnchorError | str | dict[str, int], *logs: str) -> Step:
        """The step fails here; nothing that it would have done is kept."""
        self.step.transfer = None
        self.step.units = min(REFUSED_UNITS, self._budget)
        self.log(*logs)
        if isinstance(fault, AnchorError):
            self.log(fault.log())
            self.step.fault = {"Custom": fault.code}
        else:
            self.step.fault = fault
        return self.step

    def _noop(self, data: bytes, height: int, used: int) -> None:
        self._call(NOOP, (), data, height)
        left = self._budget - used
        self.log(
            f"Program {NOOP} invoke [{height}]",
            f"Program {NOOP} consumed {NOOP_UNITS} of {left} compute units",
            f"Program {NOOP} success",
        )

    def _call(self, program: Pubkey, accounts: Sequence[Pubkey], data: bytes, height: int) -> None:
        places = tuple(self._places[key] for key in accounts)
        self.step.inner.append(Inner(self._places[program], places, data, height))
