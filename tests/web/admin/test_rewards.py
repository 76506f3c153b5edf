"""The merchant's rewards: begun from a gallery, edited in the draft with every fault beside its field, published."""

from __future__ import annotations

import json
import re
from datetime import UTC
from pathlib import Path

import pytest
import responses
from sqlalchemy import select, update

from app.loyalty.programs import live_settings
from app.loyalty.views.seen import as_seen
from app.loyalty.views.words import Words
from app.models import Code, CodeState, Discount, Draft, Shop
from app.program.money import format_money
from app.program.rewards import Reward
from app.program.settings import ProgramSettings

from ...conftest import NOW, SHOP_ID
from ...rewarding import fill_pool, redeemed, the_reward
from ...support import add_shop, deliver, drain, order_body
from ..asking import Door
from ..shopify_stand_in import gives, graphql_url
from .conftest import Browser, field_error, words_of
from .test_pages import fields

CARDS = ("amount", "percentage", "shipping", "product", "card", "credit", "slider")


def draft_of(db) -> ProgramSettings:
    with db.reading() as session:
        saved = session.get_one(Draft, SHOP_ID)
        return ProgramSettings.model_validate(saved.settings)


def has_draft(db) -> bool:
    with db.reading() as session:
        return session.get(Draft, SHOP_ID) is not None


def slot_in(answer) -> str:
    return re.search(r'action="/admin/rewards/([a-z0-9]+)/draft"', answer.text)[1]


def reward_fields(**changes: str) -> dict[str, object]:
    """The editor's form as it stands for the starter's reward."""
    return {
        "kind": "amount_off", "title": "", "points": "100", "amount": "5.00", "percent": "", "variant": "",
        "product_id": "", "product_title": "", "price": "", "least": "", "most": "", "minimum": "", "share": "",
        "products": "", "combines": ["shipping"], "stock": "", "stock_period": "ever", "member": "",
        "member_period": "ever", "budget": "", "budget_period": "month", "cost": "", "starts_day": "",
        "starts_time": "00:00", "ends_day": "", "ends_time": "00:00", "valid": "30", "back": "share", **changes,
    }  # fmt: skip


def variant_known(number: int = 11, *, title: str = "Ash mug", price: str = "28.00") -> None:
    """Shopify knows one variant, and product 901; nothing else."""

    def told(request):
        known = {
            f"gid://shopify/ProductVariant/{number}": {
                "id": f"gid://shopify/ProductVariant/{number}", "title": "Default Title", "price": price,
                "product": {"id": "gid://shopify/Product/901", "title": title, "hasOnlyDefaultVariant": True},
            },
            "gid://shopify/Product/901": {"id": "gid://shopify/Product/901", "title": title, "vendor": "Saltmarsh"},
        }  # fmt: skip
        ids = json.loads(request.body)["variables"].get("ids", [])
        return 200, {}, json.dumps({"data": {"nodes": [known.get(gid) for gid in ids]}})

    responses.add_callback(responses.POST, graphql_url(), callback=told)


@pytest.fixture
def asked(app, clock, shop) -> Browser:
    """A merchant whose Shopify answers: what `responses` has."""
    return Browser(Door(app), clock=clock)


def test_the_page_lists_what_is_offered_and_a_gallery_to_start_from(merchant, shop):
    words = words_of(merchant.get("/admin/rewards"))
    assert "€5 off 100 0 0 0 €0.00 Offered" in words
    assert "Any amount Shoppers choose how much to take off, €5 for every 100 points." in words


@pytest.mark.parametrize("card", CARDS)
def test_every_card_begins_a_reward_without_faults(merchant, shop, card):
    answer = merchant.get(f"/admin/rewards/new?start={card}")
    assert (answer.status, " error=" in answer.text) == (200, False)


def test_a_card_that_is_none_is_told(merchant, shop):
    assert merchant.get("/admin/rewards/new?start=nonsense").status == 404


@pytest.mark.parametrize("card", [card for card in CARDS if card != "product"])
def test_what_a_card_begins_can_be_saved_as_it_is_and_comes_back_the_same(db, merchant, shop, card):
    begun = merchant.get(f"/admin/rewards/new?start={card}")
    slot, sent = slot_in(begun), typed_in(begun)
    assert "Saved in the draft" in merchant.post(f"/admin/rewards/{slot}/draft", sent).text
    reward = draft_of(db).rewards[1]
    assert typed_in(merchant.get(f"/admin/rewards/{slot}/edit")) == sent
    merchant.post(f"/admin/rewards/{slot}/draft", sent)
    assert draft_of(db).rewards[1] == reward


