"""Admin GraphQL for one shop: runs a document of ours and returns its data, or raises what the caller must know.

Errors come in three layers (transport, top-level ``errors``, ``userErrors`` in a payload), and an operation has
succeeded only when all three are empty. The token is given explicitly and lives on this object alone; nothing here is
global, so one shop's token cannot reach another's request.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import requests

from app.errors import AccessRevoked, LoyaltyError, MissingScope, Rejected, Throttled
from app.shopify import API_VERSION
from app.shopify.origins import Origins
from app.shopify.transport import IN_THE_BACKGROUND, Answer, Patience, new_http, post

MAX_ANSWER_BYTES = 10_000_000
DOCUMENTS = Path(__file__).parent / "documents"

_GONE = {
    401: "token_invalid",  # expired or revoked: refresh once, try once more
    402: "shop_frozen",
    404: "shop_gone",
    423: "shop_locked",
}
_REFUSALS = {400, 406, 413, 414, 415, 422}
_BUSY = {"THROTTLED", "INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"}
_MUTATION = re.compile(r"^mutation\b", re.MULTILINE)
_SCOPE = re.compile(r"`?((?:read|write)_[a-z_]+)`? access scope|access scope[s]?:? `?((?:read|write)_[a-z_]+)`?")


class AdminClient:
    """Speaks to one shop's Admin API with one access token."""

    def __init__(
        self,
        origins: Origins,
        shop: str,
        access_token: str,
        http: requests.Session | None = None,
        patience: Patience = IN_THE_BACKGROUND,
    ) -> None:
        self.shop = shop
        self.fell_forward_to: str | None = None
        """The version Shopify served instead of ours, once ours is no longer supported: an operator must act."""
        self._url = f"{origins.api(shop)}/admin/api/{API_VERSION}/graphql.json"
        self._access_token = access_token
        self._http = http or new_http(origins)
        self._patience = patience

    def execute(
        self, document: str, variables: Mapping[str, Any] | None = None, *, may_be_withheld: Collection[str] = ()
    ) -> dict[str, Any]:
        """Run ``documents/{document}.graphql`` and return ``data``.

        ``may_be_withheld`` names fields of people's data that Shopify may answer with null and an ACCESS_DENIED of
        their own, without failing the rest. Raises Throttled (also when it is unknown whether a mutation was carried
        out), AccessRevoked (code ``token_invalid``: refresh and try once more), MissingScope, Rejected.
        """
        answer = post(
            self._http,
            self._url,
            json={"query": document_text(document), "variables": dict(variables or {})},
            headers={"X-Shopify-Access-Token": self._access_token},
            max_bytes=MAX_ANSWER_BYTES,
            patience=self._patience,
        )
        self._note_version(answer)
        content = answer.json()
        if answer.status != 200 or content is None:
            raise _transport_failure(answer, content)
        errors = [error for error in _errors(content) if not _is_withheld(error, may_be_withheld)]
        if errors and _was_carried_out(document, content):
            # A field of the answer was withheld, the mutation was not: saying "no" here would be a lie about money.
            raise Throttled(f"Shopify carried out {document} and answered in part.", retry_after=2.0)
        if errors:
            raise _graphql_failure(errors, content)
        data = content.get("data")
        if not isinstance(data, dict):
            raise Rejected(f"Shopify's answer to {document} holds no data.", code="no_data")
        raise_user_errors(document, data)
        return data

    def _note_version(self, answer: Answer) -> None:
        served = answer.headers.get("X-Shopify-API-Version", API_VERSION)
        self.fell_forward_to = served if served != API_VERSION else None

    def __repr__(self) -> str:
        return f"AdminClient({self.shop!r})"


@cache
def document_text(name: str) -> str:
    """The GraphQL document of that name."""
    return (DOCUMENTS / f"{name}.graphql").read_text(encoding="utf-8")


def _was_carried_out(document: str, content: Mapping[str, Any]) -> bool:
    """Whether a mutation's payload is there beside errors, and says of itself that nothing was refused."""
    data = content.get("data")
    if not isinstance(data, dict) or not _MUTATION.search(document_text(document)):
        return False
    payloads = [payload for payload in data.values() if isinstance(payload, dict)]
    return bool(payloads) and not any(payload.get("userErrors") for payload in payloads)


