"""Say in words what became of points set aside for a reward: a title and a sentence for each line of history.

As in `explaining`: plain words for shoppers, the ledger's words for the merchant, whole sentences throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from app.program.explaining import HistoryKind
from app.program.words import day_text, points_text


@dataclass(frozen=True, slots=True)
class RewardStory:
    """A redemption as far as words need it, as it is now; ``points`` is what it cost."""

    title: str  # as the shopper read it
    kind: str  # of the reward: amount_off, gift_card, …
    state: str
    points: int
    why: str = ""  # it was let go: expired, cancelled, staff, not_made, deleted, reissued
    until: datetime | None = None  # the first moment it cannot be used any more
    order_name: str = ""
    by_other: bool = False
    after_all: bool = False
    released_at: datetime | None = None
    staff_gave_back: bool = False


def last_day(until: datetime, zone: tzinfo) -> date:
    """The day a shopper is told: the last on which the reward works."""
    return (until - timedelta(microseconds=1)).astimezone(zone).date()


# --- to shoppers ----------------------------------------------------------------------------------------------------


def shopper_title(kind: HistoryKind, story: RewardStory | None) -> str:
    what = story.title if story else "a reward"
    return {
        "reserved": f"Used for {what}",
        "released": f"{what[:1].upper()}{what[1:]} given back",
        "given_back": f"Points back for {what}",
    }.get(kind, f"Used again for {what}")


def shopper_reason(
    kind: HistoryKind, story: RewardStory | None, points: int, *, zone: tzinfo = UTC, today: date | None = None
) -> str:
    """Why these ``points`` moved."""
    if story is None:
        return ""
    if kind == "reserved":
        return _set_aside(story, zone, today)
    if kind == "released":
        return _let_go(story, zone, today)
    order = f"order {story.order_name}".rstrip() if story.order_name else "the order that used it"
    if kind == "given_back":
        if story.staff_gave_back:
            return "Points you used came back, for a return or by the shop."
        if points < story.points:
            return f"Part of {order} went back, so that part of the points you used did too."
        return f"{order[0].upper()}{order[1:]} went back, so the points you used did too."
    if story.after_all:
        return f"{order[0].upper()}{order[1:]} used the code after its points had come back."
    return f"{order[0].upper()}{order[1:]} changed again, so points that had come back for it are used."


def _set_aside(story: RewardStory, zone: tzinfo, today: date | None) -> str:
    if story.state == "reserved" or (story.why == "reissued" and story.state == "releasing"):
        return "Set aside while it is being made."
    if story.state == "issued":
        until = f" until {_until(story, zone, today)}" if story.until else ""
        return f"Set aside. Give it back, or leave it unused{until}, and the points return."
    if story.state == "releasing":
        return "On its way back to you."
    if story.state == "released":
        when = f" on {day_text(story.released_at, zone, today)}" if story.released_at else ""
        return f"Its points came back{when}."
    if story.after_all:
        return "Given back before it was used."
    if story.kind == "gift_card":
        return "Your gift card is ready."
    if story.kind == "store_credit":
        return "Added to your account."
    if story.by_other:
        return "Somebody else’s order used the code."
    return f"Used on order {story.order_name}." if story.order_name else "Used."


def _let_go(story: RewardStory, zone: tzinfo, today: date | None) -> str:
    if story.why == "expired" and story.until:
        return f"Not used by {_until(story, zone, today)}. Your points came back."
    return {
        "expired": "Not used in time. Your points came back.",
        "cancelled": "You gave it back.",
        "staff": "The shop gave it back.",
        "not_made": "It could not be made, so your points came back.",
        "deleted": "The shop took its code back, so your points came back.",
    }.get(story.why, "Your points came back.")


def _until(story: RewardStory, zone: tzinfo, today: date | None) -> str:
    assert story.until is not None
    return day_text(story.until - timedelta(microseconds=1), zone, today)


# --- to the merchant ------------------------------------------------------------------------------------------------


def ledger_title(kind: HistoryKind, story: RewardStory | None) -> str:
    what = story.title if story else "a reward"
    verb = {"reserved": "Reserved for", "released": "Released from", "given_back": "Given back from"}
    return f"{verb.get(kind, 'Redeemed for')} {what}"


def ledger_reason(
    kind: HistoryKind, story: RewardStory | None, points: int, *, zone: tzinfo = UTC, today: date | None = None
) -> str:
    """The sentence under the line, in the ledger's words."""
    if story is None:
        return ""
    order = f"Order {story.order_name}".rstrip() if story.order_name else "An order"
    if kind == "reserved":
        return _state(story, order, zone, today)
    if kind == "released":
        return {
            "expired": "Unused until its last day.",
            "cancelled": "Cancelled by the member.",
            "staff": "Cancelled by staff.",
            "not_made": "Shopify could not make it.",
            "deleted": "Its code was deleted in Shopify.",
        }.get(story.why, "Cancelled.")
    if kind == "given_back":
        if story.staff_gave_back:
            return f"{points_text(points)} of {story.points:,}, for a return or by staff."
        return f"{points_text(points)} of {story.points:,}: {order} went back."
    if story.after_all:
        return f"{order} used the code after its points had been released."
    return f"{order} changed: points given back before are redeemed again."


def _state(story: RewardStory, order: str, zone: tzinfo, today: date | None) -> str:
    if story.state == "used":
        if story.kind in ("gift_card", "store_credit"):
            return "Handed out and redeemed."
        return f"Redeemed: {order} used the code{', and is not this member’s' if story.by_other else ''}."
    if story.state == "issued" and story.until:
        return f"Issued. Unused, it is released after {_until(story, zone, today)}."
    return {
        "reserved": "Not made yet.",
        "issued": "Issued.",
        "releasing": "Being released: its code is being deleted at Shopify.",
        "released": "Released since.",
    }[story.state]
