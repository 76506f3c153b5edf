"""Discounts kept by a dev store of before, when each had one code and carried it itself."""

from __future__ import annotations

import json

from .. import clock
from ..codec import loads
from ..store import Store
from .codes import fold
from .records import Discount


def bring_up_to_date(store: Store) -> None:
    """Give their codes rows of their own; they keep their ids, terms and uses."""
    with store.writing() as connection:
        kept = connection.execute(
            "SELECT data FROM records WHERE kind = 'Discount' AND data LIKE '%\"product_ids\":%'"
        ).fetchall()
        for (data,) in kept:
            old, now = json.loads(data), clock.now().isoformat()
            new = {
                **old,
                "created_at": now,
                "updated_at": now,
                "automatic": old["code"] is None,
                "items": {"products": old["product_ids"]},
            }
            discount = store.save(loads(Discount, json.dumps(new)))
            if old["code"]:
                connection.execute(
                    "INSERT INTO redeem_codes (shop_id, folded, id, discount_id, code, used, created_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (discount.shop_id, fold(old["code"]), store.next_id("redeem_code"), discount.id, old["code"],
                     old["used"], now),
                )  # fmt: skip
