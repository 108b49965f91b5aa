"""A facilitator that finds every payment good at once, so that its own time does not count."""

from __future__ import annotations

import os

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

ANSWER = b'{"isValid":true,"payer":""}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]


async def yes(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        continue
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


async def main() -> None:
    port = int(os.environ["YES_PORT"])
    config = uvicorn.Config(
        yes,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_level="warning",
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(main())
