"""The program page: edit the draft beside a live preview that asks the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from ...loyalty import merchant as verbs
from ...loyalty import programs
from ...loyalty.views.preview import Preview, preview
from ...loyalty.views.versions import ProgramState, excluded_titles, preset_cards, program_state, vendors_of
from ...program.rewards import reward_title
from ..auth import Merchant, merchant_required
from ..runtime import runtime
from . import program_form
from .blueprint import bp
from .pages import Asked, asked, fragment, go, page


@dataclass(frozen=True, slots=True)
class Edited:
    """The program page's state: where the program stands, what the fields hold, what that would do."""

    who: Asked
    state: ProgramState
    values: dict[str, str]
    seen: Preview

    @property
    def errors(self) -> dict[str, str]:
        return program_form.by_field(self.seen.errors)


@bp.get("/program")
@merchant_required
def program_page(merchant: Merchant) -> Response:
    return show(look_at(merchant))


@bp.post("/program/preview")
@merchant_required
def preview_program(merchant: Merchant) -> Response:
    """What the draft as typed would do: ``{"errors": {field: message}, "html": the preview column}``."""
    edited = look_at(merchant, request.form)
    return jsonify(errors=edited.errors, html=fragment("parts/preview.html", edited.who, **_context(edited)))


@bp.post("/program/draft")
@merchant_required
def save_draft(merchant: Merchant) -> AnyResponse:
    edited = look_at(merchant, request.form)
    if edited.errors:
        return show(edited, status=422)
    with runtime().db.transaction() as session:
        who = asked(session, merchant)
        programs.save_draft(session, who.shop, edited.seen.settings, author=merchant.author, now=who.now)
    return go("program_page", done="saved")


@bp.post("/program/discard")
@merchant_required
def discard_draft(merchant: Merchant) -> AnyResponse:
    with runtime().db.transaction() as session:
        programs.discard_draft(session, merchant.shop_id)
    return go("program_page", done="discarded")


@bp.post("/program/start-from")
@merchant_required
def start_from(merchant: Merchant) -> AnyResponse:
    """Make a preset the draft. ``preset``: its name."""
    with runtime().db.transaction() as session:
        who = asked(session, merchant)
        verbs.start_from(session, who.shop, request.form.get("preset", ""), author=merchant.author, now=who.now)
    return go("program_page", done="drafted")


@bp.get("/program/vendors")
@merchant_required
def vendors(merchant: Merchant) -> str:
    """The choice of vendors that may be left out, fetched when somebody wants to choose."""
    known = vendors_of(runtime().hurried, merchant.shop_id)
    with runtime().db.reading() as session:
        who = asked(session, merchant)
    return fragment("parts/vendors.html", who, vendors=known)


def look_at(merchant: Merchant, form: MultiDict[str, str] | None = None) -> Edited:
    """The page as saved, or as typed."""
    with runtime().db.reading() as session:
        who = asked(session, merchant)
        state = program_state(session, who.shop, who.now)
        draft = state.draft
        document: dict[str, Any]
        if form is None:
            document, values, typed = draft.document(), program_form.values(draft, who.words), {}
        else:
            document = program_form.document(form, draft, who.words)
            values = program_form.values_typed(form)
            compared = state.compared_with
            typed = program_form.typed(form, compared.settings if compared else None, who.words)
        seen = preview(
            session,
            who.shop,
            document,
            typed=typed,
            base=draft,
            compared_with=state.compared_with,
            live=state.live,
            words=who.words,
        )
    return Edited(who, state, values, seen)


def show(
    edited: Edited,
    *,
    status: int = 200,
    open_modal: str = "",
    refused: str = "",
    start_error: str = "",
    more_errors: Mapping[str, str] | None = None,
) -> Response:
    """``refused`` is why a dialog's action was not done; ``start_error`` stands beside its start date, ``more_errors``
    beside the page's fields.
    """
    exclude = edited.seen.settings.earning.exclude
    shown = {**edited.errors, **(more_errors or {})} if request.method == "POST" else {}
    return page(
        "program.html",
        edited.who,
        status=status,
        open_modal=open_modal,
        refused=refused,
        start_error=start_error,
        errors=shown,
        titles=excluded_titles(runtime().hurried, edited.who.merchant.shop_id, exclude.products),
        vendors=exclude.vendors,
        presets=preset_cards(edited.who.shop.currency),
        asked_start=request.form if request.method == "POST" else {},
        **_context(edited),
    )


def _context(edited: Edited) -> dict[str, Any]:
    settings = edited.seen.settings
    titles = {reward.slot: reward_title(reward, settings.currency) for reward in settings.rewards}
    return {"program": edited.state, "values": edited.values, "seen": edited.seen, "reward_titles": titles}
