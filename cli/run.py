"""`mega run`: start the world in a box and keep it up until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

# As in embedded/world.py, which takes too long to import for a help text; a test compares them.
PARTS = "postgres, kafka, s3, anvil, twins, api, projections, consumers"


def run(
    only: Annotated[
        str, typer.Option(help=f"Start these parts only, separated by commas: {PARTS}.")
    ] = "",
) -> None:
    """Start every part on this machine, say where each listens, and stop them all on Ctrl-C."""
    from rich.console import Console

    from cli.terminal import Terminal
    from embedded.place import WorldError
    from embedded.world import make_world, run_world
    from settings import Settings

    _quiet_libraries()
    console = Console()
    settings = Settings.load_or_exit()
    try:
        names = [name.strip() for name in (only or PARTS).split(",") if name.strip()]
        world = make_world(settings, names)
        with Terminal(console, world.place.world_file) as terminal:
            asyncio.run(run_world(world, terminal))
    except WorldError as error:
        raise SystemExit(str(error)) from None
    console.print("Stopped.")


def _quiet_libraries() -> None:
    """A library's chatter does not belong between the lines of progress."""
    import logging

    import structlog

    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
