"""The app on a shop: managed install, opening it, new scopes, uninstalling; ``devstore.apps``.

installed(shop) -> Installation | None
install(shop, user_id=None)            grants the TOML's scopes; no call to the app (managed install)
missing_scopes(shop) / grant_scopes(shop)   scopes the TOML asks for since; granting sends app/scopes_update
launch_url(shop, origins, path="/")    what the admin loads in its frame
id_token(shop, user_id=None)           a session token, 60 seconds
staff(shop)                            the merchant who is logged in to the admin
uninstall(shop)                        tokens die, then app/uninstalled is sent
secrets                                the client secrets (``signing.Secrets``)
compliance: data_request(shop, customer_id), redact_customer(shop, customer_id), redact_shop(shop)
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from . import clock
from .bodies.people import shop_body
from .errors import Refusal
from .origins import Origins
from .records import Installation, Shop, Token
from .signing import Secrets, make_jwt, query_hmac

if TYPE_CHECKING:
    from .state import DevStore

_ID_TOKEN_SECONDS = 60


class Apps:
    def __init__(self, devstore: DevStore) -> None:
        self.devstore = devstore
        self.store = devstore.store
        self.secrets = Secrets(devstore.settings.secrets)

    def installed(self, shop: Shop) -> Installation | None:
        """The live installation."""
        return next((i for i in self.store.list(Installation, shop.id) if i.uninstalled_at is None), None)

    def staff(self, shop: Shop) -> dict[str, Any]:
        """The merchant: the store's owner."""
        return {
            "id": shop.id % 10**11,
            "first_name": "Mira",
            "last_name": "Zandvoort",
            "email": shop.email,
            "email_verified": True,
            "account_owner": True,
            "locale": shop.locale,
            "collaborator": False,
        }

    def install(self, shop: Shop, user_id: int | None = None) -> Installation:
        """Grant the scopes of the TOML. Installing again when installed is nothing."""
        with self.store.writing():
            if installation := self.installed(shop):
                return installation
            return self.store.add(
                Installation(
                    id=self.store.next_id("installation"),
                    shop_id=shop.id,
                    scopes=sorted(self.devstore.app.scopes),
                    installed_at=clock.now(),
                    user_id=user_id or self.staff(shop)["id"],
                )
            )

    def missing_scopes(self, shop: Shop) -> list[str]:
        """Scopes the TOML asks for that this shop has not granted: the merchant is asked on the next open."""
        installation = self.installed(shop)
        return sorted(set(self.devstore.app.scopes) - set(installation.scopes)) if installation else []

    def grant_scopes(self, shop: Shop) -> Installation:
        """The merchant agrees to the TOML's scopes as they are now; scopes it no longer names are taken back."""
        with self.store.writing():
            installation = self.installed(shop)
            if installation is None:
                raise Refusal("the app is not installed")
            wanted = sorted({*self.devstore.app.scopes, *installation.optional})
            if wanted != installation.scopes:
                self._change_scopes(shop, installation, wanted)
            return installation

    def grant_optional(self, shop: Shop, scopes: list[str]) -> Installation:
        """The merchant agrees to optional scopes the app asked for in its page."""
        with self.store.writing():
            installation = self.installed(shop)
            if installation is None:
                raise Refusal("the app is not installed")
            if unknown := set(scopes) - set(self.devstore.app.optional_scopes):
                raise Refusal(f"not optional scopes of the app: {', '.join(sorted(unknown))}")
            installation.optional = sorted({*installation.optional, *scopes})
            wanted = sorted({*installation.scopes, *installation.optional})
            if wanted != installation.scopes:
                self._change_scopes(shop, installation, wanted)
            return installation

    def _change_scopes(self, shop: Shop, installation: Installation, wanted: list[str]) -> None:
        previous, installation.scopes = installation.scopes, wanted
        self.store.save(installation)
        body = {
            "id": self.devstore.app.id,
            "shop_id": f"gid://shopify/Shop/{shop.id}",
            "previous": previous,
            "current": wanted,
            "updated_at": clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        self.devstore.webhooks.emit(shop, "app/scopes_update", body, event=self.devstore.webhooks.new_event())

    def uninstall(self, shop: Shop) -> None:
        """Tokens are dead before the webhook leaves."""
        with self.store.writing():
            installation = self.installed(shop)
            if installation is None:
                raise Refusal("the app is not installed")
            for token in self.store.list(Token, shop.id):
                self.store.delete(token)
            installation.uninstalled_at = clock.now()
            self.store.save(installation)
            self.devstore.metafield_store.drop_owner(shop, f"gid://shopify/AppInstallation/{installation.id}")
            self.devstore.webhooks.emit(
                shop,
                "app/uninstalled",
                shop_body(shop),
                event=self.devstore.webhooks.new_event(),
                installation=installation,
            )

    def launch_url(self, shop: Shop, origins: Origins, path: str = "/") -> str:
        """The app's page as the admin's frame opens it: signed, with a session token of this minute."""
        params = self.launch_params(shop)
        return f"{self.devstore.app.application_url}{path}{'&' if '?' in path else '?'}{urlencode(params)}"

    def launch_params(self, shop: Shop) -> dict[str, str]:
        params = {
            "embedded": "1",
            "host": self.host(shop),
            "id_token": self.id_token(shop),
            "locale": shop.locale,
            "session": self._session(shop, self.staff(shop)["id"]),
            "shop": shop.domain,
            "timestamp": str(int(clock.timestamp())),
        }
        params["hmac"] = query_hmac(self.secrets.signing, params)
        return params

    def host(self, shop: Shop) -> str:
        """base64 of where the shop's admin is, without padding, as Shopify sends it."""
        return base64.b64encode(f"admin.shopify.com/store/{shop.handle}".encode()).decode().rstrip("=")

    def id_token(self, shop: Shop, user_id: int | None = None, *, seconds: int = _ID_TOKEN_SECONDS) -> str:
        """A session token. It says https://{shop}, whatever address the dev store has."""
        user = user_id or self.staff(shop)["id"]
        now = int(clock.timestamp())
        return make_jwt(
            self.secrets.signing,
            {
                "iss": f"https://{shop.domain}/admin",
                "dest": f"https://{shop.domain}",
                "aud": self.devstore.app.client_id,
                "sub": str(user),
                "exp": now + seconds,
                "nbf": now,
                "iat": now,
                "jti": str(uuid.uuid4()),
                "sid": self._session(shop, user),
            },
        )

    def _session(self, shop: Shop, user_id: int) -> str:
        """One per user and app."""
        return hashlib.sha256(f"{shop.domain}/{user_id}/{self.devstore.cookie_key()}".encode()).hexdigest()

    # -- compliance --------------------------------------------------------------------------------------------------

    def data_request(self, shop: Shop, customer_id: int) -> None:
        """A customer asks the store for their data: customers/data_request."""
        self._about_customer(shop, customer_id, "customers/data_request", "orders_requested")

    def redact_customer(self, shop: Shop, customer_id: int) -> None:
        """The store asks for a customer's erasure: customers/redact (Shopify waits ten days; the button does not)."""
        self._about_customer(shop, customer_id, "customers/redact", "orders_to_redact")

    def redact_shop(self, shop: Shop, *, even_if_installed: bool = False) -> None:
        """shop/redact, which Shopify sends 48 hours after an uninstall and not at all after a reinstall.

        ``even_if_installed`` sends the one that was too late to be held back.
        """
        gone: list[Installation] = [i for i in self.store.list(Installation, shop.id) if i.uninstalled_at]
        if not gone or (self.installed(shop) and not even_if_installed):
            raise Refusal("shop/redact follows an uninstall only")
        self.devstore.webhooks.emit(
            shop,
            "shop/redact",
            {"shop_id": shop.id, "shop_domain": shop.domain},
            event=self.devstore.webhooks.new_event(),
            installation=gone[-1],
        )

    def uninstalled_at(self, shop: Shop) -> datetime | None:
        """When the app was last uninstalled, if it is not installed now."""
        if self.installed(shop):
            return None
        return max((i.uninstalled_at for i in self.store.list(Installation, shop.id) if i.uninstalled_at), default=None)

    def _about_customer(self, shop: Shop, customer_id: int, topic: str, orders_key: str) -> None:
        customer = self.devstore.customer(shop, customer_id)
        if customer is None:
            raise Refusal("there is no such customer")
        if self.installed(shop) is None:
            raise Refusal("the app is not installed")
        body: dict[str, Any] = {
            "shop_id": shop.id,
            "shop_domain": shop.domain,
            "customer": {"id": customer.id, "email": customer.email, "phone": customer.phone},
            orders_key: [order.id for order in self.devstore.orders_of(shop, customer_id)],
        }
        if topic == "customers/data_request":
            body["data_request"] = {"id": self.store.next_id("data_request")}
        self.devstore.webhooks.emit(shop, topic, body, event=self.devstore.webhooks.new_event())
