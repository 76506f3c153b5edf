"""The control API, /-/control/…: what tests and the tester's pages do to the dev store. JSON, loopback only.

Amounts are minor units of the shop's currency. A refusal is 422 {"error": "…"}; what is not there is 404.

    GET  shops                                  POST shops {domain}
    GET  shops/S   PATCH shops/S {facts}        S is the full domain
    GET  shops/S/products  customers  orders    POST the same, to create
    GET  shops/S/orders/ID                      {"order": REST body, "figures": totals}
    POST shops/S/orders/ID/VERB                 pay authorize fulfil refund edit cancel customer touch (see ``orders``)
    PATCH, DELETE shops/S/customers/ID          POST shops/S/customers/ID/merge {gone_id}
    POST shops/S/customers/ID/data_request      POST shops/S/customers/ID/redact
    POST shops/S/redact {even_if_installed}
    GET, POST shops/S/discounts                 DELETE shops/S/discounts/ID
    GET, POST shops/S/discounts/ID/codes        GET, DELETE shops/S/codes/CODE  (see ``discounts``)
    GET, POST shops/S/gift_cards?customer=      POST shops/S/gift_cards/ID/deactivate  (see ``owing``)
    GET, POST shops/S/store_credit?customer=    accounts with their transactions; POST gives, or takes
    GET  jobs   POST jobs {hold, seconds}       POST jobs/run: bulk additions and deletions
    GET  shops/S/metafields?owner=GID
    POST shops/S/login {customer_id}            (path style only: the cookie is the host's)
    POST shops/S/install  uninstall  grant_scopes    GET shops/S/launch {url, id_token}
    POST shops/S/grant_optional {scopes}        as the merchant agrees to what the app asks for later
    POST shops/S/tokens/expire {refresh}
    GET  webhooks {pending, controls, deliveries}    POST webhooks {controls}
    POST webhooks/release {shuffle}   POST webhooks/retry   POST webhooks/ID/resend   GET webhooks/ID/body
    POST app/reload {app_toml}                  read the TOML again
    POST secret/rotate {secret}   POST secret/sign_with {which}   POST secret/revoke_old
    POST api/faults {next: [...], …}            how the Admin API misbehaves: next, percent, kinds, seed, operations,
                                                by_operation, seconds, polls, share (``faults``); nothing: no more
    GET  api/faults                             what it did since: counts by kind and by operation, each in its order
    POST, GET oauth/faults                      the same of the token endpoint; its operations are the grants
    POST api/bucket {size, restore}             its throttle
    GET  clock                                  POST clock {days, hours, …} moves it forward, {back: true} back
    GET  traffic?after=&kind=&shop=             DELETE traffic
"""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("control", __name__, url_prefix="/-/control")

from . import app, customers, discounts, doors, orders, owing, shops, time  # noqa: E402, F401
