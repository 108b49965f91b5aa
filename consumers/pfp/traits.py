"""What a portrait is made of, how likely each of it is, and what goes with what.

A weight counts against the sum of its table. A kind has only what it can wear; "None" is a choice
like the others and is not listed among the traits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from consumers.pfp.chance import pick

Weights = Mapping[str, int]
NONE = "None"


@dataclass(frozen=True, slots=True)
class Trait:
    """For example Trait("Hair", "Mohawk")."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Kind:
    """Its tables; an empty one: it has none of that. `wears` names the layers it can have."""

    skins: Weights
    eyes: Weights
    irises: Weights
    wears: Mapping[str, Weights]


def even(*names: str) -> Weights:
    return dict.fromkeys(names, 1)


EYES = {
    "Wide": 20,
    "Calm": 20,
    "Bold": 12,
    "Sleepy": 12,
    "Fierce": 10,
    "Dreamy": 10,
    "Smiling": 7,
    "Wink": 5,
    "Hearts": 3,
    "Laser": 1,
}
IRISES = {"Hazel": 30, "Sky": 25, "Jade": 20, "Violet": 15, "Ember": 10}
GLOWS = {"Cyan": 4, "Magenta": 3, "Acid": 2, "Amber": 1}
SCREENS = {"Blocks": 4, "Joy": 3, "Scan": 3, "Love": 2, "Error": 1}

BRIGHT = even("Grape", "Peach", "Mint", "Ocean", "Bubblegum", "Lemon", "Matcha")
DARK = even("Grape", "Ocean", "Night")
BACKGROUNDS: dict[str, tuple[int, Weights]] = {
    "Fade": (14, BRIGHT),
    "Glow": (12, BRIGHT),
    "Disc": (12, BRIGHT),
    "Rays": (10, BRIGHT),
    "Dots": (9, BRIGHT),
    "Stripes": (9, BRIGHT),
    "Checker": (8, BRIGHT),
    "Hills": (6, even("Ocean", "Peach", "Bubblegum")),
    "Stars": (6, DARK),
    "Skyline": (5, even("Grape", "Peach", "Ocean", "Bubblegum")),
    "Sunset": (5, even("Grape", "Bubblegum", "Night")),
    "Code rain": (3, even("Night", "Matcha", "Ocean")),
    "Test card": (1, {}),
}

DYES = {
    "Ink": 12,
    "Chestnut": 12,
    "Ginger": 12,
    "Blond": 12,
    "Rose": 9,
    "Lagoon": 8,
    "Violet": 8,
    "Snow": 8,
    "Matcha": 8,
    "Crimson": 6,
    "Cobalt": 5,
}
CLOTH = even("Ink", "Rose", "Lagoon", "Violet", "Snow", "Matcha", "Crimson", "Cobalt", "Blond")

MOUTHS = {
    "Smile": 21,
    "Calm": 18,
    "Smirk": 15,
    "Grin": 10,
    "Pout": 7,
    "Oh": 6,
    "Laugh": 6,
    "Tongue": 5,
    "Lipstick": 5,
    "Fangs": 3,
    "Straw": 2,
    "Bubble gum": 2,
}
MARKS = {
    NONE: 60,
    "Blush": 14,
    "Freckles": 12,
    "Scar": 6,
    "War paint": 4,
    "Tear": 2,
    "Circuit": 2,
}
HAIR = {
    "Curtains": 13,
    "Bob": 12,
    "Swept": 12,
    "Spikes": 11,
    "Long": 11,
    "Buzz": 10,
    "Afro": 9,
    "Tails": 8,
    "Bun": 7,
    "Mohawk": 4,
    NONE: 3,
}
HEADWEAR = {
    NONE: 57,
    "Cap": 9,
    "Beanie": 8,
    "Headphones": 7,
    "Bucket hat": 5,
    "Cat ears": 4,
    "Sprout": 3,
    "Horns": 2,
    "Wizard hat": 2,
    "Mushroom": 1,
    "Halo": 1,
    "Crown": 1,
}
EYEWEAR = {
    NONE: 68,
    "Round glasses": 12,
    "Shades": 7,
    "Visor": 4,
    "Eye patch": 3,
    "3D glasses": 3,
    "Monocle": 2,
    "VR headset": 1,
}
CLOTHES = {
    "Tee": 20,
    "Hoodie": 18,
    "Stripes": 14,
    "Turtleneck": 12,
    "Leather jacket": 10,
    "Kimono": 9,
    "Suit": 8,
    "Space suit": 5,
    "Armour": 4,
}
EXTRAS = {
    NONE: 70,
    "Earring": 9,
    "Scarf": 8,
    "Gold chain": 6,
    "Bird": 4,
    "Slime": 3,
}

