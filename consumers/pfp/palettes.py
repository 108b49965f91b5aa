"""The colours: ramps of five tones, dark to light, whose shadows lean to violet and lights to warm.

Colours are (red, green, blue) of sRGB, 0 … 255.
"""

from __future__ import annotations

Colour = tuple[int, int, int]
Ramp = tuple[Colour, ...]


def colour(code: str) -> Colour:
    red, green, blue = bytes.fromhex(code)
    return red, green, blue


def ramp(codes: str) -> Ramp:
    return tuple(colour(code) for code in codes.split())


FIXED = {
    "#": colour("170f28"),  # ink
    "K": colour("2a2140"),  # soft ink
    "W": colour("f6f4ff"),
    "w": colour("c9cfe6"),
    "R": colour("e8344e"),
    "r": colour("9c1f45"),
    "O": colour("ff8a3c"),
    "Y": colour("ffd84a"),
    "y": colour("d08a20"),
    "L": colour("fff6b8"),
    "G": colour("5fd068"),
    "g": colour("2f8f52"),
    "T": colour("4de8f4"),
    "t": colour("2494c8"),
    "P": colour("ff7fb0"),
    "p": colour("d4467e"),
    "V": colour("9a6bff"),
    "n": colour("7a4a34"),
}

INK = FIXED["#"]

SKINS = {
    "Porcelain": ramp("a8586a d68f86 f3bfa3 ffdcbf fff0dc"),
    "Honey": ramp("8f4a45 c27a58 e8a873 f9c891 ffe4b6"),
    "Amber": ramp("77382f a85f3c d48c54 ecae6d fdd093"),
    "Umber": ramp("542839 824037 ab6344 c98659 e4ac7c"),
    "Ebony": ramp("38203a 57303c 7c4a40 9d664f c0886a"),
    "Moss": ramp("2d4a3f 4d7348 7ea356 a9c66c d6e498"),
    "Mildew": ramp("314c5c 4d7a78 79a890 a6cba2 d5e8bd"),
    "Lilac": ramp("4c3488 7452b8 a37be0 c6a4f4 e7d2ff"),
    "Glacier": ramp("1f5a8c 2f8ab4 55bcd2 8fe0e2 ccf8f0"),
    "Lime": ramp("2a7048 43a04c 7ccf53 b0ec6c e2fca4"),
    "Marmalade": ramp("8a3430 c05a30 ee8c3e ffb45c ffdc98"),
    "Smoke": ramp("3a3a5c 5a5c82 8488a8 aeb4ca dce0ec"),
    "Midnight": ramp("1c1836 2c2850 443f74 625c9c 8a86c4"),
    "Cream": ramp("a0685c d09c7c f2cf9f ffe8c4 fff8e8"),
    "Steel": ramp("39466c 5a6c94 8698b8 b4c4d8 e6f0f8"),
    "Gold": ramp("8a4a1c c07a20 eeb030 ffd85c fff4b0"),
    "Copper": ramp("6c2c34 a04c3c d4784c f0a46c ffd4a0"),
    "Ivory": ramp("7c6a80 b4a49c e0d4b8 f6eed6 fffdf2"),
    "Obsidian": ramp("18142c 2a2546 3e3a64 5c5a8c 8c8cc0"),
}

DYES = {
    "Ink": ramp("191428 282140 3d345e 5a4f86 8a7db4"),
    "Chestnut": ramp("3a1a28 5c2c30 86463a ae6a48 d69a66"),
    "Ginger": ramp("6c2030 a63a30 dc6434 f8923e ffc46a"),
    "Blond": ramp("8c5428 c48830 eebc44 ffdf70 fff4b0"),
    "Rose": ramp("7a1c58 b83274 ec5a94 ff90b4 ffc8d4"),
    "Lagoon": ramp("14425e 186a80 22a0a4 50d0bc a4f4d8"),
    "Violet": ramp("35207a 5632b4 8452ec ae88ff d8beff"),
    "Snow": ramp("5e6890 909ebc c0cee2 e6eef8 ffffff"),
    "Matcha": ramp("24503a 3c7a3c 68a844 9cd258 d2f090"),
    "Crimson": ramp("5c1438 921e40 d0343c f4604e ff9c78"),
    "Cobalt": ramp("1a1e64 26369c 3a5cdc 6490fc a4c8ff"),
    "Sand": ramp("785444 ac8060 dab284 f2d6a8 fff2d4"),
    "Slate": ramp("242a48 3a4468 586690 8492b8 b8c4e0"),
}

IRISES = {
    "Hazel": ramp("4a2a28 7a4a30 a87840"),
    "Sky": ramp("1c3c8c 2c70d0 5cb4f8"),
    "Jade": ramp("125040 1e8a58 4cc878"),
    "Violet": ramp("40208c 6c40d0 a880ff"),
    "Ember": ramp("8c1c30 e04430 ff9440"),
}

GLOWS = {
    "Cyan": ramp("0f5878 18b8d8 a8fcff"),
    "Magenta": ramp("701060 f03cb0 ffb8f0"),
    "Amber": ramp("804010 ffa020 fff0a0"),
    "Acid": ramp("286010 78e830 e8ffa0"),
}

SKIES = {
    "Grape": ramp("2e1f6e 4a33a0 6f52d0 9a80f0 c8b4ff"),
    "Peach": ramp("c2506c ea7c72 ffa880 ffcc98 ffe8bc"),
    "Mint": ramp("1c6c74 2c9c8c 54c8a0 8ce8b8 c8fcd8"),
    "Ocean": ramp("142c78 1e50a8 3484d8 64b8f4 a8e4ff"),
    "Bubblegum": ramp("8c2c8c c44cac f078c0 ffa4cc ffd4e0"),
    "Lemon": ramp("c06c28 e89c30 ffc848 ffe478 fff8bc"),
    "Matcha": ramp("2c5c40 488448 74ac54 a4d070 d4eca0"),
    "Night": ramp("100c30 1c1850 302a78 4c46a4 7c7cd4"),
}
