"""The API's process: settings, the chain, the parts, one server on 127.0.0.1."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import httpx
import structlog
import uvicorn
import uvloop

import logs
from api.app import create_app
from api.base import Base, Verdict
from api.chain_head import Block
from api.emails import sending
from api.levels import Levels
from api.parts import open_parts
from api.payment_problems import FacilitatorSilent, PictureAway
from api.pfp_problems import SolanaSilent
from api.problems import ChainSilent
from api.solana import Solana
from api.studio import asking, nobody
from api.uploads import Uploads
from consumers import (
    composing_mail,
    composing_mma,
    composing_solana,
    composing_uploads,
    composing_x402,
)
from consumers.gateways.evm_geoplets import GeopletRpc
from consumers.gateways.evm_wallets import EvmWallets
from consumers.gateways.level_ports import LevelTokens, LevelWanted
from consumers.gateways.pictures import digest
from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from consumers.gateways.questions import questions_client
from consumers.gateways.solana_ports import MintWanted
from consumers.gateways.web import get_once
from consumers.gateways.x402_signature import signed_by
from consumers.levels.token import sealed
from domain.pfp_refusals import ForeignWallet
from domain.solana import Blockhash, Prepared
from domain.upgrade_events import UpgradeRequested
from domain.x402 import PaymentTerms, SignedPayment
from ledger.coalesce import Coalescer
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
    "usdc_address",
    "geoplets_address",
    "voucher_signer_key",
    "mega_x402_pay_to",
    *composing_solana.REQUIRED,
    *composing_uploads.REQUIRED,
)
GRACE_S = 10
SOCKET_BYTES_MAX = 4_096  # nobody reads what a client says
PICTURE_S = 20.0
CHAIN_S = 10.0
FIDS_AT_ONCE = 64

Answer = TypeVar("Answer")

log = structlog.get_logger()


async def main() -> None:
    settings = Settings.load_or_exit(require=REQUIRED)
    logs.configure()
    quick = questions_client(timeout=CHAIN_S, follow_redirects=False, trust_env=False)
    chain = composing_x402.geoplet_chain(settings, quick)
    wallets = EvmWallets(settings.evm_rpc_urls, chain_id=settings.evm_chain_id)
    asked, fetch = Asked(chain, wallets), composing_uploads.safe_fetch(settings)
    try:
        async with questions_client() as web:
            base = compose(settings, asked, web)
            about_solana = AskedOfSolana(settings, web)
            solana, levels = about_solana.parts(settings), about_solana.levels(settings)
            brought = composing_uploads.picture_uploads(settings, web, fetch)
            outside = base, solana, levels, Uploads(brought, Failure), asked.wallet
            mail = composing_mail.mail(settings, web)
            sender = sending(mail.send, Failure) if mail else None
            gpt = composing_mma.texts(settings, web) if settings.openai_url else None
            more = {"send_mail": sender, "ask_text": asking(gpt.ask, Failure) if gpt else nobody}
            async with open_parts(settings, asked.head, *outside, **more) as parts:
                app = create_app(replace(parts, delivery=composing_mma.replicate_signed(settings)))
                await serve(uvicorn.Server(configured(app, settings.mega_port)))
    finally:
        await fetch.aclose()
        await chain.aclose()
        await wallets.aclose()


class Asked:
    """The chain, asked on behalf of the routes."""

    def __init__(self, chain: GeopletRpc, wallets: EvmWallets) -> None:
        self._chain, self._wallets = chain, wallets
        self._fids: Coalescer[int, bool] = Coalescer(self._fids_minted, limit=FIDS_AT_ONCE)

    async def head(self) -> Block | None:
        try:
            head = await self._chain.head()
        except TryAgain:
            return None
        return Block(head.number, head.time)

    async def wallet(self, address: str, digest: bytes, signature: bytes) -> bool | None:
        try:
            return await self._wallets.accepts(address, digest, signature)
        except TryAgain as silent:
            log.warning("wallet_not_asked", why=silent.reason)
            return None

    async def fid_minted(self, fid: int) -> bool:
        return await self._fids.ask(fid)

    async def _fids_minted(self, fids: list[int]) -> list[bool | BaseException]:
        """All who ask at once are told in one look at the chain."""
        try:
            return [*await self._chain.fids_minted(fids)]
        except Failure as silent:
            log.warning("chain_not_asked", why=silent.reason)
            return [ChainSilent() for _ in fids]

    async def signed_by(self, payment: SignedPayment, terms: PaymentTerms) -> bool:
        try:
            return await signed_by(payment, terms, self.wallet)
        except Failure as silent:
            raise ChainSilent() from silent


def compose(settings: Settings, asked: Asked, web: httpx.AsyncClient) -> Base:
    """What the paid routes ask, each failure of the world said as a refusal."""
    facilitator = composing_x402.facilitator(settings, web)
    vouchers = composing_x402.vouchers(settings)

    async def verify(payment: SignedPayment, terms: PaymentTerms) -> Verdict:
        try:
            return await facilitator.verify(payment, terms)
        except Failure as silent:
            log.warning("facilitator_not_asked", why=silent.reason)
            raise FacilitatorSilent() from silent

    async def picture(url: str, sha256: str) -> bytes:
        try:
            reply = await get_once(web, url, vendor="s3", read_timeout_s=PICTURE_S)
        except Failure as silent:
            raise PictureAway() from silent
        if reply.status != 200 or digest(reply.body) != sha256:
            log.warning("picture_not_read", url=url, status=reply.status)
            raise PictureAway()
        return reply.body

    return Base(
        terms=settings.x402_terms,
        verify=verify,
        signed_by=asked.signed_by,
        fid_minted=asked.fid_minted,
        sign_voucher=vouchers.sign,
        picture=picture,
    )


class AskedOfSolana:
    """The chain, asked on behalf of the routes; each failure of the world said as a refusal."""

    def __init__(self, settings: Settings, web: httpx.AsyncClient) -> None:
        self._chain = composing_solana.solana_chain(settings, web)
        self._payments = composing_solana.payments(settings)
        minters = composing_solana.minters(settings, self._chain)
        self._minter = minters[settings.mega_pfp_minter]
        self._tokens = composing_solana.levels(settings, self._chain)

    async def blockhash(self) -> Blockhash:
        return await self._told(self._chain.blockhash("finalized"))

    async def seen(self, signature: str) -> bool:
        return await self._told(self._chain.fate(signature)) is not None

    async def height(self) -> int:
        return (await self._told(self._chain.heights()))[0]

    async def failure(self, raw: str) -> str:
        """A courtesy: who cannot be asked, or lags, stops nobody."""
        try:
            return await self._chain.simulate(raw)
        except Failure as silent:
            log.warning("solana_not_asked", why=silent.reason)
            return ""

    def pay(self, wallet: str, lamports: int, reference: str, blockhash: Blockhash) -> Prepared:
        try:
            return self._payments.prepare(wallet, lamports, blockhash, reference=reference)
        except WillNotWork as no_address:
            raise ForeignWallet() from no_address

    def prepare_mint(
        self, *, tree: str, lamports: int, blockhash: Blockhash, **wanted: str
    ) -> Prepared:
        return self._minter.prepare_paid_mint(MintWanted(**wanted), tree, lamports, blockhash)

    async def _told(self, question: Awaitable[Answer]) -> Answer:
        try:
            return await question
        except Failure as silent:
            log.warning("solana_not_asked", why=silent.reason)
            raise SolanaSilent() from silent

    async def held(self, mint: str, wallet: str) -> bool:
        (holding,) = await self._told(self._tokens.holdings([(mint, wallet)]))
        if holding.state == "untold":
            log.warning("solana_not_asked", why=f"who has {mint} is not told alike")
            raise SolanaSilent()
        return (holding.state, holding.owner) == ("held", wallet)

    def levels(self, settings: Settings) -> Levels:
        exchange = settings.mega_level_upgrade == "exchange"
        return Levels(
            recipe="nft_exchange" if exchange else "nft_upgrade",
            mint_of=self._tokens.mint_of,
            metadata=sealed,
            prepare=partial(prepared_level, self._tokens),
            complete=self._tokens.complete,
            signature_of=self._tokens.signature_of,
            held=self.held,
        )

    def parts(self, settings: Settings) -> Solana:
        authority = str(composing_solana.authority(settings).pubkey())
        return Solana(
            price=settings.mega_pfp_price_lamports,
            treasury=self._payments.treasury,
            authority=authority if self._minter.kind == "bubblegum" else "",
            blockhash=self.blockhash,
            pay=self.pay,
            complete=composing_solana.signed_reader(settings).complete,
            failure=self.failure,
            seen=self.seen,
            height=self.height,
            prepare_mint=self.prepare_mint,
            minter=self._minter.kind,
        )


def prepared_level(tokens: LevelTokens, terms: UpgradeRequested, blockhash: Blockhash) -> Prepared:
    """The transaction that the wallet signs, by the recipe of its attempt."""
    wanted = LevelWanted(terms.wallet, terms.level, terms.cid, terms.upgrade_id)
    match terms.recipe:
        case "nft_unlock":
            return tokens.prepare_unlock(wanted, blockhash)
        case "nft_exchange":
            return tokens.prepare_exchange(wanted, terms.burns, blockhash)
    return tokens.prepare_burn(terms.burns, terms.wallet, terms.upgrade_id, blockhash)


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
        ws_max_size=SOCKET_BYTES_MAX,
        ws_per_message_deflate=False,  # small messages, and 40 KB a connection
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
