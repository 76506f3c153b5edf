"""A small embedded app for the admin's tests: pages of Polaris elements, a token page, and fetches that need a token.

It stands where the real app stands and knows as little: it reads tokens without checking them (what is tested here is
the admin around it), and asks for a new page the way PLATFORM §2.1 says.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request

PAGES = Path(__file__).parent / "pages"
NAMES = {"": "home", "program": "program", "members": "member", "bridge": "bridge"}


def sample_app(cdn: str, client_id: str) -> Flask:
    """The app; ``cdn`` is where its pages load App Bridge and Polaris from."""
    app = Flask("sample app")
    seen: list[str] = []
    app.extensions["seen"] = seen

    @app.get("/", defaults={"name": ""})
    @app.get("/<name>")
    def page(name: str) -> Response:
        """A page for whoever brings a token; anybody else is sent for one."""
        if name not in NAMES:
            return Response(status=404)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.args.get("id_token")
        if not token:
            kept = [(key, value) for key, value in request.args.items() if key != "id_token"]
            reload = request.path + (f"?{urlencode(kept)}" if kept else "")
            seen.append(f"no token on {request.path}")
            return redirect(f"/auth/token?{urlencode([*kept, ('shopify-reload', reload)])}")
        seen.append(f"page {request.path}")
        html = (PAGES / f"{NAMES[name]}.html").read_text(encoding="utf-8")
        return Response(html.replace("/-/cdn", cdn).replace('content="sample"', f'content="{client_id}"'))

    @app.get("/auth/token")
    def token_page() -> str:
        return f'<script data-api-key="{client_id}" src="{cdn}/shopifycloud/app-bridge.js"></script>'

    @app.post("/who")
    def who() -> Response | tuple[Response, int, dict]:
        """Says whose token it was; refuses the first of each run as stale."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if "stale" not in seen:
            seen.append("stale")
            return jsonify({}), 401, {"X-Shopify-Retry-Invalid-Session-Request": "1"}
        claims = token.split(".")[1]
        return jsonify(json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4))))

    @app.post("/elsewhere")
    def elsewhere() -> tuple[str, int, dict]:
        return "", 401, {"X-Shopify-API-Request-Failure-Reauthorize-Url": "/outside"}

    @app.get("/outside")
    def outside() -> str:
        return "<!doctype html><title>Outside</title><p>Out of the frame"

    return app
