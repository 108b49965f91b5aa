"""One answer of a provider of a config row, read by that row; the failure that it may be."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Literal

import orjson

from consumers.gateways.mma_ports import Made
from consumers.gateways.pictures import decode_base64
from consumers.gateways.ports import ErrorClass, Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.web import MAX_REASON, Reply, json_object, wait_s
from domain.provider_answer import at, texts_at
from domain.providers import ProviderRow

WAITS_S: dict[ErrorClass, float] = {"transient": 2.0, "throttled": 5.0}
MAX_FACT_BYTES = 2_000

# An address may be signed, and ours to be called at have a secret in them.
_addresses = re.compile(r"https?://\S+|/webhooks/\S+", re.IGNORECASE)
_task_id = re.compile(r"(?!\.+$)[A-Za-z0-9._:-]{1,200}")
_FTYP = b"ftyp"
_EBML = b"\x1a\x45\xdf\xa3"


def is_task_id(text: str) -> bool:
    """It goes into a path, and the vendor chose it."""
    return _task_id.fullmatch(text) is not None


class Reading:
    """`document` is the answer's JSON object, empty when it is none."""

    def __init__(self, row: ProviderRow, reply: Reply, *, secrets: tuple[str, ...]) -> None:
        self.reply = reply
        self._row = row
        self._secrets = secrets

    @cached_property
    def document(self) -> dict[str, Any]:
        return json_object(self.reply) or {}

    @cached_property
    def code(self) -> str:
        """The code of an answer that failed as a whole."""
        return self._row.errors.code_of_all(self.document)

    @property
    def failed(self) -> bool:
        return not 200 <= self.reply.status < 300 or bool(self.code)

    def raise_unless_taken(self, reference: str) -> None:
        """After a call that costs money."""
        if not self.failed:
            return
        silent = self.reply.status == 504 or (self.reply.status >= 500 and not self.reply.body)
        kind = self._class(self.code)
        if silent or kind == "unknown":
            raise OutcomeUnknown(self._reason(self.code), reference=reference)
        raise self._failure(self.code)

    def raise_unless_told(self) -> None:
        """After a question: whatever was not answered may be asked again."""
        if self.failed:
            kind = self._class(self.code)
            after_s = wait_s(self.reply.headers, default=WAITS_S.get(kind, 30.0))
            raise TryAgain(self._reason(self.code), after_s=after_s, error_class=kind)

    def status(self) -> Literal["working", "done", "failed"] | None:
        """Of the task; None when the answer does not tell it."""
        told = 200 <= self.reply.status < 300 and self._row.response.status
        return told.of(self.document) if told else None

    def task_id(self) -> str | None:
        found = next(iter(texts_at(self.document, self._row.response.task)), "")
        return found if is_task_id(found) else None

    def made(self) -> Made:
        """Of a synchronous answer; one output among errors is enough."""
        if output := self._output():
            return output
        if code := self._row.errors.code_of_one(self.document):
            raise self._failure(code)
        if self._row.errors.message_in(self.document):
            raise self._failure("")
        raise TryAgain(f"{self._row.name}: the answer has no output in it")

    def result(self) -> Made:
        """Of a task that is done."""
        if output := self._output():
            return output
        reason = f"{self._row.name}: the result is gone"
        raise WillNotWork(reason, error_class="transient")

    def failed_task(self) -> WillNotWork:
        code = self.code or self._row.errors.code_of_one(self.document)
        return WillNotWork(self._reason(code), error_class=self._class(code))

    def _output(self) -> Made | None:
        response = self._row.response
        facts = self._facts()
        if encoded := texts_at(self.document, response.base64):
            content = decode_base64(encoded[0], vendor=self._row.name)
            return Made((), content, content_type_of(content) or "", facts)
        urls = tuple(texts_at(self.document, response.outputs))
        return Made(urls, None, "", facts) if urls else None

    def _facts(self) -> dict[str, Any]:
        facts = {}
        for name, pointers in self._row.response.facts.items():
            found = next((some for pointer in pointers if (some := at(self.document, pointer))), [])
            if found and self._may_keep(orjson.dumps(found[0])):
                facts[name] = found[0]
        return facts

    def _may_keep(self, fact: bytes) -> bool:
        """A fact is short, and repeats neither a secret nor an address to call us at."""
        said = fact.decode() if len(fact) <= MAX_FACT_BYTES else "/webhooks/"
        return not any(secret in said for secret in (*self._secrets, "/webhooks/") if secret)

    def _class(self, code: str) -> ErrorClass:
        message = self._row.errors.message_in(self.document)
        return self._row.errors.classify(self.reply.status, code, message)

    def _failure(self, code: str) -> Failure:
        kind = self._class(code)
        if kind in WAITS_S:
            after_s = wait_s(self.reply.headers, default=WAITS_S[kind])
            return TryAgain(self._reason(code), after_s=after_s, error_class=kind)
        return WillNotWork(self._reason(code), error_class=kind)

    def _reason(self, code: str) -> str:
        """`name: code: message`, bounded, without a secret even if the vendor repeats it."""
        # What is said about a bad key repeats parts of it.
        refused_us = self.reply.status in (401, 403)
        text = "" if refused_us else self._row.errors.message_in(self.document)
        for secret in self._secrets:
            text = text.replace(secret, "***") if secret else text
        said = " ".join(_addresses.sub("***", text).split())
        return f"{self._row.name}: {code or self.reply.status}: {said}"[:MAX_REASON]


def content_type_of(content: bytes) -> str | None:
    """By the first bytes; of a video only when it is not cut. None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(_EBML):
        return "video/webm"
    return "video/mp4" if content[4:8] == _FTYP and _boxes_fit(content) else None


def _boxes_fit(content: bytes) -> bool:
    """Whether the boxes of an MP4 file fill it exactly, the one with the index among them."""
    at_byte, kinds = 0, set()
    while at_byte + 8 <= len(content):
        size = int.from_bytes(content[at_byte : at_byte + 4])
        kinds.add(content[at_byte + 4 : at_byte + 8])
        if size == 1:
            size = int.from_bytes(content[at_byte + 8 : at_byte + 16])
        elif size == 0:
            size = len(content) - at_byte
        if size < 8:
            return False
        at_byte += size
    return at_byte == len(content) and {b"moov", b"mdat"} <= kinds
