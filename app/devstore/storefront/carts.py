"""The cart of one visitor: kept by the dev store under a random token, which the visitor's `cart` cookie holds."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from flask import Response, g, request

from ..discounts.codes import fold
from ..discounts.keeping import LONGEST
from ..errors import Refusal
from ..records import Order
from ..state import CartLine

COOKIE = "cart"
MOST_OF_ONE = 1000
"""Units of one variant a cart takes."""
MOST_CODES = 10
"""Codes a cart keeps, good or not: the last ones."""
_MONTHS = 60 * 60 * 24 * 90


@dataclass
class Cart:
    """Lines by variant in the order they were added, discount codes as they were typed, a note."""

    token: str
    lines: dict[str, int] = field(default_factory=dict)  # variant id as text, since JSON keys are -> quantity
    codes: list[str] = field(default_factory=list)
    note: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.quote: Order | None = None
        """The lines as an unsaved order without shipping; None when the cart is empty."""
        self.problems: dict[str, str] = {}
        """Why some of the codes do nothing, in words."""
        self._price()

    @property
    def cart_lines(self) -> list[CartLine]:
        """For the platform's `quote` and `create_order`."""
        return [CartLine(int(variant_id), quantity) for variant_id, quantity in self.lines.items()]

    def add(self, variant_id: int, quantity: int) -> None:
        """Add units of a variant. Raises Refusal for one that does not exist, is sold out, or too many."""
        found = g.devstore.variant(g.shop, variant_id)
        if found is None:
            raise Refusal("Cannot find variant")
        product, variant = found
        if variant.inventory <= 0:
            raise Refusal(f"The product '{product.title}' is already sold out.")
        self.set(variant_id, self.lines.get(str(variant_id), 0) + quantity)

    def set(self, variant_id: int, quantity: int) -> None:
        """Set a line to a quantity; 0 or less takes it out."""
        if quantity > MOST_OF_ONE:
            raise Refusal(f"You can only add {MOST_OF_ONE} of this item to the cart.")
        if quantity <= 0:
            self.lines.pop(str(variant_id), None)
        else:
            self.lines[str(variant_id)] = quantity

    def enter(self, text: str, *, replace: bool = False) -> None:
        """Add the codes in ``text``, which commas part; or have these only."""
        kept = [] if replace else self.codes
        for code in (part.strip()[:LONGEST] for part in text.split(",")):
            if code and fold(code) not in map(fold, kept):
                kept = [*kept, code]
        self.codes = kept[-MOST_CODES:]

    def drop(self, text: str) -> None:
        """Take a code out."""
        self.codes = [code for code in self.codes if fold(code) != fold(text)]

    def keep(self) -> None:
        """Price it again and keep it."""
        self._price()
        g.devstore.store.keep(g.shop.id, "cart", self.token, asdict(self))

    def empty(self) -> None:
        """As after a checkout."""
        self.lines, self.codes, self.note, self.attributes = {}, [], "", {}
        self.keep()

    def _price(self) -> None:
        """Through the platform's own pricing, so a cart shows what its order will cost."""
        self.quote, self.problems = None, {}
        # Products may be gone since they were added.
        self.lines = {id: quantity for id, quantity in self.lines.items() if g.devstore.variant(g.shop, int(id))}
        if not self.lines:
            return
        draft = g.devstore.draft(g.shop, self.cart_lines, codes=self.codes, shipping=None)
        self.quote, self.problems = draft.order, draft.problems


def cart_of_request() -> Cart:
    """The visitor's cart; a new one, not kept yet, for a first visit."""
    if "cart" not in g:
        token = request.cookies.get(COOKIE, "")
        kept: dict[str, Any] | None = g.devstore.store.kept(g.shop.id, "cart", token) if token else None
        known = {name: value for name, value in (kept or {}).items() if name in Cart.__dataclass_fields__}
        g.cart = Cart(**known) if known else Cart(secrets.token_urlsafe(24))
    return g.cart


def with_cookie(answer: Response) -> Response:
    """Tell the browser its cart's token. Not HttpOnly, as on Shopify, whose themes read it."""
    answer.set_cookie(COOKIE, cart_of_request().token, max_age=_MONTHS, path=f"{request.script_root}/", samesite="Lax")
    return answer
