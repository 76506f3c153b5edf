"""The schema and its access rules, read once, at the first call: 25 MB that a storefront alone does not need."""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib import resources
from typing import Any

from graphql import GraphQLSchema, build_client_schema

API_VERSION = "2026-10"


@cache
def schema() -> GraphQLSchema:
    """The Admin API's types. Known to be valid, so they are not checked again."""
    return build_client_schema(_data("admin-2026-10.min.json.gz"), assume_valid=True)


@cache
def required_access() -> dict[str, tuple[str, frozenset[str]]]:
    """ "Order" or "Shop.productVendors" -> what Shopify says is required, and the scopes of which any is enough."""
    rows = _data("admin-2026-10.scopes.json.gz")
    return {name: (words, frozenset(scopes)) for name, (words, scopes) in rows.items()}


def _data(name: str) -> Any:
    return json.loads(gzip.decompress(resources.files("app.devstore").joinpath("data", name).read_bytes()))
