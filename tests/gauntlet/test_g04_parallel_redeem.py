"""G4: sixty-four redemptions of one account at the same moment, over HTTP, at four server processes on PostgreSQL.

Exactly as many succeed as there are points for; the others are refused, nothing fails, and what is left adds up.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import Counter

from sqlalchemy import func, select, text

from app.clock import utcnow
from app.db import Database
from app.ledger import Balance, adjust
from app.loyalty.members import join
from app.models import Redemption, RedemptionState

from ..bench.machine import environment, granian
from ..conftest import API_SECRET, DOMAIN, ENCRYPTION_KEY, NOW, SHOP_ID
from ..rewarding import fill_pool, the_reward
from ..shopify.signing import proxy_pairs, proxy_query
from ..support import add_shop, problems
from .conftest import Gauntlet

THREADS, PROCESSES, COST = 64, 4, 100
RATIOS = (0, 1, 7, 10, 63, 64, 65)
ROUNDS = 2_000 if os.environ.get("GAUNTLET") == "a" else 200
FIRST_CUSTOMER = 7_000_001


class Client:
    """One connection, kept for all rounds, and a thread that sends one request a round."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, request: bytes) -> int:
        """The answer's status; the whole answer is read."""
        self.socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(65536) or _closed()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            body += self.socket.recv(65536) or _closed()
        return int(head[9:12])


def _closed() -> bytes:
    raise ConnectionError("the server closed the connection")


def request(customer_id: int, key: str) -> bytes:
    query = proxy_query(proxy_pairs(str(customer_id), shop=DOMAIN, stamp=str(int(time.time()))), API_SECRET)
    body = json.dumps({"reward_id": the_reward().reward_id, "key": key, "points": COST}).encode()
    lines = [
        b"POST /proxy/redemptions?" + query + b" HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def accounts(db: Database, balances: list[int]) -> list[int]:
    """A member with each of these balances; their ids."""
    customers = range(FIRST_CUSTOMER, FIRST_CUSTOMER + len(balances))
    with db.transaction() as session:
        ids = join(session, SHOP_ID, customers, NOW)
        session.flush()
        for customer, points in zip(customers, balances, strict=True):
            if points:
                adjust(session, shop_id=SHOP_ID, member_id=ids[customer], key=str(customer), points=points, now=NOW)
    return [ids[customer] for customer in customers]


def test_as_many_as_there_are_points_for(postgres_db: Database, gauntlet: Gauntlet) -> None:
    random = gauntlet.random("G4")
    add_shop(postgres_db)
    ratios = [RATIOS[number % len(RATIOS)] for number in range(ROUNDS)]
    balances = [ratio * COST + random.randrange(COST) for ratio in ratios]
    expected = [min(THREADS, ratio) for ratio in ratios]
    members = accounts(postgres_db, balances)
    offered = the_reward()
    # Half of them find a code in the pool, the others wait for theirs; nobody makes any here.
    fill_pool(postgres_db, offered.reward_id, offered.reward.amount_minor, count=sum(expected) // 2, now=utcnow())
    with postgres_db.engine.connect() as connection:
        assert connection.scalar(text("SHOW default_transaction_isolation")) == "read committed"
    settings = environment(postgres_db.url.render_as_string(hide_password=False)) | {"ENCRYPTION_KEYS": ENCRYPTION_KEY}
    with granian("app.serving:without_worker", settings, interface="rsgi", workers=PROCESSES) as (port, _):
        answers = race(port)
    wrong = []
    for number, statuses in enumerate(answers):
        had, refused = statuses[201] + statuses[202], statuses[409] + statuses[422]
        if had != expected[number] or had + refused != THREADS:
            wrong.append(f"round {number}: {statuses} with {balances[number]} points")
    with postgres_db.reading() as session:
        left = {
            row.member_id: (row.available, row.reserved)
            for row in session.execute(select(Balance.member_id, Balance.available, Balance.reserved))
        }
        issued = session.scalars(select(Redemption.code).where(Redemption.state == RedemptionState.ISSUED)).all()
        held = session.scalar(select(func.count()).select_from(Redemption))
    wrong += [
        f"round {number}: {left.get(member)} is left of {balances[number]}"
        for number, member in enumerate(members)
        if left.get(member, (0, 0)) != (balances[number] - expected[number] * COST, expected[number] * COST)
    ]
    gauntlet.record("G4", n=ROUNDS * THREADS, failures=len(wrong))
    assert wrong == []
    assert held == sum(expected) and len(set(issued)) == len(issued) == sum(expected) // 2
    assert problems(postgres_db) == []


def race(port: int) -> list[Counter[int]]:
    """Round after round: all threads at once, each with a key of its own. Returns how often each status came."""
    answers: list[list[int]] = [[] for _ in range(ROUNDS)]
    gate = threading.Barrier(THREADS)
    failures: list[BaseException] = []

    def run(thread: int) -> None:
        try:
            client = Client(port)
            for number in range(ROUNDS):
                asking = request(FIRST_CUSTOMER + number, f"{number}.{thread}")
                gate.wait(60)
                answers[number].append(client.post(asking))
        except BaseException as error:
            failures.append(error)
            gate.abort()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    return [Counter(statuses) for statuses in answers]
