"""Store credit accounts: credited, debited and read back; words and codes of refusals as recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from ... import clock
from ...errors import Refusal
from ...money import to_minor
from ...store_credit import LIMIT_UNITS, Account, CreditTransaction
from ..gids import gid, number, parse
from ..paging import Page, mapped, pages
from ..resolving import Asked, register, unknown
from ..searching import Search
from ..views import TransactionView as OrderTransactionView
from . import customers, orders
from .amounts import minor_of, money

_TYPES = {"credit": "Credit", "debit": "Debit", "expiration": "Expiration"}


@dataclass(frozen=True)
class AccountView:
    record: Account
    typename: ClassVar[str] = "StoreCreditAccount"


@dataclass(frozen=True)
class TransactionView:
    account: Account
    record: CreditTransaction

    @property
    def typename(self) -> str:
        return f"StoreCreditAccount{_TYPES[self.record.kind]}Transaction"


def find(asked: Asked, id: int) -> AccountView | None:
    record = asked.devstore.store_credit.account(asked.shop, id)
    return AccountView(record) if record else None


def accounts_of(asked: Asked, customer_id: int, page: Page, query: str | None) -> dict[str, Any]:
    wanted = Search(query or "", {"id": lambda a: a.id, "currency_code": lambda a: a.currency})
    found = [a for a in asked.devstore.store_credit.of(asked.shop, customer_id) if wanted.matches(a)]
    return mapped(pages(found, lambda account: account.id, page), AccountView)


def credit(_: Any, asked: Asked, id: str, creditInput: dict[str, Any]) -> dict[str, Any]:
    """Every call credits. By a customer's id, the account is made when there is none."""
    given, currency = creditInput["creditAmount"], creditInput["creditAmount"]["currencyCode"]
    minor, ends = minor_of(given), _moment(creditInput.get("expiresAt"))
    kind, wanted = parse(id)
    with asked.devstore.store.writing():
        accounts = asked.devstore.store_credit
        account = _account(asked, kind, wanted, currency)
        if kind == "StoreCreditAccount" and account is None:
            return _refused(["id"], *_NO_ACCOUNT)
        if account is None and (kind != "Customer" or customers.find(asked, wanted) is None):
            return _refused(["id"], "OWNER_NOT_FOUND", "Owner does not exist")
        if ends and ends <= clock.now():
            where = ["creditInput", "expiresAt"]
            return _refused(where, "EXPIRES_AT_IN_PAST", "The expiry date must be in the future")
        if refused := _wrong_amount("credit", account, minor, currency):
            return refused
        if (account.balance_minor if account else 0) + minor > to_minor(LIMIT_UNITS, currency):
            message = "The operation would cause the account's credit limit to be exceeded"
            return _refused(["creditInput", "creditAmount", "amount"], "CREDIT_LIMIT_EXCEEDED", message)
        account = account or accounts.open(asked.shop, wanted, currency)
        made = accounts.credit(asked.shop, account.id, minor, expires_at=ends)
        return _done(asked, account.id, made)


def debit(_: Any, asked: Asked, id: str, debitInput: dict[str, Any]) -> dict[str, Any]:
    given, currency = debitInput["debitAmount"], debitInput["debitAmount"]["currencyCode"]
    minor = minor_of(given)
    with asked.devstore.store.writing():
        account = _account(asked, *parse(id), currency)
        if account is None:
            return _refused(["id"], *_NO_ACCOUNT)
        if refused := _wrong_amount("debit", account, minor, currency):
            return refused
        try:
            made = asked.devstore.store_credit.debit(asked.shop, account.id, minor)
        except Refusal:
            message = "The store credit account does not have sufficient funds to satisfy the request"
            return _refused(["debitInput", "debitAmount", "amount"], "INSUFFICIENT_FUNDS", message)
        return _done(asked, account.id, made)


def _account(asked: Asked, kind: str, id: int, currency: str) -> Account | None:
    """The account itself, or the one of that currency of a customer."""
    if kind == "StoreCreditAccount":
        return asked.devstore.store_credit.account(asked.shop, id)
    return asked.devstore.store_credit.in_currency(asked.shop, id, currency) if kind == "Customer" else None


