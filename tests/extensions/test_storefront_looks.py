"""How the launcher and the panel look and read: layout, themes that leak, directions, languages, hostile text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.extensions.spending import FIVE_OFF, SLIDER, TICKET, Cart, offered, published, redemption, selling, told
from tests.extensions.storefront_pages import LEAKY, MEMBER, MUG, NORA, Shop, Storefront, answer, history, program
from tests.extensions.visiting import DESKTOP, PHONE, Visitor, open_panel

HOME = Storefront()
SPENDING = selling(FIVE_OFF, SLIDER)
VISITOR = Storefront(customer=None, member=None)


# ── looks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_those_who_like_motion_get_it(visit: Visitor) -> None:
    counting = "document.getAnimations().length"
    still = visit(HOME)
    assert open_panel(still).evaluate(counting) == 0
    moving = visit(HOME, reduced_motion="no-preference")
    moving.locator(".rg-launch").hover()
    moving.evaluate("addEventListener('animationstart', e => (window.moved ??= []).push(e.animationName))")
    open_panel(moving)
    assert "rg-rise" in moving.evaluate("window.moved")


def test_on_a_page_from_right_to_left_the_card_is_mirrored(visit: Visitor) -> None:
    page = visit(replace(HOME, direction="rtl"))
    assert page.locator(".rg-launch").bounding_box()["x"] == 20
    open_panel(page, "history")
    assert page.locator(".rg-panel").bounding_box()["x"] == 24


def test_words_from_right_to_left_mirror_what_is_in_it(visit: Visitor) -> None:
    page = open_panel(visit(replace(HOME, direction="rtl")), "history")
    # As Liquid would write it for a language whose `meta.direction` is rtl; English in an Arabic shop stays as it was.
    for direction, flipped in (("ltr", "none"), ("rtl", "matrix(-1, 0, 0, 1, 0, 0)")):
        page.evaluate(f"document.querySelectorAll('.rg-panel > [dir]').forEach(e => (e.dir = '{direction}'))")
        back, close = (page.get_by_role("button", name=name).bounding_box()["x"] for name in ("Back", "Close"))
        title, points = (page.locator(f".rg-history li > {part}").first.bounding_box()["x"] for part in ("b", "span"))
        assert (back > close) == (title > points) == (direction == "rtl")
        assert page.evaluate("getComputedStyle(document.querySelector('.rg-flip')).transform") == flipped


@pytest.mark.parametrize(
    ("look", "x"),
    [
        ({"corner": "start"}, 20),
        ({"corner": "start", "offset": 0, "launcher": "circle"}, 0),
        ({"launcher": "circle"}, 1208),
    ],
)
def test_the_launcher_stands_where_the_merchant_put_it(visit: Visitor, look: dict[str, Any], x: int) -> None:
    page = visit(replace(HOME, program=program(look=look)))
    assert page.locator(".rg-launch").bounding_box()["x"] == x
    open_panel(page)
    assert page.locator(".rg-panel").bounding_box()["x"] == (24 if "corner" in look else 848)


def test_on_a_phone_it_is_a_sheet_and_some_page_stays(visit: Visitor) -> None:
    page = open_panel(visit(HOME, (200, answer(history=answer()["history"] * 4)), size=PHONE), "history")
    box = page.locator(".rg-panel").bounding_box()
    assert (box["x"], box["y"], box["width"]) == (0, 32, 390)


def test_targets_are_big_enough(visit: Visitor) -> None:
    page = open_panel(visit(VISITOR, size=PHONE))
    sizes = page.evaluate(
        """[...document.querySelectorAll('.rg-launch, .rg-panel :is(button, .rg-button, .rg-foot a)')]
        .filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect()).map(b => Math.min(b.width, b.height))"""
    )
    assert min(sizes) >= 44


def test_what_is_in_a_row_can_be_hit(visit: Visitor) -> None:
    page = open_panel(visit(selling(), told(held=(redemption(),)), size=PHONE))
    links = page.locator(".rg-row__e a:visible").all()
    assert len(links) == 2
    assert min(link.bounding_box()["height"] for link in links) >= 38


def test_a_theme_that_leaks_changes_nothing(visit: Visitor) -> None:
    products = {"": MUG, "history": {**MUG, "gift_card?": True}, "how": None}
    products |= {"rewards": None, "redeem/rl": None, "code/tk1": None}
    measuring = """[...document.querySelectorAll('.rg-launch, .rg-panel, .rg-panel *, .rg-earn, .rg-earn *')]
      .filter(e => e.checkVisibility()).map(e => { const s = getComputedStyle(e), b = e.getBoundingClientRect();
      return [e.tagName, e.className.baseVal ?? e.className, ...[b.width, b.height].map(Math.round), s.color, s.fill,
      s.backgroundColor, s.fontSize, s.fontWeight, s.fontStyle, s.letterSpacing, s.textTransform, s.strokeWidth,
      s.borderTopWidth].join(' ') })"""
    for view, product in products.items():
        measured = []
        for leaky in (False, True):
            page = visit(replace(SPENDING, product=product, leaky=leaky), told(FIVE_OFF, SLIDER, held=(redemption(),)))
            with page.expect_response("**/shopper"):
                page.evaluate(f"location.hash = '#regulars/{view}'")
            page.wait_for_selector(f".rg-panel[data-view-now={view.split('/')[0] or 'home'}]")
            page.wait_for_timeout(60)
            measured.append(page.evaluate(measuring))
        tidy, leaky_too = measured
        assert len(tidy) > 10
        assert [pair for pair in zip(tidy, leaky_too, strict=True) if pair[0] != pair[1]] == []
    assert "62.5%" in LEAKY


def test_long_words_and_wide_spacing_never_scroll_sideways(visit: Visitor, shop: Shop) -> None:
    compound = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"
    lines = history(("2026-11-02T10:00:00Z", 1_234_567, "earned", compound * 2, compound + " " + compound))
    named = {**FIVE_OFF, "named": True, "title": compound}
    dear = {**named, "id": "r9", "points": 999_999_999}
    storefront = Storefront(
        program=program(name=compound, earn={"rate": f"1 Punkt je {compound}"}, rewards=published(named, dear)),
        member={**MEMBER, "available": 123_456_789},
        customer={**NORA, "first_name": compound},
        locale="de",
    )
    held = [redemption(title=compound, minimum_minor=400_000_000)]
    known = answer({"available": 123_456_789}, history=lines, rewards=[named, dear], redemptions=held)
    page = visit(storefront, (200, known), size=(390, 700))
    shop.routes.append(Cart(subtotal=2800, codes=[TICKET["code"]], rule=lambda code: False))
    spacing = "*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}"
    page.add_style_tag(content=spacing)
    open_panel(page)
    for view in ("", "/history", "/how", "/rewards", "/redeem/r5", "/code/tk1"):
        page.evaluate(f"location.hash = '#regulars{view}'")
        page.wait_for_selector(f".rg-panel[data-view-now={view[1:].split('/')[0] or 'home'}]")
        for width in (390, 320):
            page.set_viewport_size({"width": width, "height": 700})
            wide = page.evaluate(
                """[...document.querySelectorAll('.rg-panel, .rg-body, .rg-balance, .rg-history li, .rg-row, .rg-acts,'
                + '.rg-big, .rg-ticket__c')].filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
                .map(e => e.className)"""
            )
            assert wide == [], (view, width)


# ── languages ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("locale", "country", "launcher", "due", "day"),
    [
        ("en", "US", "1,104 points, open rewards", "Yours from December 3.", "Nov 2"),
        ("de", "DE", "1.104 Punkte, Prämien öffnen", "Dein ab 3. Dezember.", "2. Nov."),
        ("fr", "FR", "1\u202f104 points, ouvrir les avantages", "À vous à partir du 3 décembre.", "2 nov."),
        # A language we have no words for: English words, and English numbers and dates with them.
        ("es", "ES", "1,104 points, open rewards", "Yours from 3 December.", "2 Nov"),
    ],
)
def test_numbers_and_dates_are_the_languages_own(
    visit: Visitor, locale: str, country: str, launcher: str, due: str, day: str
) -> None:
    storefront = Storefront(locale=locale, country=country, member={**MEMBER, "available": 1104})
    page = visit(storefront)
    assert page.locator(".rg-launch").inner_text().replace("\n", "") == launcher
    open_panel(page)
    expect(page.locator("[data-due-line]")).to_have_text(due)
    assert page.locator("[data-available]").inner_text() == launcher.split(" ")[0]
    page.locator(".rg-foot a").first.click()
    expect(page.locator(".rg-history time").nth(2)).to_have_text(day)


# ── hostile text ──────────────────────────────────────────────────────────────────────────────────────────────────

PAYLOADS = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "'-alert(1)-'",
    "</template></dialog><script>alert(1)</script>",
    "</style><svg onload=alert(1)>",
    "{{ 7 | times: 7 }}{% raw %}",
    "{n}{time}[name]",
    "\u202eevil",
    "javascript:alert(1)",
    '" autofocus onfocus="alert(1)" x="',
    "&lt;b&gt;&amp;",
]


# All at once, and those by themselves that would swallow what comes after them.
@pytest.mark.parametrize("payload", [" ".join(PAYLOADS), *PAYLOADS[:5]])
def test_hostile_text_stays_text(visit: Visitor, payload: str) -> None:
    hostile = program(
        name=payload,
        earn={"rate": payload},
        look={"corner": payload, "launcher": payload, "light": {"fill": payload, "text": payload}},
        exclude={"vendors": [payload]},
        rewards=[
            {"id": "r1", "title": payload, "named": True, "points": 100, "kind": "amount_off", "amount_minor": 500},
            {"id": "r2", "title": "x", "points": 200, "kind": "free_product", "product": payload},
        ],
    )
    product = {**MUG, "title": payload, "vendor": payload + "!", "variants": [{"id": 1, "title": "", "price": 50}]}
    storefront = Storefront(
        program=hostile,
        customer={**NORA, "first_name": payload},
        member={**MEMBER, "available": 0, "pending": 0, "next_at": None},
        product=product,
    )
    known = answer({"available": 0, "pending": 0, "next_at": None}, history_next=payload)
    known["history"] = history(("2026-11-02T10:00:00Z", 84, "earned", payload, payload))
    known["rewards"] = [offered(name, n * 100, title=payload) for n, name in enumerate(("r1", "r2", "r3"), start=1)]
    known["redemptions"] = [redemption(reward_id="gone", title=payload)]
    page = visit(storefront, (200, known))
    before = page.evaluate("document.querySelectorAll('script,img,style').length")
    open_panel(page)
    assert page.locator("#rg-title").text_content() == payload
    assert page.locator("[data-empty] bdi").text_content() == payload
    titles = page.locator(".rg-rewards .rg-row__t").all_text_contents()
    assert titles == [payload, payload, "Free " + payload, payload]
    assert page.locator("#rg-next").text_content() == f"100 more points for {payload}"
    page.locator(".rg-foot a").first.click()
    assert page.locator(".rg-history b").text_content() == payload
    assert page.locator(".rg-history p bdi").text_content() == payload
    assert page.evaluate("document.querySelectorAll('script,img,style').length") == before
    assert (
        page.locator(".rg-panel [onerror], .rg-panel [onfocus], .rg-panel [onload], .rg-panel svg:not(.ic)").count()
        == 0
    )
    assert "49" not in page.locator(".rg-panel").text_content()


def test_a_hostile_look_cannot_leave_its_place(visit: Visitor) -> None:
    page = visit(replace(HOME, program=program(look={"radius": "0}</style><script>alert(1)</script>"})))
    assert page.locator(".rg-launch").is_visible()


def test_desktop_is_a_card(visit: Visitor) -> None:
    page = open_panel(visit(HOME, size=DESKTOP), "how")
    box = page.locator(".rg-panel").bounding_box()
    assert (box["x"], box["width"]) == (848, 408)
    assert box["y"] + box["height"] == DESKTOP[1] - 24
