"""The launcher and the panel in a real browser: what is asked and when, every state, keyboard, history, layout."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.extensions.storefront_pages import LEAKY, MEMBER, MUG, NORA, NOW, Shop, Storefront, answer, history, program
from tests.extensions.visiting import DESKTOP, PHONE, Visitor, focused, open_panel

HOME = Storefront()
VISITOR = Storefront(customer=None, member=None)
DOWN = (503, {"error": {"code": "unavailable", "message": "", "field": None}})
CANNOT = "We can’t reach your points right now."


def note(page: Page) -> str:
    """The one note on the view; never more than one."""
    shown = [text.strip() for text in page.locator(".rg-note:visible").all_inner_texts()]
    assert len(shown) <= 1
    return " ".join(shown[0].split()) if shown else ""


# ── what is asked, and when ───────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_fetched_before_somebody_shows_interest(visit: Visitor, shop: Shop) -> None:
    page = visit(HOME, own="nothing cached")
    page.mouse.move(300, 300)
    page.mouse.click(300, 300)
    assert {path.rsplit("/", 1)[-1] for path in shop.asked} == {"mug", "regulars.js", "regulars-product.js"}
    with page.expect_response("**/regulars-panel.js"), page.expect_response("**/regulars.css"):
        page.locator(".rg-launch").hover()
    assert shop.shopper_asked == []
    assert page.locator(".rg-panel").count() == 0


def test_our_server_is_asked_once_per_open(visit: Visitor, shop: Shop) -> None:
    page = open_panel(visit(HOME), "history")
    page.go_back()
    page.locator(".rg-foot a[href='#regulars/how']").click()
    assert shop.shopper_asked == ["/apps/regulars/shopper"]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".rg-panel")).to_be_hidden()
    open_panel(page)
    assert len(shop.shopper_asked) == 2


def test_the_shops_own_root_and_proxy_path_are_used(visit: Visitor, shop: Shop) -> None:
    page = visit(replace(HOME, proxy_path="/community/points/"))
    page.evaluate("window.Shopify = {routes: {root: '/fr/'}}")
    with page.expect_response("**/fr/community/points/shopper"):
        page.locator(".rg-launch").click()


def test_nothing_is_kept_on_the_device(visit: Visitor) -> None:
    page = open_panel(visit(HOME, own="nothing kept"), "history")
    assert page.context.storage_state() == {"cookies": [], "origins": []}


# ── states ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_opens_with_what_was_published_and_then_says_what_changed(visit: Visitor) -> None:
    release = Event()
    page = visit(HOME, lambda cursor: (release.wait(5), (200, answer({"available": 1304, "pending": 0})))[1])
    page.locator(".rg-launch").click()
    expect(page.locator("[data-available]")).to_have_text("240")
    expect(page.get_by_text("64 points on the way. Yours from 3 December.")).to_be_visible()
    release.set()
    expect(page.locator("[data-available]")).to_have_text("1,304")
    expect(page.get_by_text("on the way.")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("You have 1,304 points now.")
    expect(page.locator("[data-launcher]")).to_have_text("1,304 points")


def test_one_point_is_one_point(visit: Visitor) -> None:
    page = open_panel(visit(replace(HOME, member={**MEMBER, "available": 1, "pending": 1})))
    expect(page.locator(".rg-launch")).to_have_text("1 point, open rewards")
    expect(page.locator(".rg-balance__n")).to_have_text("1point")
    expect(page.get_by_text("1 point on the way.")).to_be_visible()


def test_a_new_member_is_welcomed(visit: Visitor) -> None:
    zero = {"available": 0, "pending": 0, "next_at": None}
    page = open_panel(visit(replace(HOME, member=None), (200, answer(zero, history=[]))))
    expect(page.get_by_text("Welcome, Nora. Your next order adds points.")).to_be_visible()


def test_debt_is_explained(visit: Visitor) -> None:
    page = open_panel(visit(replace(HOME, member={**MEMBER, "available": 0, "debt": 12})))
    assert note(page).startswith("12 points to make up. A return took back more points than you had.")


def test_trouble_shows_the_last_known_balance_with_its_time(visit: Visitor, shop: Shop) -> None:
    page = open_panel(visit(HOME, DOWN))
    status, retry = page.get_by_role("status"), page.get_by_role("button", name="Try again")
    for shopper in (DOWN, (502, "<h1>Bad gateway</h1>"), (200, "<html>password page</html>"), (404, {}), (200, [])):
        page.evaluate("document.querySelector('[role=status]').textContent = ''")
        shop.shopper = lambda cursor, shopper=shopper: shopper
        retry.click()
        expect(status).to_have_text(CANNOT)
        expect(page.locator(".rg-balance__n")).to_have_text("240\npoints at 14:05", use_inner_text=True)
        assert note(page) == (
            f"{CANNOT} This is what you had at 14:05 today. "
            "Your points are safe, and you can still check out. Try again"
        )
    expect(page.get_by_text("This still earns. Points are added when we’re back.").first).to_be_visible()
    shop.shopper = lambda cursor: (200, answer())
    retry.click()
    expect(page.get_by_text(CANNOT).first).to_be_hidden()
    assert focused(page) == "rg-title"


def test_an_older_balance_is_dated_by_the_note(visit: Visitor) -> None:
    page = open_panel(visit(replace(HOME, member={**MEMBER, "at": "2026-11-19T14:05:00Z"}), DOWN))
    assert "This is what you had on 19 November." in note(page)


def test_a_slow_answer_is_trouble_until_it_comes(visit: Visitor) -> None:
    release = Event()
    page = visit(HOME, lambda cursor: (release.wait(8), (200, answer()))[1], own="clock")
    page.clock.install(time=NOW)
    page.locator(".rg-launch").click()
    page.wait_for_selector(".rg-panel[data-ready]")
    page.clock.run_for(2_000)
    assert note(page) == ""
    page.clock.run_for(2_500)
    assert note(page).startswith(CANNOT)
    release.set()
    expect(page.get_by_text(CANNOT).first).to_be_hidden()


def test_offline_says_so_and_comes_back_by_itself(visit: Visitor) -> None:
    page = open_panel(visit(HOME, own="offline"))
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    page.locator(".rg-launch").click()
    expect(page.get_by_text("You are offline.").first).to_be_visible()
    with page.expect_response("**/shopper"):
        page.context.set_offline(False)
    expect(page.get_by_text("You are offline.").first).to_be_hidden()


@pytest.mark.parametrize("missing", ["regulars-panel.js", "regulars.css"])
def test_without_the_panels_own_files_liquids_words_are_there(visit: Visitor, shop: Shop, missing: str) -> None:
    page = visit(HOME, own=missing)
    shop.broken = {missing}
    page.locator(".rg-launch").click()
    expect(page.get_by_text(CANNOT).first).to_be_visible()
    expect(page.locator("[data-available]")).to_be_visible()
    shop.broken = set()
    with page.expect_response("**/shopper"):
        page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text(CANNOT).first).to_be_hidden()
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".rg-panel")).to_be_hidden()


def test_logged_out_meanwhile_is_a_visitor_without_reproach(visit: Visitor) -> None:
    page = open_panel(visit(HOME, (200, answer(history=[]) | {"member": None})))
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    expect(page.locator("[data-launcher]")).to_have_text("Rewards")
    assert note(page) == ""
    assert page.get_by_role("link", name="History").count() == 0


def test_logged_in_meanwhile_is_a_member(visit: Visitor) -> None:
    page = open_panel(visit(VISITOR, (200, answer())))
    expect(page.locator("[data-available]")).to_have_text("240")
    expect(page.locator("[data-launcher]")).to_have_text("240 points")


def test_a_visitor_misses_nothing_when_our_server_is_away(visit: Visitor) -> None:
    page = open_panel(visit(VISITOR, DOWN))
    assert note(page) == ""
    expect(page.get_by_role("link", name="Join for free")).to_be_visible()


def test_a_paused_program_rests(visit: Visitor) -> None:
    paused = {"name": "Saltmarsh Club", "live": True, "paused": True}
    page = open_panel(visit(HOME, (200, answer(program=paused))))
    assert note(page) == "Points are resting. Yours are safe."
    assert page.get_by_text("Place an order").first.is_hidden()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("Order #1031", exact=True)).to_be_visible()


# ── history ───────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(page: Page) -> list[str]:
    return [" | ".join(row.split("\n")) for row in page.locator(".rg-month, .rg-history li").all_inner_texts()]


def test_history_is_grouped_and_says_why(visit: Visitor) -> None:
    page = open_panel(visit(HOME), "history")
    assert [" ".join(line.split(" | ")[:2]) for line in lines(page)] == [
        "On the way",
        "Order #1042 +64",
        "November",
        "Refund on order #1031 −28",
        "Order #1031 +84",
        "October",
        "Order #1024 +40",
        "Earlier this year",
        "Order #987 +94",
        "Order #982 0",
        "2025",
        "Corrected by the shop +50",
    ]
    assert "You returned 1 of 3 Ash mugs (€28.00), so its points went back." in lines(page)[3]
    assert lines(page)[3].endswith("12 Nov")
    assert lines(page)[-1].endswith("3 Dec 2025")


def test_show_more_goes_on_where_it_stopped(visit: Visitor, shop: Shop) -> None:
    older = history(("2026-03-03T10:00:00Z", 50, "earned", "Order #900", "1 point for every €1 of €50.00."))

    def pages(cursor: str | None) -> tuple[int, Any]:
        return (200, answer(history=older) if cursor else answer(history_next="a b&c"))

    page = open_panel(visit(HOME, pages), "history")
    more = page.get_by_role("button", name="Show more")
    shop.shopper = lambda cursor: DOWN
    more.click()
    expect(page.get_by_text("That did not work. Your points are untouched.")).to_be_visible()
    shop.shopper = pages
    more.click()
    page.get_by_text("Order #900").wait_for()
    assert shop.shopper_asked[-1] == "/apps/regulars/shopper?cursor=a%20b%26c"
    assert "Order #900" in page.evaluate("document.activeElement.textContent")
    assert more.is_hidden()
    assert len(page.locator(".rg-history li").all()) == 8


# ── keyboard, focus, history of the browser ───────────────────────────────────────────────────────────────────────


def test_the_keyboard_does_everything(visit: Visitor) -> None:
    page = visit(HOME)
    page.locator(".rg-launch").focus()
    with page.expect_response("**/shopper"):
        page.keyboard.press("Enter")
    page.wait_for_selector(".rg-panel[data-ready]")
    assert focused(page) == "rg-title"
    assert page.locator(".rg-launch").get_attribute("aria-expanded") == "true"
    seen = []
    for _ in range(4):
        page.keyboard.press("Tab")
        seen.append(focused(page))
    assert seen == ["Close", "rg-body", "History", "How it works"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="History")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".rg-panel")).to_be_hidden()
    expect(page.locator(".rg-launch")).to_be_focused()
    assert page.locator(".rg-launch").get_attribute("aria-expanded") == "false"
    expect(page).to_have_url(page.url.split("#")[0])


def test_the_browsers_back_button_does_what_back_does(visit: Visitor) -> None:
    page = open_panel(visit(HOME), "history")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_visible()
    page.get_by_role("link", name="How it works").click()
    expect(page.get_by_role("heading", name="How it works")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_visible()
    page.go_back()
    expect(page.locator(".rg-panel")).to_be_hidden()
    page.go_forward()
    expect(page.locator(".rg-panel")).to_be_visible()


def test_closing_leaves_no_steps_behind(visit: Visitor) -> None:
    page = visit(HOME, address="/collections")
    page.goto(page.url.replace("collections", "products"))
    open_panel(page, "history")
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url(page.url.split("#")[0])
    page.go_back()
    assert page.url.endswith("/collections")


def test_an_address_opens_its_view(visit: Visitor) -> None:
    page = visit(HOME, address="/products/mug#regulars/history")
    expect(page.get_by_role("heading", name="History")).to_be_focused()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()
    page.get_by_role("link", name="How it works").click()
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".rg-panel")).to_be_hidden()
    expect(page).to_have_url(page.url.split("#")[0])


def test_a_link_in_the_themes_menu_opens_a_view_and_gets_the_focus_back(visit: Visitor) -> None:
    page = visit(HOME)
    page.locator("#menu").click()
    expect(page.get_by_role("heading", name="How it works")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Saltmarsh Club")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#menu")).to_be_focused()


def test_a_view_that_is_not_there_is_home(visit: Visitor) -> None:
    page = visit(VISITOR, address="/products/mug#regulars/history")
    expect(page.get_by_role("link", name="Join for free")).to_be_visible()


def test_a_tap_on_the_scrim_closes(visit: Visitor) -> None:
    page = open_panel(visit(HOME))
    page.mouse.click(900, 780)
    assert page.locator(".rg-panel").is_visible()
    page.mouse.click(200, 200)
    expect(page.locator(".rg-panel")).to_be_hidden()


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


def test_a_theme_that_leaks_changes_nothing(visit: Visitor) -> None:
    products = {"": MUG, "history": {**MUG, "gift_card?": True}, "how": None}
    measuring = """[...document.querySelectorAll('.rg-launch, .rg-panel, .rg-panel *, .rg-earn, .rg-earn *')]
      .filter(e => e.checkVisibility()).map(e => { const s = getComputedStyle(e), b = e.getBoundingClientRect();
      return [e.tagName, e.className.baseVal ?? e.className, ...[b.width, b.height].map(Math.round), s.color, s.fill,
      s.backgroundColor, s.fontSize, s.fontWeight, s.fontStyle, s.letterSpacing, s.textTransform, s.strokeWidth,
      s.borderTopWidth].join(' ') })"""
    for view, product in products.items():
        storefront = replace(HOME, product=product)
        tidy, leaky = (
            open_panel(visit(replace(storefront, leaky=each)), view).evaluate(measuring) for each in (False, True)
        )
        assert [pair for pair in zip(tidy, leaky, strict=True) if pair[0] != pair[1]] == []
    assert "62.5%" in LEAKY


def test_long_words_and_wide_spacing_never_scroll_sideways(visit: Visitor) -> None:
    compound = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"
    told = history(("2026-11-02T10:00:00Z", 1_234_567, "earned", compound * 2, compound + " " + compound))
    storefront = Storefront(
        program=program(name=compound, earn={"rate": f"1 Punkt je {compound}"}),
        member={**MEMBER, "available": 123_456_789},
        customer={**NORA, "first_name": compound},
        locale="de",
    )
    page = visit(storefront, (200, answer({"available": 123_456_789}, history=told)), size=(390, 700))
    spacing = "*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}"
    page.add_style_tag(content=spacing)
    open_panel(page)
    for view in ("", "/history", "/how"):
        page.evaluate(f"location.hash = '#regulars{view}'")
        page.wait_for_selector(f".rg-panel[data-view-now={view[1:] or 'home'}]")
        for width in (390, 320):
            page.set_viewport_size({"width": width, "height": 700})
            wide = page.evaluate(
                """[...document.querySelectorAll('.rg-panel, .rg-body, .rg-balance, .rg-history li')].filter(e =>
                e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map(e => e.className)"""
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
    )
    product = {**MUG, "title": payload, "vendor": payload + "!", "variants": [{"id": 1, "title": "", "price": 50}]}
    storefront = Storefront(
        program=hostile,
        customer={**NORA, "first_name": payload},
        member={**MEMBER, "available": 0, "pending": 0, "next_at": None},
        product=product,
    )
    told = answer({"available": 0, "pending": 0, "next_at": None}, history_next=payload)
    told["history"] = history(("2026-11-02T10:00:00Z", 84, "earned", payload, payload))
    page = visit(storefront, (200, told))
    before = page.evaluate("document.querySelectorAll('script,img,style').length")
    open_panel(page)
    assert page.locator("#rg-title").text_content() == payload
    assert page.locator("[data-empty] bdi").text_content() == payload
    page.locator(".rg-foot a").first.click()
    assert page.locator(".rg-history b").text_content() == payload
    assert page.locator(".rg-history p").text_content() == payload
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
