"""Where Shopify is.

In production every address follows from the shop's domain. While ``SHOPIFY_ORIGIN`` is set, a template on loopback
stands for ``https://{shop}``, and the other three origins follow from it:

    template                          api, storefront                               admin
    http://{shop}.localhost:9292      http://acme.myshopify.com.localhost:9292      http://localhost:9292/-/admin
    http://127.0.0.1:9292/{shop}      http://127.0.0.1:9292/acme.myshopify.com      http://127.0.0.1:9292/-/admin
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from app.config import problem_with_origin_template
from app.shopify.shops import exact_shop_domain

_ADMIN = "https://admin.shopify.com"
_CDN = "https://cdn.shopify.com"


@dataclass(frozen=True, slots=True)
class Origins:
    """Shopify's addresses for a shop; none ends in a slash. ``template`` is SHOPIFY_ORIGIN or None."""

    template: str | None = None

    def __post_init__(self) -> None:
        # Config has checked it; a second look here, because tokens are sent wherever this says.
        if self.template is not None and (problem := problem_with_origin_template(self.template)):
            raise ValueError(f"SHOPIFY_ORIGIN {problem}")

    def api(self, shop: str) -> str:
        """The shop's own origin, where Admin API and OAuth are. Raises ValueError for what is no shop."""
        if exact_shop_domain(shop) is None:
            raise ValueError("not a shop's domain")
        return f"https://{shop}" if self.template is None else self.template.replace("{shop}", shop).rstrip("/")

    def storefront(self, shop: str) -> str:
        """Where shoppers see this shop, unless it has a domain of its own."""
        return self.api(shop)

    def admin(self) -> str:
        """The merchants' admin, which frames us."""
        return _ADMIN if self.template is None else f"{self._beside_shops()}/-/admin"

    def cdn(self) -> str:
        """Where App Bridge and the Polaris elements come from."""
        return _CDN if self.template is None else f"{self._beside_shops()}/-/cdn"

    def frame_ancestors(self, shop: str) -> str:
        """The sources of the ``frame-ancestors`` directive for a page of this shop, separated by spaces."""
        storefront = _origin_of(self.storefront(shop))  # refuses what is no shop
        sources = [f"https://{shop}", _ADMIN, storefront, _origin_of(self.admin())]
        return " ".join(dict.fromkeys(sources))

    def embed_editor_link(self, shop: str, client_id: str, block: str, *, page: str = "index") -> str:
        """Theme editor with our app embed switched on, one click on Save away. ``block`` is its file's stem."""
        return (
            f"{self._editor(shop)}?context=apps&template={quote(page)}&activateAppId={quote(client_id)}/{quote(block)}"
        )

    def block_editor_link(
        self, shop: str, client_id: str, block: str, *, page: str = "product", target: str = "mainSection"
    ) -> str:
        """Theme editor with our app block added to a page, one click on Save away."""
        return (
            f"{self._editor(shop)}?template={quote(page)}&addAppBlockId={quote(client_id)}/{quote(block)}"
            f"&target={quote(target, safe=':')}"
        )

    def app_in_admin(self, host: str | None, client_id: str) -> str | None:
        """Where our app is inside the admin that ``host`` (a query parameter, base64) names; None if it names none.

        ``host`` decodes to ``admin.shopify.com/store/{handle}`` or, from older admins, ``{shop}/admin``.
        """
        place = decode_host(host)
        if place is None:
            return None
        if place.startswith("admin.shopify.com/"):
            base = self.admin() + place.removeprefix("admin.shopify.com")
        else:
            shop, _, path = place.partition("/")
            base = f"{self.api(shop)}/{path}"
        return f"{base}/apps/{quote(client_id)}/"

    def _editor(self, shop: str) -> str:
        return f"{self.api(shop)}/admin/themes/current/editor"

    def _beside_shops(self) -> str:
        """The dev store's origin that belongs to no shop: on ``localhost`` when shops are told apart by host."""
        return _origin_of((self.template or "").replace("{shop}.localhost", "localhost"))


_HOST_PARAMETER = re.compile(r"admin\.shopify\.com/store/[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


def decode_host(host: str | None) -> str | None:
    """The place a ``host`` parameter stands for, when it is one of Shopify's; else None."""
    if not host or len(host) > 200 or not re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", host):
        return None
    bare = host.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        place = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode("ascii").rstrip("/")
    except (ValueError, binascii.Error):
        return None
    shop, slash, path = place.partition("/")
    if _HOST_PARAMETER.fullmatch(place) or (exact_shop_domain(shop) and slash and path == "admin"):
        return place
    return None


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
