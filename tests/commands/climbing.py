"""Passes that go up the levels over commands alone, before a chain that keeps its own account.

The chain lets things happen; what the ledger is told of it, and when, is up to the test: `watch`,
`deliver` and `reconcile` look at the chain as the consumers do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count

from commands.cases import CloseCase, Compensate, RetryMint
from commands.passes import Identify, OpenPass
from commands.request_upgrade import Minting, RequestUpgrade, SeeLevels
from commands.upgrades import (
    ConfirmBurn,
    Correct,
    DropLevel,
    FailAttempt,
    FailLevel,
    LapseAttempt,
    RecordLevel,
    SignLevel,
    SubmitTransaction,
)
from domain.levels import Badge, Record
from domain.solana import BLOCKHASH_LASTS, Absence, Prepared, TokenFound
from domain.upgrade import Upgrade
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import LevelMintSigned, UpgradeRecipe, UpgradeRequested, upgrade_stream
from domain.upgrade_refusals import NoToken
from tests.commands.memory import Memory

PASSES = ("pass:user:ada", "pass:user:bob")
WALLETS = {"pass:user:ada": "ada-wallet", "pass:user:bob": "bob-wallet"}
STRANGER = "mallory-wallet"
LASTS = 150
CAP = timedelta(seconds=30)
SLOT = 7


@dataclass(frozen=True)
class Coin:
    """A token as the chain has it. `strayed`: it was in another wallet once."""

    upgrade_id: str
    owner: str
    level: int
    cid: str
    burned_by: str = ""
    named: str = ""
    strayed: bool = False


@dataclass
class Chain:
    """`coins` by mint."""

    height: int = 100
    coins: dict[str, Coin] = field(default_factory=dict)

    def alive(self, mint: str, owner: str) -> bool:
        coin = self.coins.get(mint)
        return coin is not None and not coin.burned_by and coin.owner == owner

    def mint(self, mint: str, coin: Coin) -> bool:
        """The mint's key is fixed, so it is created once."""
        if mint in self.coins:
            return False
        self.coins[mint] = coin
        return True

    def burn(self, mint: str, owner: str, named: str = "") -> bool:
        if not self.alive(mint, owner):
            return False
        self.coins[mint] = replace(self.coins[mint], burned_by=owner, named=named)
        return True

    def move(self, mint: str, owner: str, to: str) -> None:
        if self.alive(mint, owner):
            self.coins[mint] = replace(self.coins[mint], owner=to, strayed=True)