def typed_in(answer) -> dict[str, object]:
    """The form's fields as a browser would send them."""
    form = answer.text.partition('<form id="reward"')[2].partition("</form>")[0]
    sent: dict[str, object] = {}
    for tag in re.findall(r"<(?:input|s-[a-z]+-field) [^>]*>", form):
        name, value = re.search(r' name="([^"]+)"', tag), re.search(r' value="([^"]*)"', tag)
        if name:
            sent[name[1]] = value[1] if value else ""
    for name, inside in re.findall(
        r'<s-(?:choice-list|select) [^>]*name="(\w+)"[^>]*>(.*?)</s-(?:choice-list|select)>', form, re.S
    ):
        chosen = re.findall(r'value="([^"]+)" selected', inside)
        sent[name] = chosen if name == "combines" else chosen[0]
    if re.search(r'name="slider"[^>]* checked', form):
        sent["slider"] = "yes"
    return sent


def test_a_reward_is_live_once_its_draft_is_published(db, clock, merchant, shop):
    merchant.post("/admin/rewards/gift/draft", reward_fields(points="250", amount="15", title="A small thank-you"))
    words = words_of(merchant.get("/admin/rewards"))
    assert "A small thank-you 250 0 0 0 €0.00 New in the draft" in words
    clock.advance(minutes=1)
    with db.reading() as session:
        assert len(live_settings(session, SHOP_ID, clock()).rewards) == 1
    merchant.post("/admin/program/publish", {"when": "now"})
    with db.reading() as session:
        live = live_settings(session, SHOP_ID, clock())
    assert [(reward.slot, reward.points, reward.amount_minor) for reward in live.rewards][1] == ("gift", 250, 1500)
    assert "A small thank-you 250 0 0 0 €0.00 Offered" in words_of(merchant.get("/admin/rewards"))
    assert "New reward: 250 points: A small thank-you." in words_of(merchant.get("/admin/program/versions"))


def test_saving_the_program_keeps_the_rewards_of_its_draft(db, merchant, shop):
    merchant.post("/admin/rewards/gift/draft", reward_fields(points="250"))
    merchant.post("/admin/program/draft", fields(points="3"))
    assert ([reward.slot for reward in draft_of(db).rewards], draft_of(db).earning.points) == (["off", "gift"], 3)


def test_a_form_sent_twice_is_one_reward(db, merchant, shop):
    for _ in range(2):
        merchant.post("/admin/rewards/gift/draft", reward_fields())
    assert [reward.slot for reward in draft_of(db).rewards] == ["off", "gift"]


def test_a_reward_is_changed_in_its_place_and_removed_again(db, merchant, shop):
    merchant.post("/admin/rewards/off/draft", reward_fields(points="90"))
    assert [reward.points for reward in draft_of(db).rewards] == [90]
    assert "Offered Changed in the draft" in words_of(merchant.get("/admin/rewards"))
    merchant.post("/admin/rewards/off/remove")
    assert draft_of(db).rewards == ()
    assert "Offered Removed in the draft" in words_of(merchant.get("/admin/rewards"))
    assert merchant.post("/admin/rewards/off/remove").status == 200


