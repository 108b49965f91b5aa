"""Passes on every step of their way, by the real commands, and the chain that shows the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random

from commands.passes import Identify
from commands.request_upgrade import Minting, RequestUpgrade
from commands.upgrades import (
    ConfirmBurn,
    Correct,
    LapseAttempt,
    RecordLevel,
    SignLevel,
    SubmitTransaction,
)
from consumers.gateways.level_ports import BurnSeen, LevelMintSeen
from domain.levels import Badge, Record
from domain.solana import Absence, Prepared, TokenFound
from domain.upgrade import Upgrade
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import UpgradeRecipe, upgrade_stream
from tests.commands.memory import Memory
from tests.reconciling.shown import Chain

RICH = Record(Decimal(10) ** 9, tuple(Badge(f"badge-{n}", f"Badge {n}") for n in range(20)))
SIGNED = Prepared("bQ==", "cg==", "sig", "hash", 150)
HAPPENED = [
    "nothing", "unlocking", "unlocked", "unlock_lapsed", "burning", "submitted", "burn_lapsed",
    "owed", "mint_signed", "upgraded", "exchanging", "exchanged", "left", "burned_elsewhere",
]  # fmt: skip


@dataclass(slots=True)
class Climber:
    """One pass. What it does is in the ledger and, where it was on the chain, there too."""

    name: str
    memory: Memory
    chain: Chain
    what: str = ""
    count: int = field(default=0)

    @property
    def pass_id(self) -> str:
        return f"pass:user:{self.name}"

    @property
    def wallet(self) -> str:
        return f"wallet-{self.name}"

    @property
    def upgrade(self) -> Upgrade:
        found = self.memory.state(upgrade_stream(self.pass_id))
        assert isinstance(found, Upgrade)
        return found

    @property
    def attempt(self) -> Attempt:
        assert self.upgrade.attempt
        return self.upgrade.attempt

    @property
    def held(self) -> str:
        """The mint of its token."""
        assert self.upgrade.token
        return self.upgrade.token.mint

    def sign_in(self) -> None:
        self.memory.do(Identify(identity=f"solana:{self.wallet}", new_pass_id=self.pass_id))

    def ask(self, recipe: UpgradeRecipe) -> None:
        self.count += 1
        id_ = f"{self.name}-{self.count}"
        request = RequestUpgrade(
            asked_by=self.pass_id,
            kind="unlock" if recipe == "nft_unlock" else "upgrade",
            recipe=recipe,
            upgrade_id=id_,
            record=RICH,
            minting=Minting(f"mint-{id_}", lambda level: ("{}", f"cid-{level}"), lambda _: SIGNED),
            expires_at=self.memory.now + timedelta(seconds=45),
        )
        self.memory.do(request)

    def about(self) -> dict[str, str]:
        return {"owner": self.pass_id, "upgrade_id": self.attempt.terms.upgrade_id}

    def submit(self) -> None:
        self.memory.do(SubmitTransaction(**self.about(), raw="c2ln", signature="wallet-sig"))

    def lapse(self) -> None:
        self.memory.do(LapseAttempt(**self.about(), proof=Absence("", 151, 160)))

    def shows_burn(self, *, by: str = "", memo: bool = True) -> BurnSeen:
        """Only the chain: the burn that the newest attempt asks for."""
        terms = self.attempt.terms
        return self.chain.burn(terms.burns, by or terms.wallet, terms.upgrade_id if memo else "")

    def burn(self) -> None:
        self.memory.do(confirm(self.pass_id, self.shows_burn()))

    def sign(self) -> None:
        self.memory.do(SignLevel(**self.about(), prepared=SIGNED, cid=self.attempt.cid))

    def shows_mint(self) -> LevelMintSeen:
        """Only the chain: the token of the newest attempt."""
        terms = self.attempt.terms
        if terms.recipe == "nft_exchange":
            self.shows_burn()
        return self.chain.mint(terms.mint, terms.wallet, self.attempt.level, self.attempt.cid)

    def mint(self) -> None:
        seen = self.shows_mint()
        token = TokenFound(seen.mint, "", 0, seen.slot)
        said = {"level": seen.level, "cid": seen.cid, "signature": seen.signature}
        self.memory.do(RecordLevel(**self.about(), token=token, **said))

    def leave(self) -> None:
        """Its token went to another wallet, and that is known."""
        token = self.upgrade.token
        assert token
        self.chain.send(token.mint, "somebody-else")
        self.memory.do(
            Correct(
                owner=self.pass_id,
                upgrade_id=token.upgrade_id,
                kind="sent_away",
                mint=token.mint,
                field="owner",
                ledger_value=token.owner,
                chain_value="somebody-else",
                slot=self.chain.slot,
                review=True,
            )
        )


def confirm(owner: str, seen: BurnSeen) -> ConfirmBurn:
    said = {"signature": seen.signature, "slot": seen.slot, "named": seen.reference}
    return ConfirmBurn(owner=owner, mint=seen.mint, burned_by=seen.owner, **said)


def live(climber: Climber, what: str) -> None:
    """Brings a pass to where `what` is the last that happened."""
    climber.what = what
    climber.sign_in()
    if what == "nothing":
        return
    climber.ask("nft_unlock")
    if what == "unlocking":
        return
    if what == "unlock_lapsed":
        climber.lapse()
        return
    climber.mint()
    match what:
        case "left":
            climber.leave()
        case "burned_elsewhere":
            climber.memory.do(confirm(climber.pass_id, climber.chain.burn(climber.held, "")))
        case "exchanging" | "exchanged":
            climber.ask("nft_exchange")
            if what == "exchanged":
                climber.mint()
        case "unlocked":
            return
        case _:
            _upgrade(climber, what)


def _upgrade(climber: Climber, what: str) -> None:
    climber.ask("nft_upgrade")
    match what:
        case "submitted":
            climber.submit()
        case "burn_lapsed":
            climber.lapse()
        case "owed" | "mint_signed" | "upgraded":
            climber.burn()
            if what != "owed":
                climber.sign()
            if what == "upgraded":
                climber.mint()


def world(random: Random, passes: int) -> list[Climber]:
    """All of one ledger and one chain, in no order."""
    memory, chain = Memory(), Chain()
    made = [Climber(f"{random.randrange(10**9)}-{n}", memory, chain) for n in range(passes)]
    for climber in made:
        live(climber, random.choice(HAPPENED))
    return made
