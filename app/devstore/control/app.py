"""Webhooks, secrets, the TOML, the Admin API's moods, and the log."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from flask import Response, abort, g, jsonify, request

from ..errors import Refusal
from ..oauth import tokens
from . import bp
from .doors import body, with_options


@bp.get("/webhooks")
def webhooks() -> Response:
    """``pending`` counts what is still to be sent; deliveries newest first (?limit, after, state, shop)."""
    outbox = g.devstore.webhooks
    found = outbox.deliveries(
        shop=request.args.get("shop"),
        state=request.args.get("state"),
        limit=request.args.get("limit", 200, type=int),
        after=request.args.get("after", 0, type=int),
    )
    return jsonify(
        pending=outbox.pending(),
        due=outbox.pending(held=False),
        controls=outbox.controls(),
        deliveries=[asdict(delivery) for delivery in found],
    )


@bp.post("/webhooks")
def control_webhooks() -> Response:
    """hold, drop_next, drop_percent, drop_topics, duplicates, shuffle, seed."""
    return jsonify(with_options(g.devstore.webhooks.control, **body()))


@bp.post("/webhooks/release")
def release_webhooks() -> Response:
    return jsonify(released=g.devstore.webhooks.release(shuffle=bool(body().get("shuffle"))))


@bp.post("/webhooks/retry")
def retry_webhooks() -> Response:
    """Waiting retries are tried now."""
    g.devstore.webhooks.retry_now()
    return jsonify(pending=g.devstore.webhooks.pending())


@bp.post("/webhooks/<int:seq>/resend")
def resend_webhook(seq: int) -> Response:
    if not g.devstore.webhooks.resend(seq):
        abort(404, "there is no such delivery")
    return jsonify(resent=seq)


@bp.get("/webhooks/<int:seq>/body")
def webhook_body(seq: int) -> Response:
    found = g.devstore.webhooks.body(seq)
    if found is None:
        abort(404, "there is no such delivery")
    return Response(found, content_type="application/json")


@bp.post("/app/reload")
def reload_app() -> Response:
    """Read the TOML again, or another one: what `shopify app deploy` does."""
    path = body().get("app_toml")
    try:
        config = g.devstore.reload_app(Path(path) if path else None)
    except (OSError, ValueError, KeyError) as wrong:
        raise Refusal(f"the TOML cannot be used: {wrong}") from wrong
    return jsonify(scopes=config.scopes, application_url=config.application_url)


@bp.post("/secret/rotate")
def rotate_secret() -> Response:
    """A new client secret beside the old ones; it is signed with after secret/sign_with {"which": "new"}."""
    return jsonify(secret=g.devstore.apps.secrets.rotate(body().get("secret")))


@bp.post("/secret/sign_with")
def sign_with() -> Response:
    which = body().get("which")
    if which not in ("new", "old"):
        raise Refusal("which is new or old")
    g.devstore.apps.secrets.sign_with(which)
    return jsonify(signing=which)


@bp.post("/secret/revoke_old")
def revoke_old_secrets() -> Response:
    """Old secrets are no longer accepted, and tokens had with them are dead."""
    g.devstore.apps.secrets.revoke_old()
    tokens.revoke_secret(g.devstore, g.devstore.apps.secrets.live)
    return jsonify(live=len(g.devstore.apps.secrets.live))


@bp.post("/api/faults")
def faults() -> Response:
    return jsonify(with_options(g.devstore.faults.set, **body()))


@bp.get("/api/faults")
def faults_done() -> Response:
    """{"schedule", "calls": {operation: n}, "kinds": {kind: n}, "operations": {operation: {kind: n}}, "done": […]}"""
    return jsonify(g.devstore.faults.report())


@bp.get("/oauth/faults")
def token_faults_done() -> Response:
    return jsonify(g.devstore.token_faults.report())


@bp.post("/oauth/faults")
def token_faults() -> Response:
    return jsonify(with_options(g.devstore.token_faults.set, **body()))


@bp.post("/api/bucket")
def bucket() -> Response:
    """{"size": 2000, "restore": 100}: points, and points a second."""
    wanted = body()
    g.devstore.buckets.resize(int(wanted.get("size", 2000)), int(wanted.get("restore", 100)))
    return jsonify(wanted)


@bp.get("/traffic")
def traffic() -> Response:
    found = g.devstore.traffic.recent(
        limit=request.args.get("limit", 200, type=int),
        after=request.args.get("after", 0, type=int),
        kind=request.args.get("kind"),
        shop=request.args.get("shop"),
    )
    return jsonify([asdict(message) for message in found])


@bp.delete("/traffic")
def clear_traffic() -> Response:
    g.devstore.traffic.clear()
    return jsonify([])
