"""The documented table of states is the function, not a memory of it."""

from __future__ import annotations

import re
from pathlib import Path

from domain.mint_ui import CARDS, IMAGE_STATUSES, ORDER_STATUSES, mint_ui_state

PAGE = Path(__file__).parents[2] / "docs" / "role-mints.md"


def test_the_page_shows_what_the_function_answers():
    page = PAGE.read_text()
    header = next(line for line in page.splitlines() if line.startswith("| order"))
    images = [cell.strip(' `"') for cell in header.strip("| ").split("|")[1:]]
    assert sorted(images) == sorted(IMAGE_STATUSES)
    for order in (None, *ORDER_STATUSES):
        label = "no order" if order is None else f"`{order}`"
        row = next(line for line in page.splitlines() if line.startswith(f"| {label} |"))
        shown = re.findall(r"`(\w+)`", row.partition("|")[2].partition("|")[2])
        assert shown == [mint_ui_state(order, image) for image in images]


def test_the_page_shows_every_card():
    page = PAGE.read_text()
    for state, card in CARDS.items():
        assert f"| `{state}` | {card.badge} |" in page
