"""Logging in as anybody, registering, logging out."""

import pytest


def test_choosing_a_customer_logs_in_and_goes_back(visitor, devstore, shop):
    customer = devstore.customers(shop)[0]
    answer = visitor.post("/customer_authentication/login", data={"customer_id": customer.id, "return_to": "/cart"})
    assert answer.headers["Location"] == "/cart"
    assert f"Hello, {customer.first_name}" in visitor.get("/account").text


def test_an_address_in_any_case_logs_in(visitor):
    visitor.post("/account/login", data={"email": "INES@example.com"})
    assert "Hello, Ines" in visitor.get("/account").text


def test_an_unknown_address_leads_to_registering(visitor, devstore, shop):
    page = visitor.post("/account/login", data={"email": "lena@example.com", "return_to": "/cart"}).text
    assert "Nobody here has the address lena@example.com yet." in page
    form = {"customer[email]": "lena@example.com", "customer[first_name]": "Lena", "return_to": "/cart"}
    assert visitor.post("/account", data=form).headers["Location"] == "/cart"
    assert "Hello, Lena" in visitor.get("/account").text
    assert devstore.customer_by_email(shop, "lena@example.com").state == "enabled"


@pytest.mark.parametrize("email", ["", "lena", "lena@", "a b@example.com", "@example.com"])
def test_what_is_no_address_is_said(visitor, email):
    assert visitor.post("/account/login", data={"email": email}).status_code == 422
    assert visitor.post("/account", data={"customer[email]": email}).status_code == 422


def test_an_address_cannot_be_registered_twice(visitor):
    answer = visitor.post("/account", data={"customer[email]": "ines@example.com"})
    assert answer.status_code == 422
    assert "Email has already been taken" in answer.text


def test_a_guests_record_becomes_a_verified_account(visitor, devstore, shop):
    guest = devstore.create_customer(shop, email="g@example.com", state="disabled", verified_email=False, quiet=True)
    visitor.post("/account/login", data={"email": "g@example.com"})
    now = devstore.customer(shop, guest.id)
    assert (now.state, now.verified_email) == ("enabled", True)


def test_logging_out(visitor):
    visitor.post("/account/login", data={"email": "ines@example.com"})
    visitor.get("/account/logout")
    assert visitor.get("/account").headers["Location"] == "/account/login"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "\\\\evil"])
def test_logging_in_leads_nowhere_else(visitor, target):
    answer = visitor.post("/account/login", data={"email": "ines@example.com", "return_to": target})
    assert answer.headers["Location"] == "/account"


def test_registering_sends_the_webhook(visitor, devstore, shop):
    devstore.apps.install(shop)
    visitor.post("/account", data={"customer[email]": "lena@example.com"})
    topics = [topic for (topic,) in devstore.store.rows("SELECT topic FROM deliveries")]
    assert topics == ["customers/create"]
