"""The program's versions: what each changed, and making one a draft again (a rollback is a new version)."""

from __future__ import annotations

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from ...loyalty import programs
from ...loyalty.views.preview import look_preview
from ...loyalty.views.versions import version, versions
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from .blueprint import bp
from .pages import asked, go, page


@bp.get("/program/versions")
@merchant_required
def versions_page(merchant: Merchant) -> Response:
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        every = versions(session, merchant.shop_id, who.now)
    return page("versions.html", who, versions=every)


@bp.get("/program/versions/<int:number>")
@merchant_required
def version_page(merchant: Merchant, number: int) -> Response:
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        found = version(session, merchant.shop_id, number, who.now)
    return page("version.html", who, version=found, look=look_preview(found.settings.look))


@bp.post("/program/versions/<int:number>/draft")
@merchant_required
def draft_from_version(merchant: Merchant, number: int) -> AnyResponse:
    with runtime().db.transaction() as session:
        who = asked(session, merchant)
        found = version(session, merchant.shop_id, number, who.now)
        programs.save_draft(session, who.shop, found.settings, author=merchant.author, now=who.now)
    return go("program_page", done="drafted")
