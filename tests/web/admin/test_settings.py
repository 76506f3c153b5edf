"""Settings: the look applies at once as a version of its own, and never disturbs a draft."""

from __future__ import annotations

from app.models import Draft, Job, ProgramVersion, Shop

from ...conftest import SHOP_ID
from ...support import add_shop
from .conftest import Browser, field_error, words_of
from .test_pages import fields

LOOK = {"accent": "#E8B23A", "corner": "start", "launcher": "circle", "radius": "16", "offset": "12"}


def test_colours_are_worked_out_by_the_server_with_what_was_corrected_and_why(merchant, shop):
    answer = merchant.post("/admin/settings/preview", LOOK).json()
    assert answer["errors"] == {}
    assert "#926b05" in answer["html"]
    assert "Text in your colour uses #926b05, dark enough to read on white." in answer["html"]


def test_a_look_that_cannot_be_is_refused_beside_its_fields(db, merchant, shop):
    wrong = {"accent": "red", "corner": "middle", "launcher": "", "radius": "7", "offset": "900"}
    preview = merchant.post("/admin/settings/preview", wrong).json()
    assert preview["errors"]["accent"] == "Enter a colour as six digits, such as #2447a8."
    answer = merchant.post("/admin/settings/look", wrong)
    assert answer.status == 422
    assert field_error(answer, "accent") == "Enter a colour as six digits, such as #2447a8."
    assert field_error(answer, "offset") == "Use 0 to 200 pixels."
    assert field_error(answer, "radius") == "Choose square, slight, soft or round corners."
    assert 'value="red"' in answer.text


def test_a_look_starts_now_and_the_draft_keeps_everything_else(db, clock, merchant, shop):
    merchant.post("/admin/program/draft", fields(points="9"))
    clock.advance(minutes=1)
    merchant.post("/admin/settings/look", LOOK)
    with db.reading() as session:
        live = session.get_one(ProgramVersion, (SHOP_ID, 2))
        draft = session.get_one(Draft, SHOP_ID)
    assert live.settings["look"]["accent"] == draft.settings["look"]["accent"] == "#e8b23a"
    assert (live.settings["earning"]["points"], draft.settings["earning"]["points"]) == (1, 9)
    assert "Launcher: pill → circle" in live.changes


def test_before_the_launch_a_look_goes_into_the_draft(db, door):
    add_shop(db, program=None)
    answer = Browser(door).post("/admin/settings/look", LOOK)
    assert 'data-toast="Look saved in the draft"' in answer.text
    with db.reading() as session:
        assert session.query(ProgramVersion).count() == 0
        assert session.get_one(Draft, SHOP_ID).settings["look"]["launcher"] == "circle"


def test_while_a_version_waits_to_start_a_look_goes_into_the_draft(db, merchant, shop):
    merchant.post("/admin/program/publish", fields(points="2", when="later", day="2026-12-01", time="09:00"))
    merchant.post("/admin/settings/look", LOOK)
    with db.reading() as session:
        assert session.query(ProgramVersion).count() == 2
        assert session.get_one(Draft, SHOP_ID).settings["earning"]["points"] == 2


def test_the_same_look_again_makes_no_version(db, merchant, shop):
    merchant.post("/admin/settings/look", {**LOOK, "accent": "#2447a8", "corner": "end", "launcher": "pill",
                                           "radius": "10", "offset": "20"})  # fmt: skip
    with db.reading() as session:
        assert session.query(ProgramVersion).count() == 1


def test_comparing_with_shopify_is_asked_for_once(db, merchant, shop):
    for _ in range(2):
        merchant.post("/admin/settings/reconcile")
    with db.reading() as session:
        assert session.query(Job).filter(Job.kind == "reconcile").count() == 1


def test_the_guide_comes_back_from_here(db, merchant, shop):
    merchant.post("/admin/guide", {"show": "no"})
    assert "Put away Show it again" in words_of(merchant.get("/admin/settings"))
    with db.reading() as session:
        assert session.get_one(Shop, SHOP_ID).setup_dismissed
