"""What happens to discounts: made, stopped, started again, deleted, given codes, deprived of them; webhooks follow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import clock
from ..bodies.discounts import deleted_body, discount_body, redeem_code_body
from ..errors import Refusal
from ..records import Shop
from .records import CombinesWith, Discount, Items, RedeemCode

if TYPE_CHECKING:
    from ..state import DevStore

KINDS = ("percentage", "fixed_amount", "free_shipping", "bxgy")
LONGEST = 255


def create(
    devstore: DevStore,
    shop: Shop,
    *,
    title: str,
    kind: str,
    code: str | None = None,
    codes: Iterable[str] = (),
    product_ids: Iterable[int] = (),
    items: Items | dict[str, Any] | None = None,
    buys: Items | dict[str, Any] | None = None,
    combines: CombinesWith | dict[str, Any] | None = None,
    starts_at: datetime | str | None = None,
    ends_at: datetime | str | None = None,
    **terms: Any,
) -> Discount:
    """A discount with these codes, or without any an automatic one. Raises Taken when a code is.

    ``product_ids`` is short for ``items`` of products. What is a record may be its JSON, as the control API gets it.
    """
    texts = [*([code] if code else []), *codes]
    if kind not in KINDS:
        raise Refusal(f"a discount is one of {', '.join(KINDS)}")
    for text in texts:
        if problem := code_problem(text):
            raise Refusal(f"the code {problem}")
    now = clock.now()
    with devstore.store.writing():
        made = Discount(
            id=devstore.store.next_id("discount"),
            shop_id=shop.id,
            title=title,
            kind=kind,
            created_at=now,
            updated_at=now,
            automatic=not texts,
            items=_record(Items, items) if items else Items(products=list(product_ids)),
            buys=_record(Items, buys),
            combines=_record(CombinesWith, combines),
            starts_at=_moment(starts_at),
            ends_at=_moment(ends_at),
            **terms,
        )
        devstore.store.add(made)
        event = devstore.webhooks.new_event()
        devstore.webhooks.emit(shop, "discounts/create", discount_body(shop, made), event=event)
        for text in texts:
            add_code(devstore, shop, made, text, event=event)
        return made


def code_problem(text: str) -> str | None:
    """What is wrong with a code, in Shopify's words."""
    if not text.strip():
        return "is too short (minimum is 1 character)"
    if len(text) > LONGEST:
        return f"is too long (maximum is {LONGEST} characters)"
    if "\n" in text or "\r" in text:
        return "cannot contain newline characters."
    return None


def add_code(devstore: DevStore, shop: Shop, discount: Discount, text: str, *, event: str | None = None) -> RedeemCode:
    """One more code. Raises Taken."""
    with devstore.store.writing():
        made = devstore.codes.add(shop, discount, text)
        devstore.webhooks.emit(
            shop,
            "discounts/redeemcode_added",
            redeem_code_body(discount, made),
            event=event or devstore.webhooks.new_event(),
        )
        return made


def delete_code(devstore: DevStore, shop: Shop, code: RedeemCode) -> None:
    """The code is gone at once; orders keep what it gave them."""
    with devstore.store.writing():
        devstore.codes.delete(shop, code)
        discount = devstore.discount_by_id(shop, code.discount_id)
        if discount:
            devstore.webhooks.emit(
                shop,
                "discounts/redeemcode_removed",
                redeem_code_body(discount, code),
                event=devstore.webhooks.new_event(),
            )
            touch(devstore, shop, discount)


def deactivate(devstore: DevStore, shop: Shop, discount: Discount) -> Discount:
    """It ends now."""
    discount.ends_at = clock.now()
    return touch(devstore, shop, discount, told=True)


def activate(devstore: DevStore, shop: Shop, discount: Discount) -> Discount:
    """It has no end; one that had not begun begins now."""
    now = clock.now()
    discount.ends_at = None
    if discount.starts_at is None or discount.starts_at > now:
        discount.starts_at = now
    return touch(devstore, shop, discount, told=True)


def delete(devstore: DevStore, shop: Shop, discount: Discount) -> None:
    """The discount and all its codes."""
    with devstore.store.writing():
        devstore.codes.delete_all(shop, discount.id)
        devstore.store.delete(discount)
        devstore.webhooks.emit(
            shop, "discounts/delete", deleted_body(shop, discount), event=devstore.webhooks.new_event()
        )


def touch(devstore: DevStore, shop: Shop, discount: Discount, *, told: bool = False) -> Discount:
    """Save it as changed now; ``told``: with a webhook."""
    with devstore.store.writing():
        discount.updated_at = max(discount.updated_at, clock.now())
        devstore.store.save(discount)
        if told:
            devstore.webhooks.emit(
                shop, "discounts/update", discount_body(shop, discount), event=devstore.webhooks.new_event()
            )
        return discount


def _record(kind: type[Any], value: Any) -> Any:
    return value if isinstance(value, kind) else kind(**(value or {}))


def _moment(value: datetime | str | None) -> datetime | None:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment is not None and moment.tzinfo is None:
        raise Refusal("a moment needs its offset")
    return moment.replace(microsecond=0) if moment else None
