"""Work a batch of deliveries: understand each, coalesce what is about one order, settle every order once.

`understand` reads bodies and needs no transaction; `work` runs in one, for the worker that holds the shop's lane.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import update
from sqlalchemy.orm import Session

from .. import ledger
from ..errors import Parked
from ..jobs.queue import enqueue
from ..models import DeliveryState, Lane, Member, Order, PrivacyRequest, Shop
from ..program.facts import OrderFacts
from ..program.merging import merge
from ..shopify import payloads
from . import confirm, inbox, install
from .inbox import Taken
from .members import address_hash, customer_at, forgotten, join, mark_dirty, members_of, see_customer
from .programs import Timeline, timeline
from .redact import redact_customer, redact_shop
from .settle import disputed, settle_orders
from .using import move_redemptions

ANSWER_WITHIN = timedelta(days=30)  # of a data request (PLATFORM §3.3)
UNCONFIRMED = "Waiting for Shopify to confirm that this order is the shop's."
UNKNOWN = "Shopify is asked whether this customer is the shop's."

News = payloads.News | confirm.Confirmed


@dataclass(frozen=True, slots=True)
class Understood:
    delivery: Taken
    news: News


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a delivery cannot be worked, and whom it is about as far as that can be told."""

    message: str
    about: str


def understand(shop: Shop, deliveries: list[Taken]) -> tuple[list[Understood], list[tuple[Taken, Problem]]]:
    """Read the bodies. What does not have its topic's shape comes back as a problem, to be parked."""
    understood, refused = [], []
    for delivery in deliveries:
        body = inbox.body_of(delivery)
        try:
            understood.append(Understood(delivery, _read(shop, delivery, body)))
        except Parked as reason:
            refused.append((delivery, Problem(reason.message, _about(body))))
    return understood, refused


def _read(shop: Shop, delivery: Taken, body: bytes) -> News:
    if delivery.source == "fetch" and delivery.topic == inbox.CONFIRMED:
        return confirm.read_confirmed(body)
    if delivery.source == "fetch":
        facts = OrderFacts.from_json(orjson.loads(body))
        return payloads.OrderNews(facts.order_id, facts, shop.shop_id)
    return payloads.read_delivery(delivery.topic, body, hash_address=lambda address: address_hash(shop, address))


def _about(body: bytes) -> str:
    """ "order 5731" or "customer 12" where a refused body still says so: redaction must find it."""
    try:
        content = orjson.loads(body)
    except ValueError:
        return ""
    if not isinstance(content, dict):
        return ""
    for name, key in (("order", "order_id"), ("order" if "line_items" in content else "thing", "id")):
        if isinstance(content.get(key), int):
            return f"{name} {content[key]}"
    return ""


def work(session: Session, shop_id: int, understood: list[Understood], *, now: datetime) -> list[tuple[Taken, str]]:
    """Carry out what the deliveries say and note the outcome of each. Returns those to park, with the reason.

    Orders are merged by id and settled once, whatever number of deliveries spoke of them; everything else is worked
    one by one, in the order received.
    """
    shop = session.get(Shop, shop_id)
    if shop is None:
        return []
    run = _Run(session, shop, timeline(session, shop_id), now)
    # Who redeems locks their balance, then writes their member's row. Whatever is written of members here comes after
    # their balances too, or the two would wait for each other.
    customers = {item.news.customer_id for item in understood if isinstance(item.news, payloads.CustomerNews)}
    if customers:
        ledger.Books(session, shop_id, now=now).open(members_of(session, shop_id, customers).values())
    for item in understood:
        run.take(item)
    run.settle()
    inbox.finish(session, shop_id, run.outcomes, now=now)
    return run.to_park


