"""A process that does nothing but sum up trades: `python -m tests.consumers.tally_alone`."""

from __future__ import annotations

import asyncio
import os
import signal

from consumers.tally import Tally
from projections.trading_volume import TradingVolume


async def main() -> None:
    url = os.environ["DATABASE_URL"]
    kafka, prefix = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["MEGA_TOPIC_PREFIX"]
    tally = Tally(url, [kafka], prefix, TradingVolume())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, tally.stop)
    await tally.run()


if __name__ == "__main__":
    asyncio.run(main())
