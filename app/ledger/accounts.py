"""The kinds of account points move between, and the kinds of movement.

A member has four accounts (pending, available, reserved, debt); the house has the rest, whose balances are sums. A
movement goes from a source to a target and is a positive whole number. Points for a reward are reserved until an order
uses it; then they are redeemed, or else released. Debt is the one account that is *less* than
nothing: points taken back beyond what a member has come out of it, later points go into it.
"""

from enum import StrEnum


class Account(StrEnum):
    PENDING = "pending"
    AVAILABLE = "available"
    RESERVED = "reserved"
    DEBT = "debt"
    ISSUED = "issued"
    ADJUSTED = "adjusted"
    MOVED = "moved"
    REDEEMED = "redeemed"


MEMBER_ACCOUNTS = frozenset({Account.PENDING, Account.AVAILABLE, Account.RESERVED, Account.DEBT})


class Kind(StrEnum):
    """What happened. The words for people are in `program.explaining`."""

    EARNED = "earned"
    MATURED = "matured"
    TAKEN_BACK = "taken_back"
    REPAID = "repaid"
    ADJUSTED = "adjusted"
    MOVED = "moved"
    RESERVED = "reserved"
    RELEASED = "released"
    REDEEMED = "redeemed"
    GIVEN_BACK = "given_back"


# Points that are set aside and returned have gone nowhere, so they are no part of a day's figures. It also keeps two
# redemptions of one shop from waiting for each other on the day's row.
UNCOUNTED = frozenset({Kind.RESERVED, Kind.RELEASED})


def change(account: Account, source: str, target: str, points: int) -> int:
    """How much ``points`` from ``source`` to ``target`` change a member's figure for ``account``.

    Debt grows when points leave it, every other account when they enter.
    """
    gained = points * ((target == account) - (source == account))
    return -gained if account is Account.DEBT else gained
