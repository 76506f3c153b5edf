"""The rewards page, the gallery to start from, and each reward's page."""

from __future__ import annotations

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from ...loyalty.install import refresh_shop
from ...loyalty.reward_drafts import remove_reward
from ...loyalty.views import members
from ...loyalty.views.reward_report import reward_report
from ...loyalty.views.rewards import SCOPES, missing_scopes, rewards_page
from ...program.gallery import gallery
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from .blueprint import bp
from .pages import asked, fragment, go, page


@bp.get("/rewards")
@merchant_required
def rewards_view(merchant: Merchant) -> Response:
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        seen = rewards_page(session, who.shop, who.words)
    return page("rewards.html", who, seen=seen, program=seen.program, cards=gallery(who.shop.currency))


@bp.get("/rewards/<slot>")
@merchant_required
def reward_page(merchant: Merchant, slot: str) -> Response:
    """``older`` pages who had it."""
    older = request.args.get("older")
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        report = reward_report(session, who.shop, slot, who.words, older=older)
    names = members.names(runtime().hurried, merchant.shop_id, {had.customer_id for had in report.lately})
    return page("reward.html", who, report=report, names=names, older=older or "")


@bp.post("/rewards/<slot>/remove")
@merchant_required
def remove_reward_from_draft(merchant: Merchant, slot: str) -> AnyResponse:
    with runtime().db.transaction() as session:
        who = asked(session, merchant)
        remove_reward(session, who.shop, slot, author=merchant.author, now=who.now)
    return go("rewards_view", done="reward-removed")


@bp.post("/permissions")
@merchant_required
def permissions(merchant: Merchant) -> str:
    """App Bridge has asked for what a ``kind`` needs: read what is granted now. Answers the notice about it."""
    kind = request.form.get("kind", "")
    refresh_shop(runtime().hurried, merchant.shop_id)
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        missing = missing_scopes(who.shop, kind)
    return fragment("parts/permissions.html", who, kind=kind, missing=missing, asked_now=kind in SCOPES)
