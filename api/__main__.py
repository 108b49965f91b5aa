"""The API's process: settings, the chain, the parts, one server on 127.0.0.1."""

from __future__ import annotations

import asyncio
import signal

import structlog
import uvicorn
import uvloop

import logs
from api.app import create_app
from api.parts import open_parts
from consumers.gateways.evm import EvmRpc
from consumers.gateways.evm_wallets import EvmWallets
from consumers.gateways.ports import TryAgain
from settings import Settings, named_settings

REQUIRED = (
    "database_url",
    "mega_master_key",
    "mega_jwt_key",
    "mega_statement_key",
    "evm_rpc_urls",
    "role_mint_address",
    "payment_token_address",
    "payment_treasury",
)
GRACE_S = 10

log = structlog.get_logger()


async def main() -> None:
    settings = Settings.load_or_exit(require=REQUIRED)
    logs.configure()
    rpc = EvmRpc(
        settings.evm_rpc_urls,
        chain_id=settings.evm_chain_id,
        contract=settings.role_mint_address or "",
        token=settings.payment_token_address or "",
        treasury=settings.payment_treasury or "",
    )
    wallets = EvmWallets(settings.evm_rpc_urls, chain_id=settings.evm_chain_id)

    async def head() -> int | None:
        try:
            return (await rpc.head()).number
        except TryAgain:
            return None

    async def ask_wallet(address: str, digest: bytes, signature: bytes) -> bool | None:
        try:
            return await wallets.accepts(address, digest, signature)
        except TryAgain as silent:
            log.warning("wallet_not_asked", why=silent.reason)
            return None

    try:
        async with open_parts(settings, head, ask_wallet) as parts:
            await serve(uvicorn.Server(configured(create_app(parts), settings.mega_port)))
    finally:
        await rpc.aclose()
        await wallets.aclose()


def configured(app: object, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


async def serve(server: uvicorn.Server) -> None:
    """Runs until SIGINT or SIGTERM. The server passes a signal on when it has stopped; handlers of
    our own make that harmless, so that the parts are still closed in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    await server.serve()


if __name__ == "__main__":
    with named_settings():
        uvloop.run(main())
