"""What is said to the studio: briefs, pictures, settings (seed 001 §4, §8; defaults §4.2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from api.body import AnyJson, Body, canonical
from domain.generation_events import EventType
from domain.preferences import BLOCKS_MAX, TAG_MAX, TAGS_MAX, WEIGHT_MAX

TEXT_MAX = 4_000
INSPIRATIONS_MAX = 4
URL_MAX = 2_048
META_MAX = 4_000


def _not_blank(text: str) -> str:
    """Something must be there to read: a zero-width space is blank, too."""
    if not any(char.isprintable() and not char.isspace() for char in text):
        raise ValueError("must not be blank")
    return text


def _bounded(meta: dict[str, Any]) -> dict[str, Any]:
    if len(canonical(meta)) > META_MAX:
        raise ValueError(f"must be at most {META_MAX} bytes of JSON")
    return meta


Words = Annotated[
    str, StringConstraints(min_length=1, max_length=TEXT_MAX), AfterValidator(_not_blank)
]
Picture = Annotated[str, StringConstraints(min_length=1, max_length=URL_MAX)]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=TAG_MAX), AfterValidator(_not_blank)
]
Weight = Annotated[int, Field(ge=-WEIGHT_MAX, le=WEIGHT_MAX)]
Meta = Annotated[dict[str, AnyJson], AfterValidator(_bounded)]
AspectRatio = Literal["1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9"]
"""What Seedream knows (`providers.md` §2)."""


class Settings(Body):
    """Which of these count is said by the provider's row in the registry."""

    quality: Literal["standard", "high"] | None = None
    strength: Annotated[int, Field(ge=0, le=100)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None

    @property
    def chosen(self) -> dict[str, Any]:
        """As it is kept: what was left open is absent."""
        return self.model_dump(exclude_none=True)


class StillSettings(Settings):
    aspect_ratio: AspectRatio = "1:1"


class VideoSettings(Settings):
    """Without an aspect ratio the video has its image's; without a movement style it has none."""

    aspect_ratio: AspectRatio | None = None
    duration: Literal[5, 10] | None = None
    movement_style: Name | None = None


class NewStill(Body):
    """Without a style there is none; without pictures the brief stands alone."""

    brief: Words
    product_image: Picture | None = None
    logo_image: Picture | None = None
    inspiration_images: Annotated[list[Picture], Field(max_length=INSPIRATIONS_MAX)] | None = None
    style: Name | None = None
    settings: StillSettings = StillSettings()

    @property
    def assets(self) -> dict[str, Any]:
        named = {"product_image": self.product_image, "logo_image": self.logo_image}
        found: dict[str, Any] = {name: url for name, url in named.items() if url}
        if self.inspiration_images:
            found["inspiration_images"] = list(self.inspiration_images)
        return found


class NewVideo(Body):
    image: Picture
    end_image: Picture | None = None
    prompt: Annotated[str, StringConstraints(max_length=TEXT_MAX)] | None = None
    settings: VideoSettings = VideoSettings()

    @property
    def assets(self) -> dict[str, Any]:
        named = {"image": self.image, "end_image": self.end_image}
        return {name: url for name, url in named.items() if url}


class OneImage(Body):
    image: Picture

    @property
    def assets(self) -> dict[str, Any]:
        return {"image": self.image}


class Tweak(Body):
    feedback: Words


class Feedback(Body):
    text: Words


class PreferencesChosen(Body):
    """Weights from -100 (never) to 100 (always)."""

    hard_blocks: list[Name] = Field(default_factory=list, max_length=BLOCKS_MAX)
    tag_weights: dict[Name, Weight] = Field(default_factory=dict, max_length=TAGS_MAX)


class PreferencesMeta(Body):
    """`meta` of a `preference_set`."""

    preferences: PreferencesChosen


class Told(Body):
    """`meta` is JSON of the page's own; of a `preference_set` it has `preferences`."""

    event_type: EventType
    generation_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    meta: Meta = Field(default_factory=dict)
