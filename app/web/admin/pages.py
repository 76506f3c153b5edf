"""What every page of the admin shares: its frame, its headers, the note that something was done."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ...loyalty.views.shops import Shop, shop_of
from ...loyalty.views.words import Words
from ..auth import Merchant
from ..runtime import runtime

# What a toast says after a redirect. The address carries a word of ours, never a text of somebody else's.
DONE = {
    "saved": "Draft saved",
    "discarded": "Draft discarded",
    "published": "Version published",
    "launched": "Your program is live",
    "paused": "Program paused",
    "resumed": "Program is live again",
    "drafted": "Made a draft",
    "adjusted": "Points adjusted",
    "reward-saved": "Saved in the draft",
    "reward-removed": "Removed from the draft",
    "reissued": "Its code is being replaced",
    "cancelled": "On its way back",
    "given-back": "Points given back",
    "decided": "Settled",
    "replayed": "Replayed",
    "discarded-delivery": "Discarded",
    "reconciling": "Comparing orders with Shopify",
    "look": "Look saved. It starts now",
    "look-drafted": "Look saved in the draft",
    "guide-hidden": "Set-up guide put away. It is under Settings",
    "guide-shown": "Set-up guide is back on the home page",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A merchant's request: who, which shop, and that shop's way of writing."""

    merchant: Merchant
    shop: Shop
    words: Words

    @property
    def now(self) -> datetime:
        return self.words.now


def asked(session: Session, merchant: Merchant) -> Asked:
    """The shop exists: the merchant's session token was verified against it."""
    shop = shop_of(session, merchant.shop_id)
    return Asked(merchant, shop, Words.of(shop, runtime().clock(), merchant.author))


def said(text: str) -> str:
    """What somebody typed, on one line and without control characters: a database takes no NUL."""
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character for character in text
    )


def page(template: str, who: Asked, *, status: int = 200, open_modal: str = "", **context: Any) -> Response:
    """A whole page. ``open_modal`` names the dialog the page opens with: the one whose form was refused."""
    cdn = runtime().origins.cdn()
    html = render_template(
        f"admin/{template}",
        shop=who.shop,
        words=who.words,
        api_key=runtime().config.shopify_api_key,
        cdn=cdn,
        storefront=runtime().origins.storefront(who.merchant.domain),
        done=DONE.get(request.args.get("done", ""), "") if request.method == "GET" else "",
        open_modal=open_modal,
        **context,
    )
    response = make_response(html, status)
    bridge, polaris = f"{cdn}/shopifycloud/app-bridge.js", f"{cdn}/shopifycloud/polaris-1.js"
    response.headers["Link"] = (
        f'<{cdn}>; rel="preconnect", <{bridge}>; rel="preload"; as="script", <{polaris}>; rel="preload"; as="script"'
    )
    return response


def fragment(template: str, who: Asked, **context: Any) -> str:
    """A part of a page, which the script puts where it belongs."""
    return render_template(f"admin/{template}", shop=who.shop, words=who.words, **context)


def go(endpoint: str, *, done: str = "", **values: Any) -> AnyResponse:
    """Answer a form: look at that page now, and read that it was done."""
    if done:
        values["done"] = done
    return redirect(url_for(f"admin.{endpoint}", **values), 303)
