"""G19: over 500 session tokens that are wrong in one way each, 20 that are right, and a boot that refuses bad keys."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import rsa

from app.config import WELL_KNOWN, Config, ConfigError
from app.errors import Unauthenticated
from app.shopify.session_tokens import verify_session_token
from tests.shopify.signing import (
    CLIENT_ID,
    NOW,
    OTHER_SECRET,
    SECRET,
    SECRETS,
    SHOP,
    STAMP,
    base64url,
    claims,
    digest,
    session_token,
)
from tests.test_config import environment

NOW_S = int(STAMP)


def is_accepted(token: Any, *, now=NOW) -> bool:
    try:
        verify_session_token(token, CLIENT_ID, SECRETS, now=now)
    except Unauthenticated:
        return False
    return True


def raw(header: bytes, payload: bytes, secret: str = SECRET) -> str:
    return session_token(payload, header=header, secret=secret)


def wrong_headers() -> Iterator[str]:
    for alg in ("none", "None", "NONE", "nOnE", "", "HS384", "HS512", "hs256", "HS256 ", " HS256", "HS256\x00",
                "RS256", "RS512",
                "ES256", "PS256", "EdDSA", "HMAC", "SHA256", "dir", "A128KW", "HS-256", "ＨＳ256"):  # fmt: skip
        yield session_token(header={"alg": alg, "typ": "JWT"})
        head, body, _ = session_token(header={"alg": alg}).split(".")
        yield f"{head}.{body}."
    for alg in (None, 256, True, ["HS256"], {"HS256": 1}, 2.56):
        yield session_token(header={"alg": alg})
    for name, value in [
        ("kid", "../../dev/null"), ("kid", "1' OR '1'='1"), ("kid", "key-1"), ("kid", 7), ("kid", {}), ("jku",
        "https://evil.example/k"),
        ("x5u", "https://evil.example/c"), ("x5c", ["MIIB"]), ("x5t", "a"), ("jwk", {"kty": "oct", "k": "AA"}),
        ("crit", ["exp"]),
        ("crit", ["b64"]), ("crit", []), ("crit", "exp"), ("b64", False), ("b64", True), ("cty", "JWT"), ("enc",
        "A256GCM"),
        ("zip", "DEF"), ("epk", {}), ("apu", "x"), ("url", "https://evil.example"), ("nonce", "n"), ("iss", SHOP),
        ("exp", 1),
        ("", ""), ("ALG", "none"), ("alg ", "none"), ("Alg", "HS256"), ("__proto__", {"alg": "none"}),
    ]:  # fmt: skip
        yield session_token(header={"alg": "HS256", "typ": "JWT", name: value})
        yield session_token(header={name: value, "alg": "HS256"})
    for typ in ("jwt", "at+jwt", "JWE", "", None, 1, "JWT ", "application/jwt", ["JWT"]):
        yield session_token(header={"alg": "HS256", "typ": typ})
    for header in (b"{}", b"[]", b"null", b'"HS256"', b"1", b"", b"{", b"alg=HS256", b'{"alg":"HS256"',
                   b'{"alg":"HS256"}x',
                   b'{"alg":"HS256","alg":"HS256"}', b'{"alg":"none","alg":"HS256"}', b'{"alg":"HS256","alg":"none"}',
                   b'\xef\xbb\xbf{"alg":"HS256"}', b'{"alg":"HS256","x":NaN}', b"\xff\xfe", b'{"alg":"HS256\xff"}',
                   b'{"alg":"HS256","typ":"JWT","a":' + b"[" * 900 + b"]" * 900 + b"}"):  # fmt: skip
        yield raw(header, json.dumps(claims()).encode())


def wrong_claims() -> Iterator[str]:
    for aud in (..., None, "", CLIENT_ID[:-1], CLIENT_ID + "0", CLIENT_ID.upper(), f" {CLIENT_ID}", f"{CLIENT_ID}\n",
                [CLIENT_ID],
                [CLIENT_ID, "x"], ["x"], [], {}, {CLIENT_ID: 1}, 7, True, "*", f"{CLIENT_ID},x", "0" * 32):  # fmt: skip
        yield session_token(claims(aud=aud))
    for exp in (..., None, NOW_S - 10, NOW_S - 11, NOW_S - 60, NOW_S - 86_400, 0, -1, 1, str(NOW_S + 60), "", "never",
                NOW_S + 60.0,
                NOW_S + 0.5, True, False, [NOW_S + 60], {}, 10**12, 10**18, 2**63, 2**64, -(2**63),
                253_402_300_800):  # fmt: skip
        yield session_token(claims(exp=exp))
    for text in (
        "1e999",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e3",
        "9" * 400,
        "9" * 5_000,
        "0x7fffffff",
        "-0",
        "1.7976931348623157e308",
    ):
        payload = json.dumps(claims(exp="HERE")).replace('"HERE"', text)
        yield raw(b'{"alg":"HS256"}', payload.encode())
    for nbf in (
        ...,
        None,
        NOW_S + 11,
        NOW_S + 60,
        NOW_S + 86_400,
        str(NOW_S - 5),
        "",
        NOW_S - 5.0,
        True,
        [],
        0,
        -5,
        10**12,
        2**64,
    ):
        yield session_token(claims(nbf=nbf))
    for iat in (NOW_S + 11, NOW_S + 3_600, str(NOW_S), None, "", 1.5, True, [], -1, 10**13):
        yield session_token(claims(iat=iat))
    hosts = ["other.myshopify.com", "evil.com", f"{SHOP}.evil.com", f"evil.com/{SHOP}", f"{SHOP}@evil.com",
             f"{SHOP}:443", f"{SHOP}/",
             f"{SHOP}\n", f" {SHOP}", SHOP.upper(), "myshopify.com", ".myshopify.com", "-a.myshopify.com",
             "a..myshopify.com",
             "a.b.myshopify.com", "a_b.myshopify.com", "xn--80ak6aa92e.myshopify.com", "ａ.myshopify.com",
             "saltmarsh。myshopify.com",
             "saltmarsh%2emyshopify.com", "saltmarsh.myshopify.comx", "saltmarshmyshopify.com", "127.0.0.1", "[::1]",
             "",
             "a" * 64 + ".myshopify.com", "saltmarsh.myshopify.io", "saltmarsh.shopify.com"]  # fmt: skip
    for host in hosts:
        yield session_token(claims(dest=f"https://{host}"))
        yield session_token(claims(iss=f"https://{host}/admin"))
        if host != "other.myshopify.com":  # which would be that shop's own, genuine token
            yield session_token(claims(dest=f"https://{host}", iss=f"https://{host}/admin"))
    for dest in (..., None, "", SHOP, f"http://{SHOP}", f"//{SHOP}", f"HTTPS://{SHOP}", f"https://{SHOP}/admin",
                 f"https://{SHOP}?a",
                 f"https://{SHOP}#a", f"ftp://{SHOP}", [f"https://{SHOP}"], {}, 1, True):  # fmt: skip
        yield session_token(claims(dest=dest))
    for iss in (..., None, "", SHOP, f"https://{SHOP}", f"https://{SHOP}/", f"https://{SHOP}/admin/",
                f"https://{SHOP}/admin/x",
                f"https://{SHOP}/Admin", f"http://{SHOP}/admin", [f"https://{SHOP}/admin"], {}, 1,
                f"https://{SHOP}/admin https://{SHOP}/admin"):  # fmt: skip
        yield session_token(claims(iss=iss))
    for sub in (..., None, "", 42, 0, "0", "-1", "042", " 42", "42 ", "4 2", "1e3", "٤٢", "gid://shopify/Customer/42",
                "gid://shopify/User/42",
                "42\n", "42.0", str(2**63), "9" * 30, [], {}, True, "admin", "null"):  # fmt: skip
        yield session_token(claims(sub=sub))
    for sid in ("", 7, [], {}, True, "x" * 256):
        yield session_token(claims(sid=sid))


def wrong_payloads() -> Iterator[str]:
    good = json.dumps(claims())
    for payload in ("", "{}", "[]", "null", '"text"', "7", "{", good[:-1], good + good, good + "x", f"[{good}]",
                    "\ufeff" + good,
                    good.replace("42", "\\ud800"), "\x00" + good):  # fmt: skip
        yield raw(b'{"alg":"HS256"}', payload.encode("utf-8", "surrogatepass"))
    for name in ("aud", "exp", "nbf", "iss", "dest", "sub", "sid", "jti", "iat"):
        value = json.dumps(claims()[name])
        yield raw(b'{"alg":"HS256"}', f'{good[:-1]},"{name}":{value}}}'.encode())
        yield raw(b'{"alg":"HS256"}', f'{{"{name}":null,{good[1:]}'.encode())
    yield raw(b'{"alg":"HS256"}', (good[:-1] + ',"a":{"b":1,"b":2}}').encode())
    yield raw(b'{"alg":"HS256"}', (good[:-1] + ',"a":' + "[" * 10_000 + "]" * 10_000 + "}").encode())
    yield raw(b'{"alg":"HS256"}', (good[:-1] + ',"a":' + "[" * 2_500 + "]" * 2_500 + "}").encode())
    yield raw(b'{"alg":"HS256"}', (good[:-1] + ',"a":"' + "x" * 1_000_000 + '"}').encode())
    yield raw(b'{"alg":"HS256"}', (good[:-1] + ',"a":"' + "x" * 8_192 + '"}').encode())
    yield raw(b'{"alg":"HS256"}', good.encode("utf-16"))
    yield raw(b'{"alg":"HS256"}', good.encode("latin-1") + b"\xe9")


def wrong_spellings() -> Iterator[Any]:
    token = session_token()
    head, payload, signature = token.split(".")
    yield from (None, 7, b"", token.encode(), [token], {}, "", ".", "..", "...", "a.b.c", token * 2)
    yield from (f"Bearer {token}", f" {token}", f"{token} ", f"{token}\n", f"\n{token}", f"{token}\x00", f"{token}.",
                f".{token}",
                f"{token}.{signature}", f"{head}.{payload}", f"{head}.{payload}.", f"{head}..{signature}",
                f".{payload}.{signature}",
                f"{head}.{payload}.{signature}=", f"{head}=.{payload}.{signature}", f"{head}.{payload}=.{signature}",
                f"{head}.{payload}==.{signature}", f"{head}.{payload} .{signature}", f"{head}.\n{payload}.{signature}",
                f"{head}.{payload}.{signature[:-1]}", f"{head}.{payload}.{signature}A",
                f"{head}.{payload}.{signature.lower()}",
                token.replace(".", "..", 1), token.replace(".", "\u3002"), token.replace(".", "%2E"),
                f"{head}.{payload}.{'A' * 43}",
                f"{head}.{payload}.{base64url(digest(f'{head}.{payload}', OTHER_SECRET))}",
                f"{head}.{payload}.{digest(token).hex()}",
                f"{head}.{payload}.{base64url(digest(payload))}", f"{head}.{payload}.{base64url(digest(head))}",
                f"{head}.{payload}.{base64url(digest(''))}", f"{payload}.{head}.{signature}",
                base64url(token.encode()), token[::-1], token.upper(), token.swapcase(), "x" * 8_193,
                "x." * 5_000)  # fmt: skip
    # Bits that mean nothing in the last letter of a group: other spellings of the same bytes.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for change in (1, 2, 3):
        yield f"{head}.{payload}.{signature[:-1]}{alphabet[alphabet.index(signature[-1]) ^ change]}"
    for part in (0, 1):
        for text in (b'{"alg":"HS256"} ', b'{"alg":"HS256"}'):
            groups = [base64url(text), base64url(json.dumps(claims()).encode())]
            if spare := (4 - len(groups[part]) % 4) % 4:
                groups[part] = groups[part][:-1] + alphabet[alphabet.index(groups[part][-1]) ^ spare]
                signed = ".".join(groups)
                yield f"{signed}.{base64url(digest(signed))}"
    standard = raw(b'{"alg":"HS256"}', json.dumps(claims(jti="??>>~~ÿÿ?>")).encode())
    if "-" in standard or "_" in standard:
        yield standard.replace("-", "+").replace("_", "/")
    for place in range(0, len(token), 7):
        if token[place] != ".":
            yield token[:place] + alphabet[(alphabet.index(token[place]) + 5) % 64] + token[place + 1 :]


def of_other_keys() -> Iterator[str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    yield jwt.encode(claims(), private, algorithm="RS256")
    yield jwt.encode(claims(), private, algorithm="PS256")
    for secret in (
        OTHER_SECRET,
        CLIENT_ID,
        SECRET[:-1],
        SECRET + " ",
        SECRET.upper(),
        SECRET.removeprefix("shpss_"),
        "secret" * 8,
    ):
        yield session_token(secret=secret)
    for algorithm in ("HS384", "HS512"):
        yield jwt.encode(claims(), SECRET.ljust(64, "x"), algorithm=algorithm)
    yield jwt.encode(claims(), "", algorithm="none")


def good_tokens() -> list[str]:
    changes: list[dict[str, Any]] = [
        {}, {"exp": NOW_S - 9}, {"exp": NOW_S + 3_600}, {"nbf": NOW_S + 9}, {"nbf": NOW_S + 10}, {"iat": NOW_S + 9},
        {"iat": ...},
        {"jti": ...}, {"sid": ...}, {"sub": "1"}, {"sub": str(2**63 - 1)}, {"extra": {"a": [1]}}, {"nbf": NOW_S - 60,
        "iat": NOW_S - 60},
        {"dest": "https://a.myshopify.com", "iss": "https://a.myshopify.com/admin"},
        {"dest": "https://9-a.myshopify.com", "iss": "https://9-a.myshopify.com/admin"},
    ]  # fmt: skip
    tokens = [session_token(claims(**change)) for change in changes]
    tokens += [session_token(header={"alg": "HS256"}), session_token(header={"typ": "JWT", "alg": "HS256"})]
    tokens += [session_token(secret=secret) for secret in SECRETS] + [jwt.encode(claims(), SECRET, algorithm="HS256")]
    return tokens


def test_no_wrong_token_is_accepted(gauntlet):
    gauntlet.random("G19")
    bad = [*wrong_headers(), *wrong_claims(), *wrong_payloads(), *wrong_spellings(), *of_other_keys()]
    assert len(bad) >= 500
    accepted = [str(token)[:80] for token in bad if is_accepted(token)]
    gauntlet.record("G19", n=len(bad), failures=len(accepted))
    assert not accepted


def test_twenty_right_tokens_are_accepted_and_die_in_time(gauntlet):
    tokens = good_tokens()
    assert len(tokens) == 20
    refused = [token for token in tokens if not is_accepted(token)]
    replayed = [token for token in tokens if is_accepted(token, now=NOW + timedelta(seconds=3_611))]
    early = [token for token in tokens if is_accepted(token, now=NOW - timedelta(seconds=90))]
    gauntlet.record("G19", n=60, failures=len(refused) + len(replayed) + len(early))
    assert not refused and not replayed and not early


def weak_secrets() -> list[str]:
    """Every well-known default as it is, decorated, and repeated to length; and what is too plain to be a secret."""
    known = sorted(WELL_KNOWN)
    assert len(known) >= 100
    decorated = [f"{entry}-123!" for entry in known if len([c for c in entry if c.isalpha()]) >= 4]
    repeated = [(entry * 40)[: max(40, len(entry) * 2)] for entry in known]
    plain = ["", "x" * 64, "a1" * 20, "abc" * 20, "0" * 32, "1234567890" * 4, "abcdefghijklmnopqrstuvwxyz0123456789",
             "zyxwvutsrqponmlkjihgfedcba9876543210",
             "shpss_" + "a" * 32, "shpss_" + "0123456789abcdef" * 2, "a" * 31,
             "8f2c51d0b7e64a39c2d15f07e9ab346"]  # fmt: skip
    return [*known, *(entry.upper() for entry in known), *decorated, *repeated, *plain]


def test_a_weak_secret_refuses_to_boot(gauntlet):
    booted, tried = [], 0
    for name in ("SECRET_KEY", "SHOPIFY_API_SECRET", "SHOPIFY_API_SECRET_OLD"):
        for weak in weak_secrets():
            if not weak and name == "SHOPIFY_API_SECRET_OLD":
                continue
            tried += 1
            try:
                Config.from_env(environment(**{name: weak}))
                booted.append((name, weak))
            except ConfigError as error:
                if not any(problem.startswith(name) for problem in error.problems):
                    booted.append((name, weak))
    for name in ("SECRET_KEY", "SHOPIFY_API_SECRET", "SHOPIFY_API_KEY", "ENCRYPTION_KEYS", "APP_URL"):
        tried += 1
        try:
            Config.from_env(environment(**{name: None}))
            booted.append((name, "missing"))
        except ConfigError:
            pass
    gauntlet.record("G19", n=tried, failures=len(booted))
    assert not booted


def test_a_strong_one_boots(gauntlet):
    import secrets

    for _ in range(100):
        Config.from_env(
            environment(
                SECRET_KEY=secrets.token_urlsafe(32),
                SHOPIFY_API_SECRET=secrets.token_hex(16),
                SHOPIFY_API_SECRET_OLD=f"shpss_{secrets.token_hex(16)}",
                ENCRYPTION_KEYS=Fernet.generate_key().decode(),
            )
        )
    gauntlet.record("G19", n=100)
