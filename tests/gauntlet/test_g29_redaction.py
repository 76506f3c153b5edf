"""G29: fifty customers are forgotten, and then everything a thief could copy is searched for them.

Every text about them holds a mark that stands nowhere else, with a letter outside ASCII beside it, so that one search
finds what is left of any of the five hundred canaries, in each way bytes are written.
"""

from __future__ import annotations

import base64
import json
import re
import time
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select, text

from app.jobs.queue import enqueue
from app.loyalty.adjust import adjust
from app.loyalty.audit import audit_shop
from app.loyalty.inbox import body_of
from app.loyalty.redact import what_it_says
from app.loyalty.redeem import Wanted, redeem
from app.loyalty.views.privacy import export
from app.models import Delivery, Lane, Member, Shop
from app.shopify import payloads

from ..conftest import DOMAIN, NOW, SHOP_ID
from ..rewarding import fill_pool, the_reward
from ..support import add_shop, deliver, drain, order_body, refund_body
from ..web.asking import Door, bearer, proxied
from ..web.conftest import without_network
from .dumps import changed, plain_dump, rows_of

PEOPLE = 50
MARK = "qzcnrygone"  # of those who are forgotten
OTHERS = "qzcnrystay"  # of those who are not
FIRST_ID = 7_880_000_000_000
KINDS = ("email", "phone", "first_name", "last_name", "address1", "note", "tags", "browser_ip", "order", "reason")


def canary(kind: str, number: int, mark: str = MARK) -> str:
    """One customer's canary of one kind. "é" makes JSON, URLs and letter case show their differences."""
    return f"{mark}-{kind}-{number:03}-é" if kind != "email" else f"{mark}.{number:03}.é@Example.com"


def customer_of(number: int, mark: str = MARK) -> int:
    return FIRST_ID + number + (500_000 if mark == OTHERS else 0)


def order_of(number: int, mark: str = MARK) -> int:
    return 600_000_000_000 + number * 10 + (500_000 if mark == OTHERS else 0)


def person(number: int, mark: str) -> dict[str, Any]:
    return {name: canary(name, number, mark) for name in KINDS if name not in ("order", "reason", "browser_ip")}


def order(number: int, mark: str = MARK, *, order_id: int | None = None, **changes: Any) -> dict[str, Any]:
    """An order with everything Shopify would tell us about who placed it."""
    who = person(number, mark)
    body = order_body(order_id or order_of(number, mark), customer_id=customer_of(number, mark),
                      name=canary("order", number, mark), email=who["email"])  # fmt: skip
    return body | {
        "customer": {"id": customer_of(number, mark), **who}, "billing_address": who, "shipping_address": who,
        "phone": who["phone"], "note": who["note"], "tags": who["tags"], "contact_email": who["email"],
        "browser_ip": canary("browser_ip", number, mark), "client_details": {"browser_ip": canary("browser_ip",
        number, mark)},
        "note_attributes": [{"name": "for", "value": who["first_name"]}],
    } | changes  # fmt: skip


def live(db: Any, clock: Any, mark: str, people: int) -> None:
    """Customers use everything there is: orders, refunds, corrections, rewards, requests; bodies wait, parked."""
    for number in range(people):
        deliver(db, "customers/update", {
            "id": customer_of(number, mark), "verified_email": True, "created_at": "2026-11-20T12:00:00Z",
            "updated_at": "2026-11-20T12:00:00Z", **person(number, mark),
        }, webhook_id=f"c-{mark[6:]}-{number}")  # fmt: skip
        deliver(db, "orders/paid", order(number, mark), webhook_id=f"o-{mark[6:]}-{number}")
        refund = refund_body(order_of(number, mark) + 5, order_of(number, mark), units={}, adjustments=["-3.00"])
        refund["note"] = canary("note", number, mark)
        deliver(db, "refunds/create", refund, webhook_id=f"r-{mark[6:]}-{number}")
        broken = order(number, mark, order_id=order_of(number, mark) + 1, line_items="none")
        sent = json.dumps(broken, ensure_ascii=number % 2 == 0).encode()
        deliver(db, "orders/updated", sent, webhook_id=f"p-{mark[6:]}-{number}")
        guest = order(number, mark, order_id=order_of(number, mark) + 2, customer=None, line_items="none")
        deliver(db, "orders/create", guest, webhook_id=f"g-{mark[6:]}-{number}")
        deliver(db, "customers/data_request", {
            "shop_id": SHOP_ID, "shop_domain": DOMAIN, "orders_requested": [order_of(number, mark)],
            "customer": {"id": customer_of(number, mark), **person(number, mark)},
            "data_request": {"id": order_of(number, mark) + 7},
        }, webhook_id=f"d-{mark[6:]}-{number}")  # fmt: skip
    drain(db, clock)
    fill_pool(db, the_reward().reward_id, 500, count=people)
    with db.transaction() as session:
        shop = session.get_one(Shop, SHOP_ID)
        for number in range(people):
            member_id = session.scalars(
                select(Member.member_id).where(
                    Member.shop_id == SHOP_ID, Member.customer_id == customer_of(number, mark)
                )
            ).one()
            adjust(session, SHOP_ID, member_id, points=103, reason=canary("reason", number, mark),
            key=f"{mark[6:]}-{number}",
                   author="staff 1", now=clock.now)  # fmt: skip
            wanted = Wanted(the_reward().reward_id, canary("first_name", number, mark))
            redemption, _ = redeem(
                session, shop, member_id, wanted, now=clock.now, by_staff=canary("last_name", number, mark)
            )
            redemption.problem = canary("note", number, mark)
            enqueue(session, SHOP_ID, "fetch_order", lane=Lane.NETWORK, now=clock.now, subject=str(order_of(number,
            mark)),
                    arguments={"order_id": order_of(number, mark)}, due_at=clock.now + timedelta(days=1))  # fmt: skip


