"""Traits are as likely as their weights say, and every one of them can be drawn."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from itertools import cycle
from pathlib import Path

import pytest

from consumers.pfp import traits
from consumers.pfp.chance import pick
from consumers.pfp.drawing import drawn
from consumers.pfp.palettes import DYES, GLOWS, IRISES, SKIES, SKINS
from consumers.pfp.sheet import odds_table
from consumers.pfp.sprite import sprite
from consumers.pfp.traits import Trait, Weights, chosen

MANY = 2_000
PAGE = Path(__file__).parents[2] / "docs" / "pfp.md"
SEEDS = [sha256(b"%d" % number).digest() for number in range(MANY)]


@pytest.fixture(scope="module")
def many() -> list[dict[str, str]]:
    return [{trait.kind: trait.value for trait in chosen(seed)} for seed in SEEDS]


def fits(found: Counter[str], weights: Weights) -> bool:
    """Within five standard deviations of what the weights promise: one run of a million fails."""
    count, whole = found.total(), sum(weights.values())
    return found.keys() <= weights.keys() and all(
        abs(found[name] - count * weight / whole)
        <= 5 * (count * weight / whole * (1 - weight / whole)) ** 0.5
        for name, weight in weights.items()
    )


def test_kinds_and_clothes_come_as_often_as_their_weights_say(many):
    assert fits(Counter(worn["Kind"] for worn in many), traits.KIND_ODDS)
    assert fits(Counter(worn["Clothes"] for worn in many), traits.CLOTHES)
    assert not fits(Counter(worn["Kind"] for worn in many), traits.even(*traits.KIND_ODDS))


@pytest.mark.parametrize("layer", traits.ALL)
def test_a_layer_comes_as_often_as_the_weights_of_a_human_say(layer, many):
    humans = [worn for worn in many if worn["Kind"] == "Human"]
    assert fits(Counter(worn.get(layer, traits.NONE) for worn in humans), traits.ALL[layer])


def test_a_kind_has_only_what_it_can_wear(many):
    for worn in many:
        missing = traits.ALL.keys() - traits.KINDS[worn["Kind"]].wears.keys()
        assert not missing & worn.keys()
        assert traits.NONE not in worn.values()


def test_a_weight_of_nothing_is_never_picked():
    weights = {"never": 0, "ever": 1, "nor this": 0}
    assert {pick(seed, "x", weights) for seed in SEEDS[:100]} == {"ever"}


def test_choices_of_different_names_do_not_hang_together():
    both = Counter(
        pick(seed, "one", traits.even("a", "b")) + pick(seed, "two", traits.even("a", "b"))
        for seed in SEEDS
    )
    assert fits(both, traits.even("aa", "ab", "ba", "bb"))


def test_every_trait_there_is_can_be_drawn():
    for worn in everything():
        assert drawn([Trait(*each) for each in worn.items()], SEEDS[0]).shape == (32, 32, 3)


def everything() -> list[dict[str, str]]:
    """For each kind, background, and row of every table a portrait that has it."""
    plain = {
        "Background": "Test card",
        "Kind": "Human",
        "Skin": "Honey",
        "Clothes": "Leather jacket",
    }
    made = [
        {**plain, "Background": name, "Sky": sky} for name in traits.BACKGROUNDS for sky in SKIES
    ]
    made += [{**plain, "Skin": skin} for kind in traits.KINDS.values() for skin in kind.skins]
    for name, kind in traits.KINDS.items():
        for eyes in kind.eyes:
            made += [{**plain, "Kind": name, "Eyes": eyes, "Eye colour": c} for c in kind.irises]
        for layer, weights in (kind.wears | {"Clothes": traits.CLOTHES}).items():
            _, dyes = traits.DYED.get(layer, ((), {"": 1}))
            made += [
                {**plain, "Kind": name, layer: value, f"{layer} colour": dye}
                for value, dye in zip(weights.keys() - {traits.NONE}, cycle(dyes))
            ]
    made += [{**plain, "Clothes": "Kimono", "Clothes colour": dye} for dye in traits.CLOTH]
    made += [{**plain, "Hair": "Long", "Hair colour": dye} for dye in traits.DYES]
    extras = traits.EXTRAS.keys() - {traits.NONE}
    return made + [{**plain, "Extra": value, "Extra colour": "Ink"} for value in extras]


def test_no_two_palettes_of_eyes_share_a_name():
    assert not IRISES.keys() & GLOWS.keys()
    assert all(len(ramp) == 5 for table in (DYES, SKIES, SKINS) for ramp in table.values())


def test_the_page_gives_the_odds_as_they_are():
    assert odds_table() in PAGE.read_text()


@pytest.mark.parametrize(("x", "y", "drawing"), [(0, 0, "11\n1"), (31, 0, "11"), (0, 31, "1\n1")])
def test_a_drawing_that_is_crooked_or_leaves_the_grid_is_refused(x, y, drawing):
    with pytest.raises(ValueError):
        sprite(x, y, drawing)
