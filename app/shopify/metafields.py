"""What the storefront is painted from: one metafield a member, one for the program.

They are a copy for display; the ledger is the truth. Both are JSON, in namespaces that belong to this app alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from app.errors import Rejected
from app.shopify.client import AdminClient

MEMBERS_A_CALL = 25  # metafieldsSet takes no more
MEMBER_NAMESPACE, MEMBER_KEY = "$app:loyalty", "member"
PROGRAM_NAMESPACE, PROGRAM_KEY = "regulars", "program"


def set_member_metafields(client: AdminClient, documents: Mapping[int, Mapping[str, Any]]) -> None:
    """Write members' documents, customer id → JSON, all or none. At most ``MEMBERS_A_CALL``.

    Raises Rejected when one of them cannot be written (a customer that is gone); its ``field`` says which:
    ``metafields.3.ownerId``.
    """
    if len(documents) > MEMBERS_A_CALL:
        raise ValueError(f"at most {MEMBERS_A_CALL} metafields a call")
    metafields = [
        _metafield(f"gid://shopify/Customer/{customer_id}", MEMBER_NAMESPACE, MEMBER_KEY, document)
        for customer_id, document in documents.items()
    ]
    if metafields:
        client.execute("metafields_set", {"metafields": metafields})


def set_program_metafield(client: AdminClient, app_installation_id: str, document: Mapping[str, Any]) -> None:
    """Write the program on our installation: in Liquid, ``app.metafields.regulars.program``."""
    metafield = _metafield(app_installation_id, PROGRAM_NAMESPACE, PROGRAM_KEY, document)
    client.execute("metafields_set", {"metafields": [metafield]})


def define_member_metafield(client: AdminClient) -> None:
    """Make the member's metafield known: merchants and the customer may read it, nobody else, and only we write it.

    Doing it again is nothing.
    """
    definition = {
        "namespace": MEMBER_NAMESPACE,
        "key": MEMBER_KEY,
        "name": "Loyalty points",
        "description": "Points balance shown in the storefront and the customer account.",
        "ownerType": "CUSTOMER",
        "type": "json",
        "access": {"admin": "MERCHANT_READ", "customerAccount": "READ", "storefront": "NONE"},
    }
    try:
        client.execute("metafield_definition_create", {"definition": definition})
    except Rejected as refusal:
        if refusal.code != "TAKEN":
            raise


def _metafield(owner: str, namespace: str, key: str, document: Mapping[str, Any]) -> dict[str, str]:
    value = orjson.dumps(document).decode()
    return {"ownerId": owner, "namespace": namespace, "key": key, "type": "json", "value": value}