def test_everything_a_reward_can_be_is_kept(db, merchant, shop):
    sent = reward_fields(
        title="Big one", slider="yes", least="10.00", most="50.00", minimum="12.50", share="40",
        combines=["order", "product"], stock="100", stock_period="month", member="1", member_period="year",
        budget="500", budget_period="week", starts_day="2026-12-01", starts_time="9:30", ends_day="2027-01-31",
        ends_time="23:59", valid="14", back="never",
    )  # fmt: skip
    merchant.post("/admin/rewards/big/draft", sent)
    reward = draft_of(db).rewards[1]
    assert (reward.steps.least, reward.steps.most, reward.minimum_cart_minor) == (2, 10, 1250)
    assert (reward.stock.count, reward.stock.period, reward.per_member.period) == (100, "month", "year")
    assert (reward.budget.amount_minor, reward.cart_share_percent, reward.valid_days) == (50_000, 40, 14)
    assert reward.starts_at.isoformat() == "2026-12-01T08:30:00+00:00"  # 9:30 in Berlin
    assert (reward.combines.order, reward.combines.shipping, reward.give_back) == (True, False, "never")
    again = merchant.get("/admin/rewards/big/edit").text
    for shown in ('name="least" value="10.00"', 'name="starts_time" value="09:30"', 'name="stock" value="100"'):
        assert shown in again


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"points": "0"}, "points", "Use 1 to 1,000,000,000 points, without decimals."),
        ({"points": "-5"}, "points", "Use 1 to 1,000,000,000 points, without decimals."),
        ({"points": "1.5"}, "points", "Use 1 to 1,000,000,000 points, without decimals."),
        ({"amount": ""}, "amount", "Enter an amount above zero."),
        ({"amount": "0"}, "amount", "Enter an amount above zero."),
        ({"amount": "5.005"}, "amount", "Enter an amount above zero."),
        ({"kind": "percentage", "percent": "101"}, "percent", "Enter 1 to 100 %, without decimals."),
        ({"kind": "percentage", "percent": ""}, "percent", "Enter 1 to 100 %."),
        ({"kind": "free_product"}, "variant", "Choose the product that is free."),
        ({"kind": "nonsense"}, "kind", "Choose what the reward is."),
        ({"title": "x" * 61}, "title", "Keep the title under 60 characters."),
        ({"slider": "yes", "least": "50", "most": "10"}, "most", "Let the slider end at or after its start."),
        ({"slider": "yes", "least": "5", "most": "12"}, "most",
         "Let the slider go from one amount to another, in whole steps."),
        ({"slider": "yes", "least": "5", "most": "500"}, "most", "Let the slider have 50 stops at most."),
        ({"slider": "yes", "least": "", "most": "10"}, "least",
         "Let the slider go from one amount to another, in whole steps."),
        ({"share": "0"}, "share", "Use 1 to 100 % of the cart."),
        ({"minimum": "ten"}, "minimum", "Enter the smallest cart, or 0 if every cart will do."),
        ({"stock": "0"}, "stock", "Enter how many there are, 1 or more."),
        ({"member": "x"}, "member", "Enter how many each member may have, 1 or more."),
        ({"budget": "0"}, "budget", "Enter an amount above zero."),
        ({"kind": "free_shipping", "budget": "10"}, "budget", "Say what one costs you, so that a budget can be kept."),
        ({"starts_day": "2026-13-01"}, "starts_day", "Enter a day and a time."),
        ({"starts_day": "2026-12-01", "starts_time": "25:00"}, "starts_day", "Enter a day and a time."),
        ({"starts_day": "2026-12-02", "ends_day": "2026-12-01"}, "ends_day", "Let it end after it starts."),
        ({"valid": "0"}, "valid", "Use 1 to 365 days."),
        ({"back": "maybe"}, "back", "Choose what comes back when an order is returned."),
    ],
)  # fmt: skip
def test_absurd_rewards_are_refused_beside_their_field(db, merchant, shop, changes, field, message):
    sent = reward_fields(**changes)
    answer = merchant.post("/admin/rewards/gift/draft", sent)
    beside = message in words_of(answer) if field == "variant" else field_error(answer, field) == message
    assert (answer.status, beside, has_draft(db)) == (422, True, False)
    previewed = merchant.post("/admin/rewards/gift/preview", sent).json()
    assert previewed["errors"][field] == message


def test_what_was_typed_is_still_there_after_a_refusal(merchant, shop):
    answer = merchant.post("/admin/rewards/gift/draft", reward_fields(points="0", title="Mine", stock="7"))
    assert 'name="title" value="Mine"' in answer.text
    assert 'name="stock" value="7"' in answer.text


def test_fields_of_another_kind_are_not_read(db, merchant, shop):
    sent = reward_fields(kind="free_shipping", amount="nonsense", percent="999", slider="yes", share="50")
    merchant.post("/admin/rewards/ship/draft", sent)
    reward = draft_of(db).rewards[1]
    assert (reward.kind, reward.amount_minor, reward.percent, reward.steps) == ("free_shipping", None, None, None)


