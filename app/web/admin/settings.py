"""Settings: how the program looks in the store, and what is looked after by hand now and then."""

from __future__ import annotations

from flask import Response, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from ...loyalty import merchant as verbs
from ...loyalty.views.home import orders_feed
from ...loyalty.views.preview import LookPreview, checked, look_preview
from ...loyalty.views.privacy import open_requests
from ...loyalty.views.versions import ProgramState, program_state
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from . import program_form
from .blueprint import bp
from .pages import asked, fragment, go, page

LOOKS = ("accent", "corner", "launcher", "radius", "offset")


@bp.get("/settings")
@merchant_required
def settings_page(merchant: Merchant) -> Response:
    return _show(merchant)


@bp.post("/settings/preview")
@merchant_required
def preview_look(merchant: Merchant) -> Response:
    """The colours of an accent as typed: ``{"errors": {field: message}, "html": the preview column}``."""
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        program = program_state(session, who.shop, who.now)
    settings, errors = checked(program_form.look_document(request.form, program.draft), program.draft)
    html = fragment("parts/look.html", who, look=look_preview(settings.look), name=settings.name, rate=program.rate)
    return jsonify(errors=program_form.by_field(errors), html=html)


@bp.post("/settings/look")
@merchant_required
def save_look(merchant: Merchant) -> AnyResponse:
    """From now on; before launch, and while a version waits to start, it goes into the draft."""
    with runtime().db.transaction() as session:
        who = asked(session, merchant)
        base = program_state(session, who.shop, who.now).draft
        settings, errors = checked(program_form.look_document(request.form, base), base)
        if not errors:
            version = verbs.change_look(session, who.shop, settings.look, author=merchant.author, now=who.now)
    if errors:
        return _show(merchant, program_form.by_field(errors))
    return go("settings_page", done="look" if version else "look-drafted")


@bp.post("/settings/reconcile")
@merchant_required
def reconcile(merchant: Merchant) -> AnyResponse:
    with runtime().db.transaction() as session:
        verbs.ask_to_reconcile(session, merchant.shop_id, now=runtime().clock())
    return go("settings_page", done="reconciling")


def _show(merchant: Merchant, errors: dict[str, str] | None = None) -> Response:
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        program = program_state(session, who.shop, who.now)
        feed, requests = orders_feed(session, who.shop), open_requests(session, merchant.shop_id, who.now)
    look = _look_in_use(program)
    typed = {name: request.form.get(name, "") for name in LOOKS} if errors else _values(look)
    return page(
        "settings.html",
        who,
        status=422 if errors else 200,
        errors=errors or {},
        values=typed,
        look=look,
        program=program,
        name=program.draft.name,
        rate=program.rate,
        feed=feed,
        open_requests=requests[0],
    )


def _look_in_use(program: ProgramState) -> LookPreview:
    """The draft's when there is one: it is what was saved last."""
    return look_preview(program.draft.look)


def _values(look: LookPreview) -> dict[str, str]:
    return {name: str(getattr(look.look, name)) for name in LOOKS}
