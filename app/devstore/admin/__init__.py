"""The shop admin of the dev store: what stands for https://admin.shopify.com, for the tester who plays the merchant.

    /-/admin/store/{handle}                     home; orders, products, customers, discounts, apps, webhooks beneath it
    /-/admin/store/{handle}/apps/{app}[/path]   the app in its frame (``apps``, ``frame``, static/frame.js)
    /-/admin/store/{handle}/oauth/install       the install page (managed install)
    {shop}/admin/themes/current/editor          the theme editor's deep links, on the shop's own origin (``themes``)
    /-/log                                      what the app did (``log``)

Everything that changes something is a verb of ``DevStore``; a ``Refusal`` is shown as it is worded. Pages are made of
the same Polaris stand-ins the app's pages use.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, flash, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from ..errors import Refusal
from . import words

bp = Blueprint(
    "devstore_admin", __name__, template_folder="templates", static_folder="static", static_url_path="/-/admin/static"
)

for name in (
    "money",
    "moment",
    "day",
    "state_words",
    "topic_words",
    "asked_for",
    "time_of",
    "card_state",
    "credit_words",
):
    bp.add_app_template_filter(getattr(words, name), name)


@bp.before_request
def own_forms_only() -> None:
    """A form or a fetch of another site is not the merchant's doing."""
    if request.method == "GET":
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site in ("cross-site", "same-site") or (origin and urlsplit(origin).netloc != request.host):
        abort(403)


@bp.after_request
def not_in_a_frame(answer: Response) -> Response:
    """The admin holds frames and is in none."""
    answer.headers.setdefault("Content-Security-Policy", "frame-ancestors 'none'")
    answer.headers.setdefault("Cache-Control", "no-store")
    if request.endpoint == "devstore_admin.static":
        answer.headers["Access-Control-Allow-Origin"] = "*"  # the theme editor's page is on the shop's own origin
    return answer


@bp.errorhandler(Refusal)
def refused(refusal: Refusal) -> AnyResponse:
    """Back to the page the merchant was on, with the store's words."""
    flash(words.sentence(str(refusal)), "critical")
    return redirect(request.referrer or f"{g.origins.admin}/")


from . import apps, catalogue, customers, discounts, frame, log, orders, stores, themes, webhooks  # noqa: E402

for part in (stores, orders, catalogue, customers, discounts, apps, frame, themes, webhooks, log):
    part.register(bp)

__all__ = ["bp"]
