"""Resolver tables, a file for each part of the schema; importing this fills the registry."""

from . import (  # noqa: F401
    customers,
    definitions,
    installation,
    lines,
    metafields,
    mutations,
    orders,
    products,
    refunds,
    roots,
    shops,
)
