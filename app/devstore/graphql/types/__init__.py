"""Resolver tables, a file for each part of the schema; importing this fills the registry."""

from . import (  # noqa: F401
    customers,
    definitions,
    discount_codes,
    discount_mutations,
    discounts,
    gift_cards,
    installation,
    lines,
    metafields,
    mutations,
    orders,
    products,
    refunds,
    roots,
    shops,
    store_credit,
)
