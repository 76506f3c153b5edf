"""G18 through the doors: what Shopify signed for one of them is refused at each of the others.

The four things Shopify signs with the one secret, and our own state cookie, are presented at the real endpoints: as a
webhook, an OAuth callback, a proxy query, a session token and a cookie, fifty variants a pair.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from itertools import pairwise
from random import Random
from urllib.parse import quote, urlencode

import pytest

from app.shopify.proxy import RESERVED
from app.web.runtime import EXTENSION

from ..conftest import API_SECRET
from ..shopify.signing import NOW as SIGNED_AT
from ..shopify.signing import SECRET, SHOP, base64url, proxy_query
from ..support import add_shop
from ..web.asking import Door
from ..web.conftest import without_network
from .dumps import counting_statements
from .test_g18_domain_separation import (
    VARIANTS,
    VICTIM,
    Signed,
    a_proxy_query,
    a_session_token,
    a_webhook,
    an_oauth_query,
)

TOPICS = ("orders/create", "customers/redact", "shop/redact", "app/uninstalled")


@pytest.fixture
def doors(sqlite_db, make_app, clock):
    clock.now = SIGNED_AT
    add_shop(sqlite_db)
    assert SECRET != API_SECRET
    app = without_network(make_app(sqlite_db, shopify_api_secret=SECRET))
    return app, Door(app)


def our_own_cookie(random: Random, door: Door) -> Signed:
    """The state cookie: what itsdangerous signed, and its raw signature."""
    shop = random.choice([SHOP, "victim.myshopify.com"])
    cookie = door.get(f"/auth/install?shop={shop}").headers["set-cookie"].partition(";")[0].partition("=")[2]
    text, _, signature = cookie.rpartition(".")
    return text.encode(), base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))


def as_a_webhook(door: Door, text: bytes, mac: bytes, random: Random) -> int:
    headers = {"X-Shopify-Hmac-SHA256": base64.b64encode(mac).decode(), "X-Shopify-Shop-Domain": SHOP,
               "X-Shopify-Topic": random.choice(TOPICS)}  # fmt: skip
    return door.post("/webhooks", text, headers=headers).status


def as_a_callback(door: Door, text: bytes, mac: bytes, random: Random) -> int:
    state = door.get(f"/auth/install?shop={SHOP}")
    pairs = []
    for piece in text.decode("utf-8", "replace").split("&"):
        name, _, value = piece.partition("=")
        said = [part.replace("%26", "&").replace("%3D", "=").replace("%25", "%") for part in (name, value)]
        pairs.append((said[0], said[1]))
    query = urlencode([*pairs, ("hmac", mac.hex())])
    return door.get(f"/auth/callback?{query}", headers={"Cookie": state.headers["set-cookie"].partition(";")[0]}).status


def as_a_shopper(door: Door, text: bytes, mac: bytes, random: Random) -> int:
    said = text.decode("utf-8", "replace")
    cuts = {said.find(f"{name}=") for name in RESERVED if f"{name}=" in said}
    cuts |= {random.randrange(1, max(2, len(said))) for _ in range(random.randrange(3))}
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(said)), len(said)]
    pieces = [said[start:end] for start, end in pairwise(edges)]
    pairs = [tuple(piece.split("=", 1)) if "=" in piece else (piece, "") for piece in pieces]
    query = proxy_query(pairs, signature=mac.hex()).decode()  # type: ignore[arg-type]
    answer = door.get(f"/proxy/shopper?{query}")
    if answer.status == 200 and answer.json()["member"] is None:
        return 401  # accepted as nobody gains nothing
    return answer.status


def as_staff(door: Door, text: bytes, mac: bytes, random: Random) -> int:
    token = f"{text.decode('latin-1')}.{base64url(mac)}"
    if random.random() < 0.5 and token.isascii():
        return door.get(f"/?embedded=1&id_token={quote(token, safe='')}").status
    return door.get("/", headers={"Authorization": f"Bearer {token}"}).status


def as_a_cookie(door: Door, text: bytes, mac: bytes, random: Random) -> int:
    """As the state cookie, beside a callback that Shopify signed for whatever state the text may hold."""
    from ..shopify.signing import STAMP, oauth_query

    cookie = f"{text.decode('latin-1')}.{base64url(mac)}".replace(";", "%3B")
    query = oauth_query({"code": "c", "shop": SHOP, "state": "nonce", "timestamp": STAMP}).decode()
    return door.get(f"/auth/callback?{query}", headers={"Cookie": f"regulars_oauth_state={cookie}"}).status


SOURCES = {
    "webhook": a_webhook, "callback": an_oauth_query, "proxy query": a_proxy_query, "session token": a_session_token,
}  # fmt: skip
TARGETS = {
    "webhook": as_a_webhook, "callback": as_a_callback, "proxy query": as_a_shopper, "session token": as_staff,
    "own cookie": as_a_cookie,
}  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", [*SOURCES, "own cookie"])
def test_each_door_refuses_what_was_signed_for_another(doors, source, target, gauntlet):
    if source == target:
        return
    app, door = doors
    runtime, random = app.extensions[EXTENSION], gauntlet.random("G18")
    accepted = []
    with counting_statements(runtime.db.engine, runtime.db.reader) as reached:
        for _ in range(VARIANTS):
            text, mac = our_own_cookie(random, door) if source == "own cookie" else SOURCES[source](random)
            if TARGETS[target](door, text, mac, random) < 400:
                accepted.append(text)
    writes = [statement for statement in reached if not statement.lstrip().upper().startswith("SELECT")]
    gauntlet.record("G18", n=VARIANTS, failures=len(accepted) + len(writes))
    assert not accepted
    assert not [statement for statement in writes if "BEGIN" not in statement]


def test_each_door_takes_its_own(doors):
    """The presenters present well."""
    _, door = doors
    random = Random(2)
    assert as_a_webhook(door, *a_webhook(random), random) == 200
    # A genuine token of a genuine shop whose tokens are stored: no exchange is needed.
    assert as_staff(door, *a_session_token(random), random) == 200
    text = f"logged_in_customer_id={VICTIM}path_prefix=/apps/regularsshop={SHOP}timestamp={int(SIGNED_AT.timestamp())}"
    assert as_a_shopper(door, text.encode(), hmac.digest(SECRET.encode(), text.encode(), sha256), Random(1)) == 200


def test_our_cookie_is_not_signed_with_the_client_secret(doors, gauntlet):
    _, door = doors
    text, mac = our_own_cookie(Random(1), door)
    from_secret = {hmac.digest(key, text, name) for key in (SECRET.encode(), sha256(SECRET.encode()).digest())
                   for name in ("sha1", "sha256", "sha512")}  # fmt: skip
    gauntlet.record("G18", n=1, failures=mac in from_secret)
    assert mac not in from_secret
