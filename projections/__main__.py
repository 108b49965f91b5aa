"""The projections' process: every projection of the product, each with one leader in all."""

from __future__ import annotations

import asyncio
import signal

import structlog
import uvloop

import logs
from ledger.ledger import Ledger
from projections.catalog import all_projections
from projections.head import Head
from projections.runner import Runner
from settings import Settings, named_settings


async def main() -> None:
    settings = Settings.load_or_exit(require=("database_url", "mega_master_key"))
    logs.configure()
    url = settings.database
    async with Ledger(url, master_key=settings.master_key) as ledger:
        head = Head(ledger)
        runners = [Runner(url, ledger, each, head=head) for each in all_projections()]
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_number, lambda: stop(runners))
        structlog.get_logger().info("projections_ready", count=len(runners))
        await asyncio.gather(*[runner.run() for runner in runners])


def stop(runners: list[Runner]) -> None:
    for runner in runners:
        runner.stop()


if __name__ == "__main__":
    with named_settings():
        uvloop.run(main())
