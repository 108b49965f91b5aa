"""Why a generation is not begun, changed or talked about."""

from __future__ import annotations

from domain.event import Refused


class NotFinished(Refused):
    """This one is not done yet; wait until it is."""


class NeverFinished(NotFinished):
    """This one came to nothing, and nothing was charged for it; make it anew."""


class AlreadyEnded(Refused):
    """This one has ended already; there is nothing left to cancel."""


class NotAVideo(Refused):
    """Only a video takes this kind of feedback; tweak a still instead."""


class NotAStill(Refused):
    """Only a still can be tweaked; send feedback about a video instead."""


class TooMuchFeedback(Refused):
    """There is enough feedback on this one already."""
