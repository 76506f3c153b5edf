"""Merge what is known about one order: a join.

Commutative, associative and idempotent, so deliveries may come late, repeated, in any order or never, and every path
through the same facts ends in the same row (DESIGN §1; tests/program/test_merging.py holds the laws).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from app.program.codes import most_of_each
from app.program.facts import Named, OrderFacts, RefundFacts, Snapshot

T = TypeVar("T")


def merge(known: OrderFacts | None, news: OrderFacts) -> OrderFacts:
    """The two as one. Facts of two different orders are an error of the caller: ValueError."""
    if known is None or known == news:
        return news
    if known.order_id != news.order_id:
        raise ValueError(f"facts of order {news.order_id} cannot be merged into order {known.order_id}")
    merged = OrderFacts(
        order_id=known.order_id,
        snapshot=_either(known.snapshot, news.snapshot, _greater_snapshot),
        refunds=_merge_refunds(known.refunds, news.refunds),
        cancelled_at=_either(known.cancelled_at, news.cancelled_at, min),
        paid_at=_either(known.paid_at, news.paid_at, min),
        customer=_either(known.customer, news.customer, _greater_named),
        address=_either(known.address, news.address, _greater_named),
        codes_seen=most_of_each(known.codes_seen, news.codes_seen),
    )
    return merged.without_person() if known.redacted or news.redacted else merged


def _either(a: T | None, b: T | None, choose: Callable[[T, T], T]) -> T | None:
    """What only one side knows is kept: silence takes nothing away."""
    if a is None or b is None:
        return b if a is None else a
    return choose(a, b)


def _greater_snapshot(a: Snapshot, b: Snapshot) -> Snapshot:
    return a if (a.key, a.person) >= (b.key, b.person) else b


def _greater_named(a: Named[T], b: Named[T]) -> Named[T]:
    return a if (a.key, a.value) >= (b.key, b.value) else b


def _merge_refunds(a: tuple[RefundFacts, ...], b: tuple[RefundFacts, ...]) -> tuple[RefundFacts, ...]:
    """A union by id; of one id's two versions the greater digest, which both sides agree on."""
    if not a or not b or a == b:
        return a or b
    by_id = {refund.refund_id: refund for refund in a}
    for refund in b:
        other = by_id.get(refund.refund_id)
        if other is None or refund.digest > other.digest:
            by_id[refund.refund_id] = refund
    return tuple(sorted(by_id.values(), key=lambda refund: refund.refund_id))
