"""G20: over 200 values that are no shop, over 100 addresses that are not ours. None passes, and nobody is called.

The state cookie, replayed codes and the refresh race are tested with the parts that hold them.
"""

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest
import responses

from app.errors import Unauthenticated
from app.shopify.client import AdminClient
from app.shopify.oauth import authorize_url, reload_target, verify_oauth_query
from app.shopify.origins import Origins
from app.shopify.proxy import verify_proxy
from app.shopify.shops import exact_shop_domain, shop_domain
from app.shopify.tokens import TokenEndpoint
from tests.shopify.signing import NOW, SECRET, SECRETS, STAMP, oauth_query, proxy_pairs, proxy_query

APP = "https://loyalty.example.org"
SHOP = "x.myshopify.com"


def not_shops() -> list[str]:
    hosts = [
        "", " ", ".", "x", "evil.com", "myshopify.com", ".myshopify.com", "-x.myshopify.com", "x..myshopify.com",
        "x.y.myshopify.com",
        "x_y.myshopify.com", "x y.myshopify.com", "x+y.myshopify.com", "x.myshopify.com.evil.com", "x.myshopify.com.",
        "x.myshopify.comevil",
        "x.myshopify.com-evil.com", "x.myshopify.co", "x.myshopify.org", "x.shopify.com", "x.my-shopify.com",
        "x.myshopify,com",
        "xmyshopify.com", "evilmyshopify.com", "myshopify.com.evil.com", "evil.com/x.myshopify.com",
        "evil.com?x.myshopify.com",
        "evil.com#x.myshopify.com", "evil.com\\x.myshopify.com", "evil.com@x.myshopify.com", "x.myshopify.com@evil",
        "x@x.myshopify.com",
        "user:pass@x.myshopify.com", "x.myshopify.com:443", "x.myshopify.com:80", "x.myshopify.com:",
        "x.myshopify.com:443@evil.com",
        "x.myshopify.com/", "x.myshopify.com/admin", "x.myshopify.com/../evil", "x.myshopify.com?",
        "x.myshopify.com?a=b",
        "x.myshopify.com#", "x.myshopify.com#a", "x.myshopify.com;", "x.myshopify.com,evil.com",
        "x.myshopify.com evil.com",
        "x.myshopify.com|evil.com", "x.myshopify.com&evil.com", "x.myshopify.com%00", "x.myshopify.com%0a",
        "x.myshopify.com%2f",
        "x%2emyshopify%2ecom", "x%2Emyshopify.com", "%78.myshopify.com", "x.myshopify%2ecom", "x%00.myshopify.com",
        "x.myshopify.com%20",
        "http://x.myshopify.com", "https://x.myshopify.com", "//x.myshopify.com", "https:x.myshopify.com",
        "javascript:x.myshopify.com",
        "ftp://x.myshopify.com", "data:x.myshopify.com", "file:///x.myshopify.com", "127.0.0.1",
        "127.0.0.1/x.myshopify.com", "localhost",
        "0.0.0.0", "2130706433", "0x7f000001", "017700000001", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254",
        "10.0.0.1", "::1",
        "x.myshopify.com.localhost", "x.myshopify.com.127.0.0.1.nip.io", "xn--80ak6aa92e.myshopify.com",
        "xn--x.myshopify.com",
        "xn--myshopify-x3d.com", "x.xn--myshopify-z9c.com", "ｘ.myshopify.com", "x.ｍyshopify.com", "x。myshopify.com",
        "x．myshopify.com",
        "x｡myshopify.com", "x․myshopify.com", "x.myshopify。com", "х.myshopify.com", "x.myѕhopify.com",
        "x.myshορify.com", "é.myshopify.com",
        "x\u200b.myshopify.com", "x.myshopify.com\u200b", "\ufeffx.myshopify.com", "x\u00ad.myshopify.com",
        "x.myshopify.com\u202e", "ß.myshopify.com",
        "İ.myshopify.com", "ı.myshopify.com", "\u212a.myshopify.com", "ſ.myshopify.com", "x.myſhopify.com",
        "١.myshopify.com", "x.myshopify.com\u3000",
        "a" * 64 + ".myshopify.com", "a" * 300 + ".myshopify.com", "a" * 300, "x." * 150 + "myshopify.com",
        "x.myshopify.com" * 20,
        "<script>.myshopify.com", '".myshopify.com', "'.myshopify.com", "`.myshopify.com", "$(id).myshopify.com",
        "{shop}.myshopify.com",
        "{{7*7}}.myshopify.com", "%s.myshopify.com", "*.myshopify.com", "?.myshopify.com", "..myshopify.com",
        "../x.myshopify.com",
        "x/.myshopify.com", "/x.myshopify.com", "\\x.myshopify.com", "x\\.myshopify.com", "(x).myshopify.com",
        "[x].myshopify.com",
        "x=.myshopify.com", "=x.myshopify.com", "x&.myshopify.com", "x'--.myshopify.com", "x;.myshopify.com", "null",
        "undefined", "None",
        "true", "0", "-1", "shop", "shop[]=x.myshopify.com", '["x.myshopify.com"]', '{"shop":"x.myshopify.com"}',
        "admin.shopify.com",
        "admin.shopify.com/store/x", "cdn.shopify.com", "partners.shopify.com", "x.myshopify.com.myshopify.com",
        "myshopify.com/x.myshopify.com",
        "x.myshopify.com\\@evil.com", "x.myshopify.com\\.evil.com", "x.myshopify.com%40evil.com",
        "x.myshopify.com%5c@evil.com",
    ]  # fmt: skip
    blanks = [
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\x00",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x1f",
        "\x7f",
        "\x85",
        "\u00a0",
        "\u2028",
        "\u2029",
        " ",
    ]
    hosts += [SHOP + blank for blank in blanks] + [blank + SHOP for blank in blanks]
    hosts += [f"{SHOP}{blank}evil.com" for blank in blanks] + [f"x{blank}.myshopify.com" for blank in blanks]
    return list(dict.fromkeys(hosts))


