"""A Shopify for one machine: what the demo and the end-to-end tests install the app into.

It knows the app by ``shopify.app.toml`` (and the client secret, given to its process) and meets it over HTTP only:
nothing here imports the rest of ``app``, and the rest of ``app`` imports nothing of this.
Run ``python -m app.devstore``.
"""
