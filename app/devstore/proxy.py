"""The app proxy: /{prefix}/{subpath}/… on the storefront's origin goes to the app, signed (PLATFORM §5).

Added to the query: shop, logged_in_customer_id (empty for a visitor), path_prefix, timestamp, signature over all
parameters. What the shopper sent is forwarded too, a made-up logged_in_customer_id included: whether the real platform
removes it is not documented, so the app must refuse it. No cookies either way.
"""

from __future__ import annotations

import http.client
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, abort, current_app, g, request
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import Rule

from . import clock
from .logins import logged_in
from .signing import proxy_signature

bp = Blueprint("proxy", __name__)

_SECONDS = 10
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NOT_SENT = frozenset(
    ("cookie", "host", "connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade")
) | {"proxy-authorization", "x-forwarded-for", "x-forwarded-host"}
_NOT_RETURNED = frozenset(
    ("set-cookie", "accept-ranges", "connection", "date", "pragma", "server", "service-worker-allowed", "trailer")
) | {"tk", "warning", "x-powered-by", "p3p", "keep-alive", "transfer-encoding", "content-length"}


@bp.record
def _mount(state: BlueprintSetupState) -> None:
    """The path is the TOML's, so the rule is made when the blueprint meets its application."""
    app = state.app
    config = app.extensions["devstore"].app
    if config.proxy_url is None:
        return
    root = f"/{config.proxy_prefix}/{config.proxy_subpath}"
    for rule in (root, f"{root}/", f"{root}/<path:rest>"):
        app.url_map.add(
            Rule(rule, endpoint="proxy.forward", methods=_METHODS, strict_slashes=True, merge_slashes=False)
        )
    app.view_functions["proxy.forward"] = forward


def forward(rest: str = "") -> Response:
    """Forward this request to the app and its answer to the shopper."""
    config = g.devstore.app
    installation = g.devstore.apps.installed(g.shop) if g.shop else None
    if installation is None or "write_app_proxy" not in installation.scopes:
        abort(404)
    root = f"/{config.proxy_prefix}/{config.proxy_subpath}"
    raw_path = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path
    tail = urlsplit(raw_path).path.partition(root)[2]
    started = time.monotonic()
    status, headers, body = _call(config.proxy_url, tail, _signed_query(root))
    g.devstore.traffic.add(
        "proxy",
        g.shop.domain,
        request.method,
        f"{urlsplit(config.proxy_url).path}{tail}",
        "logged in" if logged_in(g.devstore, g.shop) else "visitor",
        status,
        (time.monotonic() - started) * 1000,
    )
    kept = [(name, value) for name, value in headers if name.lower() not in _NOT_RETURNED]
    content_type = next((value for name, value in kept if name.lower() == "content-type"), "")
    if content_type.startswith("application/liquid"):
        return Response("The dev store does not render Liquid answers of an app proxy.", 501)
    return Response(body, status, kept)


def _signed_query(root: str) -> str:
    raw = request.query_string.decode("latin-1")
    customer = logged_in(g.devstore, g.shop)
    added = [
        ("shop", g.shop.domain),
        ("logged_in_customer_id", str(customer.id) if customer else ""),
        ("path_prefix", root),
        ("timestamp", str(int(clock.timestamp()))),
    ]
    pairs = [*parse_qsl(raw, keep_blank_values=True), *added]
    signature = proxy_signature(g.devstore.apps.secrets.signing, pairs)
    mine = urlencode([*added, ("signature", signature)])
    return f"{raw}&{mine}" if raw else mine


def _call(url: str, tail: str, query: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """One request to the app; 502 or 504 as the storefront would show when it does not answer."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
    headers = {name: value for name, value in request.headers if name.lower() not in _NOT_SENT}
    headers["X-Forwarded-For"] = request.remote_addr or "127.0.0.1"
    headers["X-Forwarded-Host"] = g.shop.domain
    body = request.get_data()
    try:
        connection.request(request.method, f"{parts.path}{tail}?{query}", body=body or None, headers=headers)
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    except TimeoutError:
        return 504, [("Content-Type", "text/plain")], b"The app did not answer in time."
    except (OSError, http.client.HTTPException) as wrong:
        current_app.logger.warning("app proxy: %s", type(wrong).__name__)
        return 502, [("Content-Type", "text/plain")], b"The app did not answer."
    finally:
        connection.close()
