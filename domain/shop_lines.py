"""Lines of shop orders and of refunds, and what a refund takes of the lines that were credited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from domain.shop_order_events import CreditedLine, ShopLine


def once(lines: Iterable[ShopLine]) -> tuple[ShopLine, ...]:
    """Each line of an order once, without those of nothing."""
    return tuple({line.line_id: line for line in lines if line.quantity > 0}.values())


def summed(lines: Iterable[ShopLine]) -> tuple[ShopLine, ...]:
    """The lines of a refund, which names one twice when it goes back to two places."""
    found: dict[str, ShopLine] = {}
    for line in lines:
        if line.quantity > 0:
            known = found.get(line.line_id, replace(line, quantity=0))
            found[line.line_id] = replace(known, quantity=known.quantity + line.quantity)
    return tuple(found.values())


def refunds_due(
    credited: Iterable[CreditedLine],
    refunds: Mapping[str, tuple[ShopLine, ...]],
    settled: Collection[str],
) -> Iterator[tuple[str, int | None]]:
    """The refunds that are not settled, each with the matcha that it takes back: of each line no
    more than was credited, all refunds together. None: it names no line."""
    lines = {line.line_id: line for line in credited}
    left = Counter({id_: line.quantity for id_, line in lines.items()})
    for refund_id in sorted(refunds, key=lambda id_: id_ not in settled):
        amount = 0
        for line in refunds[refund_id]:
            taken = min(line.quantity, left[line.line_id])
            left[line.line_id] -= taken
            amount += taken * lines[line.line_id].value if taken else 0
        if refund_id not in settled:
            yield refund_id, amount if refunds[refund_id] else None
