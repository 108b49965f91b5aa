"""The mail twin: the sending half of Resend's API.

Read in a source (the vendor's documentation of errors and of idempotency keys): `POST /emails`, the
fields, `{id}`, at most 50 recipients, the header `Idempotency-Key` of 1 to 256 characters that
counts for 24 hours, the names and statuses of the errors.

From memory, therefore no proof about the vendor: the sentences of its errors, and that unknown
fields are ignored. Ours: any key is a good key, and nothing leaves the machine.

Effect kind: `mail_sent` {mail_id, idempotency_key, to, subject}; `request.body` is what was said,
codes in it and all, for that is how a test signs in.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from embedded.twins.wire import Answer, Call

KEY_COUNTS = timedelta(hours=24)
MAX_KEY = 256
MAX_RECIPIENTS = 50


class Letter(BaseModel):
    """One mail to be sent."""

    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=True)

    sender: str = Field(alias="from", pattern=r"^[^@\r\n]*@[^@\r\n]+$")
    to: str | list[str]
    subject: str = Field(min_length=1)
    text: str | None = None
    html: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Letter:
        if self.text is None and self.html is None:
            raise ValueError("Missing `html` or `text` field")
        if not 1 <= len(self.recipients) <= MAX_RECIPIENTS:
            raise ValueError("The `to` field takes 1 to 50 addresses")
        if any("@" not in address for address in self.recipients):
            raise ValueError("Invalid `to` field")
        return self

    @property
    def recipients(self) -> list[str]:
        return [self.to] if isinstance(self.to, str) else self.to


class Mail:
    """`POST /emails`."""

    name = "mail"
    base_path = ""

    async def answer(self, call: Call) -> Answer:
        if (call.method, call.path) != ("POST", "/emails"):
            return _refused(404, "not_found", "The requested endpoint does not exist.")
        if not call.bearer():
            return _refused(401, "missing_api_key", "Missing API key in the authorization header.")
        key = call.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= MAX_KEY:
            return _refused(400, "invalid_idempotency_key", "The key must be 1 to 256 characters.")
        try:
            mail = Letter.model_validate_json(call.body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            return _refused(422, "validation_error", f"{where} {first['msg']}".strip())
        return self._sent_before(call, key) or self._send(call, key, mail)

    def _send(self, call: Call, key: str | None, mail: Letter) -> Answer:
        mail_id = str(uuid.uuid4())
        told = {"to": mail.recipients, "subject": mail.subject}
        call.record("mail_sent", mail_id=mail_id, idempotency_key=key, **told)
        return Answer.json(200, {"id": mail_id})

    def _sent_before(self, call: Call, key: str | None) -> Answer | None:
        """The first answer to this key again, as long as it counts; a no when the mail differs."""
        for item in reversed(call.journal.items if key else ()):
            if item["idempotency_key"] != key or _counts_until(item) <= call.journal.now():
                continue
            if item["request"]["body"] != call.readable_body():
                message = "This key was used with another mail."
                return _refused(409, "invalid_idempotent_request", message)
            return Answer.json(200, {"id": item["mail_id"]})
        return None


def _counts_until(item: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(item["at"]) + KEY_COUNTS


def _refused(status: int, name: str, message: str) -> Answer:
    return Answer.json(status, {"statusCode": status, "name": name, "message": message})
