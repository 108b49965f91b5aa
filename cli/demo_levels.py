"""`mega demo levels`: from no token to level 3 through a mint outage, then a compensation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cli.demo import Teller
from cli.say import AsJson, as_json
from cli.world import running_world

if TYPE_CHECKING:
    from cli.climber import Climber

MINTS_FAILED = 4
SLOTS_OF_A_BLOCKHASH = 160
NODE_DOWN = {
    "match": {"rpc_method": "sendTransaction"},
    "response": {"status": 503, "body": "the node is not well"},
}
REASON = "the mint could not be sent for a day"


def levels(json_: AsJson = False) -> None:
    """Climb from no token to level 3 in the running world, through a mint outage after the burn."""
    import httpx

    from cli.climber import Climber

    tell = Teller(quiet=json_)
    try:
        world = running_world()
        with well_again(Climber(world)) as climber:
            story(climber, tell)
            compensation(Climber(world), tell)
        verified(world, tell)
        if json_:
            as_json(tell.told)
    except httpx.TransportError as down:
        raise SystemExit(f"The world does not answer ({down}). Start it with: make run") from None


@contextmanager
def well_again(climber: Climber) -> Iterator[Climber]:
    """However the story ends, the node does not stay sick."""
    try:
        yield climber
    finally:
        climber.steer("solana", "reset", {})


def story(climber: Climber, say: Teller) -> None:
    say("wallet", climber.wallet)
    say("signed in as", climber.sign_in())
    with climber.listening(heard_by(say)):
        unlock(climber, say)
        trade(climber, say, "400000", "Early Bird", "Night Owl")
        told = climber.ask("POST", "/api/nft/upgrade", {})
        say("to burn", f"level 1, for level 2  ({told['upgrade_id']})")
        climber.upgrade(climber.hand_in(told), "minted")
        shown(climber, say)
        trade(climber, say, "4500000", "Whale", "Diamond Hands", "Market Maker", "Oracle")
        told = climber.ask("POST", "/api/nft/upgrade", {})
        id_ = climber.send(told)
        climber.steer("solana", "script", {**NODE_DOWN, "times": MINTS_FAILED})
        say("burned", "level 2, sent by the wallet itself; from now on no mint can be sent")
        recovery = climber.upgrade(id_, "recovery", "minted")
        if recovery["recipe"] == "nft_exchange":
            say("at once", "here burn and mint are one transaction, so nothing can be owed")
            shown(climber, say)
            return
        say("meanwhile", f"{recovery['state']} {recovery['reason_class']}: {recovery['reason']}")
        case = case_of(climber, id_)
        say("operators see", f"{case['id']} {case['kind']}, {case['state']}")
        done = climber.upgrade(id_, "minted")
        say("recovered", f"by itself, after {done['attempts']} tries that came to nothing")
        shown(climber, say)


def compensation(climber: Climber, say: Teller) -> None:
    say("somebody else", climber.wallet)
    climber.sign_in()
    unlock(climber, say)
    trade(climber, say, "400000", "Early Bird", "Night Owl")
    id_ = climber.send(climber.ask("POST", "/api/nft/upgrade", {}))
    climber.steer("solana", "script", {**NODE_DOWN, "times": 10_000})
    if climber.upgrade(id_, "recovery", "minted")["recipe"] == "nft_exchange":
        return
    case = case_of(climber, id_)
    for name in ("ada", "ada", "ben"):
        status, answer = as_admin(climber, name, f"/admin/recoveries/{case['id']}/compensate")
        say(f"{name} wants", f"level 3 for level 2: {status} {answer.get('code', '')}".rstrip())
    climber.steer("solana", "reset", {})
    climber.steer("solana", "chain", {"advance_slots": SLOTS_OF_A_BLOCKHASH})
    say("the node", "is well again, and what was signed for level 2 can never land")
    done = climber.upgrade(id_, "compensated", "minted")
    say(done["state"], f"level {done['level']}, {done['mint']}")
    shown(climber, say)


def unlock(climber: Climber, say: Teller) -> None:
    trade(climber, say, "100000")
    told = climber.ask("POST", "/api/nft/unlock", {})
    say("to sign", f"the mint of level 1  ({told['upgrade_id']})")
    climber.upgrade(climber.hand_in(told), "minted")
    shown(climber, say)


def trade(climber: Climber, say: Teller, dollars: str, *badges: str) -> None:
    climber.trades(dollars)
    climber.earns(*badges)
    now = climber.qualified()
    earned = f", badges {', '.join(badges)}" if badges else ""
    say("traded", f"{dollars} USD more{earned}: qualified for level {now['level']}")


def shown(climber: Climber, say: Teller) -> None:
    now = climber.status()
    say("now", f"level {now['level']}, {now['nft']['mint']}, {now['volume_usd']} USD traded")


def heard_by(say: Teller) -> Callable[[dict[str, Any]], None]:
    """Tells a message of the socket as it comes."""

    def heard(message: dict[str, Any]) -> None:
        data = message["data"]
        why = f" {data['reason_class']}" if data.get("reason_class") else ""
        state = f"level {data.get('level')} {data.get('state', '')}{why}"
        say("» socket", f"{message['type']}  {state}  (id {message['id']})")

    return heard


def case_of(climber: Climber, upgrade_id: str) -> dict[str, Any]:
    return as_admin(climber, "ada", f"/admin/recoveries/owed:{upgrade_id}", method="GET")[1]


def as_admin(
    climber: Climber, name: str, path: str, method: str = "POST"
) -> tuple[int, dict[str, Any]]:
    """Development lets anybody be an administrator."""
    import httpx

    with httpx.Client(base_url=climber.world["api"], timeout=30) as http:
        asked = {"user_id": f"demo-{name}", "scope": "admin"}
        token = http.post("/auth/dev", json=asked).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        if method == "GET":
            return 200, dict(http.get(path).raise_for_status().json())
        answer = http.post(path, json={"level": 3, "reason": REASON})
        return answer.status_code, dict(answer.json())


def verified(world: dict[str, Any], say: Teller) -> None:
    from ledger.chain import verify

    chain = verify(world["database_url"])
    say("ledger", f"{'verified' if chain.ok else 'BROKEN'}, {chain.position} events")
