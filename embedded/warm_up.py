"""Part of the set-up: runs Kafka once, so that every later start loads its classes from an archive.

The archive (class data sharing) takes the start from three seconds to one. It holds for the jars
and the Java it was made with; another Java ignores it and starts more slowly.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path

from embedded.keeper import Keeper
from embedded.parts.kafka import Kafka
from embedded.place import Place
from embedded.process import Command


class WarmingKafka(Kafka):
    def command(self, env: Mapping[str, str]) -> Command:
        return self.archiving_command()


async def warm_up(folder: Path) -> None:
    place = Place.at(folder)
    keeper = Keeper(WarmingKafka(place), place, dict)
    await keeper.start()
    await keeper.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mega-warm-up-") as folder:
        asyncio.run(warm_up(Path(folder)))
