"""The cart of one visitor: kept by the dev store under a random token, which the visitor's `cart` cookie holds."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from flask import Response, g, request

from ..errors import Refusal
from ..records import Order
from ..state import CartLine

COOKIE = "cart"
MOST_OF_ONE = 1000
"""Units of one variant a cart takes."""
_MONTHS = 60 * 60 * 24 * 90


@dataclass
class Cart:
    """Lines by variant in the order they were added, a discount code, a note."""

    token: str
    lines: dict[str, int] = field(default_factory=dict)  # variant id as text, since JSON keys are -> quantity
    code: str | None = None
    note: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.quote: Order | None = None
        """The lines as an unsaved order without shipping; None when the cart is empty."""
        self.problem: str | None = None
        """Why the discount code does nothing, in words."""
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

    def keep(self) -> None:
        """Price it again and keep it."""
        self._price()
        g.devstore.store.keep(g.shop.id, "cart", self.token, asdict(self))

    def empty(self) -> None:
        """As after a checkout."""
        self.lines, self.code, self.note, self.attributes = {}, None, "", {}
        self.keep()

    def _price(self) -> None:
        """Through the platform's own pricing, so a cart shows what its order will cost."""
        self.quote = self.problem = None
        # Products may be gone since they were added.
        self.lines = {id: quantity for id, quantity in self.lines.items() if g.devstore.variant(g.shop, int(id))}
        if not self.lines:
            return
        try:
            self.quote = g.devstore.quote(g.shop, self.cart_lines, code=self.code, shipping=False)
        except Refusal as refusal:
            self.problem = str(refusal)
            self.quote = g.devstore.quote(g.shop, self.cart_lines, shipping=False)


def cart_of_request() -> Cart:
    """The visitor's cart; a new one, not kept yet, for a first visit."""
    if "cart" not in g:
        token = request.cookies.get(COOKIE, "")
        kept: dict[str, Any] | None = g.devstore.store.kept(g.shop.id, "cart", token) if token else None
        g.cart = Cart(**kept) if kept else Cart(secrets.token_urlsafe(24))
    return g.cart


def with_cookie(answer: Response) -> Response:
    """Tell the browser its cart's token. Not HttpOnly, as on Shopify, whose themes read it."""
    answer.set_cookie(COOKIE, cart_of_request().token, max_age=_MONTHS, path=f"{request.script_root}/", samesite="Lax")
    return answer