def _wrong_amount(verb: str, account: Account | None, minor: int, currency: str) -> dict[str, Any] | None:
    argument, name = f"{verb}Input", f"{verb}Amount"
    if minor <= 0:
        message = f"A positive amount must be used to {verb} a store credit account"
        return _refused([argument, name, "amount"], "NEGATIVE_OR_ZERO_AMOUNT", message)
    if account and account.currency != currency:
        message = "The currency provided does not match the currency of the store credit account"
        return _refused([argument, name, "currencyCode"], "MISMATCHING_CURRENCY", message)
    return None


_NO_ACCOUNT = ("ACCOUNT_NOT_FOUND", "Store credit account does not exist")


def _refused(field: list[str], code: str, message: str) -> dict[str, Any]:
    return {
        "storeCreditAccountTransaction": None,
        "userErrors": [{"field": field, "message": message, "code": code}],
    }


def _done(asked: Asked, account_id: int, made: CreditTransaction) -> dict[str, Any]:
    account = asked.devstore.store_credit.account(asked.shop, account_id)
    assert account is not None
    return {"storeCreditAccountTransaction": TransactionView(account, made), "userErrors": []}


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _transactions(
    v: AccountView, _: Asked, page: Page, query: str | None = None, sortKey: str = "CREATED_AT"
) -> dict[str, Any]:
    if sortKey != "CREATED_AT":
        raise unknown(f"storeCreditAccount.transactions(sortKey: {sortKey})")
    fields = {"id": lambda t: t.id, "type": lambda t: t.kind, "expires_at": lambda t: t.expires_at}
    wanted = Search(query or "", fields)
    found = [t for t in v.record.transactions if wanted.matches(t)]
    return mapped(pages(found, lambda t: t.id, page), lambda t: TransactionView(v.record, t))


def _origin(v: TransactionView, asked: Asked) -> Any:
    """The order's payment or refund, if one caused it."""
    if v.record.order_id is None:
        return None
    order = orders.find(asked, v.record.order_id)
    if order is None:
        return None
    found = (t for t in order.record.transactions if t.id == v.record.transaction_id)
    return next((OrderTransactionView(order, t) for t in found), None)


_COMMON = {
    "account": lambda v, _: AccountView(v.account),
    "amount": lambda v, _: money(v.record.amount_minor, v.account.currency),
    "balanceAfterTransaction": lambda v, _: money(v.record.balance_after_minor, v.account.currency),
    "createdAt": lambda v, _: clock.graphql(v.record.created_at),
    "event": lambda v, _: v.record.event,
    "origin": _origin,
}
register(
    "StoreCreditAccount",
    {
        "id": lambda v, _: gid("StoreCreditAccount", v.record.id),
        "balance": lambda v, _: money(v.record.balance_minor, v.record.currency),
        "owner": lambda v, asked: customers.find(asked, v.record.customer_id),
        "transactions": _transactions,
    },
)
register(
    "StoreCreditAccountCreditTransaction",
    {
        **_COMMON,
        "id": lambda v, _: gid(v.typename, v.record.id),
        "expiresAt": lambda v, _: clock.graphql(v.record.expires_at),
        "remainingAmount": lambda v, _: money(v.record.remaining_minor, v.account.currency),
    },
)
register("StoreCreditAccountDebitTransaction", {**_COMMON, "id": lambda v, _: gid(v.typename, v.record.id)})
register(
    "StoreCreditAccountExpirationTransaction",
    {
        **_COMMON,
        "creditTransaction": lambda v, _: TransactionView(v.account, v.account.transaction(v.record.credit_id)),
    },
)
register(
    "Customer",
    {
        "storeCreditAccounts": lambda c, asked, page, query=None: accounts_of(asked, c.record.id, page, query),
    },
)
register("QueryRoot", {"storeCreditAccount": lambda _, asked, id: find(asked, number(id, "StoreCreditAccount") or 0)})
register("Mutation", {"storeCreditAccountCredit": credit, "storeCreditAccountDebit": debit})
