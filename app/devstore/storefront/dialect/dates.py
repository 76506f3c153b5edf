"""Shopify's date filters: in the shop's time zone, with the names of months and days in the page's language."""

from __future__ import annotations

import html
import re
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from liquid import RenderContext
from liquid.builtin.filters.misc import date as plain_date
from liquid.filter import with_context
from liquid.undefined import Undefined

from ... import clock
from .page import Page, page_of

# Shopify's named formats, for locale files that do not name their own under `date_formats`.
_NAMED = {
    "abbreviated_date": "%b %d, %Y",
    "basic": "%m/%d/%Y",
    "date": "%B %d, %Y",
    "date_at_time": "%B %d, %Y at %I:%M %p",
    "default": "%A, %B %d, %Y at %I:%M %p %z",
    "on_date": "on %b %d, %Y",
}
# strftime directive -> Unicode pattern, for those that have words in them.
_WORDS = {"B": "LLLL", "b": "LLL", "h": "LLL", "A": "EEEE", "a": "EEE"}
_DIRECTIVE = re.compile(r"%([-^_0]?)([A-Za-z%])")


@with_context
def date(value: Any, fmt: Any = None, *, context: RenderContext, **options: Any) -> str:
    """`{{ order.created_at | date: "%-d %B" }}` -> 3 December. What is no date comes back unchanged."""
    if value is None or isinstance(value, Undefined):
        return ""
    page = page_of(context)
    moment = _moment(value, page)
    named = options.get("format")
    if isinstance(named, str):
        lookup = getattr(context.env, "sentence", None)
        own = lookup(page.locale, f"date_formats.{named}") if lookup else None
        fmt = own if isinstance(own, str) else _NAMED.get(named, named)
    if fmt is None or isinstance(fmt, Undefined):
        return str(value)
    if moment is None:
        return plain_date(value, str(fmt), environment=context.env)
    return moment.strftime(_in_words(str(fmt), moment, page.locale))


@with_context
def time_tag(value: Any, fmt: Any = None, *, context: RenderContext, **options: Any) -> str:
    """A `<time>` element around a date."""
    shown = date(
        value,
        fmt or ("%a, %d %b %Y %H:%M:%S %z" if "format" not in options else None),
        context=context,
        **{key: option for key, option in options.items() if key == "format"},
    )
    machine = date(value, str(options.get("datetime") or "%Y-%m-%dT%H:%M:%SZ"), context=context)
    return f'<time datetime="{html.escape(machine)}">{html.escape(shown)}</time>'


def _moment(value: Any, page: Page) -> datetime | None:
    zone = _zone(page.timezone)
    if isinstance(value, datetime):
        return value.astimezone(zone) if value.tzinfo else value
    if value in ("now", "today"):
        return clock.now().astimezone(zone)
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, zone)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(zone) if moment.tzinfo else moment


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _in_words(fmt: str, moment: datetime, locale: str) -> str:
    """The strftime format with month and day names already written in the page's language."""
    try:
        language = Locale.parse(locale, sep="-")
    except (UnknownLocaleError, ValueError):
        language = Locale("en")

    def word(match: re.Match[str]) -> str:
        pattern = _WORDS.get(match.group(2))
        if pattern is None:
            return match.group(0)
        name = format_datetime(moment, pattern, locale=language).replace("%", "%%")
        return name.upper() if match.group(1) == "^" else name

    return _DIRECTIVE.sub(word, fmt)
