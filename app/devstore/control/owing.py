"""Gift cards and store credit: what the store owes, whole codes included, and a merchant's own doing with them."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, g, jsonify, request

from ..codec import plain
from ..errors import Refusal
from ..gift_cards import CodeTaken, GiftCard
from ..store_credit import Account
from . import bp
from .doors import body, shop_of, with_options


@bp.get("/shops/<domain>/gift_cards")
def list_gift_cards(domain: str) -> Response:
    """All, or one customer's (``customer``) with ``transactions``; by id."""
    shop, customer = shop_of(domain), request.args.get("customer", type=int)
    found = g.devstore.gift_cards.all(shop) if customer is None else g.devstore.gift_cards.of(shop, customer)
    return jsonify([_card(card) for card in found])


@bp.post("/shops/<domain>/gift_cards")
def issue_gift_card(domain: str) -> tuple[Response, int]:
    """As the merchant: {"amount_minor", "code", "customer_id", "expires_on", "note"}."""
    shop, facts = shop_of(domain), body()
    try:
        made = with_options(g.devstore.gift_cards.issue, shop, **{"source": "manual", **facts})
    except CodeTaken:
        raise Refusal("another gift card has that code") from None
    return jsonify(_card(made)), 201


@bp.post("/shops/<domain>/gift_cards/<int:id>/deactivate")
def deactivate_gift_card(domain: str, id: int) -> Response:
    card = g.devstore.gift_cards.deactivate(shop_of(domain), id)
    if card is None:
        abort(404, "there is no such gift card")
    return jsonify(_card(card))


@bp.get("/shops/<domain>/store_credit")
def list_store_credit(domain: str) -> Response:
    """Every account, or one customer's (``customer``), with ``transactions`` from the first to the last."""
    shop, customer = shop_of(domain), request.args.get("customer", type=int)
    accounts = g.devstore.store_credit
    found = accounts.all(shop) if customer is None else accounts.of(shop, customer)
    return jsonify([_account(account) for account in found])


@bp.post("/shops/<domain>/store_credit")
def give_store_credit(domain: str) -> tuple[Response, int]:
    """As the merchant: {"customer_id", "amount_minor"}; a negative amount takes."""
    shop, facts = shop_of(domain), body()
    customer = g.devstore.customer(shop, facts.get("customer_id"))
    amount = facts.get("amount_minor")
    if customer is None or not isinstance(amount, int) or not amount:
        raise Refusal("customer_id and amount_minor say whose and how much")
    accounts = g.devstore.store_credit
    account = accounts.open(shop, customer.id, shop.currency)
    if amount > 0:
        accounts.credit(shop, account.id, amount)
    else:
        accounts.debit(shop, account.id, -amount)
    return jsonify(_account(accounts.account(shop, account.id))), 201


def _card(card: GiftCard) -> dict[str, Any]:
    return {**plain(card), "last_characters": card.last_characters}


def _account(account: Account) -> dict[str, Any]:
    return {**plain(account), "balance_minor": account.balance_minor}
