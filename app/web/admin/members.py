"""The members list, one member's profile, and points corrected by hand."""

from __future__ import annotations

import secrets

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from ...errors import Invalid, LoyaltyError, NotFound, Refused
from ...loyalty.adjust import LONGEST_REASON, adjust
from ...loyalty.views import members as views
from ...loyalty.views.orders import why, working_of
from ...loyalty.views.reward_report import had_lately
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from .blueprint import bp
from .pages import asked, go, page, said
from .program_form import whole

LONGEST_SEARCH = 100
MOST_REWARDS = 10  # on a member's page; the ledger leads to the others


@bp.get("/members")
@merchant_required
def members_page(merchant: Merchant) -> Response:
    """The newest first; ``q`` finds by name or address (Shopify's search), customer number or order name."""
    wanted = said(request.args.get("q", "")).strip()[:LONGEST_SEARCH]
    if wanted:
        return _found(merchant, wanted)
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        found = views.page_of_members(
            session, merchant.shop_id, older=request.args.get("older"), newer=request.args.get("newer")
        )
    names = views.names(runtime().hurried, merchant.shop_id, [row.customer_id for row in found.rows])
    return page("members.html", who, found=found, names=names, q="", in_shopify=0)


def _found(merchant: Merchant, wanted: str) -> Response:
    """One way of searching after the other, the cheapest first."""
    number = wanted.lstrip("#")
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        rows = views.members_with_customers(session, merchant.shop_id, [int(wanted)]) if _is_id(wanted) else []
        if not rows and any(character.isdigit() for character in number):
            rows = views.member_with_order(session, merchant.shop_id, wanted)
    if rows:
        names = views.names(runtime().hurried, merchant.shop_id, [row.customer_id for row in rows])
    else:
        names = views.search(runtime().hurried, merchant.shop_id, wanted)
        with runtime().db.reading() as session:
            rows = views.members_with_customers(session, merchant.shop_id, names.known)
    found = views.MembersPage(rows, None, None)
    strangers = max(0, len(names.known) - len(rows))
    return page("members.html", who, found=found, names=names, q=wanted, in_shopify=strangers)


@bp.get("/members/<int:member_id>")
@merchant_required
def member_page(merchant: Merchant, member_id: int) -> AnyResponse:
    """``order`` opens an order's working, ``on`` tells the balance at the end of a day, ``older`` pages the ledger."""
    return _show(merchant, member_id)


@bp.post("/members/<int:member_id>/adjust")
@merchant_required
def adjust_member(merchant: Merchant, member_id: int) -> AnyResponse:
    """The key was made when the form was: sent twice, it is one adjustment."""
    points, reason = request.form.get("points", ""), said(request.form.get("reason", ""))
    key = request.form.get("key", "")
    parsed = whole(points)
    try:
        if not isinstance(parsed, int):
            raise Invalid("Enter a whole number of points, with a minus to remove some.", field="points")
        with runtime().db.transaction() as session:
            adjust(
                session, merchant.shop_id, member_id, points=parsed, reason=reason, key=key and f"admin:{key}",
                author=merchant.author, now=runtime().clock(),
            )  # fmt: skip
    except NotFound:
        raise
    except LoyaltyError as refusal:
        if not isinstance(refusal, Refused | Invalid) and refusal.code != "key_reused":
            raise
        return _show(merchant, member_id, refusal=refusal)
    return go("member_page", member_id=member_id, done="adjusted")


def _show(merchant: Merchant, member_id: int, refusal: LoyaltyError | None = None) -> AnyResponse:
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        found = views.profile(session, who.shop, member_id, cursor=request.args.get("older"))
        if found.member.merged_into is not None:
            return go("member_page", member_id=found.member.merged_into)
        opened = request.args.get("order", "")
        working = (
            working_of(session, who.shop, int(opened), member_id, who.words) if _is_id(opened) else None
        )  # fmt: skip
        had, _ = had_lately(session, merchant.shop_id, who.words, member_id=found.member.member_id, limit=MOST_REWARDS)
        on = who.words.parse_day(request.args.get("on", ""))
        past = views.balance_on(session, merchant.shop_id, member_id, who.words.end_of(on)) if on else None
    names = views.names(runtime().hurried, merchant.shop_id, [found.member.customer_id])
    return page(
        "member.html",
        who,
        status=refusal.status if refusal else 200,
        open_modal="adjust" if refusal else "",
        member=found,
        why=lambda line: why(line, who.words),
        names=names,
        had=had,
        working=working,
        on=on,
        past=past,
        older=request.args.get("older", ""),
        key=_key(refusal),
        typed=request.form if refusal else {},
        errors={refusal.field or "": refusal.message} if refusal else {},
        longest_reason=LONGEST_REASON,
    )


def _key(refusal: LoyaltyError | None) -> str:
    """A refused form keeps its key, since nothing was posted under it; one that was used needs another."""
    sent = request.form.get("key", "")
    return sent if refusal and refusal.code != "key_reused" and sent else secrets.token_urlsafe(16)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 19
