"""What a query costs at the Shopify twin, and the bucket it is paid from (`providers.md` §1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError, get_operation_ast, parse, validate
from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

from embedded.twins.shop_graph import SCHEMA

MUTATION = 10
CONNECTION = 2
WRAPPERS = frozenset({"nodes", "edges", "node", "pageInfo"})
"""Fields of a connection; what they hold is what costs."""


class Bucket:
    """Points that come back with time; a query that costs more than is there is not run."""

    def __init__(self) -> None:
        self._maximum, self._rate = 2_000, 100.0
        self._available, self._at = 2_000.0, datetime.min.replace(tzinfo=UTC)

    def set(self, level: Mapping[str, float], now: datetime) -> None:
        """`level` may have `maximum`, `restore_rate` and `available`."""
        self._refill(now)
        self._maximum = int(level.get("maximum", self._maximum))
        self._rate = level.get("restore_rate", self._rate)
        self._available = min(level.get("available", self._available), self._maximum)

    def take(self, points: int, now: datetime) -> bool:
        self._refill(now)
        if points > self._available:
            return False
        self._available -= points
        return True

    def status(self, now: datetime) -> dict[str, float]:
        self._refill(now)
        available = int(self._available)
        return {
            "maximumAvailable": float(self._maximum),
            "currentlyAvailable": available,
            "restoreRate": self._rate,
        }

    def told(self, requested: int, actual: int | None, now: datetime) -> dict[str, Any]:
        """The `extensions` of an answer."""
        cost = {"requestedQueryCost": requested, "actualQueryCost": actual}
        return {"extensions": {"cost": {**cost, "throttleStatus": self.status(now)}}}

    def _refill(self, now: datetime) -> None:
        passed = max((now - self._at).total_seconds(), 0.0)
        self._available = min(self._available + passed * self._rate, self._maximum)
        self._at = now


def cost_of(query: str, variables: Mapping[str, Any], operation: str | None = None) -> int:
    """The most that `operation` (if there are several) may cost; 0 when it is an error anyway."""
    try:
        document = parse(query)
    except GraphQLError:
        return 0
    if validate(SCHEMA, document):
        return 0
    fragments = {
        each.name.value: each.selection_set
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    asked = get_operation_ast(document, operation)
    if asked is None:
        return 0
    if asked.operation is OperationType.MUTATION:
        return MUTATION
    return _cost(asked.selection_set, variables, fragments)


def _cost(
    chosen: SelectionSetNode,
    variables: Mapping[str, Any],
    fragments: Mapping[str, SelectionSetNode],
) -> int:
    total = 0
    for each in chosen.selections:
        if isinstance(each, FragmentSpreadNode) and each.name.value in fragments:
            total += _cost(fragments[each.name.value], variables, fragments)
        elif isinstance(each, FieldNode) and each.selection_set:
            inner = _cost(each.selection_set, variables, fragments)
            if each.name.value in WRAPPERS:
                total += inner
            else:
                total += _base(each) + _first(each, variables) * (1 + inner)
    return total


def _base(field: FieldNode) -> int:
    """Connections have a price of their own."""
    inside = field.selection_set.selections if field.selection_set else ()
    names = {each.name.value for each in inside if isinstance(each, FieldNode)}
    return CONNECTION if names & {"nodes", "edges"} else 0


def _first(field: FieldNode, variables: Mapping[str, Any]) -> int:
    for argument in field.arguments or ():
        if argument.name.value == "first":
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
            if isinstance(argument.value, VariableNode):
                return int(variables.get(argument.value.name.value) or 1)
    return 1