def redaction(number: int, *, listed: bool, mark: str = MARK) -> dict[str, Any]:
    who = person(number, mark)
    return {
        "shop_id": SHOP_ID, "shop_domain": DOMAIN,
        "customer": {"id": customer_of(number, mark), "email": who["email"], "phone": who["phone"]},
        "orders_to_redact": [order_of(number, mark) + place for place in (0, 1, 2, 3)] if listed else [],
    }  # fmt: skip


def spellings(mark: str) -> dict[str, list[bytes]]:
    """The mark in each way bytes are written; in base64, at each of three places."""
    plain = mark.encode()
    # Among other bytes: whole groups of three of it, begun at each of three places.
    groups = [plain[start : start + (len(plain) - start) // 3 * 3] for start in range(3)]
    return {
        "UTF-8": [plain, mark.upper().encode(), mark.title().encode()],
        "UTF-16": [mark.encode("utf-16-le"), mark.encode("utf-16-be"), mark.upper().encode("utf-16-le")],
        "hex": [plain.hex().encode(), plain.hex().upper().encode(), mark.upper().encode().hex().encode()],
        "base64": [base64.b64encode(group) for group in groups],
        "URL-encoded": ["".join(f"%{byte:02x}" for byte in plain).encode(), quote(mark).encode()],
        "JSON-escaped": ["".join(f"\\u{ord(letter):04x}" for letter in mark).encode()],
    }


def found_in(pieces: list[bytes], mark: str) -> list[str]:
    lowered = [piece.lower() for piece in pieces]
    found = [name for name, ways in spellings(mark).items() for way in ways for piece in pieces if way in piece]
    found += ["any letter case" for piece in lowered if mark.encode() in piece]
    # Encrypted bodies could be opened by whoever has the keys, so they are looked into as well: see `opened_bodies`.
    return sorted(set(found))


def opened_bodies(db: Any) -> list[bytes]:
    with db.reading() as session:
        return [what_it_says(body_of(row)).encode() for row in session.scalars(select(Delivery).where(
            Delivery.body.is_not(None)))]  # fmt: skip


def balances(db: Any) -> tuple[int, ...]:
    with db.reading() as session:
        found = session.execute(
            text("SELECT sum(available), sum(pending), sum(reserved), sum(debt) FROM balances WHERE shop_id = :id"),
            {"id": SHOP_ID},
        )
        return tuple(int(figure) for figure in found.one())


def test_the_search_finds_what_is_there():
    """The searcher searches: each spelling of a canary is found."""
    word = canary("first_name", 7)
    for written in (word.encode(), word.upper().encode(), word.encode("utf-16-le"), word.encode().hex().encode(),
                    base64.b64encode(word.encode()), base64.b64encode(b"x" + word.encode()),
                    base64.b64encode(b"xy" + word.encode()), json.dumps(word).encode(),
                    quote(word).encode()):  # fmt: skip
        assert found_in([b"....." + written + b"....."], MARK), written


def test_fifty_customers_leave_nothing_behind(db, clock, caplog, gauntlet):
    caplog.set_level("DEBUG")
    add_shop(db)
    live(db, clock, MARK, PEOPLE)
    live(db, clock, OTHERS, 5)
    assert found_in(plain_dump(db), MARK), "the canaries are there to begin with"
    before, others = balances(db), _of_others(db)
    clock.advance(minutes=1)

    # Half of them with their orders listed, one of which has not come yet; some told twice; two never heard of.
    for number in range(PEOPLE):
        for again in range(1 + (number % 10 == 0)):
            body = {**redaction(number, listed=number % 2 == 0), "again": again}
            deliver(db, "customers/redact", body, now=clock.now, webhook_id=f"x-{number}-{again}")
    for number in (900, 901):
        deliver(db, "customers/redact", redaction(number, listed=True), now=clock.now, webhook_id=f"x-{number}")
    started = time.monotonic()
    drain(db, clock)
    seconds = time.monotonic() - started

    # Late: an order of before, an update, the customer once more, and bodies that cannot even be read.
    clock.advance(minutes=5)
    for number in range(0, PEOPLE, 2):
        late = order(number, order_id=order_of(number) + 3, updated_at=clock.now.isoformat())
        deliver(db, "orders/paid", late, now=clock.now, webhook_id=f"l-{number}")
        deliver(
            db,
            "orders/updated",
            order(number, updated_at=clock.now.isoformat()),
            now=clock.now,
            webhook_id=f"m-{number}",
        )
        deliver(db, "customers/update", {
            "id": customer_of(number), "verified_email": True, "updated_at": clock.now.isoformat(), **person(number,
            MARK),
        }, now=clock.now, webhook_id=f"n-{number}")  # fmt: skip
        deliver(db, "orders/updated", order(number, line_items=None), now=clock.now, webhook_id=f"q-{number}")
    drain(db, clock)
    clock.advance(hours=3)
    drain(db, clock)

    dumped = plain_dump(db)
    left = found_in(dumped, MARK) + [f"opened: {name}" for name in found_in(opened_bodies(db), MARK)]
    in_logs = found_in([caplog.text.encode()], MARK) + found_in([caplog.text.encode()], OTHERS)
    with db.reading() as session:
        problems = audit_shop(session, SHOP_ID)
        ids = session.execute(text("SELECT count(*) FROM members WHERE customer_id BETWEEN :low AND :high"),
                              {"low": FIRST_ID, "high": FIRST_ID + 400_000}).scalar()  # fmt: skip
    touched = changed(others, _of_others(db))
    gauntlet.record("G29", n=PEOPLE * len(KINDS), failures=len(left) + len(in_logs) + len(problems) + len(touched))
    assert not left
    assert not in_logs
    assert not problems
    assert balances(db) == before
    assert ids == 0
    assert not touched
    assert found_in(dumped, OTHERS), "the others are still there"
    assert seconds < 60


def _of_others(db: Any) -> dict[str, Any]:
    """What is stored about those who stay: rows that hold their ids or their mark, and their entries. The job that
    sends their balance to Shopify is tried meanwhile.
    """
    rows = rows_of(db, SHOP_ID, without=("due_shops", "shops"))
    ids = {str(customer_of(number, OTHERS)) for number in range(5)} | {
        str(order_of(number, OTHERS) + place) for number in range(5) for place in range(8)
    }
    members = {str(row[1]) for row in rows["members"] if str(row[2]) in ids}
    words = re.compile("|".join([OTHERS, *ids, *members]))
    return {
        name: [row for row in found if words.search(repr(row)) and "sync_members" not in row]
        for name, found in rows.items()
    }


def test_an_export_holds_every_canary_that_is_stored(db, clock, gauntlet):
    """What can be found in the database about somebody, opened where it is encrypted, is in their export."""
    add_shop(db)
    live(db, clock, MARK, 5)
    with db.reading() as session:
        shop = session.get_one(Shop, SHOP_ID)
        stored = " ".join(repr(rows) for rows in rows_of(db, SHOP_ID).values()).casefold()
        by_name = [body.decode() for body in opened_bodies(db)]
        missing = []
        for number in range(5):
            said = json.dumps(export(session, shop, customer_of(number)), ensure_ascii=False, default=str)
            said = what_it_says(said.replace("\\\\", "\\").encode())
            named = [body for body in by_name if str(customer_of(number)) in body]
            for kind in KINDS:
                word = canary(kind, number).casefold()
                is_stored = word in stored or any(word in body for body in named)
                missing += [(number, kind)] if is_stored and word not in said else []
                assert is_stored, kind
            assert not any(
                canary(kind, other).casefold() in said for kind in KINDS for other in range(5) if other != number
            )
    gauntlet.record("G29", n=5 * len(KINDS), failures=len(missing))
    assert not missing


def test_a_shop_that_is_erased_leaves_nothing_behind(db, clock, gauntlet):
    add_shop(db)
    live(db, clock, MARK, 5)
    add_shop(db, shop_id=2, domain="other.myshopify.com")
    skipped = ("due_shops", "jobs")  # its own jobs are tried meanwhile
    others = rows_of(db, 2, without=skipped)
    whole = {"id": SHOP_ID, "myshopify_domain": DOMAIN, "shop_owner": "Ada", "name": "x", "currency": "EUR"}
    deliver(db, "app/uninstalled", whole, now=clock.now, triggered_at=clock.now)
    drain(db, clock)
    clock.advance(hours=48)
    deliver(db, "orders/paid", order(3, order_id=5), now=clock.now)  # a late one, erased with the rest
    deliver(db, "shop/redact", {"shop_id": SHOP_ID, "shop_domain": DOMAIN}, now=clock.now, triggered_at=clock.now)
    drain(db, clock)
    left = [name for name, rows in rows_of(db, SHOP_ID).items() if rows]
    found = found_in(plain_dump(db), MARK)
    touched = changed(others, rows_of(db, 2, without=skipped))
    gauntlet.record("G29", n=5 * len(KINDS), failures=len(left) + len(found) + len(touched))
    assert not left
    assert not found
    assert not touched


def test_somebody_forgotten_is_nobody_at_every_door(sqlite_db, clock, make_app, gauntlet):
    add_shop(sqlite_db)
    live(sqlite_db, clock, MARK, 2)
    deliver(sqlite_db, "customers/redact", redaction(0, listed=True), now=clock.now)
    drain(sqlite_db, clock)
    door = Door(without_network(make_app(sqlite_db)))
    told = door.get(proxied("/proxy/shopper", customer_of(0), now=clock.now)).json()
    said = bearer(now=clock.now)
    pages = [door.get(path, headers=said).text for path in (
        "/admin/", "/admin/members", "/admin/activity", "/admin/privacy", f"/admin/members?q={customer_of(0)}",
        f"/admin/privacy/{order_of(0) + 7}/download",
    )]  # fmt: skip
    wrong = [word for page in pages for kind in KINDS for word in (canary(kind, 0), str(customer_of(0)))
             if word in page.replace(f'value="{customer_of(0)}"', "").replace(f"“{customer_of(0)}”", "")]  # fmt: skip
    gauntlet.record("G29", n=1 + len(pages), failures=len(wrong) + (told["history"] != []))
    assert told["member"]["available"] == 0 and told["history"] == []
    assert not wrong
    assert door.get(f"/admin/privacy/{order_of(0) + 7}/download", headers=said).status == 404


def test_a_retry_that_waits_is_erased_too(db, clock, monkeypatch, gauntlet):
    """A body that failed for a fault of ours lies in the clear until it is tried again."""
    add_shop(db)
    good = payloads._READERS["orders/paid"]

    def surprised(content, hash_address):
        raise AttributeError("ours")

    monkeypatch.setitem(payloads._READERS, "orders/paid", surprised)
    deliver(db, "orders/paid", order(1), webhook_id="w")
    drain(db, clock)
    monkeypatch.setitem(payloads._READERS, "orders/paid", good)
    deliver(db, "customers/redact", redaction(1, listed=False), now=clock.now)
    drain(db, clock)
    left = found_in(plain_dump(db), MARK)
    gauntlet.record("G29", n=1, failures=len(left))
    assert not left


@pytest.mark.parametrize("stranger", ["7880000000001", "88000000000", "1"])
def test_an_id_inside_another_number_is_not_that_customer(sqlite_db, clock, stranger, gauntlet):
    """Forgetting customer 88000000000 leaves alone what is parked about 7880000000001."""
    add_shop(sqlite_db)
    deliver(sqlite_db, "orders/paid", {"id": 5, "customer": {"id": 7880000000001 * 10}, "line_items": "none"}, now=NOW)
    drain(sqlite_db, clock)
    body = {"shop_id": SHOP_ID, "shop_domain": DOMAIN, "orders_to_redact": [], "customer": {"id": int(stranger)}}
    deliver(sqlite_db, "customers/redact", body, now=clock.now)
    drain(sqlite_db, clock)
    with sqlite_db.reading() as session:
        kept = session.scalars(select(Delivery).where(Delivery.topic == "orders/paid")).one().body is not None
    gauntlet.record("G29", n=1, failures=not kept)
    assert kept
