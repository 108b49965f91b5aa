"""The last line that a generation tells whoever waited: how it ended, kindly."""

from __future__ import annotations

from collections.abc import Mapping

from domain.generation_events import ErrorCode, Mode

DONE: Mapping[Mode, str] = {
    "still": "Here is your picture. Enjoy it!",
    "video": "Here is your video. Enjoy it!",
}
SORRY: Mapping[ErrorCode, str] = {
    "CONTENT_REFUSED": "We may not make this one. Say it another way; your matcha is yours still.",
    "AI_CREDIT_EXHAUSTED": "Our studio needs a refill, and we are on it. Your matcha is back.",
    "PROVIDER_FAILED": "This did not work out, and it is not your fault. Your matcha is back.",
    "TIMED_OUT": "This took longer than it may, so we stopped. Your matcha is back.",
}
