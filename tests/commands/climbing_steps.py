"""What may happen to passes on their way up, step by step, and stories made of such steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as some

from commands.config import SetConfig
from domain import upgrade_events as happened
from domain.levels import DEFAULT_LEVELS, LEVELS_KEY
from tests.commands.climbing import PASSES, STRANGER, WALLETS, Climbing, attempts, signed_mints

CHEAP = [{"level": n, "volume_usd": str(n), "badges": n - 1} for n in range(1, 6)]
PEOPLE = ("pass:user:ann", "pass:user:rob", "pass:user:eve")

Step = Callable[[Climbing, str, int], None]


def pick(items: Sequence[Any], which: int) -> list[Any]:
    """The newest, or one before it; nothing of nothing."""
    return [items[-1 - which % len(items)]] if items else []


def own_coins(climbing: Climbing, name: str) -> list[str]:
    mints = [each.terms.mint for each in attempts(climbing, name)]
    return [mint for mint in mints if mint in climbing.chain.coins]


def of_attempt(step: Callable[[Climbing, Any], None]) -> Step:
    def take(climbing: Climbing, name: str, which: int) -> None:
        for attempt in pick(attempts(climbing, name), which):
            step(climbing, attempt)

    return take


def burn_by_hand(climbing: Climbing, name: str, which: int) -> None:
    """A transaction of the wallet's own, which names any attempt or none."""
    ids = ["", *(each.terms.upgrade_id for each in attempts(climbing, name))]
    for mint in pick(own_coins(climbing, name), 0):
        climbing.chain.burn(mint, WALLETS[name], pick(ids, which)[0])


def stranger_burns(climbing: Climbing, name: str, which: int) -> None:
    for mint in pick(own_coins(climbing, name), which):
        climbing.chain.burn(mint, STRANGER)


def tell_any_burn(climbing: Climbing, name: str, which: int) -> None:
    """Also of others, and of what was told long ago."""
    burned = [mint for mint, coin in climbing.chain.coins.items() if coin.burned_by]
    for mint in pick(burned, which):
        climbing.tell_burn(name, mint)


def send_away(climbing: Climbing, name: str, which: int) -> None:
    for mint in pick(own_coins(climbing, name), 0):
        climbing.chain.move(mint, WALLETS[name], STRANGER)


def send_back(climbing: Climbing, name: str, which: int) -> None:
    for mint in pick(own_coins(climbing, name), which):
        climbing.chain.move(mint, STRANGER, WALLETS[name])


def land_mint(climbing: Climbing, name: str, which: int) -> None:
    for signed in pick(list(signed_mints(climbing, name)), which):
        climbing.land_mint(signed)


def drop_any(climbing: Climbing, name: str, which: int) -> None:
    """Word of a mint that was signed some time, and by the chain's account never will land."""
    for signed in pick(list(signed_mints(climbing, name)), which):
        upgrade = climbing.upgrade(name)
        if climbing.chain.height > signed.last_valid_height:
            climbing.drop(upgrade.attempts[signed.upgrade_id], signed.signature)


