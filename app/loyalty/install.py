"""A shop comes, comes back, changes what it grants, and goes."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..jobs.queue import enqueue, open_lanes, try_parked_jobs
from ..models import Delivery, DeliveryState, Job, Lane, Shop, ShopToken
from ..shopify.client import AdminClient
from ..shopify.shop import ShopFacts, fetch_shop
from ..shopify.tokens import TokenPair
from .access import Access, has_usable_token, store_pair
from .programs import announce_scheduled

log = logging.getLogger(__name__)


def open_app(
    access: Access, domain: str, session_token: str, *, now: datetime, token_begins: datetime | None = None
) -> int:
    """A merchant opened the app with a verified session token, made at ``token_begins``. Returns the shop's id.

    Network verb: the first time, after a reinstall and when the tokens died, the session token is exchanged for an
    offline pair and the shop is set up before any page is shown (App Store 2.3.4). Raises what `TokenEndpoint.exchange`
    raises.
    """
    with access.db.reading() as session:
        shop = session.scalars(select(Shop).where(Shop.domain == domain)).first()
        usable = shop is not None and shop.is_installed and has_usable_token(session, shop.shop_id, now)
    if shop is not None and usable:
        shop_id, opened_at = shop.shop_id, shop.opened_at
    else:
        with access.asking():
            pair = access.endpoint.exchange(domain, session_token, now=now)
            shop_id = connect(access, domain, pair, now=now)
        opened_at = None
    if token_begins is not None and (opened_at is None or opened_at < token_begins):
        with access.db.transaction() as session:
            session.execute(
                update(Shop)
                .where(Shop.shop_id == shop_id, (Shop.opened_at.is_(None)) | (Shop.opened_at < token_begins))
                .values(opened_at=token_begins)
            )
    return shop_id


def connect(access: Access, domain: str, pair: TokenPair, *, now: datetime) -> int:
    """Set a shop up with a pair just received, by exchange or by authorization code. Returns the shop's id."""
    facts = fetch_shop(AdminClient(access.origins, domain, pair.access_token, access.http, access.patience))
    try:
        return _set_up(access, facts, domain, pair, now)
    except IntegrityError:
        # Opened twice in one breath (App Bridge does): the other request made the shop a moment ago.
        return _set_up(access, facts, domain, pair, now)


def _set_up(access: Access, facts: ShopFacts, domain: str, pair: TokenPair, now: datetime) -> int:
    with access.db.transaction() as session:
        shop = _installed(session, facts, domain, pair, now)
        store_pair(session, shop.shop_id, pair, now=now)
        open_lanes(session, shop.shop_id, now)
        shop.published_seq += 1
        try_parked_jobs(session, shop.shop_id, Lane.NETWORK, now)  # parked for want of a token
        enqueue(session, shop.shop_id, "set_up_store", lane=Lane.NETWORK, now=now)
        # Balances that changed while there was no token.
        enqueue(session, shop.shop_id, "sync_members", lane=Lane.NETWORK, now=now)
        enqueue(session, shop.shop_id, "reconcile", lane=Lane.NETWORK, now=now, subject="sweep")
        announce_scheduled(session, shop.shop_id, now)
        return shop.shop_id


def _installed(session: Session, facts: ShopFacts, domain: str, pair: TokenPair, now: datetime) -> Shop:
    # A domain may have belonged to another shop before: the id is the tenant, the newest owner gets the name.
    for other in session.scalars(select(Shop).where(Shop.domain == domain, Shop.shop_id != facts.shop_id)):
        other.domain = f"{other.shop_id}.gone.invalid"
        session.flush()
    shop = session.get(Shop, facts.shop_id, with_for_update=True, populate_existing=True)
    if shop is None:
        shop = Shop(shop_id=facts.shop_id, domain=domain, installed_at=now, hash_key=secrets.token_urlsafe(32))
        shop.published_seq = 0
        session.add(shop)
    elif not shop.is_installed:
        shop.installed_at, shop.uninstalled_at = now, None
    shop.domain = domain
    _describe(shop, facts)
    shop.scopes = ",".join(facts.scopes or pair.scopes)
    session.flush()
    return shop


def _describe(shop: Shop, facts: ShopFacts) -> None:
    shop.name, shop.currency, shop.timezone = facts.name, facts.currency, facts.timezone
    shop.primary_url, shop.is_development = facts.primary_url, facts.is_development
    shop.app_installation_id = facts.app_installation_id


def refresh_shop(access: Access, shop_id: int) -> None:
    """Network verb: read again what Shopify knows of the shop (after ``shop/update``)."""
    facts = access.ask(shop_id, fetch_shop)
    with access.db.transaction() as session:
        shop = session.get(Shop, shop_id)
        if shop is not None and shop.is_installed:
            _describe(shop, facts)
            shop.scopes = ",".join(facts.scopes)


def uninstalled(session: Session, shop: Shop, *, triggered_at: datetime | None, now: datetime) -> str:
    """The merchant removed the app: its tokens are dead, so nothing may be asked of Shopify any more.

    Ignored when it was triggered before the present install (late, after a reinstall). The app may have been opened
    again before anybody told that it had been away: then only the session token's date shows that it is back.

    The date is a header nobody signed: whoever holds an old body of this kind can say that it is of today. Shopify
    could tell, and is not asked: after an uninstall nothing is (PLATFORM §2.7), and no date in the body moves when an
    app goes. What a lie does is mended when the app is opened next: new tokens, and a comparison with Shopify's orders.
    """
    since = max(shop.installed_at, shop.opened_at or shop.installed_at).replace(microsecond=0)
    if triggered_at is not None and triggered_at < since:  # to the second: not every sender's dates are finer
        # A pair from before died with the old install; opening the app once more brings another.
        session.execute(
            update(ShopToken)
            .where(ShopToken.shop_id == shop.shop_id, ShopToken.refreshed_at < triggered_at)
            .values(needs_reopening=True)
        )
        return "Ignored: the app was installed again since."
    if not shop.is_installed:
        return "The app was uninstalled before."
    shop.uninstalled_at = triggered_at or now
    # A shop/redact that came first was held for exactly this uninstall: it is carried out now.
    session.execute(
        update(Delivery)
        .where(
            Delivery.shop_id == shop.shop_id,
            Delivery.topic == "shop/redact",
            Delivery.state == DeliveryState.PARKED,
            func.coalesce(Delivery.triggered_at, Delivery.received_at) >= shop.uninstalled_at,
        )
        .values(state=DeliveryState.NEW, tries=0, due_at=now)
    )
    session.execute(delete(ShopToken).where(ShopToken.shop_id == shop.shop_id))
    session.execute(delete(Job).where(Job.shop_id == shop.shop_id, Job.lane == Lane.NETWORK))
    return "The app was uninstalled."


def scopes_changed(session: Session, shop_id: int, scopes: list[str], *, now: datetime) -> None:
    """``app/scopes_update``: what is granted now. Tolerates a shop that is gone (uninstall race).

    What was parked for want of a scope may be possible now, so it is tried again.
    """
    session.execute(update(Shop).where(Shop.shop_id == shop_id).values(scopes=",".join(sorted(scopes))))
    try_parked_jobs(session, shop_id, Lane.NETWORK, now)


def connect_with_code(access: Access, domain: str, code: str, *, now: datetime) -> int:
    """Network verb: the authorization code grant's last step. Raises `Unauthenticated` for a used or invented code."""
    with access.asking():
        return connect(access, domain, access.endpoint.redeem_code(domain, code, now=now), now=now)
