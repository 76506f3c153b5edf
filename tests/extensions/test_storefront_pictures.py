"""Every state of the panel and the product block, light and dark: nothing axe objects to, and a picture of each.

Pictures are taken when PICTURES names a folder: `PICTURES=/tmp/pictures pytest tests/extensions`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.extensions.spending import FOUR, SLIDER, TICKET, Cart, Till, redemption, selling, told
from tests.extensions.storefront_pages import MEMBER, MUG, Shop, Storefront, answer, program
from tests.extensions.visiting import DESKTOP, PHONE, Visitor

AXE = Axe()
FOLDER = os.environ.get("PICTURES")
ZERO = {**MEMBER, "available": 0, "pending": 0, "next_at": None}
MEMBER_HOME = Storefront(product=MUG)
VISITOR = Storefront(customer=None, member=None, product=MUG)
SPENDING = replace(selling(), product=MUG)
PAUSED = {"name": "Saltmarsh Club", "live": True, "paused": True}


@dataclass(frozen=True)
class State:
    storefront: Storefront = MEMBER_HOME
    shopper: Any = (200, None)
    view: str = ""
    opened: bool = True
    cart: Cart | None = None


STATES = {
    "closed": State(opened=False),
    "closed-visitor": State(VISITOR, opened=False),
    "circle": State(
        Storefront(program=program(look={"launcher": "circle", "corner": "start"}), icon="star"), opened=False
    ),
    "tab": State(Storefront(program=program(look={"launcher": "tab"}), icon="heart"), opened=False),
    "gift-card": State(replace(MEMBER_HOME, product={**MUG, "gift_card?": True}), opened=False),
    "sample": State(Storefront(program=None, customer=None, design_mode=True, product=MUG), opened=False),
    "member": State(),
    "new-member": State(Storefront(member=None), (200, answer(ZERO, history=[]))),
    "large": State(Storefront(member={**MEMBER, "available": 1_234_567})),
    "debt": State(Storefront(member={**ZERO, "debt": 12})),
    "visitor": State(VISITOR),
    "logged-out": State(shopper=(200, answer(history=[]) | {"member": None})),
    "paused": State(Storefront(program=program(paused=True)), (200, answer(program=PAUSED))),
    "trouble": State(shopper=(503, {"error": {"code": "unavailable", "message": "", "field": None}})),
    "trouble-history": State(shopper=(502, "<h1>Bad gateway</h1>"), view="history"),
    "history": State(view="history"),
    "history-empty": State(shopper=(200, answer(history=[])), view="history"),
    "history-more": State(shopper=(200, answer(history_next="abc")), view="history"),
    "how": State(Storefront(program=program(earn={"hold_days": 14, "minimum_minor": 4000})), view="how"),
    "german": State(Storefront(locale="de", country="DE", product=MUG), view="how"),
    "spend": State(SPENDING, told()),
    "spend-visitor": State(replace(SPENDING, customer=None, member=None)),
    "spend-trouble": State(SPENDING, shopper=(503, {})),
    "spend-expiring": State(SPENDING, told(held=(redemption(until="2026-11-24T00:00:00Z", last_day="2026-11-23"),))),
    "spend-german": State(replace(SPENDING, locale="de", country="DE"), told()),
    "rewards": State(
        SPENDING,
        told({**FOUR[0], "reason": "sold_out"}, *FOUR[1:], SLIDER, held=(redemption(reward_id="r15"),)),
        view="rewards",
        cart=Cart(subtotal=2800),
    ),
    "redeem": State(SPENDING, told(), view="redeem/r5"),
    "redeem-slider": State(selling(SLIDER), told(SLIDER), view="redeem/rl"),
    "redeem-too-few": State(SPENDING, told(), view="redeem/r15"),
    "redeem-german": State(replace(SPENDING, locale="de", country="DE"), told(), view="redeem/r5"),
    "code": State(SPENDING, told(held=(redemption(),)), view="code/tk1", cart=Cart(2800, codes=[TICKET["code"]])),
    "code-not-in-cart": State(SPENDING, told(held=(redemption(),)), view="code/tk1", cart=Cart(subtotal=2800)),
    "code-making": State(SPENDING, told(held=(redemption("reserved"),)), view="code/tk1"),
    "code-given-back": State(SPENDING, told(held=(redemption("releasing"),)), view="code/tk1"),
}


# Dark differs in colours only, so there the states with colours of their own are enough.
COLOURED = ("closed-visitor", "gift-card", "spend", "debt", "visitor", "trouble", "history", "history-more")
COLOURED += ("rewards", "redeem", "redeem-too-few", "code", "code-making")
IN_THE_DARK = tuple(STATES) if FOLDER else COLOURED


@pytest.mark.parametrize(("name", "mode"), [(n, "light") for n in STATES] + [(n, "dark") for n in IN_THE_DARK])
def test_a_state_has_nothing_axe_objects_to(visit: Visitor, shop: Shop, name: str, mode: str) -> None:
    state = STATES[name]
    page = visit(replace(state.storefront, mode=mode), state.shopper, size=PHONE if mode == "dark" else DESKTOP)
    if state.cart:
        shop.routes.append(replace(state.cart))
    if state.view.startswith("code/"):
        shop.routes.append(Till(polls=((200, state.shopper[1]["redemptions"][0]),)))
    if state.opened:
        with page.expect_response("**/shopper"):
            page.evaluate(f"location.hash = '#regulars/{state.view}'")
        page.wait_for_selector(".rg-panel[data-ready]")
    found = AXE.run(page)
    assert found.violations_count == 0, found.generate_report()
    for width, height in (DESKTOP, PHONE) if FOLDER else ():
        page.set_viewport_size({"width": width, "height": height})
        take(page, f"{name}-{width}{'-dark' if mode == 'dark' else ''}")


def test_the_skeleton_shows_until_our_server_answers(visit: Visitor) -> None:
    release = Event()
    page = visit(MEMBER_HOME, lambda cursor: (release.wait(5), (200, answer()))[1])
    page.locator(".rg-launch").click()
    page.locator(".rg-foot a[href='#regulars/history']").click()
    assert page.locator("[data-skeleton]").is_visible()
    take(page, "opening-history-1280")
    release.set()
    page.get_by_text("Order #1042").wait_for()
    assert page.locator("[data-skeleton]").is_hidden()


def take(page: Any, name: str) -> None:
    if FOLDER:
        Path(FOLDER).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(FOLDER) / f"{name}.png")
