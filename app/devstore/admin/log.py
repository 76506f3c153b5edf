"""``/-/log``: what the app and the store said to each other, newest first, in plain words."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request

from . import words
from .page import draw

KINDS = {"": "All", "webhook": "Webhooks", "api": "Admin API", "proxy": "Storefront", "oauth": "Tokens"}


def register(bp: Blueprint) -> None:
    bp.add_url_rule("/-/log", view_func=log)
    bp.add_url_rule("/-/log/rows", view_func=rows)


def log() -> str:
    """The page; its script asks for ``rows`` after the last one it has."""
    kind = _kind()
    lines = _lines(0, kind)
    shops = g.devstore.shops()
    return draw("log", shops[0] if shops else None, here="log", lines=lines, kind=kind, kinds=KINDS, last=_last(lines))


def rows() -> str:
    """The rows above ``after`` alone."""
    lines = _lines(request.args.get("after", 0, type=int), _kind())
    return render_template("devstore_admin/log_rows.html", lines=lines)


def _kind() -> str:
    kind = request.args.get("kind", "")
    return kind if kind in KINDS else ""


def _lines(after: int, kind: str) -> list[dict]:
    app = g.devstore.app.name
    shops = {shop.domain: shop for shop in g.devstore.shops()}
    lines = []
    for message in g.devstore.traffic.recent(limit=200, after=after, kind=kind or None):
        what, name = words.log_line(message, app)
        answer, tone = words.log_answer(message)
        time = words.time_of(message.at, shops[message.shop]) if message.shop in shops else message.at[11:19]
        lines.append({"message": message, "time": time, "what": what, "name": name, "answer": answer, "tone": tone})
    return lines


def _last(lines: list[dict]) -> int:
    return lines[0]["message"].seq if lines else 0
