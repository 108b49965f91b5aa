"""`mega pfp`: a portrait made again from the seed that its metadata holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from cli.say import AsJson, as_json, hint, table

SEED = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


def seed(text: str) -> bytes:
    if not (found := SEED.fullmatch(text.strip())):
        raise typer.BadParameter(
            f"{text!r} is no seed. A seed is 64 hexadecimal digits (32 bytes);"
            " that of a minted token stands in its metadata, at properties.seed."
        )
    return bytes.fromhex(found[1])


def render(
    seed_: Annotated[
        bytes,
        typer.Argument(metavar="SEED", parser=seed, help="64 hex digits, as in properties.seed."),
    ],
    file: Annotated[Path, typer.Argument(help="Where to write the PNG.")],
    json_: AsJson = False,
) -> None:
    """Draw the portrait of a seed, byte for byte the one that was minted, and name its traits."""
    from hashlib import sha256

    from consumers.pfp import generate

    portrait = generate(seed_)
    try:
        file.write_bytes(portrait.png)
    except OSError as wrong:
        raise SystemExit(
            f"{file} cannot be written: {wrong.strerror}."
            " Name a file in a folder that exists and that you may write to."
        ) from None
    digest = sha256(portrait.png).hexdigest()
    if json_:
        traits = {trait.kind: trait.value for trait in portrait.traits}
        as_json({"seed": seed_.hex(), "file": str(file), "sha256": digest, "traits": traits})
        return
    table(("trait", "value"), [(trait.kind, trait.value) for trait in portrait.traits])
    hint(f"{file}: {len(portrait.png):,} bytes, sha256 {digest}")
