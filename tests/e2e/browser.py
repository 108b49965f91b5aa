"""A browser with somebody signed in.

Every request that changes something has a key and is asked again while nobody answers, and every
look waits for the last change, as the contract tells frontends to do.
"""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import stamina

from tests.e2e.stage import Stage
from tests.waiting import eventually

Json = dict[str, Any]
PATIENCE_S = 45.0


class Browser:
    def __init__(self, stage: Stage, name: str, **identity: Any) -> None:
        """`identity`: the fid and the wallets that this pass signs in with."""
        self.stage, self.name = stage, name
        self._identity = identity
        self._position = 0
        self._client = httpx.Client(base_url=stage.api, timeout=30)
        self.sign_in()

    def sign_in(self, scope: str = "user auditor") -> None:
        """A new token: what was signed in before is forgotten here, not there."""
        body = {"user_id": self.name, **self._identity, "scope": scope}
        answer = self.ask("POST", "/auth/dev", json=body).json()
        self.pass_id = answer["pass_id"]
        self._client.headers["authorization"] = f"Bearer {answer['access_token']}"

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        for attempt in stamina.retry_context(
            on=httpx.TransportError, attempts=None, timeout=120, wait_initial=0.05, wait_max=0.5
        ):
            with attempt:
                answer = self._client.request(method, path, **more)
                if answer.is_error:
                    self.stage.canary.error(f"{answer.headers} {answer.text}")
                return answer
        raise AssertionError("stamina always returns or raises")

    def change(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Asks for a change, however it is answered."""
        key = {"idempotency-key": secrets.token_hex(8)}
        answer = self.ask(method, path, json=body or {}, headers=key | headers)
        self._position = int(answer.headers.get("x-ledger-position", self._position))
        return answer

    def post(self, path: str, body: Any = None, *, status: int | None = None) -> Json:
        answer = self.change("POST", path, body)
        wanted = answer.is_success if status is None else answer.status_code == status
        assert wanted, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def catch_up(self) -> None:
        """From now on every look shows all that was recorded until now, whoever asked for it."""
        self._position = self.stage.facts.head()

    def get(self, path: str, **params: Any) -> Json:
        """What I wrote last is in it; a projection that is behind is asked again."""

        def asked() -> httpx.Response | None:
            query = httpx.QueryParams(**params, min_position=self._position)
            answer = self.ask("GET", path, params=query)
            return None if answer.status_code == 503 else answer

        answer = eventually(asked, PATIENCE_S)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json())
