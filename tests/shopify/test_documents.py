"""Every document of ours is a valid query of the real 2026-10 schema, and asks for what we are granted and no more."""

import gzip
import json
import tomllib
from functools import cache
from pathlib import Path

import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_named_type,
    parse,
    validate,
    visit,
)
from shopify.api_access import ApiAccess

from app.shopify import API_VERSION
from app.shopify.client import DOCUMENTS, document_text

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data/shopify"
NAMES = sorted(path.stem for path in DOCUMENTS.glob("*.graphql"))

# Scopes that no document needs, and what needs them.
NEEDED_OTHERWISE = {
    "write_app_proxy": "[app_proxy] in shopify.app.toml",
    "read_customer_merge": "the customers/merge subscription",
}


@cache
def schema() -> GraphQLSchema:
    raw = gzip.decompress((ROOT / "app/devstore/data/admin-2026-10.min.json.gz").read_bytes())
    content = json.loads(raw)
    return build_client_schema(content.get("data", content), assume_valid=True)


def granted() -> list[str]:
    """Every scope a merchant may have granted: those of the installation, and those asked for later."""
    access = tomllib.loads((ROOT / "shopify.app.toml").read_text())["access_scopes"]
    return [*access["scopes"].split(","), *access["optional_scopes"]]


def test_there_are_documents_and_one_version():
    assert len(NAMES) >= 12
    assert tomllib.loads((ROOT / "shopify.app.toml").read_text())["webhooks"]["api_version"] == API_VERSION == "2026-10"


@pytest.mark.parametrize("name", NAMES)
def test_is_valid(name):
    assert validate(schema(), parse(document_text(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_uses_nothing_deprecated(name):
    deprecated = [
        f"{parent.name}.{field}" for parent, field in fields_of(name) if parent.fields[field].deprecation_reason
    ]
    assert deprecated == []


def test_every_scope_a_document_needs_is_in_the_toml():
    access = ApiAccess(granted())
    missing = {
        (name, place, scopes)
        for name in NAMES
        for place, scopes in needs_of(name)
        if not any(access.covers(ApiAccess([scope])) for scope in scopes)
    }
    assert missing == set()


def test_every_scope_in_the_toml_is_needed():
    used = set(NEEDED_OTHERWISE)
    for name in NAMES:
        for _, scopes in needs_of(name):
            used |= {scope for scope in granted() if ApiAccess([scope]).covers(ApiAccess(scopes[:1]))}
    # metafieldsSet needs whatever writing its owner needs, and our owners are customers.
    assert "write_customers" in granted() and "metafields_set" in NAMES
    used.add("write_customers")
    assert set(granted()) <= used


@pytest.mark.parametrize("name", NAMES)
def test_asks_for_no_more_than_a_query_may_cost(name):
    """By Shopify's rules (objects 1, a page its size times its node) a single query may cost 1,000 points."""
    assert cost_of(name) <= 1_000


def fields_of(name: str) -> list[tuple[GraphQLObjectType, str]]:
    """(parent type, field) of everything a document selects."""
    found: list[tuple[GraphQLObjectType, str]] = []
    info = TypeInfo(schema())

    class Collect(Visitor):
        def enter_field(self, node, *_):
            parent = info.get_parent_type()
            if isinstance(parent, GraphQLObjectType) and not node.name.value.startswith("__"):
                found.append((parent, node.name.value))

    visit(parse(document_text(name)), TypeInfoVisitor(info, Collect()))
    return found


@cache
def scopes_by_place() -> dict[str, list[str]]:
    return json.loads(gzip.decompress((DATA / "admin-2026-10.scopes.json.gz").read_bytes()))


def needs_of(name: str) -> list[tuple[str, tuple[str, ...]]]:
    """(type or field, scopes of which one is enough) for everything a document touches."""
    places = set()
    for parent, field in fields_of(name):
        places |= {f"{parent.name}.{field}", get_named_type(parent.fields[field].type).name, parent.name}
    table = scopes_by_place()
    return [(place, tuple(table[place])) for place in sorted(places) if place in table]


def cost_of(name: str) -> int:
    """The requested cost, estimated: every page and list at its full size."""
    operation = parse(document_text(name)).definitions[0]

    def of_selection(selection_set) -> int:
        total = 0
        for selection in selection_set.selections:
            if selection.kind != "field":
                total += of_selection(selection.selection_set)
            elif selection.selection_set is not None:
                if selection.name.value in ("nodes", "pageInfo"):
                    total += of_selection(selection.selection_set)
                else:
                    first = [a.value for a in selection.arguments or () if a.name.value == "first"]
                    size = int(first[0].value) if first and first[0].kind == "int_value" else 1
                    total += size * (1 + of_selection(selection.selection_set))
        return total

    return of_selection(operation.selection_set)
