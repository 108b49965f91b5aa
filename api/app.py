"""The application, from composed parts: routes, the one middleware, the table of refusals."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import psycopg
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from api.chaos import Chaos
from api.edge import Edge
from api.parts import Parts
from api.problems import crashed, refused, spoken_by_framework
from api.speech import PROBLEM_SCHEMA
from api.x402 import RECEIPT, RECEIPT_V1, REQUIRED
from domain.event import Refused
from ledger.errors import LedgerUnavailable

ROUTES = (
    "shop_webhooks",  # found first: they come by the hundred, and nobody else waits 5 s for us
    "mma",  # so are creations, fifty at a time
    "characters",
    "mint_orders",
    "geoplets",
    "payment_tracking",
    "pfp",
    "nft",
    "uploads",
    "media_webhooks",
    "archive",
    "studio",
    "auth",
    "auth_dev",
    "ledger",
    "me",
    "live",
    "admin",
    "admin_cases",
    "admin_nft",
    "admin_studio",
    "configs",
    "health",
    "dev",
)


def create_app(parts: Parts) -> FastAPI:
    app = FastAPI(title="MEGA", version="0.1.0", redoc_url=None, redirect_slashes=False)
    app.state.parts = parts
    for router in _routers():
        app.router.routes.extend(router.routes)
    for error in (Refused, LedgerUnavailable, psycopg.OperationalError, PoolTimeout):
        app.add_exception_handler(error, refused)
    app.add_exception_handler(HTTPException, spoken_by_framework)
    app.add_exception_handler(Exception, crashed)
    if parts.settings.mega_cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(parts.settings.mega_cors_origins),
            allow_credentials=True,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=[
                "X-Ledger-Position",
                "Idempotent-Replayed",
                "Retry-After",
                REQUIRED,
                RECEIPT,
                RECEIPT_V1,
            ],
        )
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    # Outside everything else, so that a crash is counted and a broken connection is really broken.
    edge = Edge(app.build_middleware_stack(), parts)
    app.middleware_stack = Chaos(edge) if parts.dev else edge
    return app


def _routers() -> list[APIRouter]:
    found = [name for name in ROUTES if find_spec(f"api.routes.{name}")]
    return [import_module(f"api.routes.{name}").router for name in found]


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        spec = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = spec.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "mega_session"},
        }
        _restore_examples(spec, app)
        spec["security"] = [{"bearer": []}, {"cookie": []}]
        app.openapi_schema = spec
    return app.openapi_schema


def _restore_examples(spec: dict[str, Any], app: FastAPI) -> None:
    """The generator drops members that are null; callers must see them."""
    for route in app.routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods:
            operation = spec["paths"][route.path_format][method.lower()]
            if body := (route.openapi_extra or {}).get("requestBody"):
                operation["requestBody"] = body
            described = operation["responses"]
            for status, answer in route.responses.items():
                for media, content in answer["content"].items():
                    described[str(status)]["content"][media].update(content)
