"""A redemption's page: its story, and what staff may do about it. Every button says what it does, and does it once."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ...errors import Invalid, LoyaltyError, NotFound, Refused
from ...loyalty.hand_out import settle_handed_out, settle_not_made
from ...loyalty.release import cancel, reissue, staff_decides, staff_gives_back
from ...loyalty.views import members
from ...loyalty.views.stories import story
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from .blueprint import bp
from .pages import Asked, asked, go, page
from .program_form import whole

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@bp.get("/rewards/redemptions/<redemption_id>")
@merchant_required
def redemption_page(merchant: Merchant, redemption_id: str) -> Response:
    return _show(merchant, redemption_id)


@bp.post("/rewards/redemptions/<redemption_id>/reissue")
@merchant_required
def reissue_redemption(merchant: Merchant, redemption_id: str) -> AnyResponse:
    return _do(
        merchant, redemption_id, "reissue", "reissued",
        lambda session, who: reissue(
            session, merchant.shop_id, redemption_id, by=merchant.author, now=who.now
        ),
    )  # fmt: skip


@bp.post("/rewards/redemptions/<redemption_id>/cancel")
@merchant_required
def cancel_redemption(merchant: Merchant, redemption_id: str) -> AnyResponse:
    return _do(
        merchant, redemption_id, "cancel", "cancelled",
        lambda session, who: cancel(
            session, merchant.shop_id, redemption_id, member_id=None, by=merchant.author, why="staff", now=who.now
        ),
    )  # fmt: skip


@bp.post("/rewards/redemptions/<redemption_id>/give-back")
@merchant_required
def give_back_redemption(merchant: Merchant, redemption_id: str) -> AnyResponse:
    """``points`` to give back now, ``already``: how many were back when the page was made. Sent twice it is once."""
    points, already = whole(request.form.get("points", "")), whole(request.form.get("already", ""))

    def give_back(session: Session, who: Asked) -> object:
        if not isinstance(points, int) or not isinstance(already, int) or points < 1:
            raise Invalid("Enter how many points to give back.", field="points")
        found = story(session, who.shop, redemption_id, who.words).redemption
        if found.staff_back == already + points:
            return None  # this very form, sent before
        if found.given_back != already:
            raise Refused("Points came back meanwhile. Look again before you give back more.", field="points")
        return staff_gives_back(
            session, merchant.shop_id, redemption_id, already + points, by=merchant.author, now=who.now
        )

    return _do(merchant, redemption_id, "give-back", "given-back", give_back)


@bp.post("/rewards/redemptions/<redemption_id>/decide")
@merchant_required
def decide_redemption(merchant: Merchant, redemption_id: str) -> AnyResponse:
    """What only a person can tell: whether a card or credit was given, whether an order that is not to be found used
    the code. ``answer``: yes, or no (its points come back).
    """
    yes = request.form.get("answer") == "yes"

    def decide(session: Session, who: Asked) -> None:
        question = story(session, who.shop, redemption_id, who.words).question
        if question == "used":
            staff_decides(session, merchant.shop_id, redemption_id, used=yes, by=merchant.author, now=who.now)
        elif question == "given" and yes:
            settle_handed_out(session, merchant.shop_id, redemption_id, None, now=who.now)
        elif question == "given":
            why = "Staff found nothing of it at Shopify."
            settle_not_made(session, merchant.shop_id, redemption_id, why, by=merchant.author, now=who.now)
        else:
            raise Refused("There is nothing to decide any more.")

    return _do(merchant, redemption_id, "", "decided", decide)


def _do(
    merchant: Merchant, redemption_id: str, modal: str, done: str, verb: Callable[[Session, Asked], object]
) -> AnyResponse:
    """One verb in one transaction; what it refuses is said on the page, in its dialog where it has one."""
    if not _ID.fullmatch(redemption_id):
        raise NotFound("There is no such redemption.")
    try:
        with runtime().db.transaction() as session:
            verb(session, asked(session, merchant))
    except (Refused, Invalid) as refusal:
        return _show(merchant, redemption_id, refusal=refusal, open_modal=modal)
    return go("redemption_page", redemption_id=redemption_id, done=done)


def _show(
    merchant: Merchant, redemption_id: str, *, refusal: LoyaltyError | None = None, open_modal: str = ""
) -> Response:
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        found = story(session, who.shop, redemption_id, who.words)
    names = members.names(runtime().hurried, merchant.shop_id, [found.customer_id])
    in_dialog = open_modal == "give-back" and found.can_give_back > 0
    return page(
        "redemption.html",
        who,
        status=refusal.status if refusal else 200,
        open_modal=open_modal if in_dialog else "",
        story=found,
        redemption=found.redemption,
        names=names,
        refused="" if in_dialog or not refusal else refusal.message,
        points_error=refusal.message if in_dialog and refusal else "",
        typed_points=request.form.get("points", "") if in_dialog else str(found.can_give_back),
    )
