"""What is worn before the eyes, and what else comes along; in a dye, or colours of its own."""

from __future__ import annotations

from consumers.pfp.sprite import sprite

ROUND_GLASSES = sprite(
    8,
    11,
    """
..33333..33333..
.3.....33.....3.
23.....33.....32
.3.....33.....3.
.3.....33.....3.
..33333..33333..
""",
)

SHADES = sprite(
    8,
    12,
    """
################
.#KwKK#..#KwKK#.
.#wKKK#..#wKKK#.
.#KKK##..##KKK#.
..####....####..
""",
)

VISOR = sprite(
    8,
    11,
    """
2444444433333332
3555544444433322
3554444443333322
3222222222222221
.11111111111111.
""",
)

THREE_D = sprite(
    8,
    11,
    """
WWWWWWWWWWWWWWWW
.WRRRRWWWWTTTTW.
.WRrrRWWWWTttTW.
.WRrrRW..WTttTW.
.WWWWWW..WWWWWW.
""",
)

VR = sprite(
    7,
    10,
    """
.wwwwwwwwwwwwwwww.
wWWWWWWWWWWWWWWWWw
wWKKKKKKKKKKKKKKWw
wWKTtKKKKKKKKKKKWw
wWKtKKKKKKKKKKtKWw
wWKKKKKKKKKKKTTKWw
wWWWWWWKKKKWWWWWww
.wwwwwww..wwwwwww.
""",
)

PATCH = sprite(
    8,
    9,
    """
.###............
...###..........
......###.......
.........#####..
.........######.
.........######.
..........####..
""",
)

MONOCLE = sprite(
    17,
    11,
    """
.YYYY.
Y....Y
Y....Y
Y....Y
.YYYYy
.....y
.....Y
.....y
""",
)

EARRING = sprite(
    7,
    17,
    """
.Y.
YLY
.y.
""",
)

CHAIN = sprite(
    11,
    24,
    """
Y........y
.Y......y.
..YY..yy..
....YY....
....TT....
...TWTt...
....tt....
""",
)

SCARF = sprite(
    8,
    22,
    """
...4444333333...
.44444444333333.
4455445544334433
4444444444333332
.22222222222222.
..........44332.
..........45332.
..........22222.
..........44332.
..........w.w.w.
""",
)

BIRD = sprite(
    23,
    18,
    """
..TTT..
.TTWKT.
.TTTTOO
.TWTTT.
tTTWTT.
ttTTT..
.t.O...
""",
)

SLIME = sprite(
    1,
    19,
    """
...GGG...
..GWGGG..
.GWGGGGg.
.GGKGKGg.
GGGKGKGgg
GPGG#GPgg
ggggggggg
""",
)

EYEWEAR = {
    "Round glasses": ROUND_GLASSES,
    "Shades": SHADES,
    "Visor": VISOR,
    "3D glasses": THREE_D,
    "VR headset": VR,
    "Eye patch": PATCH,
    "Monocle": MONOCLE,
}
EXTRAS = {"Earring": EARRING, "Gold chain": CHAIN, "Scarf": SCARF, "Bird": BIRD, "Slime": SLIME}