@responses.activate
def test_a_free_product_has_the_catalogues_title_and_price_whatever_was_sent(db, asked):
    variant_known(11)
    shown = asked.get("/admin/rewards/product?variant=gid://shopify/ProductVariant/11")
    assert "Ash mug €28.00 in your catalogue" in words_of(shown)
    sent = reward_fields(kind="free_product", variant="11", product_title="A lie", price="0.01", product_id="5")
    assert "Saved in the draft" in asked.post("/admin/rewards/mug/draft", sent).text
    product = draft_of(db).rewards[1].product
    assert (product.product_id, product.title, product.price_minor) == (901, "Ash mug", 2800)


@responses.activate
def test_a_product_that_no_longer_exists_is_refused_beside_the_field(db, asked):
    variant_known(11)
    answer = asked.post("/admin/rewards/mug/draft", reward_fields(kind="free_product", variant="12"))
    assert (answer.status, has_draft(db)) == (422, False)
    assert "This product is not in your shop any more. Choose another." in words_of(answer)
    answer = asked.post("/admin/rewards/gift/draft", reward_fields(products="901,902"))
    assert (answer.status, has_draft(db)) == (422, False)
    assert "Product 902 is not in your shop any more. Take it out, or choose another." in words_of(answer)
    gone = asked.get("/admin/rewards/product?variant=gid://shopify/ProductVariant/12")
    assert "Shopify did not find this product just now." in words_of(gone)


def test_without_an_answer_of_shopify_nothing_about_products_is_believed(db, merchant, shop):
    answer = merchant.post("/admin/rewards/gift/draft", reward_fields(products="901"))
    assert (answer.status, has_draft(db)) == (422, False)
    assert "Shopify does not answer right now" in words_of(answer)


def test_the_preview_says_what_shoppers_see_and_what_the_guard_thinks(merchant, shop):
    shown = merchant.post("/admin/rewards/gift/preview", reward_fields(minimum="20", points="200", amount="10")).json()
    assert shown["errors"] == {}
    for words in ("€10\u00a0off", "Orders from €20", "Use 200", "Use 200 points for €10\u00a0off?", "Margin guard",
                  "An order of €20.00", "21 December"):  # fmt: skip
        assert words in shown["html"], words
    combining = merchant.post("/admin/rewards/gift/preview", reward_fields(combines=["order"])).json()["html"]
    assert "Cannot be combined" in shown["html"]
    assert "Cannot be combined" not in combining


LOCALE = Path(__file__).parents[3] / "app/extensions/storefront/locales/en.default.json"
SAMPLES = [
    {"kind": "amount_off", "amount_minor": 500},
    {"kind": "amount_off", "amount_minor": 500, "steps": {"least": 2, "most": 4}, "combines": {"order": True}},
    {"kind": "percentage", "percent": 10, "only_products": [5]},
    {"kind": "free_shipping", "minimum_cart_minor": 4000, "points": 1},
    {"kind": "gift_card", "amount_minor": 2500},
    {"kind": "store_credit", "amount_minor": 1000, "title": "Ten for you"},
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_preview_speaks_the_panels_own_words(sample):
    """Every sentence is one of the extension's English locale, filled in."""
    locale = json.loads(re.sub(r"^/\*.*?\*/", "", LOCALE.read_text(encoding="utf-8"), flags=re.DOTALL))
    reward = Reward.model_validate({"slot": "a", "points": 200, **sample})
    seen = as_seen(reward, "EUR", Words("EUR", UTC, NOW))
    one = reward.title or worded(locale["reward"][reward.kind], money=_money(reward), percent=reward.percent)
    assert seen.title == (worded(locale["reward"]["steps"], title=one) if reward.steps else one)
    count = "one" if seen.points == 1 else "other"
    assert seen.question == worded(locale["say"]["ask"][count], n=seen.points, title=one)
    spend, say = locale["spend"], locale["say"]
    assert seen.where in (
        spend["any_order"],
        spend["some_products"],
        spend["at_once"],
        worded(spend["orders_from"], money="€40"),
    )
    if not reward.is_code:
        assert (seen.terms, seen.promise) == ("", say["keeps"])
        return
    works = (say["works"], say["works_some"], worded(say["works_from"], money="€40"))
    ends = say["beside"] if reward.combines.order else say["alone"]
    assert seen.terms in [f"{each} {ends}" for each in works]
    assert seen.promise == worded(say["aside"][count], n=seen.points, date="21 December")


def worded(sentence: str, **filled: object) -> str:
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: str(filled[found[1]]), sentence)


