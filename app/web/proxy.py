"""Behind the app proxy: what the storefront asks as ``/apps/regulars/…`` (PLATFORM §5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from flask.blueprints import BlueprintSetupState
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from ..errors import Invalid, LoyaltyError, NotFound, Unauthenticated
from ..loyalty import tries
from ..loyalty.redeem import Redeemed, Wanted, redeem_for_customer
from ..loyalty.release import cancel
from ..loyalty.views.redemptions import describe_redemption, redemption_document, redemption_of
from ..loyalty.views.shopper import shopper as shopper_view
from ..loyalty.views.shops import shop_of
from .auth import Shopper, shopper_required, signed_shopper_required
from .runtime import runtime

bp = Blueprint("proxy", __name__, url_prefix="/proxy")


@bp.record_once
def answer_addresses_as_they_stand(state: BlueprintSetupState) -> None:
    """No redirect repairs an address (``//``, a last slash). It would repeat the query, and with it a signature that
    shoppers must not learn (GAUNTLET, cross-protocol forgery) or a token; and it would be built from the Host header.
    """
    state.app.url_map.merge_slashes = False
    state.app.url_map.strict_slashes = False


@bp.get("/shopper")
@shopper_required
def shopper(asker: Shopper) -> Response:
    """The panel's JSON. Who asks is the signed customer id; ids anywhere else in the request are nobody's."""
    with runtime().db.reading() as session:
        return jsonify(
            shopper_view(
                session,
                asker.shop_id,
                asker.customer_id,
                cursor=g.proxy_params.get("cursor"),
                now=runtime().clock(),
            )
        )


class RedemptionRequest(BaseModel):
    """What a shopper asks for."""

    model_config = ConfigDict(extra="ignore", strict=True)

    reward_id: str = Field(min_length=1, max_length=64)
    key: str = Field(min_length=1, max_length=255)
    points: int | None = Field(default=None, ge=1, lt=2**53)


@bp.post("/redemptions")
@signed_shopper_required
def create_redemption(asker: Shopper) -> tuple[Response, int]:
    """Set points aside for a reward: 201 with the code, 202 while it is being made, 200 for a key used before."""
    with _counting_failures(asker):
        customer_id = _customer(asker)
        asked = RedemptionRequest.model_validate(_body())
        wanted = Wanted(asked.reward_id, asked.key, asked.points)
        done = redeem_for_customer(runtime().db, asker.domain, customer_id, wanted, now=runtime().clock())
    if isinstance(done, Redeemed):
        return jsonify(redemption_document(done, done.reward, done.zone)), 202 if done.code is None else 201
    with runtime().db.reading() as session:
        return jsonify(redemption_of(session, done.shop_id, done.member_id, done.redemption_id)), 200


@bp.get("/redemptions/<redemption_id>")
@shopper_required
def show_redemption(asker: Shopper, redemption_id: str) -> Response:
    """One of the asker's own, as it is now."""
    _customer(asker)
    with _counting_failures(asker, guessing=True), runtime().db.reading() as session:
        return jsonify(redemption_of(session, asker.shop_id, asker.member_id, redemption_id))


@bp.post("/redemptions/<redemption_id>/cancel")
@shopper_required
def cancel_redemption(asker: Shopper, redemption_id: str) -> Response:
    """Give an unused reward back. The points follow when it is certain that no order used it. Again is nothing."""
    _customer(asker)

    def let_go(session: Session) -> dict[str, Any]:
        redemption_of(session, asker.shop_id, asker.member_id, redemption_id)
        redemption = cancel(
            session, asker.shop_id, redemption_id, member_id=asker.member_id, by="shopper", why="cancelled",
            now=runtime().clock(),
        )  # fmt: skip
        return describe_redemption(session, redemption)

    with _counting_failures(asker, guessing=True):
        return jsonify(runtime().db.run(let_go))


def _customer(asker: Shopper) -> int:
    """Raises `Unauthenticated` for a visitor."""
    if asker.customer_id is None:
        raise Unauthenticated("Log in to use points.", code="not_logged_in")
    return asker.customer_id


def _body() -> dict[str, Any]:
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # a hundred thousand brackets
        body = None
    if not isinstance(body, dict):
        raise Invalid("Send a JSON object.")
    return body


@contextmanager
def _counting_failures(asker: Shopper, *, guessing: bool = False) -> Iterator[None]:
    """Guesses are counted, and stopped for the rest of the minute once there are too many. Honest refusals are not."""
    if guessing and asker.customer_id is not None:
        with runtime().db.reading() as session:
            tries.check(session, shop_of(session, asker.shop_id), asker.customer_id, now=runtime().clock())
    try:
        yield
    except (LoyaltyError, ValidationError) as failure:
        shop_id = asker.shop_id  # where the app is not installed, nothing else is said
        guessed = isinstance(failure, NotFound) or getattr(failure, "code", "") == "unknown_reward"
        if guessed and asker.customer_id is not None:
            with runtime().db.transaction() as session:
                tries.note(session, shop_of(session, shop_id), asker.customer_id, now=runtime().clock())
        raise
