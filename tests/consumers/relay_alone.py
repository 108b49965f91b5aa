"""A process that is nothing but a relay: `python -m tests.consumers.relay_alone [MODULE …]`.

The modules are imported for the events that they define.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys

import domain.character
import domain.claim
import domain.order_events
import domain.passes  # noqa: F401
from consumers.relay import Relay
from ledger.ledger import Ledger
from tests.consumers.conftest import MASTER_KEY


async def main() -> None:
    for name in sys.argv[1:]:
        importlib.import_module(name)
    url = os.environ["DATABASE_URL"]
    kafka, prefix = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["MEGA_TOPIC_PREFIX"]
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        relay = Relay(url, ledger, [kafka], prefix)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.stop)
        await relay.run()


if __name__ == "__main__":
    asyncio.run(main())
