"""Publish now or later, launch, pause, go on."""

from __future__ import annotations

from datetime import datetime

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from ...errors import Invalid, Refused
from ...loyalty import merchant as verbs
from ...loyalty import programs
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from . import program_form
from .blueprint import bp
from .pages import asked, go
from .program import Edited, look_at, show


@bp.post("/program/publish")
@merchant_required
def publish(merchant: Merchant) -> AnyResponse:
    """Publish what is typed (when sent along) or the draft. ``when``: now, or later at ``day`` and ``time``."""
    edited = _edited(merchant)
    if edited.errors:
        return show(edited, status=422)
    try:
        with runtime().db.transaction() as session:
            who = asked(session, merchant)
            programs.take_turn(session, who.shop)
            latest = programs.latest_version(session, who.shop.shop_id)
            if latest is None:
                raise Refused("The program is not live yet. Launch it first.", code="not_started")
            if latest.settings == edited.seen.settings.document():
                raise Refused(f"Nothing has changed since version {latest.number}.", code="nothing_changed")
            starts_at = _start(edited, who.now)
            programs.publish(
                session, who.shop, edited.seen.settings, author=merchant.author, now=who.now, starts_at=starts_at
            )
    except (Refused, Invalid) as refusal:
        return _refused(edited, refusal, "publish")
    return go("program_page", done="published")


@bp.post("/program/launch")
@merchant_required
def launch(merchant: Merchant) -> AnyResponse:
    """Publish the first version: what is typed, or a ``preset``, or the draft. ``test``: count test orders.

    ``asked_test`` says that the question about test orders was on the page; without it the settings decide.
    """
    preset_name = request.form.get("preset", "")
    edited = _edited(merchant)
    if edited.errors:
        return show(edited, status=422)
    try:
        with runtime().db.transaction() as session:
            who = asked(session, merchant)
            settings = edited.seen.settings
            if preset_name and programs.latest_version(session, merchant.shop_id) is None:
                settings = verbs.start_from(session, who.shop, preset_name, author=merchant.author, now=who.now)
            verbs.launch(
                session,
                who.shop,
                settings,
                test_orders=("test" in request.form) if "asked_test" in request.form else None,
                author=merchant.author,
                now=who.now,
                starts_at=_start(edited, who.now),
            )
    except (Refused, Invalid) as refusal:
        return _refused(edited, refusal, "publish")
    return go("home_view", done="launched")


@bp.post("/program/pause")
@merchant_required
def pause(merchant: Merchant) -> AnyResponse:
    with runtime().db.transaction() as session:
        who = asked(session, merchant)
        programs.pause(session, who.shop, now=who.now)
    return go("program_page", done="paused")


@bp.post("/program/resume")
@merchant_required
def resume(merchant: Merchant) -> AnyResponse:
    with runtime().db.transaction() as session:
        who = asked(session, merchant)
        verbs.resume(session, who.shop, now=who.now)
    return go("program_page", done="resumed")


def _edited(merchant: Merchant) -> Edited:
    return look_at(merchant, request.form if program_form.is_filled_in(request.form) else None)


def _start(edited: Edited, now: datetime) -> datetime | None:
    """None for now. A start is typed in the shop's own time."""
    if request.form.get("when", "now") != "later":
        return None
    moment = edited.who.words.parse_moment(request.form.get("day", ""), request.form.get("time", ""))
    if moment is None:
        raise Invalid("Choose a day, and a time such as 09:00.", field="start")
    return moment


def _refused(edited: Edited, refusal: Refused | Invalid, modal: str) -> AnyResponse:
    """The page again with the reason where it belongs: beside its field, or in the dialog, which is open again."""
    if refusal.field == "margin":
        return show(edited, status=refusal.status, more_errors={"most_share": refusal.message})
    at_start = refusal.field == "start"
    return show(
        edited,
        status=refusal.status,
        open_modal=modal,
        start_error=refusal.message if at_start else "",
        refused="" if at_start else refusal.message,
    )
