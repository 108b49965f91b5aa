"""Clothes from the neck down: ramp `1` … `5` is the dye, `a` … `e` the second dye."""

from __future__ import annotations

from consumers.pfp.sprite import sprite

TEE = sprite(
    4,
    24,
    """
........43....32........
.....44443....33332.....
...444444322223333332...
..44454443333333333322..
.4445444333333333333222.
.44544443333333333332222
444544433333333333332222
444414433333333333312222
""",
)

STRIPES = sprite(
    4,
    24,
    """
........dd....cc........
.....44443....33332.....
...dddddddcccccccccc....
..44444443333333333322..
.ddddddddccccccccccbbbb.
.44544443333333333332222
ddddddddccccccccccccbbbb
444414433333333333312222
""",
)

HOODIE = sprite(
    4,
    24,
    """
.....3443......3322.....
....44454443.23333322...
..445444443332333333222.
.4454444w333333w33333222
.4544444w333333w33332222
44544444W333333W33333222
444544443333333333332222
444144222222222222221222
""",
)

SUIT = sprite(
    4,
    24,
    """
........WW....ww........
.....333WWWddWww3322....
...44333WWWddWww33322...
..4443333WWcdWww33332...
.44443333WWddWw3333332..
.44443333WWcdWw33333322.
4444413333Wcdw3333312222
4444413333WddYw333312222
""",
)

KIMONO = sprite(
    4,
    24,
    """
........dd....cc........
.....4443dd..cc3332.....
...444443ddccc333332....
..44454443dccc3333332...
.444544443ccc333333222..
.4454444433c3333333322..
4445eeeeeddddddcccbb2222
4445eddddccccccbbbbb2222
""",
)

SPACE = sprite(
    4,
    24,
    """
......wWWWWWWWWWWw......
....wWwwwwwwwwwwwwWw....
...WWWWWWWWWWWWWWwww....
..WWWWddWWWWWWWWWwwww...
.WWWWWddWWw333333wwwww..
.WWWWWWWWWw3R3G3Ywwwww..
WWWWKWWWWWw333333wwKwwww
WWWWKdddddddcccccbbKwwww
""",
)

LEATHER = sprite(
    4,
    24,
    """
......KKK......KKK......
....#KKwK......KKK##....
...KKKK#KW....WK#KKKK...
..KKwKKK#WW..WWw#KKKK#..
.KKwKKKKK#WWWWw#KKKKK##.
.KKwKKKKKw#WWww#KKKKK##.
KKKwKKKKKw#WWww#KKKKK###
KKKK#KKKKw#WWww#KKKK#K##
""",
)

ARMOUR = sprite(
    4,
    24,
    """
.......YYYYYYYYyy.......
...444.YLLYYYYYyy.333...
.444544.4444333.3333322.
444554444444333333333322
444544424444333323333322
444444224545434322333322
222222224444333322222222
.4444.24544434332.33322.
""",
)

TURTLENECK = sprite(
    4,
    24,
    """
.......4433333322.......
.......2222222222.......
.....44443333333322.....
...4444443333333332222..
..44454443333333333222..
.44454443333333333333222
444544443333333333332222
444414433333333333312222
""",
)

CLOTHES = {
    "Tee": TEE,
    "Stripes": STRIPES,
    "Hoodie": HOODIE,
    "Suit": SUIT,
    "Kimono": KIMONO,
    "Space suit": SPACE,
    "Leather jacket": LEATHER,
    "Armour": ARMOUR,
    "Turtleneck": TURTLENECK,
}
