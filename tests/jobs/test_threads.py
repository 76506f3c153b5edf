"""The worker in threads of its own, as `serve` runs it beside the one web process on SQLite."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from app.clock import utcnow
from app.jobs import worker as worker_module
from app.jobs.worker import Worker
from app.models import Lane

from ..support import access_for, add_shop, available, deliver, order_body
from .processes import wait_until


@pytest.fixture
def worker(db):
    add_shop(db, installed=utcnow(), token=False)
    worker = Worker(access_for(db, utcnow))
    yield worker
    worker.stop()


def test_a_delivery_is_settled_within_a_second_or_two(db, worker):
    worker.start()
    assert wait_until(lambda: worker.beat_at is not None, 5)
    deliver(db, "orders/paid", order_body(), now=utcnow())
    assert wait_until(lambda: available(db, 7001) == 28, 5)


@pytest.mark.parametrize("error", [RuntimeError("nobody foresaw this"), OperationalError("claim", None, Exception())])
def test_a_lane_survives_any_error(db, worker, monkeypatch, error):
    failed = []

    def fail_first(database, lane, now):
        if lane is Lane.SETTLE and not failed:
            failed.append(error)
            raise error
        return honest(database, lane, now)

    honest = worker_module.claim
    monkeypatch.setattr(worker_module, "claim", fail_first)
    worker.start()
    deliver(db, "orders/paid", order_body(), now=utcnow())
    assert wait_until(lambda: available(db, 7001) == 28, 8)
    assert failed


def test_a_stopped_worker_takes_nothing_new(db, worker):
    worker.start()
    worker.stop()
    deliver(db, "orders/paid", order_body(), now=utcnow())
    assert not wait_until(lambda: available(db, 7001) == 28, 0.5)
