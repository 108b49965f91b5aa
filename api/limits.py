"""Rates per principal and per address: token buckets in memory (`MEGA_RATE_LIMITS`).

The setting is `off`, or one rate such as `600/min`, which holds for a principal and, four times as
much, for an address; or both named: `principal=600/min, ip=3000/min`. A rate is a count per `s`,
`min` or `h`; a bucket holds at most that count. Where there is any limit, mails with a code have
limits of their own, per email and per address: each mail lets its code be guessed at five times.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from api.problems import Limited
from settings import Settings, SettingsError

BUCKETS_MAX = 50_000
DEFAULT = "600/min"
ADDRESS_SHARE = 4
MAILS_TO_ONE, MAILS_FOR_ONE = "10/h", "100/h"
_seconds = {"s": 1, "min": 60, "h": 3600}
_rate = re.compile(r"(\d{1,9})/(s|min|h)")


@dataclass(frozen=True, slots=True)
class Rate:
    count: int
    per_s: int

    @staticmethod
    def of(text: str) -> Rate:
        found = _rate.fullmatch(text)
        if not found or int(found[1]) < 1:
            raise SettingsError(
                "The setting MEGA_RATE_LIMITS is malformed: say `off` or `600/min`."
            )
        return Rate(int(found[1]), _seconds[found[2]])


class Buckets:
    """One bucket a name, the least recently used forgotten first."""

    def __init__(self, rate: Rate | None, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> None:
        """Takes one; raises Limited with the seconds after which there is one again."""
        if self._rate is None:
            return
        now, pace = self._clock(), self._rate.count / self._rate.per_s
        left, at = self._buckets.get(name, (float(self._rate.count), now))
        left = min(float(self._rate.count), left + (now - at) * pace)
        if left < 1:
            raise Limited(ceil((1 - left) / pace))
        self._buckets[name] = (left - 1, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > BUCKETS_MAX:
            self._buckets.popitem(last=False)


class Limits:
    def __init__(
        self,
        principal: Rate | None,
        address: Rate | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.principal = Buckets(principal, clock)
        self.address = Buckets(address, clock)
        self.forged = Buckets(address, clock)
        limited = bool(principal or address)
        self._mails_to = Buckets(Rate.of(MAILS_TO_ONE) if limited else None, clock)
        self._mails_for = Buckets(Rate.of(MAILS_FOR_ONE) if limited else None, clock)

    def mail(self, email_hash: str, address: str) -> None:
        """Takes one mail with a code, asked for from `address`; raises Limited."""
        self._mails_for.take(address)
        self._mails_to.take(email_hash)

    @staticmethod
    def of(settings: Settings) -> Limits:
        said = settings.mega_rate_limits.replace(" ", "")
        given = "mega_rate_limits" in settings.model_fields_set
        if not given and settings.mega_env != "dev":
            said = DEFAULT
        if said == "off":
            return Limits(None, None)
        if "=" not in said:
            rate = Rate.of(said)
            return Limits(rate, Rate(rate.count * ADDRESS_SHARE, rate.per_s))
        named = dict(part.partition("=")[::2] for part in said.split(","))
        if not named.keys() <= {"principal", "ip"}:
            raise SettingsError("The setting MEGA_RATE_LIMITS is malformed: name principal or ip.")
        rates = {name: Rate.of(text) for name, text in named.items()}
        return Limits(rates.get("principal"), rates.get("ip"))
