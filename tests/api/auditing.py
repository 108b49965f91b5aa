"""What an auditor asks of the ledger over HTTP."""

from __future__ import annotations

from typing import Any

from tests.api.opened import Api


async def auditor(api: Api) -> str:
    return await api.dev("auditor", scope="auditor")


async def events(api: Api, **query: Any) -> list[dict[str, Any]]:
    """All pages of GET /ledger/events."""
    who, found, cursor = await auditor(api), [], None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        answer = (await api.get("/ledger/events", who, **query, **more)).json()
        found += answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            return found
