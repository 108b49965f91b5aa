"""Random stories of S0, told through the real commands: who does what, in any order.

A story is data (a list of steps), so hypothesis can shrink it. Most steps are refused or do
nothing at most moments; that is part of the story.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from hypothesis import strategies as some

from commands import characters as make
from commands import orders as pay
from commands.command import Command, Context, handle
from commands.passes import Identify
from domain.event import Refused
from domain.money import Money
from domain.payment import Payment
from domain.roles import MintTerms, Offer
from ledger.ledger import Ledger

START = datetime(2030, 1, 1, tzinfo=UTC)
TERMS = MintTerms(8453, "0x" + "1" * 40, "0x" + "2" * 40, "0x" + "3" * 40)
PRICE, DEEP = 25, 3
CAP = timedelta(seconds=60)

# The happy way, which a story may leave at any point, so that deep states are reached often.
HAPPY = ["open", "claim", "see", "settle", "request", "store", "finalize", "sign", "mint"]
OTHER = [
    "show", "sight", "dismiss", "reverted", "low", "foreign", "surplus", "retract", "expire",
    "reopen", "fail", "refuse", "retry", "drop", "merge", "mini",
]  # fmt: skip

steps = some.tuples(some.integers(0, 1), some.sampled_from(HAPPY + OTHER), some.integers(0, 2))
stories = some.builds(
    lambda cut, who, rest: [(who, step, 0) for step in HAPPY[:cut]] + rest,
    some.integers(0, len(HAPPY)),
    some.integers(0, 1),
    some.lists(steps, max_size=14),
)

_fresh = count(1)


@dataclass
class Teller:
    """Tells stories on one ledger; each has its own passes, orders and transactions."""

    ledger: Ledger
    minutes: int = 0
    characters: list[str] = field(default_factory=list)

    async def tell(self, story: Sequence[tuple[int, str, int]]) -> list[str]:
        """Does the steps; returns the ids of the characters of this story."""
        heroes = [await self._hero(recipe) for recipe in ("role_mint", "role_mint_final")]
        for who, step, which in story:
            await heroes[who].do(step, which)
        mine = [id_ for hero in heroes for id_ in (hero.character, hero.mini) if id_]
        self.characters += mine
        return mine

    async def _hero(self, recipe: str) -> Hero:
        wallet = f"0x{next(_fresh):08x}{uuid4().hex}"
        identity = Identify(identity=f"eip155:{wallet}", new_pass_id=f"pass:user:eip155:{wallet}")
        owner = (await self.ask(identity)).body["pass_id"]
        created = await self.ask(make.CreateCharacter(owner=owner, role="samurai", kind="role"))
        return Hero(self, recipe, wallet, owner, created.body["id"])

    async def ask(self, command: Command) -> Any:
        self.minutes += 1
        at = START + timedelta(minutes=self.minutes)
        context = Context(at=at, correlation_id="story", causation_id="command:story")
        return (await handle(self.ledger, command, context)).answer


@dataclass
class Hero:
    teller: Teller
    recipe: Any
    wallet: str
    owner: str
    character: str
    order: str = ""
    mini: str = ""

    async def do(self, step: str, which: int) -> None:
        made: Callable[[int], Awaitable[None]] = getattr(self, f"_{step}")
        try:
            await made(which)
        except Refused:
            return

    async def _on_order(self, command: type[Command], **values: Any) -> None:
        if self.order:
            await self.teller.ask(command(order_id=self.order, **values))

    async def _on_character(self, command: type[Command], **values: Any) -> None:
        await self.teller.ask(command(character_id=self.character, **values))

    async def _mini(self, which: int) -> None:
        command = make.CreateCharacter(owner=self.owner, role="samurai", kind="mini_me")
        self.mini = (await self.teller.ask(command)).body["id"]

    async def _open(self, which: int) -> None:
        offer = Offer("samurai", self.recipe, Money("MPT", PRICE))
        command = pay.OpenMintOrder(
            character_id=self.character, offer=offer, terms=TERMS, opened_block=1
        )
        self.order = (await self.teller.ask(command)).body["order_id"]

    async def _show(self, which: int) -> None:
        step = ("awaiting_approve", "awaiting_mint", None)[which]
        await self._on_order(pay.ShowWalletStep, step=step)

    async def _claim(self, which: int) -> None:
        await self._on_order(pay.ClaimTransaction, tx_hash=self._tx(which))

    async def _sight(self, which: int) -> None:
        values = {"sender": self.wallet, "nonce": which}
        await self._on_order(pay.SightTransaction, tx_hash=self._tx(which), **values)

    async def _dismiss(self, which: int) -> None:
        await self._on_order(
            pay.DismissTransaction, tx_hash=self._tx(which), reason="not_for_order"
        )

    async def _reverted(self, which: int) -> None:
        await self._on_order(pay.DismissTransaction, tx_hash=self._tx(which), reason="reverted")

    async def _see(self, which: int) -> None:
        await self._payment(which, depth=1)

    async def _settle(self, which: int) -> None:
        await self._payment(which, depth=DEEP)

    async def _surplus(self, which: int) -> None:
        await self._payment(which + 1, depth=DEEP + 1)

    async def _low(self, which: int) -> None:
        await self._payment(which, depth=DEEP, amount=PRICE - 1)

    async def _foreign(self, which: int) -> None:
        await self._payment(which, depth=DEEP, payer="0x" + "f" * 40)

    async def _payment(self, which: int, depth: int, **changed: Any) -> None:
        facts: dict[str, Any] = {
            "tx_hash": self._tx(which),
            "sender": self.wallet,
            "nonce": which,
            "block_number": 5 + which,
            "block_hash": self._block(which),
            "log_index": 0,
            "payer": self.wallet,
            "amount": PRICE,
            "token_id": None if self.recipe == "role_mint_final" else which,
            "depth": depth,
        }
        found = Payment(**(facts | changed))
        await self._on_order(pay.RecordPayment, found=found, confirmations=DEEP)

    async def _retract(self, which: int) -> None:
        await self._on_order(pay.RetractPayment, block_hash=self._block(which))

    async def _finalize(self, which: int) -> None:
        await self._on_order(pay.FinalizePayment, block_hash=self._block(which))

    async def _expire(self, which: int) -> None:
        self.teller.minutes += 45 * which
        await self._on_order(pay.ExpireOrder)

    async def _reopen(self, which: int) -> None:
        await self._on_order(pay.ReopenOrder)

    async def _request(self, which: int) -> None:
        await self._on_character(make.RequestGeneration, provider="seedream", model="m")

    async def _retry(self, which: int) -> None:
        await self._on_character(make.RetryGeneration, provider="seedream", model="m")

    async def _fail(self, which: int) -> None:
        values = {"error_class": "transient", "reason": "500", "retry_cap": CAP}
        await self._on_character(make.FailGeneration, attempt=which + 1, **values)

    async def _refuse(self, which: int) -> None:
        values = {"error_class": "refused", "reason": "policy", "retry_cap": CAP}
        await self._on_character(make.FailGeneration, attempt=which + 1, **values)

    async def _store(self, which: int) -> None:
        picture = {"output_url": "http://127.0.0.1/p.png", "sha256": "0" * 64, "bytes": 9}
        size = {"content_type": "image/png", "width": 1, "height": 1}
        await self._on_character(make.StoreImage, attempt=which + 1, **picture, **size)

    async def _sign(self, which: int) -> None:
        if self.recipe != "role_mint_final":
            return
        nonce = next(_fresh)
        signer = {"chain_id": 8453, "sender": f"0x{nonce:040x}", "nonce": nonce}
        signed = {"tx_hash": self._tx(9), "raw": "0x00", "to": self.wallet, "uri": "u"}
        await self._on_order(pay.SignFinalMint, **signer, **signed)

    async def _drop(self, which: int) -> None:
        await self._on_order(pay.DropFinalMint, tx_hash=self._tx(9))

    async def _mint(self, which: int) -> None:
        if self.recipe == "role_mint_final":
            block = {"block_number": 9, "block_hash": self._block(9), "log_index": 0}
            await self._on_order(pay.RecordFinalMint, tx_hash=self._tx(9), **block, token_id=9)

    async def _merge(self, which: int) -> None:
        """Another wallet of the same person is linked; now and then it had a pass of its own."""
        other = f"0x{next(_fresh):08x}{uuid4().hex}"
        theirs = f"pass:user:eip155:{other}"
        if which:
            await self.teller.ask(Identify(identity=f"eip155:{other}", new_pass_id=theirs))
        linked = Identify(identity=f"eip155:{other}", new_pass_id=theirs, current=self.owner)
        await self.teller.ask(linked)

    def _tx(self, which: int) -> str:
        return f"0x{which:x}{self.wallet[2:]}"

    def _block(self, which: int) -> str:
        return f"0xb{which:x}{self.wallet[2:]}"
