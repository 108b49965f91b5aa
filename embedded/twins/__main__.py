"""`python -m embedded.twins`: every twin in this one process, each on its own port of 127.0.0.1.

`MEGA_TWIN_PORTS` (JSON, `{"openai": 1234, "seedream": 1235}`) says which twins and where; without
it every twin gets a free port. `MEGA_TWIN_DIR` is the folder of the ledgers of effects and of the
clocks; without it they are forgotten at the end. One line of JSON on stdout tells the ports once
connections are taken. SIGINT and SIGTERM end the process.

The x402 facilitator settles on the first node of `EVM_RPC_URLS` (chain `EVM_CHAIN_ID`) and pays gas
with `MEGA_TWIN_FACILITATOR_KEY`, by default the development world's account. OnchainFi asks
`MEGA_X402_FACILITATOR_URL`, by default the facilitator of this process. Shopify sends its webhooks
to `MEGA_PUBLIC_URL` in the name of `MEGA_SHOPIFY_SHOP`, signed with the last of
`MEGA_SHOPIFY_SECRETS`.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

import uvicorn

from embedded.twins.farcaster import Farcaster
from embedded.twins.front import Front, Twin
from embedded.twins.google import Google
from embedded.twins.ipfs import Ipfs
from embedded.twins.irys import Irys
from embedded.twins.journal import Journal
from embedded.twins.kling import Kling
from embedded.twins.mail import Mail
from embedded.twins.onchainfi import OnchainFi
from embedded.twins.openai import OpenAI
from embedded.twins.replicate import Replicate
from embedded.twins.seedream import Seedream
from embedded.twins.shopify import Shopify
from embedded.twins.solana import Solana
from embedded.twins.web import Web
from embedded.twins.wire import BreakableProtocol, Receive, Scope, Send
from embedded.twins.x402_facilitator import CHAIN_ID, X402Facilitator

HOST = "127.0.0.1"
STOP_WITHIN_S = 2

# Those that are told by the environment what they have to know.
ALONE = (OpenAI, Seedream, Kling, Replicate, Irys, Ipfs, Farcaster, Google, Shopify, Mail, Web)
NAMES = [each.name for each in (*ALONE, X402Facilitator, OnchainFi, Solana)]


def all_twins(ports: dict[str, int], folder: Path | None) -> dict[str, Twin]:
    """Every twin by name; `ports` are those of this process, `folder` is where they keep things."""
    given = os.environ.get
    rpc_url = given("EVM_RPC_URLS", "").partition(",")[0].strip()
    chain_id = int(given("EVM_CHAIN_ID") or CHAIN_ID)
    own = f"http://{HOST}:{ports[X402Facilitator.name]}" if X402Facilitator.name in ports else ""
    twins: list[Twin] = [
        *(each() for each in ALONE),
        X402Facilitator(rpc_url, given("MEGA_TWIN_FACILITATOR_KEY", ""), chain_id),
        OnchainFi(given("MEGA_X402_FACILITATOR_URL") or own),
        Kling(given("KLING_ACCESS_KEY", ""), given("KLING_SECRET_KEY", "")),
        Replicate(given("REPLICATE_WEBHOOK_SECRET", "")),
    ]
    if Solana.name in ports:  # its chain is on disk, and nobody else's business
        twins.append(Solana(folder))
    return {twin.name: twin for twin in twins}


class ByPort:
    """One application on many sockets: the port a call came in by says whose call it is."""

    def __init__(self, fronts: dict[int, Front]) -> None:
        self.fronts = fronts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.fronts[scope["server"][1]](scope, receive, send)


def wanted_ports(text: str | None, names: list[str]) -> dict[str, int]:
    """The ports asked for, 0 for "any"; ends the process with a sentence when malformed."""
    if not text:
        return dict.fromkeys(names, 0)
    try:
        ports = json.loads(text)
    except ValueError:
        raise SystemExit("The setting MEGA_TWIN_PORTS is malformed: it is not JSON.") from None
    if not isinstance(ports, dict) or not ports:
        raise SystemExit("The setting MEGA_TWIN_PORTS is malformed: it is no object of ports.")
    for name, port in ports.items():
        if name not in names:
            raise SystemExit(f"The setting MEGA_TWIN_PORTS names {name!r}, which is no twin.")
        if type(port) is not int or not 0 <= port <= 65535:
            raise SystemExit(f"The setting MEGA_TWIN_PORTS has no port number for {name}.")
    return ports


def listen(name: str, port: int) -> socket.socket:
    """A socket that already takes connections, so that the line on stdout is a promise kept."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it; without it head and body of an answer come 40 ms apart.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        opened.bind((HOST, port))
        opened.listen(128)
    except OSError as error:
        raise SystemExit(f"The {name} twin cannot listen on {HOST}:{port}: {error}.") from None
    return opened


async def serve() -> None:
    ports = wanted_ports(os.environ.get("MEGA_TWIN_PORTS"), NAMES)
    place = os.environ.get("MEGA_TWIN_DIR")
    folder = Path(place) if place else None
    sockets = {name: listen(name, port) for name, port in ports.items()}
    bound = {name: opened.getsockname()[1] for name, opened in sockets.items()}
    twins = all_twins(bound, folder)
    fronts = {bound[name]: Front(twins[name], Journal(name, folder)) for name in ports}
    config = uvicorn.Config(
        ByPort(fronts),
        http=BreakableProtocol,
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,  # the wire adds one unless a script has its own
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    sys.stdout.write(json.dumps(bound) + "\n")
    sys.stdout.flush()
    await uvicorn.Server(config).serve(sockets=list(sockets.values()))
    for front in fronts.values():
        front.journal.close()


if __name__ == "__main__":
    asyncio.run(serve())