class _Run:
    """One batch of one shop."""

    def __init__(self, session: Session, shop: Shop, known: Timeline, now: datetime) -> None:
        self.session, self.shop, self.known, self.now = session, shop, known, now
        self.outcomes: list[tuple[Taken, DeliveryState, str]] = []
        self.to_park: list[tuple[Taken, str]] = []
        self._orders: dict[int, OrderFacts] = {}
        self._spoke_of: list[tuple[Taken, int]] = []
        self._again: dict[int, int] = {}  # order → the member it may now belong to
        self._unheard_of: dict[int, tuple[int, ...]] = {}  # customer → those merged into them: to be asked about
        self._erased = False

    def take(self, item: Understood) -> None:
        if self._erased:
            return  # the shop is gone, and this delivery's row with it
        handle: Callable[[Taken, Any], str | None] = _HANDLERS[type(item.news)].__get__(self)
        try:
            outcome = handle(item.delivery, item.news)
        except Parked as reason:
            self.to_park.append((item.delivery, reason.message))
            return
        if outcome is not None:
            ignored = isinstance(item.news, payloads.Ignored) or outcome.startswith("Ignored")
            state = DeliveryState.IGNORED if ignored else DeliveryState.DONE
            self.outcomes.append((item.delivery, state, outcome))

    def settle(self) -> None:
        if self._erased:
            return
        if self._unheard_of:
            confirm.ask_about(self.session, self.shop.shop_id, self._unheard_of, now=self.now)
            self._unheard_of = {}
        refused: dict[int, str] = {}
        done = settle_orders(
            self.session,
            self.shop,
            self._orders,
            self.known,
            now=self.now,
            again=self._again,
            may_belong_to=self._again,
            refused=refused,
        )
        for delivery, order_id in self._spoke_of:
            if order_id in refused:
                self.to_park.append((delivery, refused[order_id]))
            else:
                self.outcomes.append((delivery, DeliveryState.DONE, done[order_id]))

    # --- orders ----------------------------------------------------------------------------------------------------

    def order(self, delivery: Taken, news: payloads.OrderNews) -> str | None:
        if news.facts.snapshot is None:
            return self.refund(delivery, news)
        if news.shop_id != self.shop.shop_id:
            # The shop header is not signed. The order counts when this shop's own Admin API knows it.
            self._fetch(news.order_id)
            return UNCONFIRMED
        self._speak(delivery, news)
        return None

    def refund(self, delivery: Taken, news: payloads.OrderNews) -> str | None:
        """A refund carries nothing that ties it to a shop but its lines: with others than its order's it counts for
        nothing (settle.py), and Shopify is asked.
        """
        known = self._orders.get(news.order_id)
        if known is None or known.snapshot is None:
            row = self.session.get(Order, (self.shop.shop_id, news.order_id))
            known = OrderFacts.from_json(orjson.loads(row.facts)) if row else None
        if known is not None and known.snapshot is not None:
            lines = {line.line_id for line in known.snapshot.lines}
            if not {line_id for refund in news.facts.refunds for line_id, _ in refund.units} <= lines:
                self._fetch(news.order_id)
        self._speak(delivery, news)
        return None

    def _speak(self, delivery: Taken, news: payloads.OrderNews) -> None:
        known = self._orders.get(news.order_id)
        if disputed(known, news.facts):
            self._fetch(news.order_id)
        self._orders[news.order_id] = merge(known, news.facts)
        self._spoke_of.append((delivery, news.order_id))

    def to_fetch(self, delivery: Taken, news: payloads.OrderToFetch) -> str:
        self._fetch(news.order_id)
        return "The order is asked for at Shopify."

    def _fetch(self, order_id: int) -> None:
        if self.shop.is_installed:
            self._ask("fetch_order", subject=str(order_id), arguments={"order_id": order_id})

    # --- customers -------------------------------------------------------------------------------------------------

    def customer(self, delivery: Taken, news: payloads.CustomerNews) -> str:
        if not self.known.is_launched(self.now):
            return "Ignored: the program is not live yet."
        if forgotten(self.session, self.shop, [news.customer_id]):
            return "Ignored: this customer was forgotten."
        if not members_of(self.session, self.shop.shop_id, [news.customer_id]):
            return self._unknown(news.customer_id)
        hashed = news.address_hash if news.address_verified else None
        return self._see(news.customer_id, hashed, news.updated_at)

    def customer_confirmed(self, delivery: Taken, news: confirm.Confirmed) -> str:
        """Shopify's own word, about a customer nobody here had heard of."""
        outcome = self._see(news.customer_id, news.address_hash, news.updated_at)
        for deleted_id in news.merged_ids:
            self._merge(news.customer_id, deleted_id)
        return outcome

    def _unknown(self, customer_id: int, merged_ids: tuple[int, ...] = ()) -> str:
        """Bodies about customers name no shop, and the header that does is not signed."""
        if not self.shop.is_installed:
            return "Ignored: the app is not installed, and Shopify cannot be asked who this is."
        self._unheard_of[customer_id] = (*self._unheard_of.get(customer_id, ()), *merged_ids)
        return UNKNOWN

    def _see(self, customer_id: int, hashed: str | None, seen_at: datetime | None) -> str:
        member_id, waiting = see_customer(
            self.session, self.shop, customer_id, hashed=hashed, seen_at=seen_at, now=self.now
        )
        if member_id is None:
            return "Ignored: this customer was forgotten."
        self._again.update(dict.fromkeys(waiting, member_id))
        return (
            f"The customer is a member; {len(waiting)} guest orders joined them."
            if waiting
            else "The customer is a member."
        )

    def customer_deleted(self, delivery: Taken, news: payloads.CustomerDeleted) -> str:
        closed = self.session.execute(
            update(Member)
            .where(Member.shop_id == self.shop.shop_id, Member.customer_id == news.customer_id)
            .values(closed_at=self.now)
        )
        return "The member was closed." if closed.rowcount else "Ignored: not a member."  # type: ignore[attr-defined]

    def customers_merged(self, delivery: Taken, news: payloads.CustomersMerged) -> str:
        """The deleted customer's book, and orders, go to the kept one."""
        if not news.completed:
            return "Ignored: the merge is not completed."
        if forgotten(self.session, self.shop, [news.kept_id, news.deleted_id]):
            return "Ignored: one of the customers was forgotten."
        if not members_of(self.session, self.shop.shop_id, [news.kept_id, news.deleted_id]):
            # Nothing to move yet, but the deleted id is to be remembered, for orders that still name it.
            if not self.known.is_launched(self.now):
                return "Ignored: the program is not live yet."
            return self._unknown(news.kept_id, (news.deleted_id,))
        return self._merge(news.kept_id, news.deleted_id)

    def _merge(self, kept_id: int, deleted_id: int) -> str:
        shop_id = self.shop.shop_id
        ids = members_of(self.session, shop_id, [kept_id, deleted_id])
        missing = {kept_id, deleted_id} - ids.keys() - forgotten(self.session, self.shop, [kept_id, deleted_id])
        ids |= join(self.session, shop_id, missing, self.now)
        if len(ids) < 2:
            return "Ignored: one of the customers was forgotten."
        source_id, target_id = ids[deleted_id], ids[kept_id]
        if source_id == target_id:
            return "The customers were merged before."
        ledger.transfer(self.session, shop_id=shop_id, source_id=source_id, target_id=target_id, now=self.now)
        mine = (Member.shop_id == shop_id, (Member.member_id == source_id) | (Member.merged_into == source_id))
        self.session.execute(update(Member).where(*mine).values(merged_into=target_id, address_hash=None))
        self.session.execute(
            update(Order).where(Order.shop_id == shop_id, Order.member_id == source_id).values(member_id=target_id)
        )
        move_redemptions(self.session, shop_id, source_id, target_id)
        sequence = self.session.get(ledger.Balance, (shop_id, target_id), populate_existing=True)
        if sequence is not None:
            mark_dirty(self.session, shop_id, {target_id: sequence.seq})
            self._ask("sync_members")
        return "The customers' books were merged."

    # --- the shop --------------------------------------------------------------------------------------------------

    def app_uninstalled(self, delivery: Taken, news: payloads.AppUninstalled) -> str:
        self._must_be_ours(news.shop_id, news.shop_domain)
        return install.uninstalled(self.session, self.shop, triggered_at=delivery.triggered_at, now=self.now)

    def scopes_updated(self, delivery: Taken, news: payloads.ScopesUpdated) -> str:
        self._must_be_ours(news.shop_id, self.shop.domain)
        install.scopes_changed(self.session, self.shop.shop_id, list(news.scopes), now=self.now)
        return "The granted scopes were noted."

    def shop_updated(self, delivery: Taken, news: payloads.ShopUpdated) -> str:
        self._must_be_ours(news.shop_id, news.shop_domain)
        if self.shop.is_installed:
            self._ask("refresh_shop")
        return "The shop's details are read again."

    def data_requested(self, delivery: Taken, news: payloads.DataRequested) -> str:
        self._must_be_ours(news.shop_id, news.shop_domain)
        customer_id = news.subject.customer_id
        if customer_id is None and news.subject.address_hash is not None:
            # A visitor asked with nothing but an address; whose it is, the hash tells.
            customer_id = customer_at(self.session, self.shop.shop_id, news.subject.address_hash)
        if customer_id is not None and forgotten(self.session, self.shop, [customer_id]):
            return "Ignored: this customer was forgotten."
        received_at = delivery.triggered_at or delivery.received_at
        self.session.merge(
            PrivacyRequest(
                shop_id=self.shop.shop_id,
                request_id=news.request_id,
                customer_id=customer_id,
                received_at=received_at,
                due_at=received_at + ANSWER_WITHIN,
            )
        )
        return "The request waits on the privacy page."

    def customer_redacted(self, delivery: Taken, news: payloads.CustomerRedacted) -> str:
        self._must_be_ours(news.shop_id, news.shop_domain)
        # What the same batch says of this person must be erased with the rest, so it is settled first.
        self.settle()
        self._orders, self._spoke_of, self._again = {}, [], {}
        customer = orjson.loads(inbox.body_of(delivery)).get("customer") or {}
        return redact_customer(
            self.session,
            self.shop,
            customer_id=news.subject.customer_id,
            hashed=news.subject.address_hash,
            marks=[value for value in customer.values() if isinstance(value, str) and len(value) > 4],
            order_ids=news.order_ids,
            now=self.now,
        )

    def shop_redacted(self, delivery: Taken, news: payloads.ShopRedacted) -> str | None:
        self._must_be_ours(news.shop_id, news.shop_domain)
        if self.shop.is_installed:
            raise Parked("held: the shop is installed")
        redact_shop(self.session, self.shop.shop_id)
        self._orders, self._spoke_of, self._again = {}, [], {}
        self.outcomes, self.to_park, self._erased = [], [], True
        return None

    def ignored(self, delivery: Taken, news: payloads.Ignored) -> str:
        return f"Ignored: nothing here listens to {news.topic[:100]}."

    def _must_be_ours(self, shop_id: int, domain: str | None) -> None:
        # Bodies that describe a whole shop may leave its domain null; the id is the tenant all the same.
        if shop_id != self.shop.shop_id or domain not in (None, self.shop.domain):
            raise Parked("It names another shop.")

    def _ask(self, kind: str, **more: Any) -> None:
        enqueue(self.session, self.shop.shop_id, kind, lane=Lane.NETWORK, now=self.now, **more)


_HANDLERS: dict[type, Any] = {
    payloads.OrderNews: _Run.order,
    payloads.OrderToFetch: _Run.to_fetch,
    payloads.CustomerNews: _Run.customer,
    confirm.Confirmed: _Run.customer_confirmed,
    payloads.CustomerDeleted: _Run.customer_deleted,
    payloads.CustomersMerged: _Run.customers_merged,
    payloads.AppUninstalled: _Run.app_uninstalled,
    payloads.ScopesUpdated: _Run.scopes_updated,
    payloads.ShopUpdated: _Run.shop_updated,
    payloads.DataRequested: _Run.data_requested,
    payloads.CustomerRedacted: _Run.customer_redacted,
    payloads.ShopRedacted: _Run.shop_redacted,
    payloads.Ignored: _Run.ignored,
}
