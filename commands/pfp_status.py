"""What a wallet may mint and what its pass has paid for, by the ledger as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from commands.batches import PFP
from commands.command import Command, Seen
from commands.passes import current_pass, followed, survivors
from domain.allowance import Allowance, allowance_stream
from domain.batch_view import describe_slots
from domain.credit_account import CreditAccount, account_stream
from domain.event import Event
from domain.passes import Pass
from domain.pfp_refusals import ForeignWallet, SolanaWalletRequired


def chosen_wallet(known: Pass, named: str) -> str:
    """The wallet that is meant; of several it must be named. Empty: the pass has none."""
    if named and named not in known.solana_wallets:
        raise ForeignWallet()
    if not named and len(known.solana_wallets) > 1:
        raise SolanaWalletRequired()
    return named or next(iter(known.solana_wallets), "")


class SeeWallet(Command):
    """Decides nothing."""

    owner: str
    wallet: str = ""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from survivors(seen, self.owner)
        if followed(seen, self.owner):
            yield account_stream(self._pass_id(seen))
            yield allowance_stream(self._wallet(seen))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []

    def standing(self, seen: Seen) -> dict[str, Any]:
        """The body of `GET /pfp/status`, but for the batches."""
        allowance = seen.get(Allowance, allowance_stream(self._wallet(seen)))
        account = seen.get(CreditAccount, account_stream(self._pass_id(seen)))
        return {
            "eligible": allowance.eligible,
            "wallet": self._wallet(seen) or None,
            "slots": describe_slots(allowance),
            "pfp_credits": account.balance(PFP),
        }

    def _wallet(self, seen: Seen) -> str:
        return chosen_wallet(current_pass(seen, self.owner), self.wallet)

    def _pass_id(self, seen: Seen) -> str:
        return current_pass(seen, self.owner).pass_id or self.owner
