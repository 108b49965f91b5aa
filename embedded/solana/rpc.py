"""JSON-RPC 2.0 over HTTP: one call or an array of them, answered in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from embedded.solana import rpc_accounts, rpc_cluster, rpc_transactions
from embedded.solana.asked import Asked
from embedded.solana.chain import Chain
from embedded.solana.das import Index
from embedded.solana.faults import INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RpcFault

Method = Callable[[Asked], object]


class Rpc:
    def __init__(self, chain: Chain) -> None:
        self.index = Index(chain)
        self._chain = chain
        self._methods: dict[str, Method] = {
            **rpc_cluster.METHODS,
            **rpc_accounts.METHODS,
            **rpc_transactions.METHODS,
            "getAsset": self.index.asset,
            "getAssetProof": self.index.proof,
        }

    def answer(self, body: bytes) -> object:
        try:
            asked = orjson.loads(body)
        except ValueError:
            return _failed(None, RpcFault(PARSE_ERROR, "Parse error"))
        if isinstance(asked, list) and asked:
            return [self._one(each) for each in asked]
        return self._one(asked)

    def _one(self, call: object) -> dict[str, Any]:
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            return _failed(None, RpcFault(INVALID_REQUEST, "Invalid request"))
        number = call.get("id")
        method = self._methods.get(call["method"])
        if method is None:
            return _failed(number, RpcFault(METHOD_NOT_FOUND, "Method not found"))
        try:
            result = method(Asked.read(self._chain, call.get("params")))
        except RpcFault as fault:
            return _failed(number, fault)
        return {"jsonrpc": "2.0", "result": result, "id": number}


def _failed(number: object, fault: RpcFault) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": fault.told(), "id": number}
