"""What is worn on the head, in the ramp of its dye or in colours of its own."""

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
