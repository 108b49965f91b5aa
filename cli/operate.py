"""What operators ask: how projections stand, rebuilds, open cases, what is parked."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.say import AsJson, as_json, hint, progress, table
from cli.world import database, reading, sealed_ledger, settings

if TYPE_CHECKING:
    from ledger.audit import Rows
    from projections.rebuild import OfTopic, RebuiltAll
    from projections.topical import TopicProjection

LIST_MAX = 1_000
INTERRUPTED = 128 + signal.SIGINT


def status(json_: AsJson = False) -> None:
    """List the projections: how far each is, what it could not apply, and who leads it."""
    from projections.standing import standings

    found = asyncio.run(_asked(standings))
    if json_:
        as_json([_spoken(each) for each in found])
        return
    shown = []
    for each in found:
        version = str(each.version or "none yet")
        if each.version != each.wanted:
            version += f", {each.wanted} is due"
        leader = f"backend {each.leader.backend_pid}" if each.leader else "nobody"
        shown.append((each.name, version, each.position, each.lag, each.parked, leader))
    table(("projection", "version", "position", "behind", "parked", "led by"), shown)


def _spoken(standing: Any) -> dict[str, Any]:
    said = {**asdict(standing), "lag": standing.lag}
    if standing.leader:
        said["leader"]["since"] = standing.leader.since.isoformat()
    return said


def rebuild(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Projections, mega_customers or mega_admin."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    json_: AsJson = False,
) -> None:
    """Build read models anew beside the live ones and swap them in; reads and writes go on.

    Ctrl-C stops after the page at hand; what is built is kept, and the next rebuild goes on there.
    """
    import structlog
    from kafka.errors import KafkaError

    from projections.catalog import all_projections
    from projections.rebuild import TABLES, RebuildRunning
    from projections.topic_catalog import topic_projections

    known = [*(each.name for each in (*all_projections(), *topic_projections())), *TABLES]
    chosen = known if every else names or []
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen or (every and names):
        wrong = f"There is no {', '.join(unknown)}. " if unknown else ""
        raise typer.BadParameter(f"{wrong}Name some of {', '.join(known)}; or give --all.")
    # What is logged meanwhile stands beside the results, not among them.
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        done = asyncio.run(_rebuild(database(), chosen))
    except RebuildRunning as running:
        raise SystemExit(f"{running} is being rebuilt by somebody else at the moment.") from None
    except KafkaError as down:
        raise SystemExit(f"Kafka does not answer ({type(down).__name__}).") from None
    _tell(done, json_)
    if not done.done:
        hint(f"Go on with: mega projections rebuild {' '.join(done.left)}")
        raise typer.Exit(INTERRUPTED)


async def _rebuild(url: str, chosen: list[str]) -> RebuiltAll:
    from projections.catalog import all_projections
    from projections.rebuild import TABLES, rebuild_all

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with progress() as bars:

        def interrupted() -> None:
            said = "Stopping after this page; Ctrl-C again does not wait for it."
            bars.console.print(said, soft_wrap=True)
            stop.set()
            loop.remove_signal_handler(signal.SIGINT)

        loop.add_signal_handler(signal.SIGINT, interrupted)
        tasks = {name: bars.add_task(name, total=None) for name in chosen}
        async with sealed_ledger(url) as ledger:
            return await rebuild_all(
                url,
                ledger,
                [each for each in all_projections() if each.name in chosen],
                topics=_of_topics(url, chosen),
                tables=[name for name in TABLES if name in chosen],
                progress=lambda name, done, all_: bars.update(
                    tasks[name], completed=done, total=all_
                ),
                cancelled=stop,
            )


def _of_topics(url: str, chosen: list[str]) -> dict[str, OfTopic]:
    """How each of the chosen projections of a topic is read anew; only these need Kafka."""
    from consumers.tally_rebuild import TallyRebuild
    from projections.topic_catalog import topic_projections

    wanted = [each for each in topic_projections() if each.name in chosen]
    if not wanted:
        return {}
    known = settings("kafka_bootstrap_servers")
    where = (url, known.kafka_bootstrap_servers, known.mega_topic_prefix)

    def again(projection: TopicProjection[Any]) -> OfTopic:
        return lambda report, stop: TallyRebuild(
            *where, projection, progress=report, cancelled=stop
        ).run()

    return {each.name: again(each) for each in wanted}


def _tell(done: RebuiltAll, json_: bool) -> None:
    if json_:
        projections = [asdict(each) for each in done.projections]
        as_json({"projections": projections, "tables": dict(done.tables), "left": done.left})
        return
    for each in done.projections:
        typer.echo(
            f"{each.name}: {'rebuilt, as of' if each.done else 'stopped at'} {each.position}"
        )
    for name, rows in done.tables.items():
        typer.echo(f"{name}: {rows} rows")


def recoveries(json_: AsJson = False) -> None:
    """List the open cases: what was paid or burned and is not what was asked for."""
    from api.waiting import recoveries as cases

    found = [case for case in asyncio.run(_all(cases)) if case["state"] == "open"]
    if json_:
        as_json(found)
    elif not found:
        typer.echo("No case is open.")
    else:
        rows = [
            (
                c["id"],
                c["kind"],
                c["facts"].get("amount", ""),
                c["pass_id"],
                c["opened_at"],
                c["attempts"],
                c["next_try_at"] or "",
                c["facts"].get("tx", ""),
            )
            for c in found
        ]
        heads = ("case", "kind", "amount", "pass", "opened", "tries", "next try", "transaction")
        table(heads, rows)


def list_parked(json_: AsJson = False) -> None:
    """List what is parked, in projections, before Kafka and behind it, with origin and error."""
    from api.waiting import parked

    found = asyncio.run(_all(parked))
    if json_:
        as_json(found)
    elif not found:
        typer.echo("Nothing is parked.")
    else:
        rows = [
            (p["reader"], p["origin"], p["stream"], p["error"] or "waits its turn", _again(p))
            for p in found
        ]
        table(("reader", "origin", "stream", "error", "asked for again"), rows)


def _again(parked: dict[str, Any]) -> str:
    return "yes" if parked["replay"] else ""


def replay_parked(
    stream: Annotated[str | None, typer.Argument(help="Only this stream. Default: all.")] = None,
    json_: AsJson = False,
) -> None:
    """Try what is parked again, in order.

    Projections are tried at once; the running consumers do the rest when they come to it.
    """
    from api.problems import ProjectionBehind
    from api.waiting import replay_all

    async def again(url: str) -> dict[str, Any]:
        async with reading(url) as rows, sealed_ledger(url) as ledger:
            return await replay_all(rows, url, ledger, stream)

    try:
        found = asyncio.run(again(database()))
    except ProjectionBehind:
        raise SystemExit("A projection is being rebuilt; that tries everything again.") from None
    if json_:
        as_json(found)
        return
    for each in found["projections"]:
        still = f"{each['parked']} parked again"
        typer.echo(f"{each['projection']}: {each['tried']} events tried, {still}")
    asked = found["events"] + found["messages"]
    if asked or not found["projections"]:
        typer.echo(f"{asked} asked for again." if asked else "Nothing that failed is parked.")


async def _asked(question: Callable[[Rows], Awaitable[Any]]) -> Any:
    async with reading(database()) as rows:
        return await question(rows)


async def _all(pages: Callable[..., Awaitable[list[tuple[int, dict[str, Any]]]]]) -> list[Any]:
    """Every item of a list that is read in pages."""
    found: list[Any] = []
    async with reading(database()) as rows:
        after, page = 0, await pages(rows, after=0, limit=LIST_MAX)
        while page:
            found += [item for _, item in page]
            after = page[-1][0]
            page = await pages(rows, after=after, limit=LIST_MAX)
    return found