def raise_user_errors(document: str, data: Mapping[str, Any]) -> None:
    """Raise Rejected when a mutation's payload says what was wrong with what we sent."""
    for payload in data.values():
        user_errors = payload.get("userErrors") if isinstance(payload, dict) else None
        if not user_errors:
            continue
        first = user_errors[0]
        said = "; ".join(f"{_path(error.get('field'))}: {error.get('message')}" for error in user_errors[:5])
        raise Rejected(f"{document}: {said}", code=str(first.get("code") or "user_error"), field=_path(first["field"]))


def _transport_failure(answer: Answer, content: Mapping[str, Any] | None) -> LoyaltyError:
    status = answer.status
    if status == 429 or status == 430 or status >= 500:
        return Throttled(f"Shopify answered {status}.", retry_after=answer.retry_after)
    if status in _GONE:
        return AccessRevoked(f"Shopify answered {status} for this shop.", code=_GONE[status])
    if status == 403:
        errors = _errors(content or {})
        return MissingScope(f"Shopify refuses access: {_scope_named_in(errors) or 'a scope is missing'}.")
    if content is None:
        # A 200 with HTML, or half of an answer: a page of something between us and Shopify.
        return Throttled(f"Shopify's answer ({status}) is not JSON.", retry_after=answer.retry_after)
    if 300 <= status < 400 or status in _REFUSALS:
        return Rejected(f"Shopify answered {status}.", code=f"http_{status}")
    # Whatever else it is (408, 409, something of a proxy's), it does not say that nothing was done.
    return Throttled(f"Shopify answered {status}.", retry_after=answer.retry_after)


def _graphql_failure(errors: list[dict[str, Any]], content: Mapping[str, Any]) -> LoyaltyError:
    codes = {_code(error) for error in errors}
    if "THROTTLED" in codes:
        return Throttled("Shopify's query budget is used up.", retry_after=_seconds_until_affordable(content))
    if codes & _BUSY:
        return Throttled("Shopify had an internal error.", retry_after=2.0)
    if "SHOP_INACTIVE" in codes:
        return AccessRevoked("The shop is not active.", code="shop_frozen")
    if "ACCESS_DENIED" in codes:
        denied = [error for error in errors if _code(error) == "ACCESS_DENIED"]
        return MissingScope(f"Shopify refuses access: {_scope_named_in(denied) or 'a scope is missing'}.")
    first = errors[0]
    return Rejected(f"Shopify refused the query: {first.get('message')}", code=_code(first) or "graphql_error")


def _seconds_until_affordable(content: Mapping[str, Any]) -> float:
    """(requested − available) ÷ restore rate, at least half a second; one second when the answer does not say."""
    try:
        cost = content["extensions"]["cost"]
        throttle = cost["throttleStatus"]
        missing = float(cost["requestedQueryCost"]) - float(throttle["currentlyAvailable"])
        return min(max(missing / float(throttle["restoreRate"]), 0.5), 600.0)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return 1.0


def _errors(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Top-level errors, which are a list of objects, or with some statuses a bare string."""
    errors = content.get("errors")
    if isinstance(errors, list):
        return [error if isinstance(error, dict) else {"message": str(error)} for error in errors]
    return [{"message": str(errors)}] if errors else []


def _is_withheld(error: Mapping[str, Any], may_be_withheld: Collection[str]) -> bool:
    path = error.get("path")
    return _code(error) == "ACCESS_DENIED" and isinstance(path, list) and bool(path) and path[-1] in may_be_withheld


def _code(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("code", "")) if isinstance(extensions, dict) else ""


def _scope_named_in(errors: list[dict[str, Any]]) -> str | None:
    """``read_orders`` out of "Access denied for orders field. Required access: `read_orders` access scope."."""
    for error in errors:
        extensions = error.get("extensions")
        required = extensions.get("requiredAccess", "") if isinstance(extensions, dict) else ""
        if found := _SCOPE.search(f"{required} {error.get('message', '')}"):
            return found[1] or found[2]
    return None


def _path(field: object) -> str:
    return ".".join(str(part) for part in field) if isinstance(field, list) else str(field or "")
