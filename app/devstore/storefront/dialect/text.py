"""Shopify's filters over text: translation, JSON, escaping, handles, dates, addresses."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from babel import Locale, UnknownLocaleError
from liquid import RenderContext
from liquid.filter import with_context
from liquid.stringify import to_liquid_string
from liquid.undefined import Undefined

from .dates import date, time_tag
from .drops import Drop
from .page import page_of

_INTERPOLATION = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_ENTITY_LEFT_ALONE = re.compile(r"[\"'<>]|&(?!(?:[a-zA-Z]+|#\d+|#x[0-9a-fA-F]+);)")


def escape(value: Any) -> str:
    """HTML's five characters, with the entities Ruby's Liquid writes."""
    return html.escape(_string(value), quote=True).replace("&#x27;", "&#39;")


def escape_once(value: Any) -> str:
    """As `escape`, but entities that are there already stay as they are."""
    return _ENTITY_LEFT_ALONE.sub(lambda match: escape(match.group(0)), _string(value))


def to_json(value: Any, *_: Any) -> str:
    """JSON that is safe inside a script element: `<`, `>`, `&` and the two line separators are escaped."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@with_context
def translate(key: Any, *, context: RenderContext, **variables: Any) -> str:
    """The sentence for a key of the theme's or the extension's locale files, its `{{ variables }}` filled in.

    A value with `count` among the variables may have one sentence a CLDR plural category. Nothing is
    escaped here, so a forgotten `| escape` shows up. An unknown key comes back as Shopify writes it.
    """
    page = page_of(context)
    lookup = getattr(context.env, "sentence", None)
    found = lookup(page.locale, str(key)) if lookup else None
    if isinstance(found, Mapping):
        category = plural_category(page.locale, variables.get("count"))
        found = found.get(category, found.get("other"))
    if not isinstance(found, str):
        return f"Translation missing: {page.locale}.{_string(key)}"
    return _INTERPOLATION.sub(lambda match: _string(variables.get(match.group(1), match.group(0))), found)


def plural_category(locale: str, count: Any) -> str:
    """CLDR's name for how a language counts: "one", "few", "other" and so on."""
    try:
        number = abs(Decimal(str(count)))
        return Locale.parse(locale, sep="-").plural_form(number)
    except (ArithmeticError, UnknownLocaleError, ValueError):
        return "other"


def handleize(value: Any) -> str:
    """`{{ "Supper bowl, celadon" | handleize }}` -> supper-bowl-celadon"""
    plain = unicodedata.normalize("NFKD", _string(value)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def camelize(value: Any) -> str:
    """`{{ "points-block" | camelize }}` -> PointsBlock"""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\s_-]+", _string(value)) if part)


def pluralize(value: Any, one: str, other: str) -> str:
    """English only: `{{ 2 | pluralize: 'item', 'items' }}` -> items"""
    return one if _string(value) == "1" else other


def url_escape(value: Any) -> str:
    """Escape what may not stand in a URL; reserved characters stay."""
    return quote(_string(value), safe="!#$&'()*+,/:;=?@[]~-._%")


def url_param_escape(value: Any) -> str:
    """As `url_escape`, for one parameter: `&` too."""
    return quote(_string(value), safe="!'()*~-._")


def format_address(address: Any) -> str:
    """An address, one line each, escaped."""
    if not isinstance(address, Mapping):
        return ""
    place = " ".join(_string(address.get(key)) for key in ("zip", "city") if address.get(key))
    country = address.get("country")
    lines = [address.get("name"), address.get("address1"), address.get("address2"), place, country]
    return "<p>" + "<br>".join(escape(line) for line in lines if line) + "</p>"


def metafield_text(metafield: Any) -> str:
    """The value of a metafield as text."""
    value = metafield.get("value") if isinstance(metafield, Mapping) else metafield
    return value if isinstance(value, str) else to_json(value) if isinstance(value, Mapping | list) else _string(value)


def _string(value: Any) -> str:
    return to_liquid_string(value, autoescape=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Drop):
        return value.as_json()
    if isinstance(value, Undefined):
        return None
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    return str(value)


FILTERS: dict[str, Callable[..., Any]] = {
    "escape": escape,
    "escape_once": escape_once,
    "json": to_json,
    "t": translate,
    "translate": translate,
    "handle": handleize,
    "handleize": handleize,
    "camelize": camelize,
    "pluralize": pluralize,
    "url_escape": url_escape,
    "url_param_escape": url_param_escape,
    "date": date,
    "time_tag": time_tag,
    "format_address": format_address,
    "metafield_text": metafield_text,
}
