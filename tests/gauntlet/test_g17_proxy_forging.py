"""G17: an app-proxy query says who is asking; 10,000 attempts to say it for somebody else. None succeeds.

Two kinds. A *tampered* query keeps a signature Shopify made for another one: it may only be accepted as exactly the
identity it was signed for. A *poisoned* query was signed by Shopify with parameters an anonymous shopper chose: it, and
every other way of cutting its signed text into parameters, may only be accepted as nobody.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from random import Random
from urllib.parse import quote, urlencode

from app.errors import Unauthenticated
from app.shopify.proxy import RESERVED, ProxyRequest, verify_proxy
from tests.shopify.signing import (
    NOW,
    OTHER_SECRET,
    SECRETS,
    SHOP,
    STAMP,
    digest,
    proxy_pairs,
    proxy_query,
    proxy_text,
)

VICTIM = "999"
CASES = 10_000
Pairs = list[tuple[str, str]]


def ask(query: bytes, *, now=NOW) -> ProxyRequest | None:
    """The verified request, or None when it was refused. Anything else that is raised fails the test."""
    try:
        return verify_proxy(query, SECRETS, now=now)
    except Unauthenticated:
        return None


def signed(customer: str, random: Random) -> Pairs:
    extra = [(random.choice(["cursor", "v", "lang", "q"]), random.choice(["", "1", "a b", "é", "%", "&", "x,y"]))]
    return proxy_pairs(customer, extra=extra[: random.randrange(2)])


def tampered(pairs: Pairs, signature: str, random: Random) -> Iterator[Pairs]:
    """Queries that keep the signature of ``pairs``."""
    place = random.randrange(len(pairs))
    name, value = pairs[place]
    without = pairs[:place] + pairs[place + 1 :]
    yield [*without, ("signature", signature)]
    yield [*pairs, (name, value), ("signature", signature)]
    yield [*pairs, ("logged_in_customer_id", VICTIM), ("signature", signature)]
    yield [("logged_in_customer_id", VICTIM), *pairs, ("signature", signature)]
    yield [*pairs, (random.choice(["x", "evil", "signature2", "hmac"]), "1"), ("signature", signature)]
    yield [*pairs, ("signature", signature), ("signature", signature)]
    yield [*pairs, ("signature", signature), ("signature", "0" * 64)]
    for changed in (VICTIM, f"{value},{VICTIM}", f"{VICTIM},{value}", value + "\x00", value + " ", value.upper() + "1"):
        yield [*without, (name, changed), ("signature", signature)]
    yield [*without, (name.upper(), value), ("signature", signature)]
    yield [*without, (f"{name}[]", value), ("signature", signature)]
    yield [*without, (f"{name}\x00", value), ("signature", signature)]
    yield [*without, (name[:-1], f"{name[-1]}={value}"), ("signature", signature)]
    yield [*without, (f"{name}={value}", ""), ("signature", signature)]
    yield [(n, VICTIM if n == "logged_in_customer_id" else v) for n, v in pairs] + [("signature", signature)]
    yield [(n, "evil.myshopify.com" if n == "shop" else v) for n, v in pairs] + [("signature", signature)]
    for wrong in (
        signature.upper(),
        signature[:-1],
        signature + "0",
        "",
        "0" * 64,
        f" {signature}",
        f"{signature},{signature}",
    ):
        yield [*pairs, ("signature", wrong)]
    yield [*pairs, ("signature", digest(proxy_text(pairs), OTHER_SECRET).hex())]
    yield [*pairs, ("Signature", signature)]
    shuffled = [*pairs, ("signature", signature)]
    random.shuffle(shuffled)
    yield shuffled  # the same text: accepted, as whom it was signed for


def poisons(random: Random) -> Iterator[Pairs]:
    """What an anonymous shopper may add, hoping to be somebody."""
    name = random.choice(["a", "b", "m", "z", "~", "cursor", "é", "0"])
    yield [(name, f"xlogged_in_customer_id={VICTIM}m=")]
    yield [("a", ""), ("mh", ""), (f"mzlogged_in_customer_id={VICTIM}", "")]
    yield [("a", ""), ("mh", ""), ("mzlogged_in_customer_id", VICTIM)]
    yield [("logged_in_customer_id", VICTIM)]
    yield [(f"logged_in_customer_id={VICTIM}", "")]
    yield [(f"{name}logged_in_customer_id", VICTIM)]
    yield [(name, f"&logged_in_customer_id={VICTIM}")]
    yield [(name, f"{VICTIM}path_prefix=/apps/regularsshop={SHOP}timestamp={STAMP}")]
    yield [("logged_in_customer_i", f"d={VICTIM}")]
    yield [("logged_in_customer_id[]", VICTIM)]
    yield [("logged_in_customer_id\x00", VICTIM)]
    yield [("LOGGED_IN_CUSTOMER_ID", VICTIM)]
    yield [("signature", "0" * 64)]
    yield [("shop", "victim.myshopify.com")]
    yield [(random.choice(["x_", "z"]) + random.choice(RESERVED), VICTIM)]
    letters = "abmz=&logged_in_customer_id" + VICTIM
    yield [("".join(random.choices(letters, k=random.randrange(1, 30))), "".join(random.choices(letters, k=9)))]


def other_cuts(text: str, signature: str, random: Random) -> Iterator[bytes]:
    """Other parameters whose signed text is the same, some of them naming the victim."""
    for _ in range(6):
        # Cut before each reserved name and at a few random places; keep it if sorting leaves it as it is.
        cuts = {text.find(f"{name}=") for name in RESERVED} | {
            random.randrange(1, len(text)) for _ in range(random.randrange(4))
        }
        if (at := text.find(f"logged_in_customer_id={VICTIM}")) >= 0:
            cuts |= {at, at + len(f"logged_in_customer_id={VICTIM}")}
        edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(text)), len(text)]
        pieces = [text[start:end] for start, end in pairwise(edges)]
        pairs = [_halves(piece, random) for piece in pieces if "=" in piece]
        if len(pairs) == len(pieces):
            yield proxy_query(pairs, signature=signature)


def _halves(piece: str, random: Random) -> tuple[str, str]:
    places = [place for place, letter in enumerate(piece) if letter == "="]
    place = places[0] if random.random() < 0.7 else random.choice(places)
    return piece[:place], piece[place + 1 :]


def test_a_tampered_query_is_nobody_else(gauntlet):
    random = gauntlet.random("G17")
    wrong, tried = [], 0
    while tried < CASES // 2:
        customer = random.choice(["", "1", "7", "6971943256278"])
        pairs = signed(customer, random)
        signature = digest(proxy_text(pairs), random.choice(SECRETS)).hex()
        for changed in tampered(pairs, signature, random):
            tried += 1
            found = ask(
                urlencode(changed, quote_via=random.choice([quote, lambda text, *_: quote(text, safe=":/=")])).encode()
            )
            genuine = sorted(changed) == sorted([*pairs, ("signature", signature)])
            same = found is not None and (found.shop, found.customer_id) == (SHOP, int(customer) if customer else None)
            # Accepted as the right one is right only for the very text that was signed.
            text_kept = proxy_text([pair for pair in changed if pair[0] != "signature"]) == proxy_text(pairs)
            if (genuine and not same) or (found is not None and not (same and text_kept)):
                wrong.append(changed)
    gauntlet.record("G17", n=tried, failures=len(wrong))
    assert not wrong


def test_a_poisoned_query_and_its_other_cuts_are_nobody(gauntlet):
    random = gauntlet.random("G17")
    wrong, tried, same_text = [], 0, 0
    while tried < CASES // 2:
        for poison in poisons(random):
            pairs = proxy_pairs("", extra=poison)
            text = proxy_text(pairs)
            signature = digest(text).hex()
            for query in [proxy_query(pairs), *other_cuts(text, signature, random)]:
                tried += 1
                found = ask(query)
                same_text += found is None
                if found is not None and (found.customer_id is not None or found.shop != SHOP):
                    wrong.append(query)
    gauntlet.record("G17", n=tried, failures=len(wrong))
    assert not wrong
    assert same_text > tried // 4  # the forgeries are real ones: refused for their cut, not by accident


def test_forms_of_a_customer_id_and_of_a_moment(gauntlet):
    wrong = []
    nobodies = ["", "0", "-1", "1e3", " 1", "1 ", "١", "٣", "+1", "01", "1.0", "1,999", "0x1", str(2**63), str(2**64),
                "1\x00",
                "999 ", "９９９", "null", "None", "true", "[999]", '{"id":999}',
                "gid://shopify/Customer/999", "9" * 400]  # fmt: skip
    for text in nobodies:
        found = ask(proxy_query(proxy_pairs(text)))
        if found is not None and found.customer_id is not None:
            wrong.append(text)
    for text, number in (("1", 1), (VICTIM, 999), (str(2**63 - 1), 2**63 - 1)):
        if (found := ask(proxy_query(proxy_pairs(text)))) is None or found.customer_id != number:
            wrong.append(text)
    moments = [
        (-91, False),
        (-90, True),
        (-89, True),
        (89, True),
        (90, True),
        (91, False),
        (86_400, False),
        (-86_400, False),
    ]
    for seconds, good in moments:
        if (ask(proxy_query(proxy_pairs("1")), now=NOW + timedelta(seconds=seconds)) is not None) != good:
            wrong.append(f"{seconds} s")
    stamps = [
        "",
        "0",
        "-1",
        f"{STAMP}.0",
        f"{STAMP}.5",
        f" {STAMP}",
        f"+{STAMP}",
        "1e9",
        "NaN",
        "inf",
        "١٧٦",
        "9" * 12,
        "9" * 13,
        "9" * 500,
    ]
    wrong += [stamp for stamp in stamps if ask(proxy_query(proxy_pairs("1", stamp=stamp))) is not None]
    shops = ["", "evil.com", f"{SHOP}.evil.com", f"evil.com/{SHOP}", SHOP.upper(), f"{SHOP}\n", f" {SHOP}", "x@" + SHOP]
    wrong += [shop for shop in shops if ask(proxy_query(proxy_pairs("1", shop=shop))) is not None]
    n = len(nobodies) + 3 + len(moments) + len(stamps) + len(shops)
    gauntlet.record("G17", n=n, failures=len(wrong))
    assert not wrong
