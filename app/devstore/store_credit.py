"""Store credit: an account for each customer and currency, whose transactions say what became of it.

    of(shop, customer_id) -> [Account]  account(shop, id)  in_currency(shop, customer_id, currency)
    credit(shop, account, minor, …)     every call credits: like Shopify's, it has no key to be known again by
    debit(shop, account, minor, …)      takes what ends soonest first; raises Refusal when there is not enough
    open(shop, customer_id, currency)   the account, made when there is none

``devstore.store_credit``. Credit that has ended is written off when the account is next looked at, as of its own end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import clock
from .errors import Refusal
from .records import Shop

if TYPE_CHECKING:
    from .state import DevStore

LIMIT_UNITS = 10_000
"""The most an account may hold, in whole units of its currency."""
_INDEX = "store-credit"
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class CreditTransaction:
    """``kind`` is credit, debit or expiration; amounts that leave are negative."""

    id: int
    kind: str
    amount_minor: int
    balance_after_minor: int
    created_at: datetime
    event: str = "ADJUSTMENT"  # ORDER_PAYMENT, ORDER_REFUND
    expires_at: datetime | None = None
    remaining_minor: int = 0  # of a credit; stays as it was when the credit ended
    ended: bool = False
    credit_id: int | None = None  # of an expiration: what ended
    order_id: int | None = None
    transaction_id: int | None = None  # the order's payment or refund that caused it


@dataclass
class Account:
    id: int
    shop_id: int
    customer_id: int
    currency: str
    created_at: datetime
    transactions: list[CreditTransaction] = field(default_factory=list)

    @property
    def balance_minor(self) -> int:
        return self.transactions[-1].balance_after_minor if self.transactions else 0

    def transaction(self, id: int) -> CreditTransaction:
        return next(t for t in self.transactions if t.id == id)


class StoreCredit:
    def __init__(self, devstore: DevStore) -> None:
        self.store = devstore.store

    def of(self, shop: Shop, customer_id: int) -> list[Account]:
        ids = self.store.kept(shop.id, _INDEX, str(customer_id)) or []
        return [found for id in ids if (found := self.account(shop, id))]

    def all(self, shop: Shop) -> list[Account]:
        return [self._written_off(account) for account in self.store.list(Account, shop.id)]

    def account(self, shop: Shop, id: int) -> Account | None:
        found = self.store.get(Account, shop.id, id)
        return self._written_off(found) if found else None

    def in_currency(self, shop: Shop, customer_id: int, currency: str) -> Account | None:
        return next((account for account in self.of(shop, customer_id) if account.currency == currency), None)

    def open(self, shop: Shop, customer_id: int, currency: str) -> Account:
        with self.store.writing():
            if found := self.in_currency(shop, customer_id, currency):
                return found
            made = Account(self.store.next_id("store_credit_account"), shop.id, customer_id, currency, clock.now())
            ids = self.store.kept(shop.id, _INDEX, str(customer_id)) or []
            self.store.keep(shop.id, _INDEX, str(customer_id), [*ids, made.id])
            self.store.add(made)
            return made

    def credit(
        self, shop: Shop, id: int, minor: int, *, expires_at: datetime | None = None, **cause: Any
    ) -> CreditTransaction:
        """``cause``: event, order_id, transaction_id."""
        with self.store.writing():
            account = self._held(shop, id)
            return self._add(account, "credit", minor, expires_at=expires_at, remaining_minor=minor, **cause)

    def debit(self, shop: Shop, id: int, minor: int, **cause: Any) -> CreditTransaction:
        with self.store.writing():
            account = self._held(shop, id)
            if minor > account.balance_minor:
                raise Refusal("there is not that much store credit")
            left = minor
            for credit in sorted(_live(account), key=lambda credit: credit.expires_at or _NEVER):
                part = min(left, credit.remaining_minor)
                credit.remaining_minor -= part
                left -= part
            return self._add(account, "debit", -minor, **cause)

    def forget(self, shop: Shop, customer_id: int) -> None:
        """The customer was deleted, and their accounts with them."""
        with self.store.writing():
            for account in self.of(shop, customer_id):
                self.store.delete(account)
            self.store.keep(shop.id, _INDEX, str(customer_id), None)

    def _held(self, shop: Shop, id: int) -> Account:
        account = self.account(shop, id)
        if account is None:
            raise Refusal("there is no such store credit account")
        return account

    def _add(
        self, account: Account, kind: str, minor: int, *, at: datetime | None = None, **facts: Any
    ) -> CreditTransaction:
        made = CreditTransaction(
            id=self.store.next_id("store_credit_transaction"),
            kind=kind,
            amount_minor=minor,
            balance_after_minor=account.balance_minor + minor,
            created_at=at or clock.now(),
            **facts,
        )
        account.transactions.append(made)
        self.store.save(account)
        return made

    def _written_off(self, account: Account) -> Account:
        now = clock.now()
        if not any(_has_ended(credit, now) for credit in _live(account)):
            return account
        with self.store.writing():
            # Read again: another thread may have written it off meanwhile.
            account = self.store.get(Account, account.shop_id, account.id) or account
            for credit in sorted(_live(account), key=lambda credit: credit.expires_at or _NEVER):
                if _has_ended(credit, now):
                    credit.ended = True
                    self._add(account, "expiration", -credit.remaining_minor, at=credit.expires_at, credit_id=credit.id)
            return account


def _live(account: Account) -> list[CreditTransaction]:
    """Credits with something left of them."""
    return [t for t in account.transactions if t.kind == "credit" and t.remaining_minor and not t.ended]


def _has_ended(credit: CreditTransaction, now: datetime) -> bool:
    return credit.expires_at is not None and credit.expires_at <= now
