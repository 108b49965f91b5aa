"""What the studio's reactions may ask of the makers of stills, videos and texts.

Failures are the three of `ports.py`, and nothing is retried here. A maker of media is a row of the
config `mma.provider.registry` (`domain/providers.py`), so that a new one needs no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from consumers.gateways.ports import TryAgain

MediaKind = Literal["still", "video"]


class NotWhole(TryAgain):
    """GPT stopped in the middle: more tokens may be what it needs."""


@dataclass(frozen=True, slots=True)
class MediaWanted:
    """One still or video to be made: the `attempt`-th try (from 1) of a generation.

    `images` are permanent public URLs by role: `product`, `logo`, `previous` and the tuple
    `inspirations` of a still; `image` and `end_image` of a video. A role without a picture is
    absent. `settings` are what was chosen in the studio (`aspect_ratio`, `duration`, …), never
    checked here. `callback_url` is where the maker may tell that it is done, empty for nowhere.
    """

    generation_id: str
    attempt: int
    kind: MediaKind
    prompt: str
    images: Mapping[str, str | tuple[str, ...]]
    settings: Mapping[str, Any]
    callback_url: str = ""

    @property
    def reference(self) -> str:
        """Our id of this attempt; the maker keeps it, where it can, and finds the work by it."""
        first = self.attempt == 1
        return self.generation_id if first else f"{self.generation_id}-{self.attempt}"


@dataclass(frozen=True, slots=True)
class Submitted:
    """The maker has the work and calls it `task_id`."""

    task_id: str


@dataclass(frozen=True, slots=True)
class Made:
    """What was made. Either `content` (the first output's bytes) or `urls`, which expire.

    `facts` may be stored as they are in a step: the maker's request id, usage, sizes; never a
    secret, never base64. `content_type` is empty while nobody said it.
    """

    urls: tuple[str, ...]
    content: bytes | None = field(default=None, repr=False)
    content_type: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


class MediaProvider(Protocol):
    """One maker. `asynchronous`: `start` answers `Submitted` and `poll` says what became of it.

    `recoverable`: after `OutcomeUnknown` of `start`, `find` knows whether the work was taken.
    Without it the only way on is another attempt, at our cost.
    """

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def asynchronous(self) -> bool: ...

    @property
    def recoverable(self) -> bool: ...

    def request_of(self, wanted: MediaWanted) -> dict[str, Any]:
        """The JSON body that `start` sends, pictures in it by URL, for the step. It differs in the
        path of `callback_url` only, `/***` here: it may be a secret. WillNotWork (invalid) when
        the settings do not fit this maker."""
        ...

    async def start(self, wanted: MediaWanted) -> Made | Submitted: ...

    async def find(self, wanted: MediaWanted) -> Made | Submitted | None:
        """The work of this attempt by its `reference`; None when the maker has never seen it."""
        ...

    async def poll(self, task_id: str) -> Made | None:
        """None: it is still being worked on. WillNotWork: the task is over without a result, by the
        class of its reason (`refused`, …; `transient` when it was the maker's own, so that another
        attempt may work). TryAgain: no answer about the task; ask again. Never OutcomeUnknown."""
        ...

    async def fetch(self, made: Made) -> tuple[bytes, str]:
        """The bytes of the first output and their content type: a picture that was decoded whole, a
        video that is not cut. WillNotWork when it lies on a host that is not allowed. TryAgain when
        it is damaged or its address does not answer (any more): `poll` gives a new address."""
        ...


class MediaProviders(Protocol):
    """Makers from config rows, built for each use: a changed row counts from the next one on."""

    def of(self, row: Mapping[str, Any], defaults: Mapping[str, Any]) -> MediaProvider:
        """`row` is one of `mma.provider.registry`, `defaults` the value of
        `mma.provider.<name>.defaults`. WillNotWork (invalid) when either does not fit, or when the
        row's host is not in MEGA_PROVIDER_HOSTS."""
        ...


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A still or a video at its permanent public URL; a video has no `width` and `height` here."""

    url: str
    sha256: str
    content_type: str
    bytes: int
    width: int | None = None
    height: int | None = None


class MediaStore(Protocol):
    """Where generations are kept for ever. Every broken call is TryAgain: the same bytes of the
    same generation have one place."""

    async def put(self, generation_id: str, content: bytes, content_type: str) -> StoredMedia: ...

    async def find(self, generation_id: str) -> StoredMedia | None:
        """What was stored of a generation, the newest; None: nothing."""
        ...


class Felt(Protocol):
    """What passes have liked, disliked or downloaded."""

    async def newest(self, pass_id: str, most: int) -> list[str]:
        """Ids of generations, what was felt last comes first."""
        ...


class Texts(Protocol):
    """GPT. The request is built and recorded by whoever asks; what is posted are its very bytes."""

    async def ask(self, body: bytes, *, reference: str) -> str:
        """The text that the model wrote: whole, never a refusal. WillNotWork: `refused` (a refusal,
        content filter, policy), `quota`, `invalid`. TryAgain: throttled, overloaded. NotWhole: the
        answer was cut. OutcomeUnknown: silence after sending; asking again only costs money."""
        ...
