"""Answers of the Admin API for tests: queued, recorded, or worked out by executing our documents on the real schema."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import responses
from graphql import graphql_sync

from app.shopify.client import AdminClient
from app.shopify.origins import Origins
from tests.shopify.signing import SHOP
from tests.shopify.test_documents import schema

URL = f"https://{SHOP}/admin/api/2026-10/graphql.json"
CLIENT = AdminClient(Origins(), SHOP, "shpat_x")
_RECORDED = json.loads((Path(__file__).parents[1] / "data/shopify/recorded-rewards.json").read_text())


def recorded(name: str) -> dict[str, Any]:
    """What Shopify really answered; tests/data/PROVENANCE.md says where that is from."""
    return copy.deepcopy(_RECORDED[name]["answer"])


def answers(*data: Any) -> None:
    """Queue answers; the last one is repeated."""
    for content in data:
        responses.post(URL, json={"data": content})


def sent(call: int = -1) -> dict[str, Any]:
    return json.loads(responses.calls[call].request.body)["variables"]


def executed(resolve: Callable[[Any, Any, dict[str, Any]], Any]) -> list[str]:
    """Answer by executing what is asked; returns the names of the operations, in their order."""
    asked: list[str] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body)
        result = graphql_sync(
            schema(), body["query"], variable_values=body["variables"],
            field_resolver=lambda source, info, **arguments: resolve(source, info, arguments),
            type_resolver=lambda value, *_: value["__typename"],
        )  # fmt: skip
        assert not result.errors, result.errors
        asked.append(body["query"].split("(")[0].split()[-1])
        return 200, {}, json.dumps({"data": result.data})

    responses.add_callback("POST", URL, callback=answer)
    return asked


def page(items: list[Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """A connection's page; cursors are places."""
    start = int(arguments.get("after") or 0)
    end = start + arguments["first"]
    return {"nodes": items[start:end], "pageInfo": {"hasNextPage": end < len(items), "endCursor": str(end)}}
