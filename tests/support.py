"""Small builders the tests share: a shop with a live program, signed webhooks, order bodies in Shopify's shape."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from sqlalchemy import select
from urllib3 import HTTPResponse

from app.db import Database
from app.jobs.queue import open_lanes
from app.jobs.worker import Worker
from app.loyalty import inbox
from app.loyalty.access import Access
from app.loyalty.audit import audit_shop
from app.loyalty.programs import publish
from app.loyalty.views.balances import balance_of
from app.models import Delivery, Job, Order, Shop, ShopToken
from app.program.presets import preset
from app.program.settings import ProgramSettings
from app.shopify.origins import Origins
from app.shopify.tokens import TokenEndpoint

from .conftest import API_KEY, API_SECRET, DOMAIN, NOW, SHOP_ID

DATA = Path(__file__).parent / "data"
PAYLOADS = DATA / "shopify/payloads"
LAUNCHED = datetime(2019, 1, 1, tzinfo=UTC)


class NoNetwork(requests.Session):
    """Stands where Shopify would be, for tests in which nobody may ask it anything."""

    def request(self, method: str, url: str, **kwargs: Any) -> Any:  # type: ignore[override]
        raise requests.ConnectionError(f"no network in this test: {method} {url}")


class KnowsCustomers(NoNetwork):
    """A Shopify that knows the customers its webhooks spoke of (`deliver`), and answers nothing else."""

    spoken_of: ClassVar[dict[tuple[str, str], dict[int, dict[str, Any]]]] = {}  # database and shop → id → body

    def __init__(self, db: Database) -> None:
        super().__init__()
        self.db = db

    def request(self, method: str, url: str, **kwargs: Any) -> Any:  # type: ignore[override]
        asked = json.loads(kwargs["data"])
        if "CustomersKnown" not in asked.get("query", ""):
            return super().request(method, url, **kwargs)
        known = self.spoken_of.get((str(self.db.url), urlsplit(url).hostname or ""), {})
        bodies = [known.get(int(gid.rpartition("/")[2])) for gid in asked["variables"]["ids"]]
        content = json.dumps({"data": {"nodes": [body and customer_node(body) for body in bodies]}}).encode()
        response = requests.Response()
        response.status_code = 200
        response.raw = HTTPResponse(io.BytesIO(content), status=200, preload_content=False)
        return response


def customer_node(body: dict[str, Any]) -> dict[str, Any]:
    """A customers/* body as the Admin API shows the same customer."""
    return {
        "id": f"gid://shopify/Customer/{body['id']}", "updatedAt": body.get("updated_at") or NOW.isoformat(),
        "verifiedEmail": body["verified_email"],
        "defaultEmailAddress": {"emailAddress": body["email"]} if body.get("email") else None,
    }  # fmt: skip


def access_for(db: Database, clock: Callable[[], datetime], http: requests.Session | None = None) -> Access:
    origins = Origins(None)
    http = http or KnowsCustomers(db)
    return Access(db, origins, TokenEndpoint(origins, API_KEY, API_SECRET, http), http, clock)


def add_shop(
    db: Database,
    *,
    shop_id: int = SHOP_ID,
    domain: str = DOMAIN,
    currency: str = "EUR",
    program: ProgramSettings | str | None = "starter",
    launched: datetime = LAUNCHED,
    installed: datetime = LAUNCHED,
    token: bool = True,
) -> int:
    """An installed shop, with a program live since ``launched`` (None: not launched). Returns its id."""
    KnowsCustomers.spoken_of.pop((str(db.url), domain), None)
    with db.transaction() as session:
        shop = Shop(
            shop_id=shop_id, domain=domain, name="Saltmarsh Pottery", currency=currency, timezone="Europe/Berlin",
            installed_at=installed, hash_key=f"hash-key-of-{shop_id}", primary_url=f"https://{domain}",
            scopes="read_orders,read_customers,write_customers,read_customer_merge,read_products,write_discounts,"
            "write_app_proxy",
            app_installation_id="gid://shopify/AppInstallation/1", published_seq=0, synced_seq=0, recovered=0,
        )  # fmt: skip
        session.add(shop)
        session.flush()
        open_lanes(session, shop_id, installed)
        if token:
            session.add(
                ShopToken(
                    shop_id=shop_id, access_token="shpat_test", access_expires_at=NOW + timedelta(days=365),
                    refresh_token="shprt_test", refresh_expires_at=NOW + timedelta(days=3650), token_version=1,
                    refreshed_at=NOW,
                )
            )  # fmt: skip
        if program is not None:
            settings = preset(program, currency) if isinstance(program, str) else program
            publish(session, shop, settings, author="test", now=launched)
    return shop_id


def deliver(
    db: Database, topic: str, body: Any, *, now: datetime = NOW, domain: str = DOMAIN, webhook_id: str = "",
    triggered_at: datetime | None = None,
) -> bool:  # fmt: skip
    """Put a body into the inbox, as the webhook door does once the signature was verified."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    known = KnowsCustomers.spoken_of.setdefault((str(db.url), domain), {})
    if topic in ("customers/create", "customers/update") and isinstance(body, dict) and "verified_email" in body:
        known[body["id"]] = body
    elif topic == "customers/merge" and isinstance(body, dict) and "admin_graphql_api_customer_kept_id" in body:
        kept_id = int(body["admin_graphql_api_customer_kept_id"].rpartition("/")[2])
        known.setdefault(kept_id, customer_body(kept_id, verified=False))
    arrival = inbox.Arrival(domain, topic, webhook_id, "2026-10", triggered_at, raw, now)
    return inbox.receive(db, [arrival]) == 1


def drain(db: Database, clock: Callable[[], datetime], access: Access | None = None) -> None:
    Worker(access or access_for(db, clock)).drain()


def balance(db: Database, customer_id: int, *, shop_id: int = SHOP_ID) -> dict[str, int]:
    with db.reading() as session:
        return balance_of(session, shop_id, customer_id)


def available(db: Database, customer_id: int, *, shop_id: int = SHOP_ID) -> int:
    figures = balance(db, customer_id, shop_id=shop_id)
    return figures["available"] - figures["debt"]


def payload(name: str) -> dict[str, Any]:
    return json.loads((PAYLOADS / name).read_text(encoding="utf-8"))


def signature(body: bytes, secret: str = API_SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def webhook_headers(
    topic: str, body: bytes, *, domain: str = DOMAIN, webhook_id: str = "w-1", secret: str = API_SECRET
) -> dict[str, str]:
    return {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": domain,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-Hmac-SHA256": signature(body, secret),
        "Content-Type": "application/json",
    }


def order_body(
    order_id: int = 5731,
    *,
    customer_id: int | None = 7001,
    email: str | None = "nora@example.com",
    lines: Iterable[tuple[str, int]] = (("28.00", 1),),
    created_at: datetime = NOW,
    updated_at: datetime | None = None,
    status: str = "paid",
    currency: str = "EUR",
    shop_id: int = SHOP_ID,
    domain: str = DOMAIN,
    test: bool = False,
    refunds: Iterable[dict[str, Any]] = (),
    removed: dict[int, int] | None = None,
    fulfilled_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    total_outstanding: str = "0.00",
    name: str | None = None,
    codes: Iterable[tuple[str, str]] = (),
) -> dict[str, Any]:
    """An orders/* body: (price, quantity) lines. ``removed``: line number → units an edit removed. ``codes``: discount
    codes and what each took off the first line.
    """
    refunds, codes = list(refunds), list(codes)
    back: dict[int, int] = dict(removed or {})
    for refund in refunds:
        for item in refund["refund_line_items"]:
            number = item["line_item_id"] - order_id * 100
            back[number] = back.get(number, 0) + item["quantity"]
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "name": name or f"#{order_id}",
        "email": email,
        "created_at": created_at.isoformat(),
        "processed_at": created_at.isoformat(),
        "updated_at": (updated_at or created_at).isoformat(),
        "cancelled_at": cancelled_at.isoformat() if cancelled_at else None,
        "test": test,
        "currency": currency,
        "taxes_included": False,
        "financial_status": status,
        "fulfillment_status": "fulfilled" if fulfilled_at else None,
        "total_outstanding": total_outstanding,
        "order_status_url": f"https://{domain}/{shop_id}/orders/0123456789abcdef/authenticate?key=0",
        "source_name": "web",
        "customer": {"id": customer_id} if customer_id else None,
        "line_items": [
            {
                "id": order_id * 100 + number, "title": f"Mug {number}", "quantity": quantity,
                "current_quantity": max(0, quantity - back.get(number, 0)), "gift_card": False,
                "price": price, "price_set": money_set(price, currency), "product_id": 900 + number,
                "variant_id": 800 + number, "vendor": "Saltmarsh", "tax_lines": [],
                "discount_allocations": [
                    {"amount": amount, "amount_set": money_set(amount, currency), "discount_application_index": place}
                    for place, (_, amount) in enumerate(codes if number == 1 else ())
                ],
            }
            for number, (price, quantity) in enumerate(lines, start=1)
        ],
        "discount_codes": [{"code": code, "amount": amount, "type": "fixed_amount"} for code, amount in codes],
        "discount_applications": [
            {
                "type": "discount_code", "code": code, "value": amount, "value_type": "fixed_amount",
                "target_type": "line_item", "target_selection": "all", "allocation_method": "across",
            }
            for code, amount in codes
        ],
        "shipping_lines": [],
        "refunds": refunds,
        "fulfillments": (
            [{"id": 1, "created_at": fulfilled_at.isoformat(), "status": "success"}] if fulfilled_at else []
        ),
    }  # fmt: skip


def refund_body(
    refund_id: int, order_id: int = 5731, *, units: dict[int, int], created_at: datetime = NOW, price: str = "28.00",
    adjustments: Iterable[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """A refunds/create body: line number → units that came back; ``adjustments`` are discrepancies, signed."""
    return {
        "id": refund_id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
        "order_id": order_id,
        "created_at": created_at.isoformat(),
        "processed_at": created_at.isoformat(),
        "refund_line_items": [
            {
                "id": refund_id * 100 + number, "line_item_id": order_id * 100 + number, "quantity": quantity,
                "subtotal": float(price) * quantity, "subtotal_set": money_set(price, "EUR"), "restock_type": "return",
            }
            for number, quantity in units.items()
        ],
        "refund_shipping_lines": [],
        "order_adjustments": [
            {
                "id": refund_id * 1000 + place, "kind": "refund_discrepancy", "reason": "Refund discrepancy",
                "amount": amount, "amount_set": money_set(amount, "EUR"), "tax_amount": "0.00",
                "tax_amount_set": money_set("0.00", "EUR"), "order_id": order_id, "refund_id": refund_id,
            }
            for place, amount in enumerate(adjustments)
        ],
    }  # fmt: skip


def money_set(amount: str, currency: str) -> dict[str, Any]:
    money = {"amount": amount, "currency_code": currency}
    return {"shop_money": money, "presentment_money": money}


def customer_body(
    customer_id: int = 7001,
    *,
    email: str | None = "nora@example.com",
    verified: bool = True,
    updated_at: datetime = NOW,
) -> dict[str, Any]:
    """A customers/create or customers/update body."""
    return {
        "id": customer_id,
        "admin_graphql_api_id": f"gid://shopify/Customer/{customer_id}",
        "email": email,
        "verified_email": verified,
        "created_at": NOW.isoformat(),
        "updated_at": updated_at.isoformat(),
    }


def merge_body(kept_id: int, deleted_id: int, status: str = "completed") -> dict[str, Any]:
    """A customers/merge body."""
    return {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept_id}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{deleted_id}",
        "admin_graphql_api_job_id": None,
        "status": status,
        "errors": [],
    }


def problems(db: Database) -> list[str]:
    """What the audit of every shop finds."""
    with db.reading() as session:
        return [
            problem
            for shop_id in session.scalars(select(Shop.shop_id)).all()
            for problem in audit_shop(session, shop_id)
        ]


def outcomes(db: Database, *, shop_id: int = SHOP_ID) -> list[tuple[str, str, str]]:
    """(topic, state, what came of it) of every delivery, in the order received."""
    with db.reading() as session:
        rows = session.scalars(select(Delivery).where(Delivery.shop_id == shop_id).order_by(Delivery.received_at))
        return [(row.topic, str(row.state), row.outcome) for row in rows]


def jobs(db: Database, *, shop_id: int = SHOP_ID) -> dict[tuple[str, str], Job]:
    """(kind, subject) → the job that waits."""
    with db.reading() as session:
        return {(job.kind, job.subject): job for job in session.scalars(select(Job).where(Job.shop_id == shop_id))}


def an_order(db: Database, order_id: int = 5731, *, shop_id: int = SHOP_ID) -> Order:
    with db.reading() as session:
        return session.get_one(Order, (shop_id, order_id))
