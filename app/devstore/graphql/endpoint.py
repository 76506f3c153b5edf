"""POST /admin/api/{version}/graphql.json on the shop's origin."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, g, request
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    execute_sync,
    parse,
    validate,
)

from ..faults import Fault
from ..misbehaving import misbehave
from ..oauth import tokens
from . import types  # noqa: F401
from .costs import CEILING, Costs
from .resolving import Asked, resolve, resolve_type
from .schema import API_VERSION, schema

bp = Blueprint("graphql", __name__)

_INVALID = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


@bp.post("/admin/api/<version>/graphql.json")
def graphql(version: str) -> Response:
    """Authenticate, execute, answer; one line in the log with the operation's name."""
    started = time.monotonic()
    g.operation = ""
    fault = g.devstore.faults.draw(*_begins_with(request.get_json(silent=True)))
    answer = misbehave(fault, lambda: _answer(fault))
    note = f"misbehaved: {fault.kind}" if fault else g.get("note", "")
    g.devstore.traffic.add(
        "api",
        g.shop.domain,
        "POST",
        request.path,
        g.operation,
        answer.status_code,
        (time.monotonic() - started) * 1000,
        note,
    )
    answer.headers["X-Shopify-API-Version"] = API_VERSION
    answer.headers["X-Request-Id"] = f"{time.time_ns():x}"
    return answer


def _answer(fault: Fault | None) -> Response:
    token = tokens.authenticate(g.devstore, g.shop, request.headers.get("X-Shopify-Access-Token", ""))
    installation = g.devstore.apps.installed(g.shop)
    if token is None or installation is None:
        return _json(_INVALID, 401)
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
        return _json({"errors": {"query": "Required parameter missing or invalid"}}, 400)
    scopes = installation.scopes if not token.online else [s for s in token.scopes if s in installation.scopes]
    if fault and fault.kind == "missing_scope":
        scopes = []
    asked = Asked(g.devstore, g.shop, installation, tuple(scopes), fault)
    return _json(run(asked, sent["query"], sent.get("variables") or {}, sent.get("operationName")))


def run(asked: Asked, query: str, variables: dict[str, Any], operation_name: str | None) -> dict[str, Any]:
    """Execute one operation against the bucket. Always an answer: what is wrong is in ``errors``."""
    try:
        document = _parsed(query)
        operation = _choose(document, operation_name)
    except GraphQLError as wrong:
        return {"errors": [_printed(wrong)]}
    g.operation = operation.name.value if operation.name else operation.operation.value
    if problems := validate(schema(), document):
        g.note = "invalid"
        return {"errors": [_printed(problem) for problem in problems]}
    costs = Costs(schema(), document, operation, variables)
    requested = costs.requested()
    if requested > CEILING:
        return {"errors": [_too_dear(requested)]}
    buckets, shop_id = asked.devstore.buckets, asked.shop.id
    if asked.fault and asked.fault.kind == "throttled":
        buckets.lower(shop_id, requested)
    if not buckets.take(shop_id, requested):
        g.note = "throttled"
        return throttled(asked, requested)
    result = execute_sync(
        schema(),
        document,
        context_value=asked,
        variable_values=variables,
        operation_name=operation_name,
        field_resolver=resolve,
        type_resolver=resolve_type,
    )
    assert isinstance(result, ExecutionResult)
    actual = min(costs.actual(result.data), requested)
    buckets.give_back(shop_id, requested - actual)
    answer: dict[str, Any] = {}
    if result.errors:
        g.note = str(result.errors[0].message)[:120]
        answer["errors"] = [_printed(error) for error in result.errors]
    if result.data is not None:
        answer["data"] = result.data
    answer["extensions"] = {"cost": _cost(asked, requested, actual)}
    return answer


def throttled(asked: Asked, requested: int) -> dict[str, Any]:
    """HTTP 200 with THROTTLED and no data."""
    error = {
        "message": "Throttled",
        "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
    }
    return {"errors": [error], "extensions": {"cost": _cost(asked, requested, None)}}


def _cost(asked: Asked, requested: int, actual: int | None) -> dict[str, Any]:
    return {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": asked.devstore.buckets.status(asked.shop.id),
    }


@lru_cache(256)
def _parsed(query: str) -> DocumentNode:
    return parse(query)


def _choose(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name is not None:
        for operation in operations:
            if operation.name and operation.name.value == name:
                return operation
        raise GraphQLError(f'No operation named "{name}"')
    if len(operations) != 1:
        raise GraphQLError("An operation name is required")
    return operations[0]


def _begins_with(sent: Any) -> tuple[str, list[str]]:
    """An operation's name and its first fields, as a schedule of faults goes by; nothing for what is no operation."""
    try:
        operation = _choose(_parsed(sent["query"]), sent.get("operationName"))
    except (GraphQLError, KeyError, TypeError, AttributeError):
        return "", []
    fields = [field.name.value for field in operation.selection_set.selections if isinstance(field, FieldNode)]
    return operation.name.value if operation.name else operation.operation.value, fields


def _too_dear(requested: int) -> dict[str, Any]:
    return {
        "message": f"Query cost is {requested}, which exceeds the single query max cost limit ({CEILING}).",
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": requested,
            "maxCost": CEILING,
            "documentation": "https://shopify.dev/api/usage/rate-limits",
        },
    }


def _printed(error: GraphQLError) -> dict[str, Any]:
    """An error in Shopify's key order; one that is a bug of the dev store says so."""
    formatted = dict(error.formatted)
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        formatted["message"] = f"the dev store failed: {type(error.original_error).__name__}: {error.original_error}"
        formatted["extensions"] = {"code": "INTERNAL_SERVER_ERROR"}
    return formatted


def _json(answer: Any, status: int = 200) -> Response:
    return Response(json.dumps(answer, ensure_ascii=False), status, content_type="application/json; charset=utf-8")
