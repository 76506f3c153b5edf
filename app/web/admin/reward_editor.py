"""The editor of one reward: begun from the gallery or as the draft has it, with a preview that asks the server."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from flask import Response, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from ...errors import Invalid, NotFound
from ...loyalty.reward_drafts import look_up, put_reward, reward_in, variant_document
from ...loyalty.views.reward_preview import RewardPreview, preview_reward
from ...loyalty.views.rewards import SCOPES, missing_scopes
from ...loyalty.views.versions import ProgramState, excluded_titles, program_state
from ...program.gallery import begun
from ...program.rewards import MOST_PRODUCTS, Reward, reward_title
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from . import reward_form
from .blueprint import bp
from .pages import Asked, asked, fragment, go, page
from .program_form import whole

_SLOT = re.compile(r"[a-z0-9]{1,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Editing:
    """What the editor shows: the program, the reward as the draft has it, what the fields hold, what that would do."""

    who: Asked
    program: ProgramState
    slot: str
    before: Reward | None  # None: not in the draft yet
    document: dict[str, Any]
    values: dict[str, str]
    seen: RewardPreview
    found: dict[str, str] = field(default_factory=dict)  # what Shopify had to say against it, by field

    @property
    def errors(self) -> dict[str, str]:
        return {**reward_form.by_field(self.seen.errors), **self.found}


@bp.get("/rewards/new")
@merchant_required
def new_reward(merchant: Merchant) -> Response:
    """``start`` names the card of the gallery. The slot is made here, so that a form sent twice is one reward."""
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        program = program_state(session, who.shop, who.now)
    slot = f"r{secrets.token_hex(5)}"
    try:
        document = begun(request.args.get("start", "amount"), program.draft.currency, slot)
    except KeyError:
        raise NotFound("There is no such kind of reward.") from None
    return _show(_editing(who, program, slot, None, document, reward_form.values(document, who.words)))


@bp.get("/rewards/<slot>/edit")
@merchant_required
def edit_reward(merchant: Merchant, slot: str) -> Response:
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        program = program_state(session, who.shop, who.now)
    reward = reward_in(program.draft, slot)
    document = reward.model_dump(mode="json")
    return _show(_editing(who, program, slot, reward, document, reward_form.values(document, who.words)))


@bp.post("/rewards/<slot>/preview")
@merchant_required
def preview_of_reward(merchant: Merchant, slot: str) -> Response:
    """What the reward as typed would be: ``{"errors": {field: message}, "html": the preview column}``."""
    editing = _typed(merchant, slot)
    return jsonify(errors=editing.errors, html=fragment("parts/reward_preview.html", editing.who, seen=editing.seen))


@bp.post("/rewards/<slot>/draft")
@merchant_required
def save_reward(merchant: Merchant, slot: str) -> AnyResponse:
    """Shopify is asked last: a fault of the form need not wait for it."""
    editing = _typed(merchant, slot)
    if not editing.errors or (editing.document["product"] and set(editing.errors) == {"variant"}):
        editing = _looked_up(editing)
    if not editing.errors:
        _save(merchant, editing)
    if editing.errors:
        return _show(editing, status=422)
    return go("rewards_view", done="reward-saved")


def _looked_up(editing: Editing) -> Editing:
    """The same with what Shopify says of its products, or says against them."""
    who, document = editing.who, editing.document
    found = look_up(runtime().hurried, who.merchant.shop_id, document, who.shop.currency)
    again = _editing(who, editing.program, editing.slot, editing.before, document, editing.values)
    again.found.update(reward_form.by_field(found))
    return again


def _save(merchant: Merchant, editing: Editing) -> None:
    """Into the draft as it is by now, which may have become too long meanwhile."""
    try:
        with runtime().db.transaction() as session:
            who = asked(session, merchant)
            reward = Reward.model_validate(editing.document)
            put_reward(session, who.shop, reward, author=merchant.author, now=who.now)
    except Invalid as full:
        editing.found[""] = full.message


@bp.get("/rewards/product")
@merchant_required
def product_of_reward(merchant: Merchant) -> str:
    """The free product just picked, with its price: ``variant`` is its id, as the picker gives it or plain."""
    variant_id = whole(request.args.get("variant", "").rpartition("/")[2])
    with runtime().db.reading() as session:
        who = asked(session, merchant)
    found = None
    if isinstance(variant_id, int):
        found = variant_document(runtime().hurried, merchant.shop_id, variant_id, who.shop.currency)
    values = {
        "variant": str(variant_id) if found else "",
        "product_id": str(found["product_id"]) if found else "",
        "product_title": found["title"] if found else "",
        "price": who.words.amount(found["price_minor"]) if found else "",
    }
    return fragment("parts/reward_product.html", who, values=values, not_found=found is None)


def _typed(merchant: Merchant, slot: str) -> Editing:
    if not _SLOT.fullmatch(slot):
        raise NotFound("There is no such reward.")
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        program = program_state(session, who.shop, who.now)
    before = next((reward for reward in program.draft.rewards if reward.slot == slot), None)
    document = reward_form.document(request.form, slot, who.words)
    return _editing(who, program, slot, before, document, reward_form.values_typed(request.form))


def _editing(
    who: Asked,
    program: ProgramState,
    slot: str,
    before: Reward | None,
    document: dict[str, Any],
    values: dict[str, str],
) -> Editing:
    seen = preview_reward(document, program.draft, before, who.words)
    return Editing(who, program, slot, before, document, values, seen)


def _show(editing: Editing, *, status: int = 200) -> Response:
    who, kind = editing.who, editing.values["kind"]
    products = reward_form.product_ids(editing.values)[:MOST_PRODUCTS]
    return page(
        "reward_editor.html",
        who,
        status=status,
        editing=editing,
        program=editing.program,
        slot=editing.slot,
        is_new=editing.before is None,
        heading=reward_title(editing.before, editing.program.draft.currency) if editing.before else "New reward",
        values=editing.values,
        errors=editing.errors if request.method == "POST" else {},
        seen=editing.seen,
        kind=kind,
        shown_for=reward_form.SHOWN_FOR,
        missing={each: missing_scopes(who.shop, each) for each in SCOPES},
        titles=excluded_titles(runtime().hurried, who.merchant.shop_id, products),
    )
