"""`mega demo studio`: matcha bought, a still, a tweak, a video, a refusal; then the books."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cli.demo import Teller
from cli.demo_levels import verified
from cli.say import AsJson, as_json
from cli.world import running_world

if TYPE_CHECKING:
    from cli.artist import Artist

SKU, PACKS, MATCHA = "MINA-50", 4, 200
BRIEF = "A glass of iced matcha on wet stone, early light, for a spring campaign"
TOLD = ("text", "output_url", "code", "error", "status")
FEEDBACK = "I hate the light you added, make it softer"
REFUSED = {
    "match": {"path": "/images/generations"},
    "times": 1,
    "response": {
        "status": 400,
        "body": {
            "error": {
                "code": "InputTextSensitiveContentDetected",
                "message": "The request failed because the input text may be sensitive.",
                "param": "prompt",
                "type": "BadRequest",
            }
        },
    },
}


def studio(json_: AsJson = False) -> None:
    """Buy matcha, make a still and a video, be refused once, and check every matcha of it."""
    import httpx

    from cli.artist import Artist

    tell = Teller(quiet=json_)
    try:
        world = running_world()
        artist = Artist(world)
        arrival(artist, tell)
        purchase(artist, tell)
        still = first_still(artist, tell)
        better = tweak(artist, still, tell)
        animation(artist, better, tell)
        refusal(artist, tell)
        archive(artist, still, tell)
        books(artist, tell)
        verified(world, tell)
        if json_:
            as_json(tell.told)
    except httpx.TransportError as down:
        raise SystemExit(f"The world does not answer ({down}). Start it with: make run") from None


def arrival(artist: Artist, say: Teller) -> None:
    say("email", artist.email)
    say("signed in as", artist.sign_in())
    artist.ask("POST", "/sessions", {})
    say("button", button(artist, "mode=still&upload=none"))


def purchase(artist: Artist, say: Teller) -> None:
    artist.buys(SKU, PACKS)
    me = artist.matcha(MATCHA)
    say("bought", f"{SKU} × {PACKS}: {me['matcha']} matcha, until {me['expires_at']}")
    say("button", button(artist, "mode=still&upload=none"))


def first_still(artist: Artist, say: Teller) -> dict[str, Any]:
    product = artist.uploads("product", "iced matcha")
    say("product", product)
    logo = artist.uploads("logo", "MINA")
    inspirations = [artist.pastes("inspiration", name) for name in ("moss", "morning")]
    say("inspirations", ", ".join(inspirations))
    wish = {
        "brief": BRIEF,
        "product_image": product,
        "logo_image": logo,
        "inspiration_images": inspirations,
        "settings": {"aspect_ratio": "3:4"},
    }
    still = made(artist, "/mma/still/create", wish, say)
    id_ = still["generation_id"]
    artist.ask("POST", "/mma/events", {"event_type": "like", "generation_id": id_})
    say("liked", id_)
    return still


def tweak(artist: Artist, still: dict[str, Any], say: Teller) -> dict[str, Any]:
    say("feedback", FEEDBACK)
    path = f"/mma/still/{still['generation_id']}/tweak"
    better = made(artist, path, {"feedback": FEEDBACK}, say)
    same = better["settings"] == still["settings"]
    say("tweaked", f"from {better['parent_id']}, {'same' if same else 'OTHER'} settings")
    return better


def animation(artist: Artist, still: dict[str, Any], say: Teller) -> None:
    image = still["output_url"]
    prompt = artist.ask("POST", "/mma/video/type-for-me", {"image": image})["prompt"]
    say("typed for me", prompt)
    wish = {"image": image, "prompt": prompt, "settings": {"duration": 5}}
    made(artist, "/mma/video/animate", wish, say)


def refusal(artist: Artist, say: Teller) -> None:
    before = artist.me()["matcha"]
    artist.steer("seedream", "script", REFUSED)
    refused = made(artist, "/mma/still/create", {"brief": "Something that is not allowed"}, say)
    after = artist.me()["matcha"]
    code = (refused["error"] or {}).get("code")
    say("refused", f"{refused['status']} {code}, matcha {before} before and {after} after")


def archive(artist: Artist, still: dict[str, Any], say: Teller) -> None:
    for item in artist.ask("GET", "/archive")["items"]:
        liked = "♥" if item["liked"] else " "
        say("archive", f"{liked} {item['kind']:<5} {item['output_url']}")
    path = f"/archive/{still['generation_id']}/recreate"
    again = artist.ask("POST", path, {})
    pictures = 2 + len(again["assets"]["inspiration_images"])
    say(
        "recreate", f"{again['mode']}: {again['brief']!r}, {again['settings']}, {pictures} pictures"
    )


def books(artist: Artist, say: Teller) -> None:
    """Every row of the ledger about this pass, and the statement that they add up to."""
    for position, type_, id_, what, delta in rows_of(artist):
        moved = f"{delta:+d} matcha" if delta else ""
        say(f"#{position}", f"{type_:<18} {id_:<68} {what:<20} {moved}".rstrip())
    statement = artist.ask("GET", "/me/statement")["statement"]
    sums = {name: int(amount) for name, amount in statement["assets"]["MATCHA"].items()}
    paid = sums.pop("paid")
    say("statement", ", ".join(f"{name} {amount}" for name, amount in sums.items() if amount))
    say(
        "sums to zero",
        f"{paid} paid - {sum(sums.values())} accounted for = {paid - sum(sums.values())}",
    )
    if paid != sum(sums.values()):
        raise SystemExit("The statement does not add up.")


def rows_of(artist: Artist) -> list[tuple[Any, ...]]:
    """The ledger as SQL sees it: records of this pass in order, personal texts sealed."""
    import psycopg

    with psycopg.connect(artist.world["database_url"]) as connection:
        return connection.execute(
            "SELECT mg_position, mg_record_type, mg_id,"
            " coalesce(mg_step_type, mg_meta->>'event_type', mg_mma_status, topic), mg_delta"
            " FROM mega_generations WHERE mg_pass_id = %s AND mg_record_type = ANY (%s)"
            " ORDER BY mg_position",
            (artist.pass_id, ["credit_transaction", "mma_step", "mma_event", "generation"]),
        ).fetchall()


def made(artist: Artist, path: str, wish: dict[str, Any], say: Teller) -> dict[str, Any]:
    """Asks for it, tells each line as it comes, and returns what became of it."""
    asked = artist.ask("POST", path, wish)
    say("asked for", f"{asked['generation_id']} at position {asked['position']}")
    seen: Counter[str] = Counter()
    for kind, data in artist.stream(asked["stream_url"]):
        seen[kind] += 1
        say(f"» {kind}", next(data[name] for name in TOLD if data.get(name)))
    if not seen["done"] + seen["failed"]:
        raise SystemExit(f"The stream of {asked['generation_id']} broke off.")
    return artist.generation(asked["generation_id"])


def button(artist: Artist, query: str) -> str:
    now = artist.ask("GET", f"/studio/state?{query}")["button"]
    return f"[{now['label']}]  {now.get('checkout_url') or ''}".rstrip()
