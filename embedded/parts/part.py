"""What the supervisor knows about a part."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from embedded.process import Command


class Part(ABC):
    """A long-running process. `needs` are names of parts and errands that come first."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_patience_s: ClassVar[float] = 10.0
    start_patience_s: ClassVar[float] = 60.0

    def ports(self) -> tuple[str, ...]:
        """Names of the ports this part listens on."""
        return ()

    async def prepare(self) -> None:
        """Make what must exist before every start; doing it again changes nothing."""
        return

    @abstractmethod
    def command(self, env: Mapping[str, str]) -> Command:
        """What to run, given the settings of the world so far."""

    @abstractmethod
    async def healthy(self) -> bool:
        """Whether the part answers as it should; False while it is coming up."""

    async def furnish(self) -> None:
        """Make what must exist inside the part before others use it (roles, policies)."""
        return

    def gives(self) -> dict[str, str]:
        """The settings by which other processes reach this part."""
        return {}

    def where(self) -> str:
        """The address to print for people, empty when it listens nowhere."""
        return ""
