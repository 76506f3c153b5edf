"""The dev store as the rest of it sees it: one object, ``DevStore``, with a verb for everything a shop can do.

Reach it as ``g.devstore`` in a request (``g.shop`` is the Shop on a shop's own origin), or
``app.extensions["devstore"]``. Records are those of ``records``; they are copies, so change them by verbs only.

Reading
    shops()  shop(domain)  shop_by_id(id)
    products(shop)  product(shop, id)  product_by_handle(shop, handle)  variant(shop, id) -> (Product, Variant)
    collections(shop)  products_in(shop, collection_handle)
    customers(shop)  customer(shop, id)  customer_by_email(shop, email)
    orders(shop) newest first  order(shop, id)  order_by_token(shop, token)  orders_of(shop, customer_id)
    discounts(shop)  discount(shop, code)  discount_by_id(shop, id)  codes (``discounts.codes``)
    figures(order) -> Figures: totals, what remains, statuses (``ordering.figures``)
    metafield(shop, owner_gid, namespace, key)  metafields(shop, owner_gid)  app_metafields(shop)
      namespaces as Liquid writes them: "regulars", "$app:loyalty"
Shop and people (webhooks follow by themselves, here and below)
    update_shop(shop, **changes)  create_product(shop, …)  update_product(shop, id, **changes)
    create_customer(shop, email=…, first_name=…, last_name=…)  update_customer(shop, id, **changes)
    delete_customer(shop, id)  merge_customers(shop, kept_id, gone_id)
    create_discount(shop, title=…, kind=…, code=…, …) -> Discount   (``discounts.keeping``)
Orders
    quote(shop, lines, …) -> Order   unsaved, id 0, priced like create_order: for cart and checkout pages
    draft(shop, lines, codes=…, …) -> Draft   the same, and for codes that do nothing the reason instead of a Refusal
    create_order(shop, lines, …) -> Order        lines: [CartLine(variant_id, quantity)]
    pay_order(shop, id)  authorize_order(shop, id)  fulfil_order(shop, id, lines=None)
    refund_order(shop, id, lines={line_id: quantity}, restock=True, shipping_minor=0, amount_minor=None)
    edit_order(shop, id, quantities={line_id: quantity}, add=[CartLine])
    cancel_order(shop, id, refund=True)  set_order_customer(shop, id, customer_id)  touch_order(shop, id)
    Refusals are ``Refusal(message)`` with words for the tester.
The app on a shop: ``devstore.apps`` (``installing``)
    installed(shop)  install(shop, user_id)  uninstall(shop)  missing_scopes(shop)  grant_scopes(shop)
    launch_url(shop, origins, path="/")  id_token(shop, …)  staff(shop)  data_request, redact_customer, redact_shop
Gift cards and store credit: ``devstore.gift_cards`` (``gift_cards``), ``devstore.store_credit`` (``store_credit``)
For tests: ``buckets`` (``throttling``), ``faults`` and ``token_faults`` (``faults``), ``apps.secrets`` (``signing``),
    move_clock(timedelta or None) (``clock``)
Webhooks: ``devstore.webhooks`` (``webhooks.outbox``)    Log of what the app did: ``devstore.traffic`` (``traffic``)
Beside the records: ``devstore.store.keep / kept`` for carts, logins, theme settings (``store``).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from . import clock, people, seed
from .discounts import bulk, keeping, older
from .discounts.codes import RedeemCodes
from .discounts.records import Discount
from .errors import Refusal as Refusal
from .faults import API_KINDS, TOKEN_KINDS, Faults
from .gift_cards import GiftCards
from .installing import Apps
from .jobs import Jobs
from .metafields import Metafields
from .ordering import creating, editing, ending, fulfilling, paying, refunding
from .ordering.creating import CartLine as CartLine
from .ordering.figures import Figures, figures
from .records import Collection, Customer, Metafield, Order, Product, Shop, Variant
from .settings import AppConfig, Settings
from .store import Store
from .store_credit import StoreCredit
from .throttling import Buckets
from .traffic import Traffic
from .webhooks.outbox import Webhooks


class DevStore:
    """All shops of one data directory, and the app they can install."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = AppConfig.read(settings.app_toml, application_url=settings.application_url)
        if settings.data is not None:
            settings.data.mkdir(parents=True, exist_ok=True)
            clock.keep_in(settings.data / "clock-offset")
        self.store = Store(settings.data / "devstore.sqlite3" if settings.data else None)
        self.traffic = Traffic(self.store)
        self.webhooks = Webhooks(self)
        self.metafield_store = Metafields(self)
        self.gift_cards = GiftCards(self)
        self.store_credit = StoreCredit(self)
        self.apps = Apps(self)
        older.bring_up_to_date(self.store)
        self.codes = RedeemCodes(self.store)
        self.jobs = Jobs(self, {"add_codes": bulk.add_some, "delete_codes": bulk.remove_all})
        self.buckets = Buckets(*settings.throttle)
        self.faults = Faults(API_KINDS)  # of the Admin API
        self.token_faults = Faults(TOKEN_KINDS)  # of the token endpoint
        for domain in settings.shops:
            if self.shop(domain) is None:
                seed.shop(self, domain)

    def start(self) -> None:
        """Begin delivering webhooks and working off jobs, those left by an earlier run too."""
        self.webhooks.start()
        self.jobs.start()

    def stop(self) -> None:
        self.jobs.stop()
        self.webhooks.stop()
        self.store.close()

    def reload_app(self, path: Path | None = None) -> AppConfig:
        """Read the TOML again (or another), as a deploy does: new scopes are asked for on the next open."""
        self.app = AppConfig.read(path or self.settings.app_toml, application_url=self.settings.application_url)
        return self.app

    def move_clock(self, by: timedelta | None) -> None:
        """Forward by so much, or (None) back to the system's time. Deliveries waiting for their next try get it now."""
        try:
            clock.move_back() if by is None else clock.move(by)
        except (ValueError, OverflowError) as wrong:
            raise Refusal(f"time cannot be moved by that: {wrong}") from wrong
        self.webhooks.retry_now()

    def cookie_key(self) -> str:
        """The key of the dev store's own cookies (shopper logins), made once and kept."""
        key = self.store.kept(0, "dev-store", "cookie-key")
        if key is None:
            key = secrets.token_hex(32)
            self.store.keep(0, "dev-store", "cookie-key", key)
        return key

    # -- reading -----------------------------------------------------------------------------------------------------

    def shops(self) -> list[Shop]:
        return self.store.list(Shop)

    def shop(self, domain: str) -> Shop | None:
        return next((shop for shop in self.shops() if shop.domain == domain.lower()), None)

    def shop_by_id(self, id: int) -> Shop | None:
        return self.store.get(Shop, id, id)

    def products(self, shop: Shop) -> list[Product]:
        return self.store.list(Product, shop.id)

    def product(self, shop: Shop, id: int) -> Product | None:
        return self.store.get(Product, shop.id, id)

    def product_by_handle(self, shop: Shop, handle: str) -> Product | None:
        return next((product for product in self.products(shop) if product.handle == handle), None)

    def variant(self, shop: Shop, id: int) -> tuple[Product, Variant] | None:
        for product in self.products(shop):
            for variant in product.variants:
                if variant.id == id:
                    return product, variant
        return None

    def collections(self, shop: Shop) -> list[Collection]:
        return self.store.list(Collection, shop.id)

    def products_in(self, shop: Shop, collection_handle: str) -> list[Product]:
        return [product for product in self.products(shop) if collection_handle in product.collections]

    def customers(self, shop: Shop) -> list[Customer]:
        return self.store.list(Customer, shop.id)

    def customer(self, shop: Shop, id: int) -> Customer | None:
        return self.store.get(Customer, shop.id, id)

    def customer_by_email(self, shop: Shop, email: str) -> Customer | None:
        wanted = email.strip().lower()
        return next((c for c in self.customers(shop) if (c.email or "").lower() == wanted), None)

    def orders(self, shop: Shop) -> list[Order]:
        """Newest first."""
        return list(self.store.page(Order, shop.id, order="created_at", reverse=True))

    def order(self, shop: Shop, id: int) -> Order | None:
        return self.store.get(Order, shop.id, id)

    def order_by_token(self, shop: Shop, token: str) -> Order | None:
        return next((order for order in self.store.page(Order, shop.id) if order.token == token), None)

    def orders_of(self, shop: Shop, customer_id: int) -> list[Order]:
        return [order for order in self.orders(shop) if order.customer_id == customer_id]

    def discounts(self, shop: Shop) -> list[Discount]:
        return self.store.list(Discount, shop.id)

    def discount(self, shop: Shop, code: str) -> Discount | None:
        """By one of its codes, in any case, as Shopify compares them."""
        found = self.codes.find(shop, code)
        return self.discount_by_id(shop, found.discount_id) if found else None

    def discount_by_id(self, shop: Shop, id: int) -> Discount | None:
        return self.store.get(Discount, shop.id, id)

    def figures(self, order: Order) -> Figures:
        return figures(order)

    def metafield(self, shop: Shop, owner: str, namespace: str, key: str) -> Metafield | None:
        return self.metafield_store.get(shop, owner, namespace, key)

    def metafields(self, shop: Shop, owner: str) -> list[Metafield]:
        return self.metafield_store.of(shop, owner)

    def app_metafields(self, shop: Shop) -> list[Metafield]:
        """Those owned by the app's installation: Liquid's ``app.metafields`` in the theme app extension."""
        installation = self.apps.installed(shop)
        if installation is None:
            return []
        return self.metafield_store.of(shop, f"gid://shopify/AppInstallation/{installation.id}")

    # -- shop and people ---------------------------------------------------------------------------------------------

    def update_shop(self, shop: Shop, **changes: Any) -> Shop:
        return people.update_shop(self, shop, changes)

    def create_product(self, shop: Shop, **facts: Any) -> Product:
        return people.create_product(self, shop, facts)

    def update_product(self, shop: Shop, id: int, **changes: Any) -> Product:
        return people.update_product(self, shop, id, changes)

    def create_customer(self, shop: Shop, **facts: Any) -> Customer:
        return people.create_customer(self, shop, facts)

    def update_customer(self, shop: Shop, id: int, **changes: Any) -> Customer:
        return people.update_customer(self, shop, id, changes)

    def delete_customer(self, shop: Shop, id: int) -> None:
        people.delete_customer(self, shop, id)

    def merge_customers(self, shop: Shop, kept_id: int, gone_id: int) -> Customer:
        return people.merge_customers(self, shop, kept_id, gone_id)

    def create_discount(self, shop: Shop, **terms: Any) -> Discount:
        return keeping.create(self, shop, **terms)

    # -- orders ------------------------------------------------------------------------------------------------------

    def quote(self, shop: Shop, lines: Sequence[CartLine], **options: Any) -> Order:
        """The order these lines would make, unsaved; takes what ``create_order`` takes."""
        return creating.build(self, shop, lines, **options)

    def draft(self, shop: Shop, lines: Sequence[CartLine], **options: Any) -> creating.Draft:
        """``quote`` for a cart that may hold codes of any kind; ``shipping=None`` when it is not known yet."""
        return creating.draft(self, shop, lines, **options)

    def create_order(
        self, shop: Shop, lines: Sequence[CartLine], *, pay: bool = True, quiet: bool = False, **options: Any
    ) -> Order:
        """Place an order; options: code, codes, customer_id, email, shipping, test, presentment_currency, at,
        source_name, attributes, cart_token, note, taxes_included, tip_minor; gift_cards (codes) and store_credit (True)
        pay first. ``quiet`` sends no webhooks (history)."""
        return creating.create(self, shop, lines, pay=pay, quiet=quiet, **options)

    def pay_order(self, shop: Shop, id: int, *, amount_minor: int | None = None, at: datetime | None = None) -> Order:
        return paying.pay(self, shop, id, amount_minor=amount_minor, at=at)

    def authorize_order(self, shop: Shop, id: int) -> Order:
        return paying.authorize(self, shop, id)

    def fulfil_order(
        self, shop: Shop, id: int, *, lines: dict[int, int] | None = None, at: datetime | None = None
    ) -> Order:
        """Ship everything that is left, or these quantities by line id."""
        return fulfilling.fulfil(self, shop, id, lines=lines, at=at)

    def refund_order(
        self,
        shop: Shop,
        id: int,
        *,
        lines: dict[int, int] | None = None,
        restock: bool = True,
        shipping_minor: int = 0,
        amount_minor: int | None = None,
        note: str | None = None,
        at: datetime | None = None,
    ) -> Order:
        """Refund units by line id, shipping, or money alone. ``amount_minor`` None pays exactly what they are worth."""
        return refunding.refund(
            self,
            shop,
            id,
            lines=lines or {},
            restock=restock,
            shipping_minor=shipping_minor,
            amount_minor=amount_minor,
            note=note,
            at=at,
        )

    def edit_order(
        self,
        shop: Shop,
        id: int,
        *,
        quantities: dict[int, int] | None = None,
        add: Sequence[CartLine] = (),
        at: datetime | None = None,
    ) -> Order:
        """Set lines to new quantities (of what remains) and add variants."""
        return editing.edit(self, shop, id, quantities=quantities or {}, add=add, at=at)

    def cancel_order(
        self, shop: Shop, id: int, *, refund: bool = True, reason: str = "customer", at: datetime | None = None
    ) -> Order:
        return ending.cancel(self, shop, id, refund=refund, reason=reason, at=at)

    def set_order_customer(self, shop: Shop, id: int, customer_id: int | None) -> Order:
        """Attach, move or remove the order's customer."""
        return ending.set_customer(self, shop, id, customer_id)

    def touch_order(self, shop: Shop, id: int, *, note: str | None = None) -> Order:
        """Change the note: an orders/updated without any change of money."""
        return ending.touch(self, shop, id, note)

    def now(self) -> datetime:
        return clock.now()
