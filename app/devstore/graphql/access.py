"""Which fields the granted scopes allow, by the schema's own ``requiredAccess`` of fields and of types they return."""

from __future__ import annotations

from collections.abc import Collection

from graphql import GraphQLError, GraphQLOutputType, get_named_type

from .schema import required_access

_DOCUMENTATION = "https://shopify.dev/api/usage/access-scopes"


def check(parent: str, field: str, returned: GraphQLOutputType, granted: Collection[str]) -> None:
    """Raise ACCESS_DENIED when neither the field nor what it returns may be read with these scopes."""
    named = get_named_type(returned).name
    # A connection is as open as what it connects.
    for name in (f"{parent}.{field}", named, named.removesuffix("Connection")):
        if name in required_access():
            words, any_of = required_access()[name]
            if any_of and not any(has(granted, scope) for scope in any_of):
                raise denied(field, words)


def has(granted: Collection[str], scope: str) -> bool:
    """Whether a scope is granted; writing includes reading."""
    return scope in granted or (scope.startswith("read_") and f"write_{scope.removeprefix('read_')}" in granted)


def denied(field: str, words: str) -> GraphQLError:
    return GraphQLError(
        f"Access denied for {field} field. Required access: {words}",
        extensions={"code": "ACCESS_DENIED", "documentation": _DOCUMENTATION, "requiredAccess": words},
    )
