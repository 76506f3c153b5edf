"""The merchant's rewards in a real Chromium, inside the dev store's admin frame: choosing, picking, granting, pressing.

One shop with rewards of several kinds, used, expired and in trouble; the tests look at it one after the other.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.clock import utcnow
from app.db import Database
from app.loyalty.hand_out import AMBIGUOUS
from app.loyalty.programs import publish
from app.loyalty.redeem import Wanted, redeem
from app.loyalty.release import cancel
from app.models import Draft, Member, Redemption, RedemptionState, Shop
from app.program.presets import preset
from app.program.rewards import Limit, Reward, Steps, reward_id
from app.program.settings import ProgramSettings

from ...conftest import DOMAIN
from ...support import deliver, order_body
from .running import Running, side_by_side
from .test_in_browser import AXE, RULES, look, open_in, page  # noqa: F401 - `page` is a fixture

REWARDS = (
    Reward(slot="off", kind="amount_off", points=100, amount_minor=500, minimum_cart_minor=2500),
    Reward(slot="ship", kind="free_shipping", points=150, minimum_cart_minor=4000, cost_minor=490,
           stock=Limit(count=100, period="month")),
    Reward(slot="slide", kind="amount_off", points=100, amount_minor=500, steps=Steps(least=1, most=10),
           cart_share_percent=20, title="As much as you like"),
    Reward(slot="credit", kind="store_credit", points=200, amount_minor=1000),
)  # fmt: skip


def id_of(slot: str) -> str:
    return next(reward_id(reward, "EUR") for reward in REWARDS if reward.slot == slot)


def fill(pair: Running, now: datetime) -> None:
    """Launch with these rewards, and have three members use them in every way."""
    settings = preset("starter", "EUR").model_copy(update={"rewards": REWARDS})
    with pair.db.transaction() as session:
        shop = session.get_one(Shop, pair.shop_id)
        publish(session, shop, settings, author="test", now=now - timedelta(days=2))
    people = [customer.id for customer in pair.devstore.customers(pair.devstore.shop(DOMAIN))[:3]]
    for number, customer in enumerate(people, start=1):
        earned = order_body(
            number, shop_id=pair.shop_id, customer_id=customer, lines=[("600.00", 1)], name=f"#100{number}",
            created_at=now - timedelta(days=1),
        )  # fmt: skip
        deliver(pair.db, "orders/paid", earned, now=now)
    pair.worker.drain()  # points, and codes of those rewards that are made ahead
    take(pair, people[1], "credit", now - timedelta(hours=6), problem=AMBIGUOUS)
    used = take(pair, people[0], "off", now - timedelta(hours=20))
    others = take(pair, people[1], "off", now - timedelta(hours=12))
    take(pair, people[0], "slide", now - timedelta(hours=3), points=300)
    given_back = take(pair, people[2], "ship", now - timedelta(hours=2))
    take(pair, people[2], "off", now - timedelta(hours=1))
    pair.worker.drain()  # the others' codes
    for number, (wanted, buyer) in enumerate([(used, people[0]), (others, people[2])], start=4):
        body = order_body(
            number, shop_id=pair.shop_id, customer_id=buyer, lines=[("28.00", 2)],
            codes=[(code_of(pair, wanted), "5.00")], name=f"#100{number}",
            created_at=now - timedelta(minutes=50), updated_at=now - timedelta(minutes=50),
        )  # fmt: skip
        deliver(pair.db, "orders/paid", body, now=now)
    pair.worker.drain()
    with pair.db.transaction() as session:
        cancel(session, pair.shop_id, given_back, member_id=None, by="shopper", why="cancelled", now=now)


def take(
    pair: Running, customer_id: int, slot: str, at: datetime, *, points: int | None = None, problem: str = ""
) -> str:
    """Somebody redeems. With a problem, Shopify was asked and nobody knows what it did."""
    with pair.db.transaction() as session:
        member_id = session.scalar(select(Member.member_id).where(Member.customer_id == customer_id))
        shop = session.get_one(Shop, pair.shop_id)
        redemption, _ = redeem(session, shop, member_id, Wanted(id_of(slot), f"{slot}{at:%H%M%S}", points), now=at)
        if problem:
            redemption.problem, redemption.asked_at = problem, at
        return redemption.redemption_id


def code_of(pair: Running, redemption_id: str) -> str:
    with pair.db.reading() as session:
        return session.get_one(Redemption, (pair.shop_id, redemption_id)).code or ""


@pytest.fixture(scope="module")
def running(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("browser") / "regulars.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    with side_by_side(database) as pair:
        open_in(pair)
        fill(pair, utcnow())
        yield pair
    database.dispose()


def redemption_of(running: Running, slot: str, state: RedemptionState) -> str:
    with running.db.reading() as session:
        found = select(Redemption.redemption_id).where(Redemption.slot == slot, Redemption.state == state)
        return session.scalars(found.order_by(Redemption.reserved_at)).first()


def drafted(running: Running) -> ProgramSettings:
    with running.db.reading() as session:
        return ProgramSettings.model_validate(session.query(Draft).one().settings)


def pages(running: Running) -> dict[str, str]:
    return {
        "rewards": "admin/rewards",
        "new": "admin/rewards/new?start=slider",
        "new gift card": "admin/rewards/new?start=card",
        "editor": "admin/rewards/off/edit",
        "reward": "admin/rewards/off",
        "slider": "admin/rewards/slide",
        "used": f"admin/rewards/redemptions/{redemption_of(running, 'off', RedemptionState.USED)}",
        "issued": f"admin/rewards/redemptions/{redemption_of(running, 'off', RedemptionState.ISSUED)}",
        "ambiguous": f"admin/rewards/redemptions/{redemption_of(running, 'credit', RedemptionState.RESERVED)}",
        "home": "admin/",
        "program": "admin/program",
    }


@pytest.mark.parametrize("width", [1280, 390])
def test_anybody_can_use_every_page_and_none_scrolls_sideways(page, running, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 900})
    for name, path in pages(running).items():
        frame = look(page, running, path)
        frame.evaluate(AXE)
        found = frame.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        faults = [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found["violations"]]
        assert faults == [], name
        wider = frame.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, name


def test_the_editor_shows_what_goes_with_the_kind_and_answers_while_it_is_typed(page, running):  # noqa: F811
    frame = look(page, running, "admin/rewards")
    frame.get_by_role("link", name="Amount off: 100 points take €5 off an order.").click()
    expect(frame.get_by_label("Percentage", exact=True)).to_be_hidden()
    frame.get_by_role("radio", name="Percentage off").check()
    expect(frame.get_by_label("Amount", exact=True)).to_be_hidden()
    expect(frame.get_by_text("Enter 1 to 100 %.")).to_be_visible()
    frame.get_by_label("Percentage", exact=True).fill("30")
    expect(frame.locator("#preview")).to_contain_text("30\u00a0% off")
    expect(frame.locator("#preview")).to_contain_text("Margin guard")
    frame.get_by_role("radio", name="Amount off").check()
    expect(frame.get_by_label("Up to")).to_be_hidden()
    frame.get_by_role("switch", name="Shoppers choose how much").check()
    frame.get_by_label("From", exact=True).fill("5.00")
    frame.get_by_label("Up to").fill("20.00")
    expect(frame.locator("#preview")).to_contain_text("€5 off and more")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved in the draft")).to_be_visible()
    expect(frame.locator("s-table-row", has_text="€5 to €20 off")).to_contain_text("New in the draft")
    assert (drafted(running).rewards[-1].steps, drafted(running).rewards[-1].percent) == (Steps(least=1, most=4), None)


def test_a_free_product_is_picked_and_priced_by_the_catalogue(page, running):  # noqa: F811
    shop = running.devstore.shop(DOMAIN)
    product = next(each for each in running.devstore.products(shop) if len(each.variants) > 1)
    frame = look(page, running, "admin/rewards/new?start=product")
    frame.get_by_role("button", name="Choose a product").click()
    page.get_by_label(f"{product.title} – {product.variants[1].title}").check()
    page.get_by_role("button", name="Select", exact=True).click()
    title = f"{product.title}, {product.variants[1].title}"
    expect(frame.locator("#free-product")).to_contain_text(title)
    expect(frame.locator("#preview")).to_contain_text(f"Free {title}")
    frame.get_by_role("button", name="Save in the draft").click()
    expect(page.get_by_text("Saved in the draft", exact=True)).to_be_visible()
    chosen = drafted(running).rewards[-1].product
    assert (chosen.variant_id, chosen.price_minor) == (product.variants[1].id, product.variants[1].price_minor)


def test_a_permission_is_asked_for_where_it_is_missing(page, running):  # noqa: F811
    frame = look(page, running, "admin/rewards/new?start=amount")
    notice = frame.get_by_text("Gift cards need a permission")
    expect(notice).to_be_hidden()
    frame.get_by_role("radio", name="Gift card").check()
    expect(notice).to_be_visible()
    frame.get_by_role("button", name="Grant it…").click()
    page.locator("#scopes-no").click()
    expect(notice).to_be_visible()
    frame.get_by_role("button", name="Grant it…").click()
    page.locator("#scopes-yes").click()
    expect(frame.get_by_text("Granted. Gift cards can be handed out.")).to_be_visible()
    with running.db.reading() as session:
        assert "write_gift_cards" in session.get_one(Shop, running.shop_id).scopes.split(",")


def test_what_is_refused_stands_beside_its_field_with_what_was_typed(page, running):  # noqa: F811
    frame = look(page, running, "admin/rewards/off/edit")
    frame.get_by_label("Points", exact=True).fill("0")
    frame.get_by_label("Starts on").fill("2027-01-02")
    frame.get_by_label("Ends on").fill("2027-01-01")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(frame.get_by_text("Use 1 to 1,000,000,000 points, without decimals.")).to_be_visible()
    expect(frame.get_by_text("Let it end after it starts.")).to_be_visible()
    expect(frame.get_by_label("Points", exact=True)).to_have_value("0")
    expect(frame.get_by_label("Points", exact=True)).to_be_focused()
    expect(page).to_have_url(f"{running.admin}/apps/regulars/admin/rewards/off/edit")


def test_a_reward_is_cancelled_after_a_question_and_once(page, running):  # noqa: F811
    wanted = redemption_of(running, "off", RedemptionState.ISSUED)
    frame = look(page, running, f"admin/rewards/redemptions/{wanted}")
    frame.get_by_role("button", name="Cancel…").click()
    expect(frame.get_by_text("Once that is certain, which takes a minute or two, 100 points come back")).to_be_visible()
    frame.get_by_role("button", name="Cancel the reward").dblclick()
    expect(page.get_by_text("On its way back", exact=True).first).to_be_visible()
    expect(frame.get_by_text("It was cancelled")).to_be_visible()
    with running.db.reading() as session:
        assert session.get_one(Redemption, (running.shop_id, wanted)).state is RedemptionState.RELEASING


def test_points_are_given_back_from_the_dialog(page, running):  # noqa: F811
    wanted = redemption_of(running, "off", RedemptionState.USED)
    frame = look(page, running, f"admin/rewards/redemptions/{wanted}")
    frame.get_by_role("button", name="Give points back…").click()
    frame.get_by_label("Points", exact=True).fill("500")
    frame.get_by_role("button", name="Give back", exact=True).click()
    expect(frame.get_by_text("Enter 1 to 100 points.")).to_be_visible()
    frame.get_by_label("Points", exact=True).fill("40")
    frame.get_by_role("button", name="Give back", exact=True).dblclick()
    expect(page.get_by_text("Points given back")).to_be_visible()
    expect(frame.get_by_text("40 points came back")).to_have_count(1)


def test_an_ambiguous_credit_is_found_on_the_home_page_and_decided(page, running):  # noqa: F811
    frame = look(page, running, "admin/")
    frame.get_by_role("link", name="Look: 1 reward needs you").click()
    frame.get_by_role("button", name="It was not…").click()
    frame.get_by_role("button", name="Give the points back").click()
    expect(page.get_by_text("Settled")).to_be_visible()
    expect(frame.get_by_text("Could not be made", exact=True)).to_be_visible()
