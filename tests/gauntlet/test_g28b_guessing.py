"""G28b: guessing is hopeless. Codes are long and even, guesses are few a minute whoever they say they come from, and
somebody else's redemption looks like none.
"""

from __future__ import annotations

import math
import os
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.db import Database
from app.loyalty.hand_out import ALPHABET as CARD_ALPHABET
from app.loyalty.make_codes import ALPHABET, CODE_LENGTH, new_code
from app.loyalty.members import join
from app.loyalty.tries import TRIES_A_MINUTE

from ..conftest import API_SECRET, DOMAIN, NOW, SHOP_ID, Clock
from ..rewarding import fill_pool, redeemed, the_reward
from ..shopify.signing import proxy_pairs, proxy_query
from ..support import add_shop, deliver, drain, order_body
from .conftest import Gauntlet

GUESSES = (100_000 if os.environ.get("GAUNTLET") == "a" else 5_000) // 2  # on each database
GUESSERS, MINUTES = 10, 5
CODES = 1_000_000
OWNER, NOBODY, FIRST_GUESSER = 7001, 7002, 8_000_001


@pytest.fixture
def client(db: Database, clock: Clock, make_app: Any) -> Any:
    """A shop in which somebody has a redemption, and many others are customers."""
    add_shop(db)
    for number, customer in enumerate((OWNER, NOBODY)):
        deliver(
            db, "orders/paid", order_body(order_id=number + 1, customer_id=customer, lines=[("300.00", 1)]), now=clock()
        )
    drain(db, clock)
    with db.transaction() as session:
        join(session, SHOP_ID, range(FIRST_GUESSER, FIRST_GUESSER + GUESSERS), NOW)
    fill_pool(db, the_reward().reward_id, 500, count=10)
    return make_app(db).test_client()


def ask(client: Any, clock: Clock, customer: int | str, path: str, body: dict[str, Any] | None = None, **headers: str):
    query = proxy_query(proxy_pairs(str(customer), shop=DOMAIN, stamp=str(int(clock().timestamp()))), API_SECRET)
    address = f"/proxy/{path}?{query.decode()}"
    if body is None and not path.endswith("/cancel"):
        return client.get(address, headers=headers)
    return client.post(address, json=body, headers=headers)


def guess(client: Any, clock: Clock, random: Any, customer: int) -> int:
    """Somebody else's redemption, to read or cancel, or a reward that is not shown; each time from another address."""
    forged = ".".join(str(random.randrange(256)) for _ in range(4))
    headers = {"X-Forwarded-For": forged, "X-Real-IP": forged, "Forwarded": f"for={forged}", "True-Client-IP": forged}
    name = secrets.token_urlsafe(12)
    match random.randrange(3):
        case 0:
            return ask(client, clock, customer, f"redemptions/{name}", **headers).status_code
        case 1:
            return ask(client, clock, customer, f"redemptions/{name}/cancel", **headers).status_code
    body = {"reward_id": f"r{secrets.token_hex(8)[:15]}", "key": name, "points": 100}
    return ask(client, clock, customer, "redemptions", body, **headers).status_code


def test_guesses_are_few_a_minute(client: Any, clock: Clock, gauntlet: Gauntlet) -> None:
    random = gauntlet.random("G28b")
    tried: Counter[tuple[int, int]] = Counter()
    others: Counter[int] = Counter()
    for number in range(GUESSES):
        minute, customer = number * MINUTES // GUESSES, FIRST_GUESSER + number % GUESSERS
        if minute != (number - 1) * MINUTES // GUESSES:
            clock.advance(minutes=1)
        status = guess(client, clock, random, customer)
        if status in (404, 422):
            tried[minute, customer] += 1
        else:
            others[status] += 1
    too_many = {who: times for who, times in tried.items() if times > TRIES_A_MINUTE}
    gauntlet.record("G28b", n=GUESSES, failures=len(too_many) + others.total() - others[429])
    assert too_many == {}
    assert set(tried.values()) == {TRIES_A_MINUTE} and len(tried) == GUESSERS * MINUTES
    assert set(others) == {429}


def test_many_guesses_at_once_are_no_more(client: Any, db: Database, clock: Clock, gauntlet: Gauntlet) -> None:
    random = gauntlet.random("G28b")
    with ThreadPoolExecutor(16) as threads:
        statuses = Counter(
            threads.map(lambda _: guess(client.application.test_client(), clock, random, FIRST_GUESSER), range(200))
        )
    gauntlet.record("G28b", n=200, failures=abs(statuses[404] + statuses[422] - TRIES_A_MINUTE))
    assert statuses[404] + statuses[422] == TRIES_A_MINUTE
    assert statuses[429] == 200 - TRIES_A_MINUTE
    db.dispose()


def test_whoever_guessed_too_much_may_still_redeem_and_guess_again_in_a_minute(client: Any, clock: Clock) -> None:
    for _ in range(TRIES_A_MINUTE + 1):
        last = ask(client, clock, OWNER, "redemptions/no-such-redemption").status_code
    assert last == 429
    wanted = {"reward_id": the_reward().reward_id, "key": "honest", "points": 100}
    assert ask(client, clock, OWNER, "redemptions", wanted).status_code == 201
    clock.advance(minutes=1)
    assert ask(client, clock, OWNER, "redemptions/no-such-redemption").status_code == 404


def test_somebody_elses_redemption_looks_like_none(client: Any, db: Database, clock: Clock, gauntlet: Gauntlet) -> None:
    theirs = redeemed(db, clock, OWNER, key="theirs").redemption_id
    none = secrets.token_urlsafe(12)
    assert len(none) == len(theirs)
    differing = []
    paths = ("redemptions/{}", "redemptions/{}/cancel")
    cases = [(who, path) for who in (NOBODY, FIRST_GUESSER, 999, "") for path in paths]
    for who, path in cases:
        answers = [ask(client, clock, who, path.format(name)) for name in (theirs, none)]
        seen = {(answer.status_code, answer.data, tuple(answer.headers)) for answer in answers}
        if len(seen) != 1 or answers[0].status_code not in (401, 404):
            differing.append((who, path, seen))
    gauntlet.record("G28b", n=len(cases), failures=len(differing))
    assert differing == []
    assert ask(client, clock, OWNER, f"redemptions/{theirs}").json["state"] == "issued"


def test_a_million_codes(gauntlet: Gauntlet) -> None:
    assert CODE_LENGTH * math.log2(len(ALPHABET)) >= 64 and len(set(ALPHABET)) == len(ALPHABET) == 32
    assert 16 * math.log2(len(set(CARD_ALPHABET))) >= 64
    codes = [new_code() for _ in range(CODES)]
    same = CODES - len(set(codes))
    # Each place evenly: chi² with 31 degrees of freedom is beyond 80 once in 300,000.
    uneven = []
    for place in range(CODE_LENGTH):
        counts = Counter(code[place] for code in codes)
        expected = CODES / len(ALPHABET)
        chi_squared = sum((counts[letter] - expected) ** 2 / expected for letter in ALPHABET)
        if chi_squared > 80 or set(counts) - set(ALPHABET):
            uneven.append((place, chi_squared))
    gauntlet.record("G28b", n=CODES, failures=same + len(uneven))
    assert same == 0 and uneven == []
