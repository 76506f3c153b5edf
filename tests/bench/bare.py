"""What we are compared with: the least a Flask app could do to award points, all of it in the request.

Verify the HMAC, parse the body, write the award and the balance in one PostgreSQL transaction, answer. No inbox, no
retry, no merging, no order row, no explanation: the floor of what is useful, and of what it costs.
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
from flask import Flask, request

TABLES = """
CREATE TABLE IF NOT EXISTS bare_entries (
  order_id bigint PRIMARY KEY, customer_id bigint NOT NULL, points bigint NOT NULL, at timestamptz DEFAULT now());
CREATE TABLE IF NOT EXISTS bare_balances (customer_id bigint PRIMARY KEY, points bigint NOT NULL);
"""


def create() -> Flask:
    app = Flask("bare")
    secret = os.environ["SHOPIFY_API_SECRET"].encode()
    url = os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
    local = threading.local()  # a connection a thread: leaner than any pool

    @app.post("/webhooks")
    def webhook() -> tuple[str, int]:
        body = request.get_data()
        expected = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(expected, request.headers.get("X-Shopify-Hmac-SHA256", "")):
            return "", 401
        order = json.loads(body)
        total = sum(Decimal(line["price"]) * line["quantity"] for line in order["line_items"])
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(url, autocommit=True)
        connection = local.connection
        with connection.transaction():
            row = connection.execute(
                "INSERT INTO bare_entries (order_id, customer_id, points) VALUES (%s, %s, %s) "
                "ON CONFLICT DO NOTHING RETURNING points",
                (order["id"], order["customer"]["id"], int(total)),
            ).fetchone()
            if row:
                connection.execute(
                    "INSERT INTO bare_balances VALUES (%s, %s) "
                    "ON CONFLICT (customer_id) DO UPDATE SET points = bare_balances.points + excluded.points",
                    (order["customer"]["id"], row[0]),
                )
        return "", 200

    return app
