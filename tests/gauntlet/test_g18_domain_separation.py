"""G18: Shopify signs webhooks, OAuth queries, app-proxy queries and session tokens with one secret; we sign with ours.

Each of the five is presented as each of the others: 20 pairs, 50 variants each, none accepted. An anonymous shopper
chooses most of a proxy query's text, so the variants are what an attacker would choose, and two tests show that the
attack is real: a usual hand-written verifier falls for it.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from itertools import pairwise, permutations
from random import Random
from urllib.parse import urlencode

import pytest
from shopify.session import Session

from app.config import Config
from app.errors import Unauthenticated
from app.shopify.oauth import verify_oauth_query
from app.shopify.proxy import RESERVED, verify_proxy
from app.shopify.session_tokens import verify_session_token
from app.shopify.webhooks import signature_matches, verify_webhook
from tests.shopify.signing import (
    CLIENT_ID,
    NOW,
    SECRET,
    SECRETS,
    SHOP,
    STAMP,
    base64url,
    claims,
    digest,
    oauth_text,
    proxy_pairs,
    proxy_query,
    proxy_text,
)

VARIANTS = 50
VICTIM = "999"
CONFIG = Config(
    shopify_api_key=CLIENT_ID,
    shopify_api_secret=SECRET,
    shopify_api_secret_old=None,
    app_url="https://loyalty.example.org",
    database_url="sqlite://",
    secret_key="NXa0f-3vJ8mQ_wZ27pLtYd5RkBc1SgUe9HiMoT4x",
    encryption_keys=(),
)
OWN_KEY = CONFIG.derived_key("links")

Signed = tuple[bytes, bytes]  # (text, its HMAC-SHA256)


def forged_token_name(random: Random) -> str:
    """A parameter name that begins a token: the ``=`` after it closes the claims' base64."""
    payload = json.dumps(claims(sub=str(random.randrange(1, 99)))).encode()
    payload += b" " * ((2 - len(payload)) % 3)
    head = base64url(b'{"alg":"HS256","typ":"JWT"}')
    return f"{head}.{base64url(payload)}"


def poisoned(random: Random) -> list[tuple[str, str]]:
    """Parameters an anonymous shopper adds, so that the signed text is good for something else."""
    order = json.dumps({"id": random.randrange(1, 10**6), "note": ""})[:-2]
    return random.choice(
        [
            [(forged_token_name(random), "")],
            [(forged_token_name(random), base64url(digest("x")))],
            [(f" {order}", ""), ("u", '"}')],
            [(f"\n{order}", ""), ("z", '"}')],
            [('"', ""), ("z", '"')],
            [(f"[{order}", ""), ("~", '"}]')],
            [("{", "}")],
            [(f"code=abc&host=xyz&i{random.randrange(9)}", ""), ("u", f"&state=s&timestamp={STAMP}")],
            [("code", "abc&host=x&i"), ("u", f"&shop={SHOP}&state=s&timestamp={STAMP}")],
            [("code", "abc"), ("state", "nonce")],
            [("a", base64url(bytes(random.randrange(256) for _ in range(32))))],
        ]
    )


def a_webhook(random: Random) -> Signed:
    note = random.choice(
        [
            "",
            f"logged_in_customer_id={VICTIM}path_prefix=/apps/regularsshop={SHOP}timestamp={STAMP}",
            f"&code=abc&shop={SHOP}&timestamp={STAMP}",
            forged_token_name(random),
        ]
    )
    body = json.dumps({"id": random.randrange(10**9), "note": note, "shop_domain": SHOP}).encode()
    return body, digest(body)


def an_oauth_query(random: Random) -> Signed:
    state = random.choice(
        [
            "nonce",
            f"x&logged_in_customer_id={VICTIM}path_prefix=/apps/regulars",
            f"logged_in_customer_id={VICTIM}path_prefix=/apps/regularsshop={SHOP}timestamp={STAMP}",
            forged_token_name(random),
            '{"id":1}',
        ]
    )
    text = oauth_text(
        {"code": f"{random.getrandbits(64):x}", "shop": SHOP, "state": state, "timestamp": STAMP}
    ).encode()
    return text, digest(text)


def a_proxy_query(random: Random) -> Signed:
    text = proxy_text(proxy_pairs(random.choice(["", "", "7"]), extra=poisoned(random))).encode()
    return text, digest(text)


def a_session_token(random: Random) -> Signed:
    head, payload = b'{"alg":"HS256"}', json.dumps(claims(jti=str(random.random()))).encode()
    text = f"{base64url(head)}.{base64url(payload)}".encode()
    return text, digest(text)


def our_own_link(random: Random) -> Signed:
    text = random.choice([a_webhook, an_oauth_query, a_proxy_query, a_session_token])(random)[0]
    return text, hmac.new(OWN_KEY, text, hashlib.sha256).digest()


def as_a_webhook(text: bytes, mac: bytes, random: Random) -> None:
    verify_webhook(text, {"X-Shopify-Hmac-SHA256": base64.b64encode(mac).decode()}, SECRETS)


def as_an_oauth_query(text: bytes, mac: bytes, random: Random) -> None:
    pairs = []
    for piece in text.decode("utf-8", "replace").split("&"):
        name, _, value = piece.partition("=")
        unescaped = [part.replace("%26", "&").replace("%3D", "=").replace("%25", "%") for part in (name, value)]
        pairs.append((unescaped[0], unescaped[1]))
    verify_oauth_query(urlencode([*pairs, ("hmac", mac.hex())]).encode(), SECRETS, now=NOW)


