"""What counts as a whole picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from consumers.gateways.pictures import decode_picture, digest, picture_key
from consumers.gateways.ports import Picture, TryAgain, WillNotWork


def drawn(kind: str, side: int = 64) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((side, side), 80).convert("RGB").save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_whole_file_is_a_picture_and_a_cut_one_is_not(kind: str) -> None:
    content = drawn(kind)
    picture = await decode_picture(content, vendor="x")
    assert (picture.content_type, picture.width) == (f"image/{kind.lower()}", 64)
    for length in (0, 10, len(content) // 2, len(content) - 20):
        with pytest.raises(TryAgain):
            await decode_picture(content[:length], vendor="x")


async def test_a_flipped_byte_in_a_png_is_found() -> None:
    content = bytearray(drawn("PNG"))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(TryAgain):
        await decode_picture(bytes(content), vendor="x")


async def test_other_formats_and_huge_pictures_are_not_taken() -> None:
    with pytest.raises(TryAgain):
        await decode_picture(drawn("GIF"), vendor="x")
    huge = io.BytesIO()
    Image.new("1", (4097, 4097)).save(huge, "PNG")
    with pytest.raises(WillNotWork):
        await decode_picture(huge.getvalue(), vendor="x")


async def test_a_picture_with_another_behind_it_is_a_jpeg() -> None:
    file = io.BytesIO()
    first, second = (Image.new("RGB", (64, 48), colour) for colour in ("red", "blue"))
    first.save(file, "MPO", save_all=True, append_images=[second])
    picture = await decode_picture(file.getvalue(), vendor="x")
    assert (picture.content_type, picture.width) == ("image/jpeg", 64)


async def test_a_jpeg_of_a_thousand_scans_is_not_decoded() -> None:
    file = io.BytesIO()
    Image.new("L", (64, 64), 128).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    assert (await decode_picture(content, vendor="x")).width == 64
    last = content[content.rindex(b"\xff\xda") : -2]
    bomb = content[:-2] + 1000 * last + content[-2:]
    with pytest.raises(TryAgain, match="scans"):
        await decode_picture(bomb, vendor="x")


def test_a_key_is_made_of_the_content() -> None:
    picture = Picture(content=b"abc", content_type="image/jpeg", width=1, height=1)
    assert picture_key("gen/7", picture) == f"gen/7/{digest(b'abc')}.jpg"
