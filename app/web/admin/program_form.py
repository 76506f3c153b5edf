"""The program page's form: what was typed, as a settings document, and faults beside their fields again.

Nothing is judged here. What cannot be read as a number goes on as the text it is, and the settings refuse it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from werkzeug.datastructures import MultiDict

from ...loyalty.views.words import Words
from ...program.settings import ProgramSettings

# A settings path and the field that holds it.
FIELDS = {
    "name": "name",
    "earning.points": "points",
    "earning.per_minor": "per",
    "earning.rounding": "rounding",
    "earning.counts.tax": "counts",
    "earning.counts.shipping": "counts",
    "earning.minimum_order_minor": "minimum",
    "earning.exclude.products": "products",
    "earning.exclude.vendors": "vendors",
    "earning.trigger": "trigger",
    "earning.hold_days": "hold",
    "earning.test_orders": "test",
    "margin": "most_share",
    "margin.percent": "margin",
    "margin.most_share_percent": "most_share",
    "margin.stop": "stop",
    "look.accent": "accent",
    "look.corner": "corner",
    "look.launcher": "launcher",
    "look.radius": "radius",
    "look.offset": "offset",
}
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
MOST_TYPED = 10_000  # items in a list; the settings allow far fewer


def is_filled_in(form: Mapping[str, str]) -> bool:
    """Whether the program's fields were sent along (a dialog may be answered without them)."""
    return "points" in form and "per" in form


def document(form: MultiDict[str, str], base: ProgramSettings, words: Words) -> dict[str, Any]:
    """The settings as typed, everything this page does not show as in ``base``."""
    settings = base.document()
    settings["name"] = form.get("name", "")
    settings["currency"] = words.currency
    counts = form.getlist("counts")
    settings["earning"] = {
        "points": whole(form.get("points", "")),
        "per_minor": _money(form.get("per", ""), words),
        "rounding": form.get("rounding", ""),
        "counts": {"tax": "tax" in counts, "shipping": "shipping" in counts},
        "minimum_order_minor": _money(form.get("minimum", ""), words),
        "exclude": {"products": _ids(form.get("products", "")), "vendors": _names(form.get("vendors", ""))},
        "trigger": form.get("trigger", ""),
        "hold_days": whole(form.get("hold", "")),
        "test_orders": "test" in form,
    }
    if "margin" in form:
        settings["margin"] = {
            "percent": whole(form["margin"]),
            "most_share_percent": whole(form.get("most_share", "")),
            "stop": "stop" in form,
        }
    return settings


def look_document(form: MultiDict[str, str], base: ProgramSettings) -> dict[str, Any]:
    """The settings with the look as typed."""
    settings = base.document()
    settings["look"] = {
        "accent": form.get("accent", "").strip(),
        "corner": form.get("corner", ""),
        "launcher": form.get("launcher", ""),
        "radius": whole(form.get("radius", "")),
        "offset": whole(form.get("offset", "")),
    }
    return settings


def typed(form: MultiDict[str, str], compared_with: ProgramSettings | None, words: Words) -> dict[str, tuple[str, str]]:
    """By settings path: what stood in its field in the version compared with, and what stands there now."""
    had = values(compared_with, words) if compared_with else {}
    shown = ("name", "points", "per", "minimum", "hold", "margin", "most_share")
    return {path: (had.get(field, ""), form.get(field, "")[:40]) for path, field in FIELDS.items() if field in shown}


def by_field(errors: Mapping[str, str]) -> dict[str, str]:
    """Faults by the page's field names; what belongs to none is under ""."""
    faults: dict[str, str] = {}
    for path, message in errors.items():
        faults.setdefault(FIELDS.get(path, ""), message)
    return faults


def values(settings: ProgramSettings, words: Words) -> dict[str, str]:
    """What the fields hold for these settings."""
    earning = settings.earning
    return {
        "name": settings.name,
        "points": str(earning.points),
        "per": words.amount(earning.per_minor),
        "rounding": earning.rounding,
        "tax": "yes" if earning.counts.tax else "",
        "shipping": "yes" if earning.counts.shipping else "",
        "minimum": words.amount(earning.minimum_order_minor),
        "products": ",".join(map(str, earning.exclude.products)),
        "vendors": orjson.dumps(list(earning.exclude.vendors)).decode(),
        "trigger": earning.trigger,
        "hold": str(earning.hold_days),
        "test": "yes" if earning.test_orders else "",
        "margin": str(settings.margin.percent),
        "most_share": str(settings.margin.most_share_percent),
        "stop": "yes" if settings.margin.stop else "",
    }


def values_typed(form: MultiDict[str, str]) -> dict[str, str]:
    """What the fields hold after a form that was refused: exactly what was typed."""
    counts = form.getlist("counts")
    names = (
        "name", "points", "per", "rounding", "minimum", "products", "vendors", "trigger", "hold", "margin",
        "most_share",
    )  # fmt: skip
    kept = {name: form.get(name, "") for name in names}
    flags = {"tax": "tax" in counts, "shipping": "shipping" in counts, "test": "test" in form, "stop": "stop" in form}
    return kept | {name: "yes" if on else "" for name, on in flags.items()}


def whole(text: str) -> int | str:
    text = text.strip()
    return int(text) if _WHOLE.fullmatch(text) else text


def _money(text: str, words: Words) -> int | str:
    minor = words.minor(text)
    return text if minor is None else minor


def _ids(text: str) -> list[int | str]:
    """ "111,222"."""
    return [whole(part) for part in text.split(",", MOST_TYPED) if part.strip()]


def _names(text: str) -> list[Any]:
    """A JSON list of texts: a vendor's name may hold any character."""
    try:
        found = orjson.loads(text or "[]")
    except ValueError:
        return [None]
    return found if isinstance(found, list) else [None]
