"""Ask so that every answer means what it says: done, certainly refused, or nobody knows.

Rewards hang on it. On Rejected somebody's points are given back, so it must never come from an answer that is merely
unreadable, with the gift card made all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.errors import Rejected, Throttled
from app.shopify.client import AdminClient
from app.shopify.reading import Misshapen

T = TypeVar("T")

AGAIN_AFTER = 5.0


def ask(client: AdminClient, document: str, variables: Mapping[str, Any], read: Callable[[dict[str, Any]], T]) -> T:
    """Run a document and read its data.

    Raises what ``AdminClient.execute`` raises, but Rejected only where Shopify itself said no. An answer without data,
    or with other data than promised, is Throttled: whether it was carried out has to be looked up.
    """
    try:
        return read(client.execute(document, variables))
    except Misshapen as error:
        problem = f"Shopify's answer to {document} cannot be read: {error}."
    except Rejected as refusal:
        if refusal.code != "no_data":
            raise
        problem = refusal.message
    raise Throttled(problem, retry_after=AGAIN_AFTER)
