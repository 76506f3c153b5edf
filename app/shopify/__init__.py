"""TALKS. Everything that knows Shopify's wire; no database, no Flask.

* ``shops``           a shop's domain: the anchored pattern, and nothing looser
* ``origins``         where Shopify is: its real addresses, or a dev store's on loopback
* ``webhooks``, ``proxy``, ``session_tokens``, ``oauth``   who is calling: one verifier for each thing Shopify signs
* ``transport``       one guarded way out: time-outs, size caps, no redirects, no cookies
* ``tokens``          token exchange, refresh, authorization code
* ``client``          Admin GraphQL: runs ``documents/*.graphql``, turns three layers of errors into ``app.errors``
* ``shop``, ``orders``, ``customers``, ``products``, ``metafields``   what we ask it, typed
* ``payloads``        webhook bodies and fetched orders to the facts of ``app.program``
"""

API_VERSION = "2026-10"
"""The one Admin API and webhook version this program speaks; ``shopify.app.toml`` names the same."""