def as_a_proxy_query(text: bytes, mac: bytes, random: Random) -> None:
    said = text.decode("utf-8", "replace")
    cuts = {said.find(f"{name}=") for name in RESERVED if f"{name}=" in said}
    cuts |= {random.randrange(1, len(said)) for _ in range(random.randrange(3))}
    edges = [0, *sorted(cut for cut in cuts if cut > 0), len(said)]
    pieces = [said[start:end] for start, end in pairwise(edges)]
    pairs = [tuple(piece.split("=", 1)) if "=" in piece else (piece, "") for piece in pieces]
    verify_proxy(proxy_query(pairs, signature=mac.hex()), SECRETS, now=NOW)  # type: ignore[arg-type]


def as_a_session_token(text: bytes, mac: bytes, random: Random) -> None:
    token = f"{text.decode('utf-8', 'replace')}.{base64url(mac)}"
    verify_session_token(token, CLIENT_ID, SECRETS, now=NOW)


def as_our_own_link(text: bytes, mac: bytes, random: Random) -> None:
    if not hmac.compare_digest(hmac.new(OWN_KEY, text, hashlib.sha256).digest(), mac):
        raise Unauthenticated


KINDS: dict[str, tuple[Callable[[Random], Signed], Callable[[bytes, bytes, Random], None]]] = {
    "webhook": (a_webhook, as_a_webhook),
    "oauth query": (an_oauth_query, as_an_oauth_query),
    "proxy query": (a_proxy_query, as_a_proxy_query),
    "session token": (a_session_token, as_a_session_token),
    "own link": (our_own_link, as_our_own_link),
}


@pytest.mark.parametrize(("source", "target"), list(permutations(KINDS, 2)))
def test_nothing_signed_for_one_purpose_serves_another(source, target, gauntlet):
    random = gauntlet.random("G18")
    accepted = []
    for _ in range(VARIANTS):
        text, mac = KINDS[source][0](random)
        try:
            KINDS[target][1](text, mac, random)
        except Unauthenticated:
            continue
        accepted.append(text)
    gauntlet.record("G18", n=VARIANTS, failures=len(accepted))
    assert not accepted


def test_each_serves_its_own_purpose():
    """The presenters present well: what is genuine passes through them."""
    random = Random(1)
    as_a_webhook(*a_webhook(random), random)
    as_a_session_token(*a_session_token(random), random)
    as_our_own_link(*our_own_link(random), random)
    plain = oauth_text({"code": "abc", "shop": SHOP, "state": "n", "timestamp": STAMP}).encode()
    as_an_oauth_query(plain, digest(plain), random)
    visitor = proxy_text(proxy_pairs("7")).encode()
    verify_proxy(proxy_query(proxy_pairs("7")), SECRETS, now=NOW)
    assert digest(visitor).hex().encode() in proxy_query(proxy_pairs("7"))


def test_a_usual_verifier_takes_a_shoppers_query_for_an_admins_token():
    text = proxy_text(proxy_pairs("", extra=[(forged_token_name(Random(1)), "")]))
    token = f"{text}.{base64url(digest(text))}"
    assert lenient_claims(token)["sub"].isdigit()
    with pytest.raises(Unauthenticated):
        verify_session_token(token, CLIENT_ID, SECRETS, now=NOW)


def test_a_usual_verifier_takes_a_shoppers_query_for_a_webhook():
    body = proxy_text(proxy_pairs("", extra=[(' {"id":1,"note":"', ""), ("u", '"}')])).encode()
    assert json.loads(body)["id"] == 1
    signature = base64.b64encode(digest(body)).decode()
    assert signature_matches(body, signature, SECRETS)
    with pytest.raises(Unauthenticated):
        verify_webhook(body, {"X-Shopify-Hmac-SHA256": signature}, SECRETS)


def test_a_usual_verifier_takes_a_shoppers_query_for_a_callback():
    extra = [("code", "abc&host=x&i"), ("u", f"&shop={SHOP}&state=s&timestamp={STAMP}")]
    text = proxy_text(proxy_pairs("", extra=extra))
    params = dict(piece.partition("=")[::2] for piece in text.split("&"))
    assert (params["code"], params["shop"], params["state"]) == ("abc", SHOP, "s")
    usual = type("Usual", (Session,), {"secret": SECRET})
    assert usual.validate_hmac({**params, "hmac": digest(text).hex()})
    with pytest.raises(Unauthenticated):
        as_an_oauth_query(text.encode(), digest(text), Random(1))


def lenient_claims(token: str) -> dict:
    """A verifier as it is often written: the right HMAC over what stands before the last dot, forgiving base64."""
    signed, _, signature = token.rpartition(".")
    assert hmac.compare_digest(base64.urlsafe_b64decode(signature + "=="), digest(signed))
    _, _, payload = signed.partition(".")
    try:
        return json.loads(base64.b64decode(payload.replace("-", "+").replace("_", "/") + "=="))
    except binascii.Error as error:  # pragma: no cover - a stricter base64 than Python 3.11's
        pytest.skip(str(error))