def _money(reward: Reward) -> str:
    least = reward.amounts()[0]
    return format_money(least, "EUR", whole=True) if least else ""


def test_a_slip_leaves_the_rest_of_the_preview_standing(merchant, shop):
    shown = merchant.post("/admin/rewards/off/preview", reward_fields(points="x", minimum="33")).json()
    assert shown["errors"] == {"points": "Use 1 to 1,000,000,000 points, without decimals."}
    assert "Orders from €33" in shown["html"]


def test_a_gift_card_asks_for_its_permission(db, merchant, shop):
    words = words_of(merchant.get("/admin/rewards/new?start=card"))
    assert "Gift cards need a permission that Regulars does not have yet." in words
    with db.transaction() as session:
        session.execute(update(Shop).values(scopes="write_discounts,write_gift_cards"))
    assert (
        "need a permission" not in words_of(merchant.get("/admin/rewards/new?start=card")).partition("Store credit")[0]
    )


def test_a_missing_permission_is_seen_on_the_page_once_the_reward_is_live(db, clock, merchant, shop):
    merchant.post("/admin/rewards/card/draft", reward_fields(kind="gift_card"))
    clock.advance(minutes=1)
    merchant.post("/admin/program/publish", {"when": "now"})
    assert "Offered Needs a permission" in words_of(merchant.get("/admin/rewards"))
    assert "Gift cards need a permission" in words_of(merchant.get("/admin/rewards/card"))


@responses.activate
def test_what_is_granted_is_read_at_shopify(db, asked):
    gives()
    answer = asked.post("/admin/permissions", {"kind": "gift_card"})
    assert "Gift cards need a permission" in words_of(answer)  # the stand-in grants none
    with db.reading() as session:
        assert session.get_one(Shop, SHOP_ID).scopes == "read_customers,read_orders,write_customers"


def test_publishing_stops_where_the_guard_is_told_to_stop(db, clock, merchant, shop):
    clock.advance(minutes=1)
    guard = {"margin": "50", "most_share": "50", "stop": "yes"}
    refused = merchant.post("/admin/program/publish", {**fields(points="2"), **guard, "when": "now"})
    assert refused.status == 409
    assert "works on any cart, so a small order can cost nothing at all." in field_error(refused, "most_share")
    merchant.post("/admin/rewards/off/draft", reward_fields(minimum="40"))
    published = merchant.post("/admin/program/publish", {**fields(points="2"), **guard, "when": "now"})
    assert "Version 2 is live" in words_of(published)


def test_the_guards_faults_stand_beside_their_fields(merchant, shop):
    answer = merchant.post("/admin/program/draft", fields(margin="0", most_share="101"))
    assert (field_error(answer, "margin"), field_error(answer, "most_share")) == ("Use 1 to 100 %.", "Use 1 to 100 %.")


def test_a_rewards_page_tells_its_codes_and_who_had_it(db, clock, merchant, shop):
    deliver(db, "orders/paid", order_body(1, lines=[("300.00", 1)]))
    drain(db, clock)
    fill_pool(db, the_reward().reward_id, 500, count=5)
    first, second = (redeemed(db, clock, 7001, key=key) for key in ("a", "b"))
    clock.advance(minutes=1)
    used = order_body(2, lines=[("28.00", 2)], codes=[(first.code, "5.00")], created_at=clock(), updated_at=clock())
    deliver(db, "orders/paid", used, now=clock())
    drain(db, clock)
    with db.transaction() as session:
        free = session.scalars(select(Code.code).where(Code.state == CodeState.FREE)).all()
        session.execute(update(Code).where(Code.code == free[0]).values(state=CodeState.RETIRED))
        session.execute(update(Code).where(Code.code == free[1]).values(state=CodeState.TAKEN))
    assert "€5 off 100 1 1 2 €5.00 Offered" in words_of(merchant.get("/admin/rewards"))
    answer = merchant.get("/admin/rewards/off")
    words = words_of(answer)
    assert "Used 1 by orders Not used yet 1 codes out" in words
    assert "Cost so far €5.00 €5.00 more at most, if all out are used" in words
    assert "November 2026 Discount Ready to hand out 1 of 21 Out, not used 1" in words
    assert "Orphaned, being deleted 2" in words
    assert "shopify://admin/discounts/1" in answer.text
    assert "100 Used" in words and "100 Not used yet" in words
    assert f"/admin/rewards/redemptions/{second.redemption_id}" in answer.text


