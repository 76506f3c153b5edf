"""A shop installs: by opening the app (token exchange), and by the authorization code grant (PLATFORM §2)."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import responses
from sqlalchemy import func, select, text

from app.models import DueShop, Job, Shop, ShopToken

from ..conftest import API_KEY, API_SECRET, DOMAIN, NOW, SHOP_ID
from ..support import add_shop, deliver, drain, payload
from .asking import Door, bearer, oauth, token
from .shopify_stand_in import asked, gives, graphql_url, shop_answer, token_answer, token_url

OTHER = "tidewater.myshopify.com"
ANOTHER_SECRET = "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"


@pytest.fixture
def outside(app):
    """The app, and `responses` where Shopify would be."""
    with responses.mock:
        responses.mock.assert_all_requests_are_fired = False
        yield Door(app)
    responses.reset()


def shop_of(db, shop_id: int = SHOP_ID) -> Shop | None:
    with db.reading() as session:
        return session.get(Shop, shop_id)


def token_of(db, shop_id: int = SHOP_ID) -> ShopToken | None:
    with db.reading() as session:
        return session.get(ShopToken, shop_id)


# --- opening the app ----------------------------------------------------------------------------------------


def test_the_first_opening_exchanges_the_token_and_sets_the_shop_up_before_any_page(outside, db):
    gives()
    said = token()
    answer = outside.get("/", headers={"Authorization": f"Bearer {said}"})
    assert answer.status == 200
    assert asked(token_url())[0] == {
        "client_id": API_KEY, "client_secret": API_SECRET, "subject_token": said, "expiring": "1",
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
    }  # fmt: skip
    shop, stored = shop_of(db), token_of(db)
    assert (shop.domain, shop.currency, shop.timezone, shop.installed_at) == (DOMAIN, "EUR", "Europe/Berlin", NOW)
    assert (stored.access_token, stored.refresh_token) == ("shpat_given_1", "shprt_given_1")
    assert stored.access_expires_at == NOW + timedelta(hours=1)
    with db.reading() as session:
        kinds = set(session.scalars(select(Job.kind).where(Job.shop_id == SHOP_ID)))
        lanes = session.scalar(select(func.count()).select_from(DueShop).where(DueShop.shop_id == SHOP_ID))
    assert kinds >= {"set_up_store", "reconcile"} and lanes == 2


def test_tokens_are_unreadable_at_rest(outside, db):
    gives()
    outside.get("/", headers=bearer())
    with db.reading() as session:
        rows = session.execute(text("SELECT access_token, refresh_token FROM shop_tokens")).one()
    assert all(b"given" not in bytes(value) for value in rows)


def test_the_second_opening_asks_nobody(outside, db):
    gives()
    outside.get("/", headers=bearer())
    count = len(responses.calls)
    assert outside.get("/", headers=bearer()).status == 200
    assert len(responses.calls) == count


def test_no_token_is_exchanged_for_a_session_token_that_is_not_in_order(outside, db):
    gives()
    for headers in (bearer(secret=ANOTHER_SECRET), bearer(exp=1), {"Authorization": "Bearer x"}, {}):
        outside.get("/?shop=" + DOMAIN + "&embedded=1", headers=headers)
    assert len(responses.calls) == 0
    assert shop_of(db) is None


def test_a_stale_token_is_told_to_try_again(outside, db):
    responses.post(token_url(), status=400, json={"error": "invalid_subject_token"})
    answer = outside.get("/", headers=bearer())
    assert (answer.status, answer.headers["x-shopify-retry-invalid-session-request"]) == (401, "1")
    assert shop_of(db) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, "oops"), (429, "{}"), (400, '{"error":"invalid_client"}'), (200, "<html>"), (200, '{"access_token":"x"}'),
     (302, "")],
)  # fmt: skip
def test_a_shopify_that_gives_no_tokens_is_503_and_no_shop_is_made(outside, db, status, body):
    responses.post(token_url(), status=status, body=body, headers={"Location": "https://evil.example/"})
    assert outside.get("/", headers=bearer()).status == 503
    assert shop_of(db) is None


def test_a_shop_that_answers_for_another_is_not_believed(outside, db):
    responses.post(token_url(), json=token_answer())
    responses.post(graphql_url(), json=shop_answer(domain=OTHER))
    assert outside.get("/", headers=bearer()).status == 503
    assert shop_of(db) is None


def test_a_reinstall_keeps_the_books_and_gets_new_tokens(outside, db, clock):
    add_shop(db)
    deliver(db, "app/uninstalled", uninstalled_body(), now=NOW, triggered_at=NOW)
    drain(db, clock)
    assert not shop_of(db).is_installed and token_of(db) is None
    clock.advance(minutes=5)
    gives()
    assert outside.get("/", headers=bearer(now=clock.now)).status == 200
    shop = shop_of(db)
    assert shop.is_installed and shop.installed_at == clock.now
    assert token_of(db).access_token == "shpat_given_1"
    with db.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM program_versions")) == 1


def test_a_late_uninstall_after_a_reinstall_is_ignored(outside, db, clock):
    add_shop(db)
    with db.transaction() as session:
        session.execute(text("UPDATE shops SET uninstalled_at = installed_at"))
        session.execute(text("DELETE FROM shop_tokens"))
    gives()
    outside.get("/", headers=bearer())
    deliver(db, "app/uninstalled", uninstalled_body(), now=NOW, triggered_at=NOW - timedelta(minutes=1))
    drain(db, clock)
    assert shop_of(db).is_installed and token_of(db) is not None


def uninstalled_body() -> dict:
    return {**payload("app__uninstalled.json"), "id": SHOP_ID, "myshopify_domain": DOMAIN}


def test_a_shop_that_changed_its_domain_keeps_its_books(outside, db):
    add_shop(db, token=False)
    gives(SHOP_ID, OTHER)
    assert outside.get("/", headers=bearer(OTHER)).status == 200
    assert shop_of(db).domain == OTHER
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Shop)) == 1


def test_a_domain_that_changed_hands_belongs_to_its_new_shop_alone(outside, db):
    add_shop(db)
    with db.transaction() as session:
        session.execute(text("DELETE FROM shop_tokens"))
    gives(5_000, DOMAIN)
    outside.get("/", headers=bearer())
    assert shop_of(db, 5_000).domain == DOMAIN
    assert shop_of(db).domain != DOMAIN
    with db.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM program_versions WHERE shop_id = 5000")) == 0


def test_dead_tokens_are_replaced_when_the_merchant_opens_the_app(outside, db):
    add_shop(db)
    with db.transaction() as session:
        session.get(ShopToken, SHOP_ID).needs_reopening = True
    gives()
    assert outside.get("/", headers=bearer()).status == 200
    stored = token_of(db)
    assert (stored.access_token, stored.needs_reopening, stored.token_version) == ("shpat_given_1", False, 2)


def test_two_first_openings_at_once_make_one_shop(app, db):
    """App Bridge asks for the document and a fetch in one breath."""
    statuses: list[int] = []
    both = threading.Barrier(2, timeout=10)
    door = Door(app)

    def exchanged(request):
        both.wait()
        return 200, {}, json.dumps(token_answer())

    def open_it() -> None:
        statuses.append(door.get("/", headers=bearer()).status)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.POST, token_url(), callback=exchanged)
        mock.post(graphql_url(), json=shop_answer())
        threads = [threading.Thread(target=open_it) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert statuses == [200, 200]
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Shop)) == 1
        assert session.scalar(select(func.count()).select_from(DueShop)) == 2


# --- the authorization code grant ---------------------------------------------------------------------------


def begin(door: Door, shop: str = DOMAIN) -> tuple[str, str]:
    """(state, cookie) of a grant that has begun."""
    answer = door.get(f"/auth/install?shop={shop}")
    place = urlsplit(answer.headers["location"])
    state = parse_qs(place.query)["state"][0]
    return state, answer.headers["set-cookie"].partition(";")[0]


def finish(door: Door, cookie: str | None, **params: str):
    headers = {"Cookie": cookie} if cookie else {}
    return door.get(f"/auth/callback?{oauth(params)}", headers=headers)


def test_the_grant_begins_at_the_shops_own_admin(outside):
    answer = outside.get(f"/auth/install?shop={DOMAIN}")
    place = urlsplit(answer.headers["location"])
    assert (answer.status, place.scheme, place.netloc, place.path) == (
        302, "https", DOMAIN, "/admin/oauth/authorize",
    )  # fmt: skip
    said = parse_qs(place.query)
    assert said["client_id"] == [API_KEY]
    assert said["redirect_uri"] == ["https://regulars.test/auth/callback"]
    assert len(said["state"][0]) >= 43 and "scope" not in said
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/auth", "Max-Age=600"))


def test_a_grant_that_went_well_installs_and_opens_the_app(outside, db):
    gives()
    state, cookie = begin(outside)
    host = "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvc2FsdG1hcnNo"
    answer = finish(outside, cookie, code="good", state=state, host=host)
    assert (answer.status, answer.headers["location"]) == (
        302, f"https://admin.shopify.com/store/saltmarsh/apps/{API_KEY}/",
    )  # fmt: skip
    assert asked(token_url())[0]["code"] == "good" and asked(token_url())[0]["expiring"] == "1"
    assert shop_of(db).is_installed
    assert "Max-Age=0" in answer.headers["set-cookie"] or "1970" in answer.headers["set-cookie"]


def test_without_a_usable_host_it_opens_in_the_shops_admin(outside):
    gives()
    state, cookie = begin(outside)
    answer = finish(outside, cookie, code="good", state=state, host="ZXZpbC5leGFtcGxlL3g")
    assert answer.headers["location"] == f"https://{DOMAIN}/admin/apps/{API_KEY}"


def test_a_callback_that_was_not_begun_here_installs_nothing(outside, db):
    gives()
    state, cookie = begin(outside)
    other_state, other_cookie = begin(outside, OTHER)
    refused = [
        finish(outside, None, code="good", state=state),
        finish(outside, cookie, code="good", state="x" * 43),
        finish(outside, cookie, code="good", state=""),
        finish(outside, cookie, code="good"),
        finish(outside, cookie, code="good", state=other_state),
        finish(outside, other_cookie, code="good", state=state),
        finish(outside, other_cookie, code="good", state=other_state),  # begun for another shop
        finish(outside, cookie, code="good", state=state, shop=OTHER),
        finish(outside, cookie[:-2], code="good", state=state),
        finish(outside, "regulars_oauth_state=", code="good", state=state),
        finish(outside, f"regulars_oauth_state={quote(json.dumps([state, DOMAIN]))}", code="good", state=state),
    ]
    assert {answer.status for answer in refused} == {401}
    assert len(responses.calls) == 0 and shop_of(db) is None


def test_a_state_is_good_for_ten_minutes(outside, db, clock, monkeypatch):
    import time

    gives()
    state, cookie = begin(outside)
    late = time.time() + 601
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: late)
    assert finish(outside, cookie, code="good", state=state).status == 401
    assert shop_of(db) is None


def test_a_grant_whose_query_is_not_shopifys_installs_nothing(outside, db, clock):
    gives()
    state, cookie = begin(outside)
    headers = {"Cookie": cookie}
    right = oauth({"code": "good", "state": state})
    refused = [
        outside.get("/auth/callback", headers=headers),
        outside.get(f"/auth/callback?shop={DOMAIN}&code=good&state={state}&timestamp=1", headers=headers),
        outside.get("/auth/callback?" + right.replace("code=good", "code=evil"), headers=headers),
        outside.get("/auth/callback?" + right + "&extra=1", headers=headers),
        outside.get("/auth/callback?" + right + f"&shop={DOMAIN}", headers=headers),
        outside.get(
            "/auth/callback?" + oauth({"code": "good", "state": state}, secret=ANOTHER_SECRET), headers=headers
        ),
        outside.get(
            "/auth/callback?" + oauth({"code": "good", "state": state}, now=NOW - timedelta(seconds=91)),
            headers=headers,
        ),
    ]
    assert {answer.status for answer in refused} == {401}
    assert len(responses.calls) == 0 and shop_of(db) is None


def test_a_code_is_good_once(outside, db):
    responses.post(token_url(), status=400, json={"error": "invalid_request"})
    state, cookie = begin(outside)
    assert finish(outside, cookie, code="used", state=state).status == 401
    assert shop_of(db) is None


def test_an_install_link_with_a_signature_must_have_a_good_one(outside):
    good = outside.get("/auth/install?" + oauth({}))
    bad = outside.get("/auth/install?" + oauth({}, secret=ANOTHER_SECRET))
    assert (good.status, bad.status) == (302, 401)


@pytest.mark.parametrize("shop", ["", "saltmarsh", "evil.example", "saltmarsh.myshopify.com@evil.example"])
def test_the_grant_begins_for_shops_only(outside, shop):
    assert outside.get(f"/auth/install?shop={quote(shop)}").status == 422
