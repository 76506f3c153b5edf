"""Shopify's filters that make addresses and the elements around them: assets, images, links."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from liquid import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context

from .page import page_of
from .text import escape


@with_context
def asset_url(name: Any, *, context: RenderContext) -> str:
    """The hashed address of a file in the theme's or the extension's own assets folder."""
    make = getattr(context.env, "asset_url", None)
    return make(str(name), page_of(context)) if make else str(name)


@with_context
def inline_asset_content(name: Any, *, context: RenderContext) -> str:
    """The text of an SVG, JS or CSS asset."""
    read = getattr(context.env, "asset_text", None)
    return read(str(name)) if read else ""


@with_context
def image_url(image: Any, *, context: RenderContext, **wanted: Any) -> str:
    """The address of a picture in the width or height asked for; one of them must be."""
    if not (wanted.get("width") or wanted.get("height")):
        raise FilterArgumentError("image_url needs a width or a height", token=None)
    source = _source(image)
    if not source:
        return ""
    query = urlencode({key: value for key, value in wanted.items() if value is not None})
    return f"{source}{'&' if '?' in source else '?'}{query}"


def image_tag(url: Any, **attributes: Any) -> str:
    """An `<img>` element. Shopify adds width and height from the picture; ours are told or left out."""
    written = {"src": url, "alt": "", **attributes}
    if written.pop("preload", None):
        written["loading"] = "eager"
    return "<img " + " ".join(f'{name}="{escape(value)}"' for name, value in written.items() if value is not None) + ">"


def link_to(text: Any, url: Any, title: Any = "") -> str:
    """`{{ 'All' | link_to: '/collections/all' }}`"""
    return f'<a href="{escape(url)}" title="{escape(title)}">{text}</a>'


def stylesheet_tag(url: Any, media: str = "all", **_: Any) -> str:
    """A stylesheet's `<link>`."""
    return f'<link href="{escape(url)}" rel="stylesheet" type="text/css" media="{escape(media)}">'


def script_tag(url: Any) -> str:
    """A script element."""
    return f'<script src="{escape(url)}" type="text/javascript"></script>'


def preload_tag(url: Any, **attributes: Any) -> str:
    """A preload's `<link>`."""
    rest = "".join(f' {name}="{escape(value)}"' for name, value in {**attributes, "as": attributes["as"]}.items())
    return f'<link href="{escape(url)}"{rest} rel="preload">'


@with_context
def customer_login_link(text: Any, *, context: RenderContext) -> str:
    """A link to the log-in page."""
    return f'<a href="{escape(page_of(context).root)}account/login" id="customer_login_link">{text}</a>'


@with_context
def customer_logout_link(text: Any, *, context: RenderContext) -> str:
    """A link that logs out."""
    return f'<a href="{escape(page_of(context).root)}account/logout" id="customer_logout_link">{text}</a>'


@with_context
def customer_register_link(text: Any, *, context: RenderContext) -> str:
    """A link to registering."""
    return f'<a href="{escape(page_of(context).root)}account/register" id="customer_register_link">{text}</a>'


def default_pagination(paginate: Any, **_: Any) -> str:
    """Links to the pages of a `paginate` object."""
    parts = paginate.get("parts", ()) if isinstance(paginate, Mapping) else ()
    return " ".join(
        f'<span class="page"><a href="{escape(part["url"])}">{escape(part["title"])}</a></span>'
        if part["is_link"]
        else f'<span class="page current">{escape(part["title"])}</span>'
        for part in parts
    )


def _source(image: Any) -> str:
    """The address inside whatever Liquid calls an image: an image, a product, a variant, a line item, its src."""
    if isinstance(image, str):
        return image
    if not isinstance(image, Mapping):
        return ""
    for key in ("src", "featured_image", "image", "preview_image"):
        try:
            inner = image[key]
        except KeyError:
            continue
        if found := _source(inner):
            return found
    return ""


FILTERS: dict[str, Callable[..., Any]] = {
    "asset_url": asset_url,
    "inline_asset_content": inline_asset_content,
    "image_url": image_url,
    "image_tag": image_tag,
    "link_to": link_to,
    "stylesheet_tag": stylesheet_tag,
    "script_tag": script_tag,
    "preload_tag": preload_tag,
    "customer_login_link": customer_login_link,
    "customer_logout_link": customer_logout_link,
    "customer_register_link": customer_register_link,
    "default_pagination": default_pagination,
}
