"""What is worn on the head, before the eyes and in the ears; ramp of its dye."""

from __future__ import annotations

from consumers.pfp.sprite import sprite

CAP = sprite(
    7,
    2,
    """
.....44443333.......
...444444333333.....
..44554444333333....
.4455WWWW4333333....
.445WWWWWW333332....
.444WW44WW333332....
344444444333333222..
32222222222222222222
.1111111111111122222
...............1111.
""",
)

BEANIE = sprite(
    7,
    0,
    """
.......WWWW.......
......WWWwww......
.......www........
.....44433333.....
...444443433333...
..44454434333433..
.4445443433343332.
.4454443433343332.
.4444434333433332.
444344434434443433
443434343434343332
323232323232323222
""",
)

BUCKET = sprite(
    5,
    2,
    """
......4444433333......
.....444444333333.....
.....454444333332.....
....44544443333332....
....44544443333332....
....22222222222222....
....44444443333332....
...4444444433333332...
..444444444333333332..
.44444444443333333332.
2222222222222222222222
""",
)

CROWN = sprite(
    8,
    1,
    """
y..............y
YL.....YL.....Yy
YYL...YLYy...YYy
YYYL.YLRRYy.YYYy
YLYYYYYRrYYYYYYy
YLYYYYYYYYYYYYyy
YRYYTYYRYYTYYRyy
yyyyyyyyyyyyyyyy
""",
)

HORNS = sprite(
    6,
    0,
    """
.R................r.
RR................rr
RR................rr
RRR..............rrr
.ORR............Rrr.
.OORR..........Rrr..
..OORR........RRr...
...OOR........Rr....
""",
)

HALO = sprite(
    8,
    0,
    """
...YYLLLLLLYY...
.YLL........LLY.
.YY..........YY.
..yYYYYYYYYYYy..
""",
)

WIZARD = sprite(
    4,
    0,
    """
............443.........
...........4433.........
..........44Y333........
..........444333........
.........44433333.......
........444433Y33.......
.......44Y44433333......
......444444333333......
.....yyyyyyyYYyyyyy.....
...44444444433333333....
444444444444333333333333
.2222222222222222222222.
""",
)

HEADPHONES = sprite(
    5,
    3,
    """
.......44443333.......
.....44........33.....
....44..........33....
...44............33...
..43..............32..
..4................2..
..4................2..
..3................2..
..3................2..
.3333............2222.
44443............22222
45443............23222
44433............23222
44433............22222
.4333............2222.
..33..............22..
""",
)

SPROUT = sprite(
    11,
    0,
    """
.GGG...GG.
GGGGG.GGGG
gGGGGgGGgg
.gggGggg..
....g.....
....g.....
""",
)

CAT_EARS = sprite(
    7,
    0,
    """
.44............33.
.444..........333.
.4Pp4........3Pp3.
.4PPp4......3PPp3.
.4PPPp4....3PPPp3.
..4P............3.
""",
)

MUSHROOM = sprite(
    4,
    0,
    """
........RRRRRRRR........
......RRRWWWRRRRRR......
.....RRRWWWWWRRRWWr.....
...RRRRRWWWWWRRRWWWrr...
..RRWWRRRWWWRRRRRWWrrr..
.RRWWWRRRRRRRRRRRRRrrrr.
.RRWWWRRRRRRWWWRRRRRrrr.
RRRRWRRRRRRWWWWWRRRWWrrr
RRRRRRRRRRRWWWWWRRRWWrrr
rrrrrrrrrrrrrrrrrrrrrrrr
..wwwwwwwwwwwwwwwwwwww..
""",
)

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

HEADWEAR = {
    "Cap": CAP,
    "Beanie": BEANIE,
    "Bucket hat": BUCKET,
    "Crown": CROWN,
    "Horns": HORNS,
    "Halo": HALO,
    "Wizard hat": WIZARD,
    "Headphones": HEADPHONES,
    "Sprout": SPROUT,
    "Cat ears": CAT_EARS,
    "Mushroom": MUSHROOM,
}
# The row from which hair shows below what covers it.
BRIMS = {"Cap": 9, "Beanie": 11, "Bucket hat": 11, "Crown": 5, "Wizard hat": 11, "Mushroom": 10}
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
