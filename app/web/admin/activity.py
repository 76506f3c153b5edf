"""Activity: what happened, and deliveries and jobs that wait for somebody to look."""

from __future__ import annotations

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from ...loyalty import inbox
from ...loyalty import merchant as verbs
from ...loyalty.views.activity import SOURCES, activity
from ...loyalty.views.deliveries import delivery_key, parked, parked_body
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from .blueprint import bp
from .pages import asked, go, page, said


@bp.get("/activity")
@merchant_required
def activity_page(merchant: Merchant) -> Response:
    """``source`` narrows what happened, ``topic`` the parked deliveries; ``delivery`` opens one."""
    source, topic = request.args.get("source", ""), said(request.args.get("topic", ""))
    opened = request.args.get("delivery", "")
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        happened = activity(session, who.shop, who.words, source=source)
        waiting = parked(session, merchant.shop_id, topic=topic or None)
        body = parked_body(session, merchant.shop_id, opened) if opened else None
    return page(
        "activity.html",
        who,
        happened=happened,
        sources=SOURCES,
        source=source if source in SOURCES else "",
        topic=topic if topic in waiting.topics else "",
        parked=waiting,
        opened=opened if body is not None else "",
        body=body,
    )


@bp.post("/deliveries/<key>/replay")
@merchant_required
def replay(merchant: Merchant, key: str) -> AnyResponse:
    with runtime().db.transaction() as session:
        inbox.replay(session, merchant.shop_id, delivery_key(key), now=runtime().clock())
    return go("activity_page", done="replayed")


@bp.post("/deliveries/<key>/discard")
@merchant_required
def discard(merchant: Merchant, key: str) -> AnyResponse:
    with runtime().db.transaction() as session:
        inbox.discard(session, merchant.shop_id, delivery_key(key), by=merchant.author, now=runtime().clock())
    return go("activity_page", done="discarded-delivery")


@bp.post("/deliveries/replay-all")
@merchant_required
def replay_all(merchant: Merchant) -> AnyResponse:
    """``topic`` narrows it."""
    with runtime().db.transaction() as session:
        inbox.replay_all(
            session, merchant.shop_id, topic=said(request.form.get("topic", "")) or None, now=runtime().clock()
        )
    return go("activity_page", done="replayed")


@bp.post("/jobs/<job_id>/retry")
@merchant_required
def retry_job(merchant: Merchant, job_id: str) -> AnyResponse:
    with runtime().db.transaction() as session:
        verbs.retry_job(session, merchant.shop_id, job_id, now=runtime().clock())
    return go("activity_page", done="replayed")


@bp.post("/jobs/<job_id>/discard")
@merchant_required
def discard_job(merchant: Merchant, job_id: str) -> AnyResponse:
    with runtime().db.transaction() as session:
        verbs.discard_job(session, merchant.shop_id, job_id)
    return go("activity_page", done="discarded-delivery")
