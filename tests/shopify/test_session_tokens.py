from datetime import UTC, datetime

import jwt
import pytest

from app.errors import Unauthenticated
from app.shopify.session_tokens import SessionToken, verify_session_token
from tests.shopify.signing import CLIENT_ID, NOW, OLD_SECRET, SECRET, SECRETS, SHOP, claims, session_token

STAMP = int(NOW.timestamp())


def verify(token: str) -> SessionToken:
    return verify_session_token(token, CLIENT_ID, SECRETS, now=NOW)


@pytest.mark.parametrize("secret", SECRETS)
def test_says_which_shop_and_which_member_of_staff(secret):
    token = verify(jwt.encode(claims(), secret, algorithm="HS256"))
    assert token == SessionToken(SHOP, 42, claims()["sid"], datetime.fromtimestamp(STAMP + 60, UTC))


def test_a_retired_secret_is_refused():
    with pytest.raises(Unauthenticated):
        verify_session_token(session_token(secret=OLD_SECRET), CLIENT_ID, (SECRET,), now=NOW)


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({"exp": STAMP - 9}, True),
        ({"exp": STAMP - 10}, False),
        ({"exp": STAMP - 11}, False),
        ({"nbf": STAMP + 9}, True),
        ({"nbf": STAMP + 10}, True),
        ({"nbf": STAMP + 11}, False),
        ({"iat": STAMP + 9}, True),
        ({"iat": STAMP + 11}, False),
        ({"iat": ...}, True),
        ({"sid": ...}, True),
        ({"jti": ...}, True),
        ({"exp": ...}, False),
        ({"nbf": ...}, False),
        ({"aud": [CLIENT_ID]}, False),
        ({"aud": CLIENT_ID + "x"}, False),
        ({"sub": ...}, False),
        ({"sub": "gid://shopify/Customer/1"}, False),
        ({"dest": "https://other.myshopify.com"}, False),
        ({"dest": SHOP}, False),
        ({"iss": f"https://{SHOP}"}, False),
    ],
)
def test_every_claim_is_looked_at(changes, accepted):
    token = session_token(claims(**changes))
    if accepted:
        assert verify(token).shop == SHOP
    else:
        with pytest.raises(Unauthenticated):
            verify(token)


def test_the_refusal_says_nothing():
    with pytest.raises(Unauthenticated) as refusal:
        verify(session_token(claims(aud="x")))
    assert str(refusal.value) == "This session token could not be verified."
    assert refusal.value.__cause__ is None
