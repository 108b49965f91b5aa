"""Whose an object is, and who may see it: another pass's object does not exist (404)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol, TypeVar

from starlette.requests import Request

from api.deps import parts_of
from api.principal import Principal
from api.problems import NotFound
from api.reading import SQL
from commands.command import look
from commands.generations import SeeGeneration
from commands.passes import SeePass, current_pass
from commands.request_upgrade import SeeLevels
from domain.batch_events import BatchOpened, batch_stream
from domain.character import CharacterCreated, character_stream
from domain.generation import Generation
from domain.order_events import OrderOpened, order_stream
from domain.studio_session import VisitBegun, session_stream
from domain.upload import UploadBegun, UploadFetched, upload_stream


class OfPass(Protocol):
    """The first event of an object that is somebody's."""

    @property
    def pass_id(self) -> str: ...


Birth = TypeVar("Birth", bound=OfPass)
_uuid = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


async def own_character(request: Request, who: Principal, id_: str) -> CharacterCreated:
    """The character's birth; NotFound when it is not the caller's."""
    return await _own(request, who, id_, character_stream, CharacterCreated)


async def own_order(request: Request, who: Principal, id_: str) -> OrderOpened:
    """The order's birth; NotFound when it is not the caller's."""
    return await _own(request, who, id_, order_stream, OrderOpened)


async def own_batch(request: Request, who: Principal, id_: str) -> BatchOpened:
    """The birth of a batch, or of a single mint; NotFound when it is not the caller's."""
    return await _own(request, who, id_, batch_stream, BatchOpened)


async def own_upload(request: Request, who: Principal, id_: str) -> None:
    """NotFound when the upload is not the caller's."""
    await _own(request, who, id_, upload_stream, UploadBegun, UploadFetched)


async def own_visit(request: Request, who: Principal, id_: str) -> VisitBegun:
    """The birth of a visit to the studio; NotFound when it is not the caller's."""
    return await _own(request, who, id_, session_stream, VisitBegun)


async def own_generation(request: Request, who: Principal, id_: str) -> Generation:
    """The generation as it is now; NotFound when it is not the caller's. It is not remembered:
    its texts may be erased."""
    if not _uuid.fullmatch(id_):
        raise NotFound()
    see = SeeGeneration(generation_id=id_)
    known = see.generation(await look(parts_of(request).ledger, see))
    if not known.begun or not _visible(request, who, known.pass_id):
        raise NotFound()
    return known


async def own_upgrade(request: Request, who: Principal, id_: str) -> str:
    """The pass in whose stream an upgrade is; NotFound when it is not the caller's. The ledger
    knows one of the caller's own before the projection does."""
    parts = parts_of(request)
    for (owner,) in await parts.reader.rows(SQL["upgrade_owner"], {"upgrade_id": id_}):
        if _visible(request, who, owner):
            return str(owner)
    see = SeeLevels(asked_by=who.pass_id)
    own = see.upgrades(await look(parts.ledger, see))
    for owner, upgrade in own.items():
        if id_ in upgrade.attempts:
            return owner
    raise NotFound()


async def own_fid(request: Request, who: Principal, fid: int) -> None:
    """NotFound when the fid is not the caller's; scope `service` may name any (contract.md §4)."""
    if not who.may("service") and f"fid:{fid}" not in await identities_of(request, who):
        raise NotFound()


async def identities_of(request: Request, who: Principal) -> frozenset[str]:
    """The identities of the caller's pass by the ledger: one linked a moment ago is among them."""
    seen = await look(parts_of(request).ledger, SeePass(asked=who.pass_id))
    return frozenset(current_pass(seen, who.pass_id).identities)


async def _own(
    request: Request, who: Principal, id_: str, stream: Callable[[str], str], *births: type[Birth]
) -> Birth:
    """The first event of a stream, which must be one of `births`; NotFound when it is none, or
    not the caller's."""
    known = _uuid.fullmatch(id_)
    born = await parts_of(request).births.of(stream(id_)) if known else None
    if not isinstance(born, births) or not _visible(request, who, born.pass_id):
        raise NotFound()
    return born


def _visible(request: Request, who: Principal, pass_id: str) -> bool:
    """An auditor may read any object, and change none but their own."""
    return who.owns(pass_id) or (request.method in ("GET", "HEAD") and who.may("auditor"))
