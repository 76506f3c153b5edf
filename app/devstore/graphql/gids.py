"""Global ids: gid://shopify/Order/5364772372694."""

from __future__ import annotations

import re

from graphql import GraphQLError

_GID = re.compile(r"gid://shopify/([A-Za-z]+)/([0-9]{1,19})(\?.*)?")


def gid(kind: str, id: int) -> str:
    return f"gid://shopify/{kind}/{id}"


def parse(text: str) -> tuple[str, int]:
    """("Order", 5364772372694). Raises the error Shopify answers a malformed id with."""
    found = _GID.fullmatch(text)
    if found is None:
        raise GraphQLError(
            f"Invalid global id '{text}'",
            extensions={"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"},
        )
    return found[1], int(found[2])


def number(text: str, kind: str) -> int | None:
    """The number of a GID of this kind; None for another kind, which nothing is found by."""
    found, id = parse(text)
    return id if found == kind else None
