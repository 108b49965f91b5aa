"""Money: an asset and an integer of its atomic units. No floats, no cents, no rounding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in atomic units of `asset`, written as a decimal string wherever it leaves us."""

    asset: str
    amount: int

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError(f"{self.amount} {self.asset} is less than nothing")

    def spoken(self) -> dict[str, str]:
        return {"asset": self.asset, "amount": str(self.amount)}