KIND_ODDS = {
    "Human": 52,
    "Elf": 10,
    "Cat": 10,
    "Zombie": 8,
    "Robot": 7,
    "Frog": 6,
    "Alien": 4,
    "Skeleton": 3,
}
PEOPLE = even("Porcelain", "Honey", "Amber", "Umber", "Ebony")
ALL = {"Mouth": MOUTHS, "Mark": MARKS, "Hair": HAIR, "Headwear": HEADWEAR, "Eyewear": EYEWEAR}
BETWEEN_EARS = {NONE: 7, "Sprout": 2, "Crown": 1}
KINDS = {
    "Human": Kind(PEOPLE, EYES, IRISES, ALL),
    "Elf": Kind({**PEOPLE, "Lilac": 1}, EYES, IRISES, ALL),
    "Zombie": Kind(even("Moss", "Mildew"), EYES, {"Ember": 3, "Jade": 1}, ALL),
    "Cat": Kind(
        even("Marmalade", "Smoke", "Midnight", "Cream"),
        {name: EYES[name] for name in ("Wide", "Calm", "Sleepy", "Smiling", "Wink", "Hearts")},
        IRISES,
        {"Headwear": BETWEEN_EARS, "Eyewear": EYEWEAR},
    ),
    "Robot": Kind({"Steel": 6, "Copper": 3, "Gold": 1}, SCREENS, GLOWS, {}),
    "Frog": Kind(even("Lime", "Glacier", "Marmalade"), {}, {}, {"Headwear": BETWEEN_EARS}),
    "Alien": Kind(
        even("Lime", "Glacier", "Lilac"),
        even("Void"),
        GLOWS,
        {"Mouth": MOUTHS, "Headwear": HEADWEAR},
    ),
    "Skeleton": Kind(
        {"Ivory": 6, "Obsidian": 2, "Gold": 1},
        even("Sockets"),
        GLOWS,
        {"Hair": HAIR, "Headwear": HEADWEAR},
    ),
}
# What is dyed, and from which table; the others have the colours that they are drawn in.
DYED = {
    "Hair": (frozenset(HAIR), DYES),
    "Headwear": (
        frozenset({"Cap", "Beanie", "Headphones", "Bucket hat", "Cat ears", "Wizard hat"}),
        CLOTH,
    ),
    "Eyewear": (frozenset({"Round glasses", "Visor"}), CLOTH),
    "Clothes": (frozenset(CLOTHES) - {"Leather jacket"}, CLOTH),
    "Extra": (frozenset({"Scarf"}), CLOTH),
}


def chosen(seed: bytes) -> tuple[Trait, ...]:
    """The traits of a seed, in the order in which they are listed."""
    return tuple(trait for trait in _chosen(seed) if trait.value != NONE)


def _chosen(seed: bytes) -> Iterator[Trait]:
    def of(kind: str, weights: Weights) -> Iterator[Trait]:
        if not weights:
            return
        value = pick(seed, kind, weights)
        yield Trait(kind, value)
        dyed, dyes = DYED.get(kind, (frozenset(), {}))
        if value in dyed - {NONE}:
            yield from of(f"{kind} colour", dyes)

    background = pick(seed, "Background", {name: odds for name, (odds, _) in BACKGROUNDS.items()})
    yield Trait("Background", background)
    yield from of("Sky", BACKGROUNDS[background][1])
    name = pick(seed, "Kind", KIND_ODDS)
    kind = KINDS[name]
    yield Trait("Kind", name)
    yield from of("Skin", kind.skins)
    yield from of("Eyes", kind.eyes)
    yield from of("Eye colour", kind.irises)
    for layer, weights in kind.wears.items():
        yield from of(layer, weights)
    yield from of("Clothes", CLOTHES)
    yield from of("Extra", EXTRAS)
