"""Ask Shopify about products: what a merchant picks from when leaving some out of the program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.errors import Rejected
from app.shopify.client import AdminClient
from app.shopify.customers import search_words
from app.shopify.reading import Misshapen, each, next_cursor, number_id, optional_text, part, text

IDS_A_CALL = 100
MOST_VENDORS = 2_500


@dataclass(frozen=True, slots=True)
class ProductName:
    product_id: int
    title: str
    vendor: str


def product_titles(client: AdminClient, product_ids: Iterable[int]) -> dict[int, ProductName]:
    """Titles by id; products that are gone are left out."""
    ids = list(dict.fromkeys(product_ids))
    names: dict[int, ProductName] = {}
    for start in range(0, len(ids), IDS_A_CALL):
        gids = [f"gid://shopify/Product/{product_id}" for product_id in ids[start : start + IDS_A_CALL]]
        found = _nodes(client.execute("product_titles", {"ids": gids}), "nodes")
        names |= {name.product_id: name for name in found}
    return names


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
    try:
        present = {name: [node for node in source.get(name) or [] if node]}
        return each(present, name, _name)
    except Misshapen as error:
        raise Rejected(f"Shopify's answer about products cannot be read: {error}.", code="misshapen") from None


def _name(node: dict[str, Any]) -> ProductName:
    return ProductName(number_id(node, "id"), text(node, "title"), optional_text(node, "vendor") or "")
