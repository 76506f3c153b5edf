"""The page on which a merchant agrees to the scopes, and the one that says why there is nothing to agree to."""

from __future__ import annotations

from html import escape
from typing import Any

from ..records import Shop
from ..settings import AppConfig

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;background:#f1f1f1;color:#303030;margin:0}"
    "main{max-width:460px;margin:12vh auto;background:#fff;border-radius:12px;padding:28px 32px;"
    "box-shadow:0 1px 3px #0003}h1{font-size:20px;margin:0 0 8px}li{margin:4px 0}"
    "button{font:inherit;font-weight:600;background:#303030;color:#fff;border:0;border-radius:8px;padding:9px 18px}"
)


def page(app: AppConfig, shop: Shop, params: Any) -> str:
    """What the app will be able to do, and one button."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(params.get(name, ""))}">'
        for name in ("client_id", "redirect_uri", "state")
    )
    scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in sorted(app.scopes))
    return _document(
        f"Install {app.name}",
        f"<h1>Install {escape(app.name)} on {escape(shop.name)}?</h1><p>It will be able to:</p><ul>{scopes}</ul>"
        f'<form method="post">{hidden}<button>Install</button></form>',
    )


def problem_page(shop: Shop, problem: str) -> str:
    return _document("Oauth error", f"<h1>Oauth error</h1><p>{escape(problem)}</p><p>{escape(shop.domain)}</p>")


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><main>{body}</main></html>"
    )