def test_a_pool_that_cannot_be_filled_is_a_problem_in_words(db, merchant, shop):
    fill_pool(db, the_reward().reward_id, 500, count=0)
    with db.transaction() as session:
        session.execute(update(Discount).values(problem="Discounts are switched off in this shop."))
    assert "Offered No codes" in words_of(merchant.get("/admin/rewards"))
    assert "No codes can be made Discounts are switched off in this shop." in words_of(
        merchant.get("/admin/rewards/off")
    )


@pytest.mark.parametrize(
    ("changes", "badge"),
    [({"starts_day": "2026-12-01"}, "Starts on 1 Dec, 00:00"), ({"ends_day": "2026-11-20"}, "Ended on 20 Nov"),
     ({"ends_day": "2026-12-20"}, "Offered until 20 Dec, 00:00")],
)  # fmt: skip
def test_a_reward_is_offered_within_its_dates(db, clock, merchant, shop, changes, badge):
    merchant.post("/admin/rewards/off/draft", reward_fields(**changes))
    clock.advance(minutes=1)
    merchant.post("/admin/program/publish", {"when": "now"})
    assert f"€0.00 {badge}" in words_of(merchant.get("/admin/rewards"))


def test_a_reward_of_the_past_keeps_its_page(db, clock, merchant, shop):
    merchant.post("/admin/rewards/off/remove")
    clock.advance(minutes=1)
    merchant.post("/admin/program/publish", {"when": "now"})
    words = words_of(merchant.get("/admin/rewards"))
    assert "Nothing to spend points on yet" in words
    assert "No longer offered €5 off 100" in words.replace(
        "Reward Points Used Codes out Orphaned Cost so far State ", ""
    )
    assert "Last terms" in words_of(merchant.get("/admin/rewards/off"))


def test_who_had_it_is_paged(db, clock, merchant, shop):
    deliver(db, "orders/paid", order_body(1, lines=[("5000.00", 1)]))
    drain(db, clock)
    fill_pool(db, the_reward().reward_id, 500, count=30)
    ids = []
    for number in range(25):
        clock.advance(seconds=1)
        ids.append(redeemed(db, clock, 7001, key=str(number)).redemption_id)
    first = merchant.get("/admin/rewards/off").text
    older = re.search(r'data-next="([^"]+)"', first)[1]
    second = merchant.get(older).text
    assert [each for each in ids if f"redemptions/{each}" in first] == ids[5:]
    assert [each for each in ids if f"redemptions/{each}" in second] == ids[:5]


def test_another_shops_reward_is_none(db, door, merchant, shop):
    merchant.post("/admin/rewards/gift/draft", reward_fields(title="Ours"))
    add_shop(db, shop_id=2, domain="other.myshopify.com")
    other = Browser(door, "other.myshopify.com")
    for path in ("/admin/rewards/gift", "/admin/rewards/gift/edit"):
        assert (other.get(path).status, other.get(path).body) == (404, other.get(path.replace("gift", "nobody")).body)
    assert "Ours" not in other.get("/admin/rewards").text


def test_the_draft_saved_meanwhile_is_added_to(db, merchant, shop):
    merchant.get("/admin/rewards/new?start=amount")
    merchant.post("/admin/rewards/one/draft", reward_fields(title="One"))
    merchant.post("/admin/rewards/two/draft", reward_fields(title="Two"))
    assert [reward.slot for reward in draft_of(db).rewards] == ["off", "one", "two"]


def test_a_program_with_room_for_no_more_says_so(db, merchant, shop):
    for number in range(49):
        merchant.post(f"/admin/rewards/r{number}/draft", reward_fields(), follow=False)
    answer = merchant.post("/admin/rewards/onemore/draft", reward_fields())
    assert (answer.status, "A program has 50 rewards at most. Remove one first." in words_of(answer)) == (422, True)
    assert len(draft_of(db).rewards) == 50
