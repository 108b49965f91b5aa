"""JSON lines on standard output; whatever looks like a token or a secret is masked on the way."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

MASK = "***"
_names = re.compile(r"token|secret|authorization|cookie|password|signature|private|key$", re.I)
_values = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|(?<=token=)[^&\s]+"
)
_paths = re.compile(r"^(/webhooks/[^/]+)/.+")


def masked(text: str) -> str:
    """`text` without JWTs, passwords in URLs, and secrets in paths."""
    return _paths.sub(rf"\1/{MASK}", _values.sub(MASK, text))


def mask(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if isinstance(value, str) and name != "event":
            event[name] = MASK if _names.search(name) else masked(value)
    return event


def configure() -> None:
    """For this process: structlog, and the standard library's loggers through it."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            mask,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Through()], force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


class _Through(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said = structlog.get_logger()
        said.log(record.levelno, record.getMessage(), origin=record.name, exc_info=record.exc_info)


def _json(event: EventDict, **_: Any) -> bytes:
    return orjson.dumps(event, default=str)