def compensate(climbing: Climbing, name: str, which: int) -> None:
    """Mostly of what is owed, by three people, of three levels."""
    upgrade = climbing.upgrade(name)
    for attempt in [upgrade.recovery] if upgrade.recovery else pick(attempts(climbing, name), 0):
        climbing.compensate(attempt, PEOPLE[which % 3], attempt.terms.level + which // 3 % 3)


def approve(climbing: Climbing, name: str, which: int) -> None:
    """By two people, one after the other."""
    for by in (which, which + 1):
        compensate(climbing, name, by % 3 + which // 3 * 3)


def close_review(climbing: Climbing, name: str, which: int) -> None:
    for mint in pick(list(climbing.upgrade(name).reviews), which):
        climbing.close(name, mint)


def time_passes(climbing: Climbing, name: str, which: int) -> None:
    climbing.memory.later(20)
    climbing.chain.height += 60


def set_levels(climbing: Climbing, name: str, which: int) -> None:
    table = CHEAP if which % 2 else DEFAULT_LEVELS
    climbing.memory.do(SetConfig(key=LEVELS_KEY, value=table, by="ops"))


def asks(kind: str, recipe: happened.UpgradeRecipe) -> Step:
    return lambda climbing, name, which: climbing.ask(name, kind, recipe, blind=which == 2)


def one_after_another(*steps: str) -> Step:
    """As far as it goes."""

    def take(climbing: Climbing, name: str, which: int) -> None:
        for step in steps:
            STEPS[step](climbing, name, which)

    return take


STEPS: dict[str, Step] = {
    "unlocked": one_after_another("unlock", "send", "watch"),
    "burned": one_after_another("upgrade", "send", "watch"),
    "burned_by_hand": one_after_another("burn_by_hand", "watch", "minted"),
    "minted": one_after_another("deliver", "land_mint", "deliver"),
    "left": one_after_another("send_away", "reconcile"),
    "let_go": one_after_another("send_away", "reconcile", "close_review"),
    "given_up": one_after_another("upgrade", "time", "time", "time", "watch"),
    "climbed": one_after_another("upgrade", "send", "watch", "minted"),
    "exchanged": one_after_another("exchange", "send", "watch"),
    "unlock": asks("unlock", "nft_unlock"),
    "upgrade": asks("upgrade", "nft_upgrade"),
    "exchange": asks("upgrade", "nft_exchange"),
    "submit": of_attempt(lambda climbing, each: climbing.submit(each)),
    "send": of_attempt(lambda climbing, each: climbing.send(each)),
    "watch": lambda climbing, name, which: climbing.watch(name),
    "fail": of_attempt(lambda climbing, each: climbing.fail(each)),
    "deliver": lambda climbing, name, which: climbing.deliver(name),
    "land_mint": land_mint,
    "sign": of_attempt(lambda climbing, each: climbing.sign(each)),
    "drop_any": drop_any,
    "fail_mint": of_attempt(lambda climbing, each: climbing.fail_mint(each)),
    "retry": of_attempt(lambda climbing, each: climbing.retry(each)),
    "compensate": compensate,
    "approve": approve,
    "time": time_passes,
    "burn_by_hand": burn_by_hand,
    "stranger_burns": stranger_burns,
    "tell_any_burn": tell_any_burn,
    "send_away": send_away,
    "send_back": send_back,
    "reconcile": lambda climbing, name, which: climbing.reconcile(name),
    "close_review": close_review,
    "earn": lambda climbing, name, which: climbing.earn(name, 40_000_000, 4),
    "lose": lambda climbing, name, which: climbing.lose(name),
    "levels": set_levels,
    "merge": lambda climbing, name, which: climbing.merge(),
}
USUAL = ("unlock", "upgrade", "exchange", "send", "watch", "deliver", "land_mint", "time")
RARE = ("merge", "lose", "levels", "send_away", "stranger_burns")
OTHERS = sorted(set(STEPS) - set(RARE))
BEFORE = (
    (),
    ("unlocked",),
    ("unlocked", "upgrade"),
    ("unlocked", "burned"),
    ("unlocked", "climbed"),
    ("unlocked", "given_up", "upgrade"),
    ("unlocked", "given_up", "upgrade", "burned_by_hand"),
    ("unlocked", "let_go", "unlock"),
    ("unlocked", "upgrade", "send_away", "stranger_burns"),
)


def steps(*what: str) -> Any:
    who = some.sampled_from([PASSES[0], PASSES[0], PASSES[0], PASSES[1]])
    return some.tuples(some.sampled_from(what), who, some.integers(0, 8))


stories = some.tuples(
    some.builds(
        lambda done, which: [(what, PASSES[0], which) for what in done],
        some.sampled_from(BEFORE),
        some.integers(0, 2),
    ),
    some.lists(some.one_of(steps(*USUAL), steps(*OTHERS)), min_size=10, max_size=30),
    some.lists(steps(*RARE), max_size=2),
    some.lists(some.one_of(steps(*USUAL), steps(*OTHERS)), min_size=10, max_size=30),
).map(lambda parts: [step for part in parts for step in part])