def uses_of(value: str) -> dict[str, Callable[[], object]]:
    """Everything that takes a shop from outside, given this one."""
    endpoint = TokenEndpoint(Origins(), "client-id", SECRET)
    return {
        "oauth": lambda: verify_oauth_query(oauth_query({"shop": value, "timestamp": STAMP}), SECRETS, now=NOW),
        "proxy": lambda: verify_proxy(proxy_query(proxy_pairs("1", shop=value)), SECRETS, now=NOW),
        "exchange": lambda: endpoint.exchange(value, "jwt", now=NOW),
        "code": lambda: endpoint.redeem_code(value, "code", now=NOW),
        "client": lambda: AdminClient(Origins(), value, "token"),
        "authorize": lambda: authorize_url(Origins(), value, "id", "https://x", "n"),
        "ancestors": lambda: Origins().frame_ancestors(value),
        "local": lambda: Origins("http://127.0.0.1:9292/{shop}").api(value),
    }


@responses.activate
def test_what_is_no_shop_is_nowhere_taken_for_one(gauntlet):
    bad = not_shops()
    assert len(bad) >= 200
    passed = [("pattern", value) for value in bad if shop_domain(value) or exact_shop_domain(value)]
    for value in bad:
        for name, use in uses_of(value).items():
            try:
                use()
                passed.append((name, value))
            except (Unauthenticated, ValueError):
                pass
    called = [call.request.url for call in responses.calls]
    gauntlet.record("G20", n=9 * len(bad), failures=len(passed) + len(called))
    assert not passed and not called


