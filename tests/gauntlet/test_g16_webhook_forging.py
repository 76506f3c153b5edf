"""G16: from 20 valid webhooks, 10,000 forgeries. None is accepted.

Here against the verifier alone; what the receiver answers and stores is tested over HTTP.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from app.errors import Unauthenticated
from app.shopify.webhooks import SIGNATURE_HEADERS, verify_webhook
from tests.shopify.signing import OTHER_SECRET, SECRET, SECRETS, digest, webhook_signature

PAYLOADS = Path(__file__).parents[1] / "data/shopify/payloads"
COMPLIANCE = ("customers__data_request", "customers__redact", "shop__redact")
MUTANTS = 10_000


def messages() -> list[bytes]:
    """Twenty bodies, the three compliance topics among them."""
    names = sorted(path.stem for path in PAYLOADS.glob("*.json"))
    ours = [name for name in names if name.startswith(("orders", "refunds", "customers", "app__", "shop__"))]
    return [
        (PAYLOADS / f"{name}.json").read_bytes()
        for name in [*COMPLIANCE, *(name for name in ours if name not in COMPLIANCE)][:20]
    ]


def is_accepted(body: bytes, headers: dict[str, str]) -> bool:
    try:
        verify_webhook(body, headers, SECRETS)
    except Unauthenticated:
        return False
    return True


def changed_bodies(body: bytes, random: Random) -> Iterator[bytes]:
    place = random.randrange(len(body))
    yield body[:place] + bytes([body[place] ^ (1 << random.randrange(8))]) + body[place + 1 :]
    yield body[: random.randrange(len(body))]
    yield body + bytes([random.randrange(256)])
    yield body + random.choice([b"\n", b"\r\n", b" ", b"\x00", b"{}", body])
    yield bytes([random.randrange(256)]) + body
    yield b"\xef\xbb\xbf" + body
    yield body.replace(b"\n", b"\r\n") if b"\n" in body else body + b"\r\n"
    yield json.dumps(json.loads(body), separators=(",", ":"), sort_keys=True).encode() + b" " * random.randrange(3)
    yield gzip.compress(body)
    yield b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    yield b""
    yield body.decode().encode("utf-16")
    yield body[::-1]


def changed_signatures(body: bytes, random: Random) -> Iterator[str]:
    raw = digest(body)
    right = webhook_signature(body)
    place = random.randrange(43)
    other = random.choice([letter for letter in "ABCxyz019+/" if letter != right[place]])
    yield right[:place] + other + right[place + 1 :]
    yield raw.hex()
    yield raw.hex().upper()
    urlsafe = base64.urlsafe_b64encode(raw).decode()
    yield urlsafe if urlsafe != right else right.rstrip("=")
    yield right.rstrip("=")
    yield right + "="
    yield random.choice([" ", "\t", "\n", "\u00a0", "\u200b"]) + right
    yield right + random.choice([" ", "\t", "\n", "\r\n", "\x00"])
    yield right.lower() if right.lower() != right else right.upper()
    yield right[: random.randrange(44)]
    yield ""
    yield f"{right},{right}"
    yield f"{right}, {webhook_signature(body, OTHER_SECRET)}"
    yield webhook_signature(body, OTHER_SECRET)
    yield webhook_signature(b"")
    yield webhook_signature(body + b"\n")
    yield base64.b64encode(raw.hex().encode()).decode()
    yield base64.b64encode(raw[:16] * 2).decode()
    yield f"sha256={right}"
    yield f"Basic {right}"
    # The last letter but one holds two bits that mean nothing: a lenient decoder reads any of four spellings.
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".index(right[42])
    yield (
        right[:42]
        + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[last ^ random.randrange(1, 4)]
        + "="
    )
    yield right.replace("=", "\uff1d")
    yield "\u0661" * 44


def test_no_forged_webhook_is_accepted(gauntlet):
    random = gauntlet.random("G16")
    bodies = messages()
    assert len(bodies) == 20
    accepted, tried = [], 0
    while tried < MUTANTS:
        for body in bodies:
            name = random.choice(SIGNATURE_HEADERS)
            right = webhook_signature(body, random.choice(SECRETS))
            forgeries = [(changed, {name: right}) for changed in changed_bodies(body, random) if changed != body]
            forgeries += [(body, {name: signature}) for signature in changed_signatures(body, random)]
            forgeries += [(body, {}), (body, {"X-Shopify-Hmac": right}), (body, {name: right, SIGNATURE_HEADERS[0]: "x",
                          SIGNATURE_HEADERS[1]: right})]  # fmt: skip
            accepted += [(body[:40], headers) for body, headers in forgeries if is_accepted(body, headers)]
            tried += len(forgeries)
    gauntlet.record("G16", n=tried, failures=len(accepted))
    assert not accepted


def test_every_genuine_webhook_is_accepted(gauntlet):
    genuine = [(body, {name: webhook_signature(body, secret)}) for body in messages() for name in SIGNATURE_HEADERS
               for secret in SECRETS]  # fmt: skip
    refused = [headers for body, headers in genuine if not is_accepted(body, headers)]
    gauntlet.record("G16", n=len(genuine), failures=len(refused))
    assert not refused


def test_a_retired_secret_signs_nothing_more(gauntlet):
    accepted = 0
    for body in messages():
        try:
            verify_webhook(body, {SIGNATURE_HEADERS[0]: webhook_signature(body, SECRETS[1])}, (SECRET,))
            accepted += 1
        except Unauthenticated:
            pass
    gauntlet.record("G16", n=20, failures=accepted)
    assert accepted == 0
