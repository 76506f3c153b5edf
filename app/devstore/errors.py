"""What can go wrong.

* DevStoreError
  x Refusal        the store says no to a tester's or merchant's action; its message is shown       -> 422
  x OAuthError     the token endpoint says no: code and description, as JSON                        -> 400
"""

from __future__ import annotations


class DevStoreError(Exception):
    """Everything the dev store raises on purpose."""


class Refusal(DevStoreError):
    """This cannot be done to this order, customer or shop now."""


class OAuthError(DevStoreError):
    """A grant that is refused: ``code`` is OAuth's word for it."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status
