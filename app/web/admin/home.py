"""The home page, and the parts of it that only the browser can ask about: what is switched on in the theme."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from ...loyalty import merchant as verbs
from ...loyalty.views.home import home, orders_feed
from ...loyalty.views.versions import program_state, summary
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from .blueprint import bp
from .chart import chart
from .pages import Asked, asked, fragment, go, page

PANEL, BLOCK = "launcher", "product-points"  # the files in app/extensions/storefront/blocks


@dataclass(frozen=True, slots=True)
class Storefront:
    """What the theme shows of us: "on", "off", or "unknown" until App Bridge has said."""

    panel: str
    block: str
    panel_link: str
    block_link: str


@dataclass(frozen=True, slots=True)
class Guide:
    """The set-up guide: what is done, and the one thing that is next."""

    done: list[str]
    following: str  # "launch", "panel", "block"; "" when all is done
    steps: int = 3

    @property
    def done_words(self) -> str:
        words = ", ".join(self.done)
        return words[:1].upper() + words[1:]


@bp.get("/")
@merchant_required
def home_view(merchant: Merchant) -> Response:
    return home_page(merchant)


def home_page(merchant: Merchant) -> Response:
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        seen = home(session, who.shop, who.words)
    store = _storefront(who, "unknown", "unknown")
    return page(
        "home.html",
        who,
        home=seen,
        program=seen.program,
        program_summary=summary(seen.program),
        feed=seen.feed,
        chart=chart(seen.weeks, who.words),
        store=store,
        guide=_guide(seen.program.is_launched, store),
    )


@bp.get("/storefront")
@merchant_required
def storefront_status(merchant: Merchant) -> str:
    """Guide and "In your store", now that App Bridge has said what is on: ``panel``, ``block`` = on or off."""
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        program, feed = program_state(session, who.shop, who.now), orders_feed(session, who.shop)
    store = _storefront(who, _state(request.args.get("panel")), _state(request.args.get("block")))
    return fragment(
        "parts/storefront.html",
        who,
        program=program,
        program_summary=summary(program),
        feed=feed,
        store=store,
        guide=_guide(program.is_launched, store),
    )


@bp.post("/guide")
@merchant_required
def show_guide(merchant: Merchant) -> AnyResponse:
    """``show``: yes or no."""
    shown = request.form.get("show") == "yes"
    with runtime().db.transaction() as session:
        verbs.show_guide(session, merchant.shop_id, dismissed=not shown)
    return go("home_view", done="guide-shown" if shown else "guide-hidden")


def _storefront(who: Asked, panel: str, block: str) -> Storefront:
    origins, client_id = runtime().origins, runtime().config.shopify_api_key
    domain = who.merchant.domain
    return Storefront(
        panel=panel,
        block=block,
        panel_link=origins.embed_editor_link(domain, client_id, PANEL),
        block_link=origins.block_editor_link(domain, client_id, BLOCK),
    )


def _guide(is_launched: bool, store: Storefront) -> Guide:
    states = (
        ("launch", "launch your program", is_launched),
        ("panel", "turn on the panel", store.panel == "on"),
        ("block", "show points on product pages", store.block == "on"),
    )
    return Guide(
        done=[words for _, words, is_done in states if is_done],
        following=next((key for key, _, is_done in states if not is_done), ""),
    )


def _state(text: str | None) -> str:
    return text if text in ("on", "off") else "unknown"
