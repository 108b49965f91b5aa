"""One role mint from sign-in to picture, as commands alone tell it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from commands.characters import (
    CreateCharacter,
    FailGeneration,
    RequestGeneration,
    RetryGeneration,
    StoreImage,
)
from commands.command import Command, Context, handle
from commands.orders import ClaimTransaction, OpenMintOrder, RecordPayment, ShowWalletStep
from commands.passes import Identify
from domain.money import Money
from domain.payment import Payment
from domain.roles import MintTerms, Offer
from ledger.ledger import Ledger
from tests.consumers.filling import AT

WALLET = "0x" + "a" * 40
TERMS = MintTerms(8453, "0x" + "1" * 40, "0x" + "2" * 40, "0x" + "3" * 40)
PAYMENT = Payment(
    tx_hash="0x11",
    sender=WALLET,
    nonce=1,
    block_number=5,
    block_hash="0xb",
    log_index=0,
    payer=WALLET,
    amount=25,
    token_id=7,
    depth=1,
)


async def issue(ledger: Ledger, command: Command, key: str = "") -> dict[str, object]:
    context = Context(
        at=AT,
        correlation_id="story",
        causation_id=f"command:{type(command).__name__}",
        key=key,
        request_hash="h" if key else "",
    )
    return (await handle(ledger, command, context)).answer.body


async def tell(ledger: Ledger) -> str:
    """Lets it all happen; returns the id of the character."""
    do = partial(issue, ledger)
    identity = f"eip155:{WALLET}"
    owner = str(
        (await do(Identify(identity=identity, new_pass_id=f"pass:user:{identity}")))["pass_id"]
    )
    made = await do(CreateCharacter(owner=owner, role="samurai", kind="role"), key="k1")
    character_id = str(made["id"])
    offer = Offer("samurai", "role_mint", Money("MPT", 25))
    opening = OpenMintOrder(character_id=character_id, offer=offer, terms=TERMS, opened_block=1)
    order_id = str((await do(opening, key="k2"))["order_id"])
    await do(ShowWalletStep(order_id=order_id, step="awaiting_mint"))
    await do(ClaimTransaction(order_id=order_id, tx_hash=PAYMENT.tx_hash))
    for depth in (1, 3):
        found = replace(PAYMENT, depth=depth)
        await do(RecordPayment(order_id=order_id, found=found, confirmations=3))
    asked = {"character_id": character_id, "provider": "seedream", "model": "m"}
    await do(RequestGeneration(**asked))
    failed = {"error_class": "refused", "reason": "not today", "retry_cap": AT - AT}
    await do(FailGeneration(character_id=character_id, attempt=1, **failed))
    await do(RetryGeneration(**asked))
    picture = {"content_type": "image/png", "bytes": 1, "width": 1, "height": 1}
    await do(
        StoreImage(
            character_id=character_id,
            attempt=2,
            output_url="http://localhost/2.png",
            sha256="00",
            **picture,
        )
    )
    return character_id
