"""The Admin GraphQL API: the real 2026-10 schema, executed over the dev store's records.

What the dev store has no answer for is an error that says so ("not in the dev store: Order.risk"), never a silent null.
"""

from .endpoint import bp as bp
