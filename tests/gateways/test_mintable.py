"""Pictures for the chain: what the contract takes, at the best that fits."""

from __future__ import annotations

import base64
import io
from random import Random
from time import perf_counter

import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat

from consumers.gateways.mintable import LARGEST_BYTES, mintable
from consumers.gateways.pictures import decode_picture
from consumers.gateways.ports import Picture

CONTRACTS_BASE64_BYTES = 24_576


def photo(side: int = 1024, *, grain: float = 0.3, mode: str = "RGB") -> Picture:
    """Gradients, edges and film grain, as a camera makes them; a grain of 1 is only noise."""
    base = Image.radial_gradient("L").resize((side, side))
    noise = Image.frombytes("L", (side, side), Random(7).randbytes(side * side))
    rough = Image.blend(base, noise, grain)
    edges = base.filter(ImageFilter.FIND_EDGES).point(lambda value: 255 if value > 8 else 0)
    channels = (rough, ImageChops.invert(rough), ImageChops.lighter(rough, edges), noise)
    return saved(Image.merge(mode, channels[: len(mode)]))


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> Picture:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return Picture(written.getvalue(), f"image/{kind.lower()}", image.width, image.height)


def opened(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.content))


def test_the_bound_is_the_contracts() -> None:
    assert len(base64.b64encode(bytes(LARGEST_BYTES))) == CONTRACTS_BASE64_BYTES
    assert len(base64.b64encode(bytes(LARGEST_BYTES + 1))) > CONTRACTS_BASE64_BYTES


async def test_a_noisy_photo_fits_and_is_used_to_the_last_kilobytes() -> None:
    original = photo()
    started = perf_counter()
    small = await mintable(original)
    assert perf_counter() - started < 5
    assert len(base64.b64encode(small.content)) <= CONTRACTS_BASE64_BYTES
    assert len(small.content) > LARGEST_BYTES * 0.7
    decoded = await decode_picture(small.content, vendor="us")
    assert decoded == small
    assert small.content_type == "image/webp" and 128 <= small.width == small.height <= 512
    assert difference(original, small) < 12


def difference(one: Picture, other: Picture) -> float:
    """The mean distance of two pictures' colours when both are seen from far away, 0 to 255."""
    far = [
        opened(each).convert("RGB").resize((32, 32), Image.Resampling.BOX) for each in (one, other)
    ]
    return max(ImageStat.Stat(ImageChops.difference(*far)).mean)


async def test_the_same_picture_gives_the_same_bytes() -> None:
    original = photo(700)
    assert await mintable(original) == await mintable(original)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(2000, 1000, (512, 256)), (1000, 2000, (256, 512)), (300, 200, (300, 200)), (1, 1, (1, 1))],
)
async def test_it_keeps_its_shape_and_never_grows(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    small = await mintable(saved(Image.linear_gradient("L").resize((width, height))))
    assert (small.width, small.height) == expected == opened(small).size


async def test_what_is_seen_through_stays_so() -> None:
    image = Image.new("RGBA", (600, 600), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 300, 600))
    small = opened(await mintable(saved(image)))
    assert small.mode == "RGBA"
    assert (small.getpixel((10, 10))[3], small.getpixel((500, 10))[3]) == (0, 255)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_pure_noise_fits_too(mode: str) -> None:
    small = await mintable(photo(grain=1, mode=mode))
    assert len(small.content) <= LARGEST_BYTES


async def test_notes_and_profiles_of_the_original_are_left_behind() -> None:
    image = Image.linear_gradient("L").convert("RGB")
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "x" * 30_000  # to be turned; a long description
    heavy = saved(image.resize((200, 100)), "JPEG", exif=exif, icc_profile=b"p" * 40_000)
    small = await mintable(heavy)
    assert (small.width, small.height) == (100, 200)
    assert len(small.content) <= LARGEST_BYTES
    assert not {"exif", "icc_profile"} & set(opened(small).info)


@pytest.mark.parametrize("mode", ["P", "L", "1", "LA", "CMYK", "I;16"])
async def test_every_kind_of_picture_is_taken(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    source = Image.linear_gradient("L")
    image = source.convert(mode) if mode != "I;16" else source.convert("I").convert("I;16")
    small = await mintable(saved(image, kind))
    assert opened(small).mode in ("RGB", "RGBA")
