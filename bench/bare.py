"""The reference for HTTP: FastAPI and psycopg, one INSERT and one indexed SELECT, no more."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
import uvloop
from fastapi import FastAPI, Response
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

TABLE = """
CREATE TABLE IF NOT EXISTS bare_rows (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, step text, event jsonb)
"""
INSERT = "INSERT INTO bare_rows (step, event) VALUES (%s, %s) RETURNING id"
SELECT = "SELECT pass_id, view::text FROM views.characters WHERE character_id = %s"
EVENT = Jsonb({"order_id": "7e57", "filler": "x" * 500})


class Step(BaseModel):
    step: str


def bare(url: str) -> FastAPI:
    pool = AsyncConnectionPool(
        url, min_size=4, max_size=16, open=False, kwargs={"autocommit": True}
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/rows")
    async def insert(step: Step) -> dict[str, int]:
        async with pool.connection() as connection:
            row = await (await connection.execute(INSERT, (step.step, EVENT))).fetchone()
        assert row is not None
        return {"id": row[0]}

    @app.get("/rows/{key}")
    async def select(key: str) -> Response:
        async with pool.connection() as connection:
            row = await (await connection.execute(SELECT, (key,))).fetchone()
        assert row is not None
        return Response(row[1], media_type="application/json")

    return app


async def main() -> None:
    config = uvicorn.Config(
        bare(os.environ["BARE_DATABASE_URL"]),
        host="127.0.0.1",
        port=int(os.environ["BARE_PORT"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(main())