class Climbing:
    """`records`: what the topics say of each pass. `landed`: attempts whose own transaction did."""

    def __init__(self) -> None:
        self.memory, self.chain = Memory(), Chain()
        self.records = dict.fromkeys(PASSES, Record(Decimal(0), ()))
        self.landed: set[str] = set()
        self._ids = count(1)
        for name in PASSES:
            self.memory.do(OpenPass(new_pass_id=name, identities=(f"solana:{WALLETS[name]}",)))
            self.memory.later(1)

    def upgrade(self, name: str) -> Upgrade:
        state: Upgrade = self.memory.state(upgrade_stream(name))
        return state

    # What people do.

    def record(self, asked_by: str) -> Record:
        names = self._names(asked_by)
        volume = sum((self.records[name].volume_usd for name in names), Decimal(0))
        return Record(volume, tuple(b for name in names for b in self.records[name].badges))

    def earn(self, name: str, volume: int, badges: int = 0) -> None:
        known = self.records[name]
        new = tuple(Badge(f"{name}/{next(self._ids)}", "badge") for _ in range(badges))
        self.records[name] = Record(known.volume_usd + volume, (*known.badges, *new))

    def lose(self, name: str) -> None:
        """A correction takes the volume away, and the badges are revoked."""
        self.records[name] = Record(Decimal(0), ())

    def ask(self, name: str, kind: str, recipe: UpgradeRecipe, *, blind: bool = False) -> None:
        """`blind`: the chain cannot be asked whether the token is still there."""
        see = SeeLevels(asked_by=name)
        seen = self.memory.look(see)
        token = see.upgrades(seen)[see.owner(seen)].token
        gone = token and not blind and not self.chain.alive(token.mint, token.owner)
        if kind == "upgrade" and gone:
            raise NoToken()
        id_ = f"u{next(self._ids)}"
        asked = RequestUpgrade(
            asked_by=name,
            kind=kind,
            recipe="nft_unlock" if kind == "unlock" else recipe,
            upgrade_id=id_,
            record=self.record(name),
            minting=Minting(f"mint-{id_}", lambda level: self._metadata(level, id_), self._prepare),
            expires_at=self.memory.now + BLOCKHASH_LASTS,
        )
        self.memory.do(asked)

    def submit(self, attempt: Attempt) -> None:
        self.memory.do(SubmitTransaction(**about(attempt), raw="c2lnbmVk", signature="wallet-sig"))

    def send(self, attempt: Attempt) -> None:
        """The prepared transaction lands, if the chain lets it."""
        terms, window = attempt.terms, attempt.window
        if window is None or self.chain.height > window.last_valid_height:
            return
        if terms.burns and not self.chain.alive(terms.burns, terms.wallet):
            return
        if terms.recipe != "nft_upgrade":
            coin = Coin(terms.upgrade_id, terms.wallet, terms.level, terms.cid)
            if not self.chain.mint(terms.mint, coin):
                return
        if terms.burns:
            self.chain.burn(terms.burns, terms.wallet, terms.upgrade_id)
        self.landed.add(terms.upgrade_id)

    def merge(self) -> None:
        ada, bob = PASSES
        identity = f"solana:{WALLETS[bob]}"
        self.memory.do(Identify(identity=identity, new_pass_id=bob, current=ada))

    # What the consumers do.

    def watch(self, name: str) -> None:
        for attempt in self.upgrade(name).watched:
            terms = attempt.terms
            if terms.recipe != "nft_upgrade" and terms.mint in self.chain.coins:
                self.record_level(attempt)
            elif terms.burns and self.chain.coins[terms.burns].burned_by:
                self.tell_burn(name, terms.burns)
            elif attempt.window and self.chain.height > attempt.window.last_valid_height:
                self.memory.do(LapseAttempt(**about(attempt), proof=self._absence()))

    def tell_burn(self, name: str, mint: str) -> None:
        coin = self.chain.coins[mint]
        told = {"burned_by": coin.burned_by, "named": coin.named, "signature": f"burn-{mint}"}
        self.memory.do(ConfirmBurn(owner=name, mint=mint, slot=SLOT, **told))

    def record_level(self, attempt: Attempt) -> None:
        coin, mint = self.chain.coins[attempt.terms.mint], attempt.terms.mint
        token, said = TokenFound(mint, "", 0, SLOT), {"level": coin.level, "cid": coin.cid}
        self.memory.do(RecordLevel(**about(attempt), token=token, signature="sig", **said))

    def fail(self, attempt: Attempt) -> None:
        self.memory.do(FailAttempt(**about(attempt), reason_class="ADD_SOL", reason="no SOL"))

    def deliver(self, name: str) -> None:
        owed = self.upgrade(name).recovery
        if owed is None or (owed.retry_at and owed.retry_at > self.memory.now):
            return
        if owed.terms.mint in self.chain.coins:
            self.record_level(owed)
        elif owed.alive is None:
            self.sign(owed)
        elif self.chain.height > owed.alive.last_valid_height:
            self.drop(owed, owed.alive.signature)

    def sign(self, attempt: Attempt) -> None:
        signature = f"mint-{attempt.terms.upgrade_id}-{attempt.signed + 1}"
        prepared = Prepared("bQ==", "cg==", signature, "hash", self.chain.height + LASTS)
        self.memory.do(SignLevel(**about(attempt), prepared=prepared, cid=attempt.cid))

    def drop(self, attempt: Attempt, signature: str) -> None:
        failed = {"error_class": "transient", "reason": "late", "cap": CAP}
        self.memory.do(DropLevel(**about(attempt), signature=signature, **failed))

    def fail_mint(self, attempt: Attempt) -> None:
        failed = {"error_class": "transient", "reason": "RPC away", "cap": CAP}
        self.memory.do(FailLevel(**about(attempt), **failed))

    def land_mint(self, signed: LevelMintSigned) -> bool:
        """A signed mint, alive or not, lands if the chain lets it."""
        attempt = self.upgrade(signed.pass_id).attempts[signed.upgrade_id]
        coin = Coin(signed.upgrade_id, attempt.terms.wallet, signed.level, signed.cid)
        late = self.chain.height > signed.last_valid_height
        return not late and self.chain.mint(attempt.terms.mint, coin)

    def reconcile(self, name: str) -> None:
        """Where the tokens are that the ledger knows of."""
        upgrade = self.upgrade(name)
        tokens = [*upgrade.away.values(), *([upgrade.token] if upgrade.token else [])]
        for token in tokens:
            coin = self.chain.coins[token.mint]
            if coin.burned_by:
                self.tell_burn(name, token.mint)
            elif (coin.owner == token.owner) == (token.mint in upgrade.away):
                kind = "came_back" if coin.owner == token.owner else "sent_away"
                ids = {"owner": name, "upgrade_id": token.upgrade_id, "mint": token.mint}
                said = {"field": "owner", "ledger_value": token.owner, "chain_value": coin.owner}
                review = kind == "sent_away"
                self.memory.do(Correct(**ids, kind=kind, **said, slot=SLOT, review=review))

    # What operators do.

    def compensate(self, attempt: Attempt, by: str, level: int) -> None:
        id_ = attempt.terms.upgrade_id
        wanted = {"level": level, "reason": "a day of outage", "by": by}
        self.memory.do(
            Compensate(**about(attempt), **wanted, metadata=lambda n: self._metadata(n, id_))
        )

    def retry(self, attempt: Attempt) -> None:
        self.memory.do(RetryMint(**about(attempt), by="ops"))

    def close(self, name: str, mint: str) -> None:
        self.memory.do(CloseCase(owner=name, mint=mint, reason="spoke to them", by="ops"))

    # Helpers.

    def _names(self, asked_by: str) -> tuple[str, ...]:
        see = SeeLevels(asked_by=asked_by)
        return see.names(self.memory.look(see))

    def _metadata(self, level: int, id_: str) -> tuple[str, str]:
        return f'{{"level":{level}}}', f"cid-{id_}-{level}"

    def _prepare(self, terms: UpgradeRequested) -> Prepared:
        return Prepared("bQ==", "cg==", "", "hash", self.chain.height + LASTS)

    def _absence(self) -> Absence:
        return Absence("", self.chain.height, self.chain.height)


def about(attempt: Attempt) -> dict[str, str]:
    return {"owner": attempt.terms.pass_id, "upgrade_id": attempt.terms.upgrade_id}


def attempts(climbing: Climbing, name: str) -> list[Attempt]:
    return list(climbing.upgrade(name).attempts.values())


def signed_mints(climbing: Climbing, name: str) -> Iterator[LevelMintSigned]:
    for event in climbing.memory.history:
        if isinstance(event, LevelMintSigned) and event.pass_id == name:
            yield event
