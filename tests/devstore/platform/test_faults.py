"""How the Admin API misbehaves on request, over real HTTP: each kind, the schedule, and what it reports."""

from __future__ import annotations

import time

import pytest
import requests

QUERY = "query Who { shop { id } }"
DEFINITION = """mutation Define($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) { createdDefinition { id } userErrors { code message } }
}"""


@pytest.fixture(scope="module")
def token(control):
    return control.exchange().json()["access_token"]


@pytest.fixture(autouse=True)
def a_good_day_after(control):
    yield
    control.post("api/faults")
    control.post("api/bucket")


@pytest.fixture
def ask(control, token):
    def ask(document=QUERY, /, **variables):
        return control.graphql(document, token=token, **variables)

    return ask


def define(ask, key):
    """What came of making a metafield definition: its answer, or None when there was no whole one."""
    definition = {"name": key, "namespace": "tests", "key": key, "ownerType": "CUSTOMER", "type": "json"}
    try:
        answer = ask(DEFINITION, definition=definition).json()
    except (requests.RequestException, ValueError):
        return None
    return answer["data"]["metafieldDefinitionCreate"]


def codes(payload):
    return [error["code"] for error in payload["userErrors"]]


def took(what):
    began = time.monotonic()
    with pytest.raises(requests.RequestException):
        what()
    return time.monotonic() - began


@pytest.mark.parametrize("kind", ["500", "502", "503", "429", "401", "402", "423"])
def test_plain_refusals(control, ask, kind):
    control.post("api/faults", next=[kind])
    assert ask().status_code == int(kind)
    assert ask().json()["data"]


@pytest.mark.parametrize("kind", ["reset", "timeout_before"])
def test_what_never_arrived_was_not_done(control, ask, kind):
    control.post("api/faults", next=[kind], seconds=0.05)
    assert define(ask, kind) is None
    assert codes(define(ask, kind)) == []


@pytest.mark.parametrize("kind", ["lost", "timeout_after", "truncated", "drip_cut"])
def test_what_was_lost_was_done(control, ask, kind):
    control.post("api/faults", next=[kind], seconds=0.05)
    assert define(ask, kind) is None
    assert codes(define(ask, kind)) == ["TAKEN"]


def test_a_time_out_hangs_for_as_long_as_asked(control, ask):
    control.post("api/faults", next=["timeout_before", "timeout_after", "reset"], seconds=0.3)
    assert 0.3 <= took(ask) < 1
    assert 0.3 <= took(ask) < 1
    assert took(ask) < 0.2


def test_a_slow_drip_comes_a_byte_at_a_time_and_whole(control, token):
    control.post("api/faults", next=["drip"], seconds=0.4)
    began = time.monotonic()
    with requests.post(
        control.shop_url("/admin/api/2026-10/graphql.json"),
        json={"query": QUERY},
        headers={"X-Shopify-Access-Token": token},
        stream=True,
        timeout=5,
    ) as answer:
        assert time.monotonic() - began < 0.3  # the head comes at once
        pieces = list(iter(lambda: answer.raw.read1(1000), b""))
    assert time.monotonic() - began > 0.4
    assert len(pieces) > 20
    assert b"".join(pieces).startswith(b'{"data"')
    assert len(b"".join(pieces)) == int(answer.headers["Content-Length"])


def test_throttled_means_a_bucket_that_is_really_empty(control, ask):
    control.post("api/bucket", size=1000, restore=40)
    control.post("api/faults", next=["throttled"])
    dear = "query Dear { customers(first: 250) { nodes { id } } }"
    refused = ask(dear).json()
    cost = refused["extensions"]["cost"]
    assert refused["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "data" not in refused
    status = cost["throttleStatus"]
    assert (status["maximumAvailable"], status["restoreRate"]) == (1000, 40)
    missing = cost["requestedQueryCost"] - status["currentlyAvailable"]
    assert missing > 0
    time.sleep(missing / status["restoreRate"] + 0.05)
    assert ask(dear).json()["data"]


def test_a_missing_scope_is_denied_in_the_endpoints_own_words(control, ask):
    control.post("api/faults", next=["missing_scope"])
    answer = ask("query People { customers(first: 1) { nodes { id } } }").json()
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert "`read_customers` access scope" in answer["errors"][0]["message"]
    assert ask("query People { customers(first: 1) { nodes { id } } }").json()["data"]


def test_only_named_operations_misbehave(control, ask):
    control.post("api/faults", percent=100, kinds=["500"], operations=["Unlucky"])
    assert ask().status_code == 200
    assert ask("query Unlucky { shop { id } }").status_code == 500


def test_operations_may_have_schedules_of_their_own(control, ask):
    schedules = {"Own": {"next": ["ok", "503"]}, "All": {"percent": 100}}
    control.post("api/faults", next=["502"], kinds=["500"], by_operation=schedules)
    own, everyone = "query Own { shop { id } }", "query All { shop { id } }"
    answers = [ask(query).status_code for query in (own, own, own, everyone, QUERY, QUERY)]
    assert answers == [200, 503, 200, 500, 502, 200]


def test_a_seed_makes_the_same_schedule_again_whatever_comes_between(control, ask):
    def schedule(queries):
        control.post("api/faults", percent=50, kinds=["500", "429", "html"], seed=7)
        for query in queries:
            ask(query)
        done = control.get("api/faults")["done"]
        return {(fault["operation"], fault["call"], fault["kind"]) for fault in done}

    other = "query Other { shop { name } }"
    first, second = schedule([QUERY] * 8 + [other] * 8), schedule([QUERY, other] * 8)
    assert first == second
    assert 4 <= len(first) <= 12


def test_the_report_counts_by_kind_and_by_operation(control, ask):
    control.post("api/faults", next=["500", "ok", "html", "500"])
    for query in (QUERY, QUERY, "query Other { shop { id } }", QUERY, QUERY):
        ask(query)
    report = control.get("api/faults")
    assert report["calls"] == {"Who": 4, "Other": 1}
    assert report["kinds"] == {"500": 2, "html": 1}
    assert report["operations"] == {"Who": {"500": 2}, "Other": {"html": 1}}
    assert [(f["operation"], f["call"], f["kind"]) for f in report["done"]] == [
        ("Who", 1, "500"),
        ("Other", 1, "html"),
        ("Who", 3, "500"),
    ]
    assert report["schedule"]["next"] == []


def test_the_token_endpoint_reports_by_grant(control):
    control.post("oauth/faults", next=["500"])
    assert control.exchange().status_code == 500
    assert control.get("oauth/faults")["operations"] == {"token-exchange": {"500": 1}}


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ("api/faults", {"next": ["earthquake"]}),
        ("api/faults", {"by_operation": {"A": {"kinds": ["earthquake"]}}}),
        ("api/faults", {"by_operation": {"A": {"often": 3}}}),
        ("api/faults", {"sometimes": True}),
        ("oauth/faults", {"next": ["partial"]}),
    ],
)
def test_an_unknown_fault_or_option_is_refused(control, where, asked):
    answer = requests.post(f"{control.root}/-/control/{where}", json=asked, timeout=5)
    assert answer.status_code == 422
