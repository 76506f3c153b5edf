"""What can go wrong.

* LoyaltyError
  x Refused            the rules say no; the caller is told the reason       -> 409
  x Invalid            what was sent cannot be understood; field named       -> 422
  x NotFound           no such thing for this caller                         -> 404
  x Unauthenticated    no valid token or signature                           -> 401
  x TooManyTries       too many refused guesses in a minute                  -> 429
  x Parked             a delivery that cannot be worked; the merchant sees the reason
  x ShopifyError
    - Throttled        try again later (429, 5xx, THROTTLED, time-outs)      -> the job retries
    - AccessRevoked    token gone, or the app was uninstalled                -> the job stops
    - MissingScope     the merchant has not granted what the call needs      -> the job stops
    - Rejected         userErrors or a malformed answer: what we sent was wrong -> the job stops
"""

from __future__ import annotations


class LoyaltyError(Exception):
    """Everything this program raises on purpose."""

    code = "error"
    status = 500

    def __init__(
        self, message: str = "", *, code: str | None = None, field: str | None = None, **details: object
    ) -> None:
        super().__init__(message or self.__doc__ or self.code)
        self.message = str(self)
        self.code = code or type(self).code
        self.field = field
        self.details = details  # what a program may need of it beside the words: {"points": 200}


class Refused(LoyaltyError):
    """The rules say no."""

    code = "refused"
    status = 409


class Invalid(LoyaltyError):
    """What was sent cannot be understood."""

    code = "invalid"
    status = 422


class NotFound(LoyaltyError):
    """There is no such thing here."""

    code = "not_found"
    status = 404


class Unauthenticated(LoyaltyError):
    """This request could not be verified."""

    code = "unauthenticated"
    status = 401


class TooManyTries(LoyaltyError):
    """Too many tries that came to nothing. Wait a minute."""

    code = "too_many_tries"
    status = 429


class Parked(LoyaltyError):
    """A delivery that cannot be worked; its message is the reason the merchant reads."""

    code = "parked"


class ShopifyError(LoyaltyError):
    """Shopify did not do what was asked."""

    code = "shopify_error"
    status = 503


class Throttled(ShopifyError):
    """Shopify asks us to come back later; ``retry_after`` is in seconds."""

    code = "shopify_busy"

    def __init__(self, message: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AccessRevoked(ShopifyError):
    """The shop's token is gone: the app was uninstalled or must be opened again."""

    code = "access_revoked"


class MissingScope(ShopifyError):
    """The merchant has not granted a scope this call needs."""

    code = "missing_scope"


class Rejected(ShopifyError):
    """Shopify understood and said no (userErrors), or answered with something that is no answer."""

    code = "shopify_rejected"
