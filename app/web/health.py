"""Alive, able to serve, and how much is waiting."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from ..loyalty.views.health import backlog, figures, is_overdue
from .auth import public
from .runtime import runtime

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def alive() -> Response:
    return jsonify({"status": "ok"})


@bp.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    """200 when the database answers and no lane is overdue; 503 with what is wrong otherwise."""
    with runtime().db.reading() as session:
        overdue, waiting = is_overdue(session, runtime().clock()), backlog(session)
    status = {"database": "ok", "worker": "overdue" if overdue else "ok", "backlog": waiting}
    return jsonify(status), 503 if overdue else 200


@bp.get("/metrics")
@public
def metrics() -> Response:
    """Prometheus. Counts only: no shop, no customer."""
    with runtime().db.reading() as session:
        now = figures(session, runtime().clock())
    registry = CollectorRegistry()
    deliveries = Gauge("regulars_deliveries", "Webhook deliveries kept, by state", ["state"], registry=registry)
    for state, count in now.deliveries.items():
        deliveries.labels(state).set(count)
    jobs = Gauge("regulars_jobs", "Jobs waiting, by state", ["state"], registry=registry)
    for state, count in now.jobs.items():
        jobs.labels(state).set(count)
    installed = Gauge("regulars_shops_installed", "Shops that have the app", registry=registry)
    installed.set(now.shops_installed)
    oldest = Gauge("regulars_oldest_delivery_seconds", "Age of the oldest unworked delivery", registry=registry)
    oldest.set(now.oldest_delivery_seconds)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
