"""Webhooks: every delivery to the app and its answer, sending again, and the weather they travel in."""

from __future__ import annotations

import json

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response

from .page import done, draw, home, store, whole


def register(bp: Blueprint) -> None:
    bp.add_url_rule("/-/admin/store/<handle>/webhooks", view_func=webhooks)
    bp.add_url_rule("/-/admin/store/<handle>/webhooks/<int:seq>", view_func=delivery)
    bp.add_url_rule("/-/admin/store/<handle>/webhooks/<int:seq>/again", view_func=again, methods=["POST"])
    bp.add_url_rule("/-/admin/store/<handle>/webhooks/controls", view_func=controls, methods=["POST"])
    bp.add_url_rule("/-/admin/store/<handle>/webhooks/release", view_func=release, methods=["POST"])
    bp.add_url_rule("/-/admin/store/<handle>/webhooks/retry", view_func=retry, methods=["POST"])


def webhooks(handle: str) -> str:
    """The last 100 deliveries."""
    shop = store(handle)
    return draw(
        "webhooks",
        shop,
        here="webhooks",
        deliveries=g.devstore.webhooks.deliveries(shop=shop.domain, limit=100),
        controls=g.devstore.webhooks.controls(),
        held=len(g.devstore.webhooks.deliveries(shop=shop.domain, state="held", limit=10_000)),
    )


def delivery(handle: str, seq: int) -> str:
    """One delivery with its body."""
    shop = store(handle)
    found = next(
        (d for d in g.devstore.webhooks.deliveries(shop=shop.domain, after=seq - 1, limit=100_000) if d.seq == seq),
        None,
    )
    body = g.devstore.webhooks.body(seq)
    if found is None or body is None:
        abort(404)
    pretty = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return draw("webhook", shop, here="webhooks", delivery=found, body=pretty)


def again(handle: str, seq: int) -> Response:
    """The same delivery once more, same ids and body."""
    shop = store(handle)
    if not g.devstore.webhooks.resend(seq):
        abort(404)
    return done("Sent again.", f"{home(shop)}/webhooks")


def controls(handle: str) -> Response:
    """Hold back, send twice, shuffle, lose: for every store, from now on."""
    shop = store(handle)
    g.devstore.webhooks.control(
        hold="hold" in request.form,
        shuffle="shuffle" in request.form,
        duplicates=min(whole("duplicates"), 10),
        drop_percent=min(whole("drop_percent"), 100),
    )
    return done("Saved.", f"{home(shop)}/webhooks")


def release(handle: str) -> Response:
    shop = store(handle)
    count = g.devstore.webhooks.release(shuffle="shuffle" in request.form)
    return done(f"{count} held back, now on their way.", f"{home(shop)}/webhooks")


def retry(handle: str) -> Response:
    shop = store(handle)
    g.devstore.webhooks.retry_now()
    return done("Waiting deliveries are tried now.", f"{home(shop)}/webhooks")