def elsewhere() -> list[str]:
    """Addresses a token page must not reload, however a browser would repair them."""
    paths = [
        "", "//evil.com", "///evil.com", "////evil.com", "/\\evil.com", "\\\\evil.com", "\\/evil.com", "/\\/evil.com",
        "//evil.com/%2f..",
        "//evil.com:443", "//@evil.com", "//evil.com?", "//evil.com#", "/ /evil.com", "/\t/evil.com", "/\n/evil.com",
        "/\r/evil.com",
        "\t//evil.com", "\n//evil.com", " //evil.com", "/%09/evil.com", "/%5cevil.com", "/%5Cevil.com",
        "/%2fevil.com", "/%2Fevil.com", "/.//evil.com",
        "/..//evil.com", "/./\\evil.com", "/a/..//evil.com", "/a/../../evil", "/../evil", "/%2e%2e//evil.com",
        "/%2e%2e/x", "/a/%2E%2E/x", "/.", "/..",
        "/a//b", "/;//evil.com", "/\x00", "/\x00//evil.com", "/é", "/\u2028", "//evil%E3%80%82com", "/\u202e",
        "https://", "https:", "https:/", "http:evil.com",
        "https:evil.com", "https:/evil.com", "https:///evil.com", "https:\\\\evil.com", "https://evil.com",
        "http://evil.com", "HTTPS://EVIL.COM",
        "https://evil.com/admin", "https://user@evil.com", "https://127.0.0.1/", "https://[::1]/",
        "http://169.254.169.254/", "http://loyalty.example.org/",
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript://loyalty.example.org/%0aalert(1)",
        "java\nscript:alert(1)", "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "blob:https://evil.com/x",
        "about:blank", "ftp://evil.com",
        "mailto:a@b.c", "tel:1", "view-source:https://evil.com", "intent://evil.com", "chrome://settings",
        "ws://evil.com", "admin", "admin/members", "?a=b", "#a",
        "evil.com", "evil.com/", "www.evil.com", "@evil.com", ":80", "[]", "<script>", "%2f%2fevil.com",
        "%68ttps://evil.com",
    ]  # fmt: skip
    ours = [f"{APP}.evil.com", f"{APP}.evil.com/", f"{APP}@evil.com", f"{APP}@evil.com/", f"{APP}:443@evil.com/",
            f"{APP}:80/", f"{APP}%2eevil.com/",
            f"{APP}\\@evil.com", f"{APP}\\.evil.com", f"{APP}//evil.com", f"{APP}/\\evil.com", f"{APP}/..//evil.com",
            f"{APP}#@evil.com", f"{APP}?@evil.com",
            f"{APP}/\n", f" {APP}/", f"{APP}evil/", f"{APP}-evil.com/", f"{APP.upper()}/",
            "https://loyalty.example.org:8443/", "https://x@loyalty.example.org/",
            f"{APP}/{'x' * 5_000}"]  # fmt: skip
    return list(dict.fromkeys([*paths, *ours]))


def test_reloads_nothing_but_our_own_pages(gauntlet):
    bad = elsewhere()
    assert len(bad) >= 100
    passed = [value for value in bad if reload_target(value, APP) is not None]
    ours = [
        "/",
        "/admin",
        "/admin/members?page=2&q=a%2Fb",
        "/?shop=x.myshopify.com&host=YQ",
        f"{APP}/admin/program",
        f"{APP}/?embedded=1#top",
        "/a.b/c-d_e~f",
    ]
    lost = [value for value in ours if reload_target(value, APP) != (value if value.startswith(APP) else APP + value)]
    gauntlet.record("G20", n=len(bad) + len(ours), failures=len(passed) + len(lost))
    assert not passed and not lost


def test_a_host_parameter_leads_to_shopify_or_nowhere(gauntlet):
    places = [*not_shops(), *elsewhere(), "admin.shopify.com", "admin.shopify.com/", "admin.shopify.com/store",
              "admin.shopify.com/store/",
              "admin.shopify.com/store/x/..", "admin.shopify.com/store/x?y", "admin.shopify.com/store/X",
              "admin.shopify.com//evil.com",
              "admin.shopify.com\\@evil.com", "x.myshopify.com/admin/..", "x.myshopify.com/evil",
              "x.myshopify.com//evil.com",
              "evil.com/admin", "evil.com/store/x"]  # fmt: skip
    places = [place for place in places if place not in ("admin.shopify.com/store/x", "x.myshopify.com/admin")]
    passed, tried = [], 0
    for place in places:
        raw = place.encode("utf-8", "surrogatepass")
        for host in (
            base64.b64encode(raw).decode(),
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            place,
            quote(place),
        ):
            tried += 1
            if Origins().app_in_admin(host, "id") is not None:
                passed.append((place, host))
    gauntlet.record("G20", n=tried, failures=len(passed))
    assert not passed


@pytest.mark.parametrize("answer", [{"status": 302, "headers": {"Location": "https://evil.example/steal"}},
                                    {"status": 307, "headers": {"Location": "http://127.0.0.1:1/"}}])  # fmt: skip
@responses.activate
def test_a_redirect_takes_no_token_along(answer, gauntlet):
    shop = "https://x.myshopify.com"
    responses.post(f"{shop}/admin/oauth/access_token", **answer)
    responses.post(f"{shop}/admin/api/2026-10/graphql.json", **answer)
    for attempt in (lambda: TokenEndpoint(Origins(), "id", SECRET).refresh(SHOP, "shprt_x", now=NOW),
                    lambda: AdminClient(Origins(), SHOP, "shpat_x").execute("shop")):  # fmt: skip
        with pytest.raises(Exception, match=r"30[27]"):
            attempt()
    hosts = {call.request.url.split("/")[2] for call in responses.calls}
    gauntlet.record("G20", n=2, failures=len(hosts - {SHOP}))
    assert hosts == {SHOP}
