"""Redeeming over the proxy: who sends something odd is told so in a clear code, and nothing has changed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.loyalty.programs import pause, publish
from app.models import Redemption, Shop
from app.program.presets import preset
from app.program.rewards import Limit, Reward, Steps, reward_id
from app.program.settings import ProgramSettings

from ..conftest import NOW, SHOP_ID
from ..gauntlet.dumps import rows_of
from ..rewarding import fill_pool, the_reward
from ..support import add_shop, deliver, drain, order_body, problems
from .asking import Answer, Door, proxied

NORA, OTTO = 7001, 7002
JSON = {"Content-Type": "application/json"}
OFF = the_reward().reward_id
FEW = Reward(slot="few", kind="amount_off", points=50, amount_minor=200, stock=Limit(count=1))
SLIDER = Reward(slot="any", kind="amount_off", points=10, amount_minor=100, steps=Steps(least=2, most=9))
LATER = Reward(slot="later", kind="free_shipping", points=10, starts_at=NOW + timedelta(days=9))
OVER = Reward(slot="over", kind="free_shipping", points=10, ends_at=NOW)
# What a guess leaves behind, and nothing else may.
ONLY_TRIES = ("failed_tries",)


def offering(*rewards: Reward, points: int = 100) -> ProgramSettings:
    settings = preset("starter", "EUR")
    starter = settings.rewards[0].model_copy(update={"points": points})
    return settings.model_copy(update={"rewards": (starter, FEW, SLIDER, LATER, OVER, *rewards)})


@pytest.fixture
def shop(door, db, clock) -> Door:
    """Nora and Otto have 500 points each; codes are in the pools."""
    add_shop(db, program=offering())
    for customer in (NORA, OTTO):
        deliver(db, "orders/paid", order_body(customer, customer_id=customer, email=None, lines=[("500.00", 1)]))
    drain(db, clock)
    fill_pool(db, OFF, 500, count=5)
    fill_pool(db, reward_id(FEW, "EUR"), 200, count=5)
    return door


def post(door: Door, body: Any, customer: str | int = NORA, path: str = "/proxy/redemptions", **more: Any) -> Answer:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return door.post(proxied(path, customer, **more), sent, headers=JSON)


def ask_for(reward: str = OFF, key: Any = "k", **more: Any) -> dict[str, Any]:
    return {"reward_id": reward, "key": key, **more}


def refusal(answer: Answer) -> tuple[int, str, str | None]:
    told = answer.json()["error"]
    assert told["message"] and "Traceback" not in answer.text
    return answer.status, told["code"], told["field"]


# --- what is answered when all is well ------------------------------------------------------------------------------


def test_a_reward_is_had_with_its_code_and_the_same_key_is_the_same_reward(shop, db, clock):
    answer = post(shop, ask_for(points=100))
    told = answer.json()
    assert (answer.status, told["state"], told["points"], len(told["code"])) == (201, "issued", 100, 13)
    again = post(shop, ask_for())
    assert (again.status, again.json()) == (200, told)
    assert shop.get(proxied(f"/proxy/redemptions/{told['id']}", NORA)).json() == told
    assert problems(db) == []


def test_what_is_not_made_yet_is_202_without_a_code(shop):
    answer = post(shop, ask_for(reward_id(SLIDER, "EUR"), points=30))
    told = answer.json()
    assert (answer.status, told["state"], told["code"], told["points"]) == (202, "reserved", None, 30)


def test_given_back_before_it_was_made_the_points_are_there_at_once(shop):
    id = post(shop, ask_for(reward_id(SLIDER, "EUR"), points=30)).json()["id"]
    for _ in range(2):
        answer = post(shop, b"", path=f"/proxy/redemptions/{id}/cancel")
        assert (answer.status, answer.json()["state"]) == (200, "released")
    member = shop.get(proxied("/proxy/shopper", NORA)).json()["member"]
    assert (member["available"], member["reserved"]) == (500, 0)


# --- what is refused ------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Any, tuple[int, str, str | None]]] = {
    "nothing": (b"", (422, "invalid", None)),
    "no JSON": (b"reward_id=x&key=k", (422, "invalid", None)),
    "half of it": (b'{"reward_id": "', (422, "invalid", None)),
    "a list": ([ask_for()], (422, "invalid", None)),
    "a text": ("reward", (422, "invalid", None)),
    "null": (None, (422, "invalid", None)),
    "bytes that are no text": (b'{"reward_id": "\xff\xfe", "key": "k"}', (422, "invalid", None)),
    "a hundred thousand levels": (b'{"key":' * 100_000 + b"1" + b"}" * 100_000, (422, "invalid", None)),
    "lists in lists": (b'{"key":' + b"[" * 100_000 + b"]" * 100_000 + b"}", (422, "invalid", None)),
    "an endless number": (b'{"reward_id": "x", "key": "k", "points": 1' + b"0" * 10_000 + b"}", (422, "invalid", None)),
    "no reward": ({"key": "k"}, (422, "invalid", "reward_id")),
    "an empty reward": (ask_for(""), (422, "invalid", "reward_id")),
    "a number as a reward": (ask_for(5), (422, "invalid", "reward_id")),  # type: ignore[arg-type]
    "a long reward": (ask_for("r" * 65), (422, "invalid", "reward_id")),
    "a reward of lone surrogates": (b'{"reward_id": "\\ud800", "key": "k"}', (422, "invalid", "reward_id")),
    "a reward that never was": (ask_for("r0123456789abcde"), (422, "unknown_reward", "reward_id")),
    "a reward with NUL": (ask_for("r\0"), (422, "unknown_reward", "reward_id")),
    "a reward in capitals": (ask_for(OFF.upper()), (422, "unknown_reward", "reward_id")),
    "no key": ({"reward_id": OFF}, (422, "invalid", "key")),
    "an empty key": (ask_for(key=""), (422, "invalid", "key")),
    "a key too long": (ask_for(key="k" * 256), (422, "invalid", "key")),
    "a key far too long": (ask_for(key="k" * 500_000), (422, "invalid", "key")),
    "a number as a key": (ask_for(key=7), (422, "invalid", "key")),
    "a key of nothing": (ask_for(key=None), (422, "invalid", "key")),
    "a list as a key": (ask_for(key=["k"]), (422, "invalid", "key")),
    "a key with NUL": (ask_for(key="a\0b"), (422, "invalid", "key")),
    "a key with a line": (ask_for(key="a\nb"), (422, "invalid", "key")),
    "a key of a lone surrogate": (b'{"reward_id": "' + OFF.encode() + b'", "key": "\\ud83d"}', (422, "invalid", "key")),
    "points as a text": (ask_for(points="100"), (422, "invalid", "points")),
    "points with a point": (ask_for(points=100.0), (422, "invalid", "points")),
    "points as a truth": (ask_for(points=True), (422, "invalid", "points")),
    "no points at all": (ask_for(points=0), (422, "invalid", "points")),
    "points below nothing": (ask_for(points=-100), (422, "invalid", "points")),
    "points beyond counting": (ask_for(points=2**63), (422, "invalid", "points")),
    "endless points": (b'{"reward_id": "x", "key": "k", "points": 1e400}', (422, "invalid", "points")),
    "points that are no number": (b'{"reward_id": "x", "key": "k", "points": NaN}', (422, "invalid", "points")),
    "another price": (ask_for(points=99), (409, "price_changed", "points")),
    "a slider without a choice": (ask_for(reward_id(SLIDER, "EUR")), (422, "invalid_amount", "points")),
    "between two stops": (ask_for(reward_id(SLIDER, "EUR"), points=25), (422, "invalid_amount", "points")),
    "below the slider": (ask_for(reward_id(SLIDER, "EUR"), points=10), (422, "invalid_amount", "points")),
    "beyond the slider": (ask_for(reward_id(SLIDER, "EUR"), points=100), (422, "invalid_amount", "points")),
    "too early": (ask_for(reward_id(LATER, "EUR")), (409, "not_yet", "reward_id")),
    "too late": (ask_for(reward_id(OVER, "EUR")), (409, "ended", "reward_id")),
}


def test_what_is_odd_is_refused_with_a_clear_code_and_nothing_changes(shop, db, clock):
    before = rows_of(db, without=ONLY_TRIES)
    wrong = []
    for name, (body, expected) in REFUSED.items():
        clock.advance(seconds=61)  # guesses are counted by the minute
        answer = post(shop, body, now=clock())
        if answer.status < 400 or answer.status >= 500 or refusal(answer) != expected:
            wrong.append(f"{name}: {answer.status} {answer.text[:120]}, not {expected}")
    assert not wrong
    assert rows_of(db, without=ONLY_TRIES) == before


def test_a_body_beyond_measure_is_too_large(shop):
    answer = post(shop, b'{"key": "' + b"k" * 12_000_000 + b'"}')
    assert answer.status == 413


def test_the_key_may_be_any_text_a_person_could_read(shop):
    for number, key in enumerate(("k", "k" * 255, "schlüssel", "鍵", "🗝" * 255, "{{7*7}}", "' OR 1=1 --", "../../etc")):
        told = post(shop, ask_for(reward_id(SLIDER, "EUR"), key, points=20 + 0 * number))
        assert told.status == 202, key
        assert post(shop, ask_for(reward_id(SLIDER, "EUR"), key, points=20)).json()["id"] == told.json()["id"]


def test_what_a_body_says_of_who_is_asking_is_nobodys_business(shop, db):
    more = {
        "customer_id": OTTO,
        "member_id": 1,
        "logged_in_customer_id": OTTO,
        "shop_id": 1,
        "amount_minor": 1,
        "code": "X",
    }
    assert post(shop, ask_for(**more)).status == 201
    ottos = shop.get(proxied("/proxy/shopper", OTTO)).json()["member"]
    assert (ottos["available"], ottos["reserved"]) == (500, 0)


@pytest.mark.parametrize(
    ("path", "method"), [("", "POST"), ("/AAAAAAAAAAAAAAAA", "GET"), ("/AAAAAAAAAAAAAAAA/cancel", "POST")]
)
def test_who_is_not_logged_in_is_told_to(shop, path, method):
    answer = shop.ask(method, proxied(f"/proxy/redemptions{path}"), body=b"{}", headers=JSON)
    assert refusal(answer) == (401, "not_logged_in", None)


def test_somebody_never_heard_of_has_no_points_to_use(shop, db):
    before = rows_of(db)
    assert refusal(post(shop, ask_for(), 999)) == (409, "not_enough_points", "points")
    assert refusal(post(shop, ask_for("nonsense"), 999)) == (422, "unknown_reward", "reward_id")
    assert {name: rows for name, rows in rows_of(db).items() if name not in ONLY_TRIES} == {
        name: rows for name, rows in before.items() if name not in ONLY_TRIES
    }


def test_more_than_there_is_for_is_refused_and_the_key_stays_unused(shop, db):
    for number in range(5):
        assert post(shop, ask_for(key=f"{number}")).status == 201
    assert refusal(post(shop, ask_for(key="more"))) == (409, "not_enough_points", "points")
    deliver(db, "orders/paid", order_body(9, customer_id=NORA, email=None, lines=[("100.00", 1)]))


def test_the_last_one_is_gone_when_it_is_gone(shop):
    assert post(shop, ask_for(reward_id(FEW, "EUR"))).status == 201
    assert refusal(post(shop, ask_for(reward_id(FEW, "EUR")), OTTO)) == (409, "sold_out", "reward_id")


def test_one_key_for_another_reward_or_price_is_refused(shop, db):
    post(shop, ask_for(points=100))
    before = rows_of(db)
    assert refusal(post(shop, ask_for(reward_id(FEW, "EUR")))) == (409, "key_reused", "key")
    assert refusal(post(shop, ask_for(points=101))) == (409, "key_reused", "key")
    assert rows_of(db) == before


def test_a_changed_price_is_told_with_the_new_one(shop, db, clock):
    change(db, clock, offering(points=120))
    answer = post(shop, ask_for(points=100), now=clock())
    assert refusal(answer) == (409, "price_changed", "points")
    assert answer.json()["error"]["points"] == 120
    assert post(shop, ask_for(points=120), now=clock()).status == 201


def test_a_retired_reward_is_told_from_one_that_never_was(shop, db, clock):
    settings = offering()
    change(db, clock, settings.model_copy(update={"rewards": settings.rewards[1:]}))
    assert refusal(post(shop, ask_for(), now=clock())) == (409, "reward_changed", "reward_id")
    assert refusal(post(shop, ask_for("r0000000000000000"), now=clock())) == (422, "unknown_reward", "reward_id")
    change(db, clock, settings)  # taken back, the old id is good again
    assert post(shop, ask_for(), now=clock()).status == 201


def test_a_reward_of_a_version_to_come_never_was_so_far(shop, db, clock):
    to_come = Reward(slot="new", kind="free_shipping", points=10)
    with db.transaction() as session:
        row = session.get_one(Shop, SHOP_ID)
        publish(session, row, offering(to_come), author="a", now=clock(), starts_at=clock() + timedelta(days=1))
    assert refusal(post(shop, ask_for(reward_id(to_come, "EUR")))) == (422, "unknown_reward", "reward_id")


def test_while_points_rest_nothing_is_had_but_a_key_still_answers(shop, db, clock):
    had = post(shop, ask_for()).json()
    with db.transaction() as session:
        pause(session, session.get_one(Shop, SHOP_ID), now=clock())
    assert refusal(post(shop, ask_for(key="b"))) == (409, "paused", None)
    assert post(shop, ask_for()).json() == had
    assert post(shop, b"", path=f"/proxy/redemptions/{had['id']}/cancel").json()["state"] == "releasing"


# --- anybody else's -------------------------------------------------------------------------------------------------


def test_anothers_redemption_is_as_little_there_as_none(shop, db, clock):
    ottos = post(shop, ask_for(), OTTO).json()["id"]
    before = rows_of(db, without=ONLY_TRIES)
    odd = (
        ottos,
        "A" * 16,
        "a",
        "%00",
        f"{ottos}%00",
        "x" * 64,
        "x" * 65,
        "x" * 5000,
        "%ff",
        "..",
        "%2e%2e",
        "' OR 1=1",
        "é",
    )
    for tail in ("", "/cancel"):
        clock.advance(seconds=61)
        answers = [
            shop.ask("POST" if tail else "GET", proxied(f"/proxy/redemptions/{id}{tail}", NORA, now=clock()))
            for id in odd
        ]
        assert {(answer.status, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert rows_of(db, without=ONLY_TRIES) == before


def test_another_shops_redemption_is_not_there(shop, db, clock):
    add_shop(db, shop_id=SHOP_ID + 1, domain="tidewater.myshopify.com", program=offering())
    deliver(db, "orders/paid", order_body(1, customer_id=NORA, shop_id=SHOP_ID + 1, domain="tidewater.myshopify.com",
            lines=[("500.00", 1)]), domain="tidewater.myshopify.com")  # fmt: skip
    drain(db, clock)
    id = post(shop, ask_for()).json()["id"]
    there = {"domain": "tidewater.myshopify.com"}
    assert shop.get(proxied(f"/proxy/redemptions/{id}", NORA, **there)).status == 404
    assert post(shop, b"", path=f"/proxy/redemptions/{id}/cancel", **there).status == 404
    assert post(shop, ask_for(), **there).json()["id"] != id  # the same key, and another redemption


def test_guesses_are_stopped_and_honest_refusals_are_not(shop, db, clock):
    answers = [shop.get(proxied(f"/proxy/redemptions/{'A' * 15}{n:x}", NORA)).status for n in range(16)]
    answers += [post(shop, ask_for(f"r{n}")).status for n in range(16)]
    assert answers[:20] == [404] * 16 + [422] * 4
    assert set(answers[20:]) == {429}
    assert shop.get(proxied("/proxy/redemptions/AAAAAAAAAAAAAAAB", OTTO)).status == 404
    clock.advance(seconds=60)
    assert shop.get(proxied("/proxy/redemptions/AAAAAAAAAAAAAAAB", NORA, now=clock())).status == 404
    for n in range(40):
        assert post(shop, ask_for(key=f"{n}", points=99), OTTO, now=clock()).status == 409


def change(db, clock, settings: ProgramSettings) -> None:
    """The merchant publishes, and it is a second later."""
    clock.advance(seconds=2)
    with db.transaction() as session:
        publish(session, session.get_one(Shop, SHOP_ID), settings, author="a", now=clock())
    clock.advance(seconds=2)


def test_nothing_of_all_this_left_a_redemption_behind_that_is_nobodys(shop, db):
    post(shop, ask_for())
    with db.reading() as session:
        (redemption,) = session.scalars(select(Redemption).where(Redemption.shop_id == SHOP_ID)).all()
    assert (redemption.points, redemption.by, redemption.problem) == (100, "", "")
    assert len(redemption.key_hash) == 64
