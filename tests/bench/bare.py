"""What we are compared with: the least a Flask app could do to award and to redeem points, all of it in the request.

Verify the HMAC, parse the body, write the award and the balance in one PostgreSQL transaction, answer. No inbox, no
retry, no merging, no order row, no explanation: the floor of what is useful, and of what it costs. Redeeming is a
guarded UPDATE of the balance and two INSERTs: no lots, no limits, no versions of the program, and no code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
from decimal import Decimal

import psycopg
from flask import Flask, Response, jsonify, request

TABLES = """
CREATE TABLE IF NOT EXISTS bare_entries (
  order_id bigint PRIMARY KEY, customer_id bigint NOT NULL, points bigint NOT NULL, at timestamptz DEFAULT now());
CREATE TABLE IF NOT EXISTS bare_balances (customer_id bigint PRIMARY KEY, points bigint NOT NULL);
CREATE TABLE IF NOT EXISTS bare_redemptions (
  key text PRIMARY KEY, customer_id bigint NOT NULL, reward text NOT NULL, points bigint NOT NULL);
CREATE TABLE IF NOT EXISTS bare_spent (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL, points bigint NOT NULL,
  at timestamptz DEFAULT now());
"""


def create() -> Flask:
    app = Flask("bare")
    secret = os.environ["SHOPIFY_API_SECRET"].encode()
    url = os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
    local = threading.local()  # a connection a thread: leaner than any pool

    def connection() -> psycopg.Connection:
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(url, autocommit=True)
        return local.connection  # type: ignore[no-any-return]

    @app.post("/webhooks")
    def webhook() -> tuple[str, int]:
        body = request.get_data()
        expected = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(expected, request.headers.get("X-Shopify-Hmac-SHA256", "")):
            return "", 401
        order = json.loads(body)
        total = sum(Decimal(line["price"]) * line["quantity"] for line in order["line_items"])
        with connection().transaction():
            row = (
                connection()
                .execute(
                    "INSERT INTO bare_entries (order_id, customer_id, points) VALUES (%s, %s, %s) "
                    "ON CONFLICT DO NOTHING RETURNING points",
                    (order["id"], order["customer"]["id"], int(total)),
                )
                .fetchone()
            )
            if row:
                connection().execute(
                    "INSERT INTO bare_balances VALUES (%s, %s) "
                    "ON CONFLICT (customer_id) DO UPDATE SET points = bare_balances.points + excluded.points",
                    (order["customer"]["id"], row[0]),
                )
        return "", 200

    @app.post("/proxy/redemptions")
    def redeem() -> tuple[Response | str, int]:
        sent = request.args.to_dict()
        signature = sent.pop("signature", "")
        text = "".join(sorted(f"{name}={value}" for name, value in sent.items()))
        if not hmac.compare_digest(hmac.new(secret, text.encode(), hashlib.sha256).hexdigest(), signature):
            return "", 401
        wanted, customer_id = request.get_json(), int(sent["logged_in_customer_id"])
        with connection().transaction():
            enough = connection().execute(
                "UPDATE bare_balances SET points = points - %s WHERE customer_id = %s AND points >= %s",
                (wanted["points"], customer_id, wanted["points"]),
            )
            if not enough.rowcount:
                return "", 409
            connection().execute(
                "INSERT INTO bare_redemptions VALUES (%s, %s, %s, %s)",
                (wanted["key"], customer_id, wanted["reward_id"], wanted["points"]),
            )
            connection().execute(
                "INSERT INTO bare_spent (customer_id, points) VALUES (%s, %s)", (customer_id, wanted["points"])
            )
        return jsonify(id=wanted["key"], state="issued", points=wanted["points"]), 201

    return app
