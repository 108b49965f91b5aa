"""`mega demo batch`: five PFPs, one signature; a mint fails, the tab closes, nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.demo import Teller
from cli.say import AsJson, as_json
from cli.world import running_world

if TYPE_CHECKING:
    from cli.collector import Collector

QUANTITY = 5
SOL = 10**9
NODE_DOWN = {
    "match": {"method": "POST", "path": "/tx/*"},
    "times": 3,
    "response": {"status": 503, "body": "the storage node is not well"},
}


def batch(
    wallet: Annotated[int, typer.Option(help="which of the world's ten Solana wallets")] = 0,
    json_: AsJson = False,
) -> None:
    """Mint PFPs in batches in the running world, through a failing store and a closed tab."""
    import httpx

    from cli.collector import Collector, wallet_of

    tell = Teller(quiet=json_)
    try:
        world = running_world()
        story(Collector(world, wallet_of(world, wallet % 10)), tell)
        if json_:
            as_json(tell.told)
    except httpx.TransportError as down:
        raise SystemExit(f"The world does not answer ({down}). Start it with: make run") from None


def story(collector: Collector, say: Teller) -> None:
    from ledger.chain import verify

    say("wallet", collector.wallet)
    say("signed in as", collector.sign_in())
    collector.allow(2 * QUANTITY)
    first = buy(collector, say)
    for _ in range(2):
        mint(collector, first, say)
    collector.steer("irys", "script", NODE_DOWN)
    mint(collector, first, say)
    collector.leave()
    say("left", "the tab is closed, the token thrown away")
    say("came back as", collector.sign_in())
    say("credits", f"{collector.ask('GET', '/pfp/status')['pfp_credits']} from last time")
    second = buy(collector, say, autoMint=True)
    say("left again", "the server mints on without the browser")
    pictures = [*minted(collector, first), *minted(collector, second, "complete")]
    for number, each in enumerate(pictures, 1):
        say(f"PFP {number}", f"{each['assetId']}  {saved(collector, each, number)}")
    settle(collector, say)
    chain = verify(collector.world["database_url"])
    say("ledger", f"{'verified' if chain.ok else 'BROKEN'}, {chain.position} events")


def buy(collector: Collector, say: Teller, **more: Any) -> str:
    """One signature for as many as credits leave to be paid; the batch's id."""
    told = collector.ask("POST", "/pfp/prepare-batch", {"quantity": QUANTITY})
    lamports, batch_id = int(told["lamports"]), str(told["batchId"])
    say("prepared", f"{QUANTITY} PFPs, {told['creditsApplied']} of them by credits")
    say("to pay", f"{sol(lamports)} SOL")
    signed = told["transactionBase64"] and collector.sign(told["transactionBase64"])
    body = {"batchId": batch_id, "signedTransactionBase64": signed, **more}
    say("handed in", collector.ask("POST", "/pfp/confirm-batch", body)["status"])
    collector.until(batch_id, "paid", "minting", "complete")
    say("paid", batch_id)
    return batch_id


def mint(collector: Collector, batch_id: str, say: Teller) -> None:
    told = collector.ask("POST", "/pfp/mint-from-batch", {"batchId": batch_id})
    left = f"{told['remaining']} remain, {told['pfp_credits']} credits"
    if told["success"]:
        say("minted", f"{told['minted']['assetId']}  ({left})")
    else:
        say("not minted", f"{told['reason']} after three tries  ({left})")


def minted(collector: Collector, batch_id: str, *wanted: str) -> list[dict[str, Any]]:
    statuses = wanted or ("minting", "complete")
    return list(collector.until(batch_id, *statuses)["minted"])


def saved(collector: Collector, token: dict[str, Any], number: int) -> Path:
    """The picture as its permanent address has it, beside the world's data."""
    import httpx

    folder = Path(collector.world["logs"]).parent / "demo"
    folder.mkdir(exist_ok=True)
    path = folder / f"pfp-{number}.png"
    path.write_bytes(httpx.get(token["imageUri"], follow_redirects=True).raise_for_status().content)
    return path


def settle(collector: Collector, say: Teller) -> None:
    """Where the money is, by the signed statement."""
    told = collector.ask("GET", "/me/statement")["statement"]["assets"]
    sums = {name: int(amount) for name, amount in told["SOL"].items() if int(amount)}
    units = {name: int(amount) for name, amount in told["PFP"].items() if int(amount)}
    parts = " + ".join(f"{sol(n)} {name}" for name, n in sums.items() if name != "paid")
    say("statement", f"{sol(sums['paid'])} SOL paid = {parts}")
    credits = collector.ask("GET", "/pfp/status")["pfp_credits"]
    say("", f"{units['paid']} paid = {units.get('delivered', 0)} minted + {credits} credits")


def sol(lamports: int) -> str:
    """Lamports in SOL, exactly."""
    whole, rest = divmod(lamports, SOL)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")
