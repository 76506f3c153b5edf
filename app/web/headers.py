"""Headers every answer carries (PLATFORM §7.1): who may frame it, and that nobody may keep it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, g, request

from .runtime import runtime


def frame_for(domain: str) -> None:
    """This answer is for that shop's admin. Call it with a domain that was verified, or only validated on pages
    without any content of a shop (the token page).
    """
    g.frame_domain = domain


def secure(response: Response) -> Response:
    """After every request. An empty answer to a webhook is Shopify's servers' alone and needs none of this."""
    if response.status_code == 200 and request.endpoint == "webhooks.webhook":
        return response
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cache-Control", "no-store, private")
    if response.mimetype == "text/html":
        domain = g.get("frame_domain")
        ancestors = runtime().origins.frame_ancestors(domain) if domain else "'none'"
        parts = urlsplit(runtime().origins.cdn())
        own = f"'self' {parts.scheme}://{parts.netloc}"
        policy = {
            "default-src": own,
            "script-src": own,
            "style-src": f"{own} 'unsafe-inline'",  # the Polaris elements style themselves
            "img-src": f"{own} https: data:",
            "font-src": f"{own} https: data:",
            "connect-src": f"{own} https:",
            "object-src": "'none'",
            "base-uri": "'none'",
            "form-action": "'self'",
            "frame-ancestors": ancestors,
        }
        headers["Content-Security-Policy"] = "; ".join(f"{name} {sources}" for name, sources in policy.items()) + ";"
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
        headers.add("Vary", "Authorization")
    return response
