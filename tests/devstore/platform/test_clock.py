"""Moving the dev store's time: what it dates, what it signs, and that the file keeps it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from app.clock import MovedClock
from app.devstore import clock

from .conftest import SHOP
from .test_process import free_port, start

DAY = 86_400


@pytest.fixture(autouse=True)
def the_systems_time_afterwards(control):
    yield
    control.post("clock", back=True)


def apart(moment: str) -> float:
    """Seconds between a moment and the system's time."""
    return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()


def test_moves_add_up_and_can_be_taken_back(control):
    control.post("clock", days=1)
    assert control.post("clock", days=29, hours=1)["ahead_seconds"] == 30 * DAY + 3600
    assert apart(control.get("clock")["now"]) == pytest.approx(30 * DAY + 3600, abs=3)
    assert control.post("clock", back=True)["ahead_seconds"] == 0


def test_everything_is_dated_by_it(control, fake_app):
    control.post("clock", days=30)
    order = control.order()
    assert apart(order["created_at"]) == pytest.approx(30 * DAY, abs=5)
    (told,) = fake_app.wait(1, "orders/create")
    assert apart(told.headers["x-shopify-triggered-at"]) == pytest.approx(30 * DAY, abs=5)
    assert apart(control.get("traffic?limit=1")[0]["at"]) == pytest.approx(30 * DAY, abs=5)


def test_everything_signed_is_dated_by_it(control, fake_app):
    control.post("clock", days=30)
    launched = parse_qs(urlsplit(control.get(f"shops/{SHOP}/launch")["url"]).query)
    requests.get(control.shop_url("/apps/regulars/shopper"), timeout=5)
    proxied = parse_qs(next(r.query for r in reversed(fake_app.received) if "signature=" in r.query))
    for dated in (launched, proxied):
        assert int(dated["timestamp"][0]) == pytest.approx(time.time() + 30 * DAY, abs=5)
    assert control.exchange().status_code == 200  # its session token is of that day too


def test_a_token_ends_when_its_hour_was_skipped(control):
    token = control.exchange().json()["access_token"]
    control.post("clock", minutes=59)
    assert control.graphql("{ shop { id } }", token=token).status_code == 200
    control.post("clock", minutes=2)
    assert control.graphql("{ shop { id } }", token=token).status_code == 401


def test_deliveries_that_wait_for_their_next_try_get_it(control, fake_app):
    object.__setattr__(control.devstore.settings, "retry_scale", 1.0)  # the first retry after 56 seconds
    try:
        fake_app.answer = lambda request: (503, {}, b"")
        control.order()
        fake_app.wait(1, "orders/paid")
        fake_app.answer = None
        fake_app.received.clear()
        control.post("clock", days=1)
        fake_app.wait(1, "orders/paid", seconds=5)
    finally:
        object.__setattr__(control.devstore.settings, "retry_scale", 0.0001)


@pytest.mark.parametrize("asked", [{"days": -1}, {"days": "two"}, {"decades": 1}, {"days": 4_000_000}])
def test_what_is_no_move_forward_is_refused(control, asked):
    answer = requests.post(f"{control.root}/-/control/clock", json=asked, timeout=5)
    assert answer.status_code == 422
    assert control.get("clock")["ahead_seconds"] == 0


def test_a_restart_keeps_it_and_a_fresh_start_does_not(tmp_path, fake_app):
    port = free_port()
    address = f"http://127.0.0.1:{port}/-/control/clock"

    def ahead(*options: str, **moved: int) -> int:
        process = start(tmp_path, port, fake_app.url, "--no-history", *options)
        try:
            if moved:
                requests.post(address, json=moved, timeout=5)
            return requests.get(address, timeout=5).json()["ahead_seconds"]
        finally:
            process.terminate()
            process.wait(10)

    assert ahead(days=2) == 2 * DAY
    assert (tmp_path / "clock-offset").read_text() == str(2 * DAY)
    assert ahead() == 2 * DAY
    assert ahead("--fresh") == 0


def test_an_app_that_reads_the_file_moves_along(tmp_path):
    path = tmp_path / "clock-offset"
    moved = MovedClock(path)
    assert moved() - datetime.now(UTC) < timedelta(seconds=1)  # no file yet
    before = (clock._file, clock._ahead)
    try:
        clock.keep_in(path)
        clock.move(timedelta(days=3))
        assert moved() - clock.precisely() < timedelta(seconds=1)
        assert moved() - datetime.now(UTC) == pytest.approx(timedelta(days=3), abs=timedelta(seconds=1))
        clock.move_back()
        assert moved() - datetime.now(UTC) < timedelta(seconds=1)
    finally:
        clock._file, clock._ahead = before
