"""Ask Shopify about products: those a merchant leaves out of the program, and those that rewards are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.errors import Rejected
from app.shopify.client import AdminClient
from app.shopify.customers import search_words
from app.shopify.reading import (
    MAX_TEXT,
    InexactNumber,
    Misshapen,
    each,
    flag,
    micro,
    next_cursor,
    number_id,
    optional_text,
    part,
    required,
    required_part,
    text,
)

IDS_A_CALL = 100
MOST_VENDORS = 2_500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProductName:
    product_id: int
    title: str
    vendor: str


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """One variant as the shop's catalogue has it now."""

    variant_id: int
    product_id: int
    title: str  # the product's, with the variant's own where there are several
    price_micro: int  # of shop money


def product_titles(client: AdminClient, product_ids: Iterable[int]) -> dict[int, ProductName]:
    """Titles by id; products that are gone are left out."""
    ids = list(dict.fromkeys(product_ids))
    names: dict[int, ProductName] = {}
    for start in range(0, len(ids), IDS_A_CALL):
        gids = [f"gid://shopify/Product/{product_id}" for product_id in ids[start : start + IDS_A_CALL]]
        found = _nodes(client.execute("product_titles", {"ids": gids}), "nodes")
        names |= {name.product_id: name for name in found}
    return names


def product_variants(client: AdminClient, variant_ids: Iterable[int]) -> dict[int, VariantFacts]:
    """Variants by id; those that are gone are left out."""
    ids = list(dict.fromkeys(variant_ids))
    found: dict[int, VariantFacts] = {}
    for start in range(0, len(ids), IDS_A_CALL):
        gids = [f"gid://shopify/ProductVariant/{variant_id}" for variant_id in ids[start : start + IDS_A_CALL]]
        present = _present(client.execute("product_variants", {"ids": gids}), "nodes")
        found |= {facts.variant_id: facts for facts in _read(present, "nodes", _variant)}
    return found


def search_products(client: AdminClient, words: str, *, first: int = 25) -> list[ProductName]:
    """Products as Shopify's own search finds them; without words, the first few."""
    data = client.execute("product_search", {"query": search_words(words), "first": first})
    return _nodes(data.get("products") or {}, "nodes")


def product_vendors(client: AdminClient) -> list[str]:
    """The shop's vendors, sorted, at most ``MOST_VENDORS``."""
    vendors: set[str] = set()
    cursor: str | None = None
    while len(vendors) < MOST_VENDORS:
        data = client.execute("product_vendors", {"after": cursor})
        try:
            connection = part(data, "productVendors")
            if connection is None:
                break
            vendors |= {name for name in connection.get("nodes") or [] if isinstance(name, str) and name}
            cursor = next_cursor(connection)
        except Misshapen as error:
            raise Rejected(f"Shopify's list of vendors cannot be read: {error}.", code="misshapen") from None
        if cursor is None:
            break
    return sorted(vendors)[:MOST_VENDORS]


def _nodes(source: dict[str, Any], name: str) -> list[ProductName]:
    return _read(_present(source, name), name, _name)


def _present(source: dict[str, Any], name: str) -> dict[str, Any]:
    """Without the nulls that stand for what is gone, and the empty objects that stand for something else."""
    nodes = source.get(name) or []
    return {name: [node for node in nodes if node] if isinstance(nodes, list) else nodes}


def _read(source: dict[str, Any], name: str, read: Callable[[dict[str, Any]], T]) -> list[T]:
    try:
        return each(source, name, read)
    except (Misshapen, InexactNumber) as error:
        why = str(error) or "an amount is no exact number"
        raise Rejected(f"Shopify's answer about products cannot be read: {why}.", code="misshapen") from None


def _name(node: dict[str, Any]) -> ProductName:
    return ProductName(number_id(node, "id"), text(node, "title"), optional_text(node, "vendor") or "")


def _variant(node: dict[str, Any]) -> VariantFacts:
    product = required_part(node, "product")
    title = text(product, "title")
    if not flag(product, "hasOnlyDefaultVariant"):
        title = f"{title}, {text(node, 'title')}"[:MAX_TEXT]
    return VariantFacts(number_id(node, "id"), number_id(product, "id"), title, micro(required(node, "price"), "price"))
