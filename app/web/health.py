"""Alive, able to serve, and how much is waiting."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select

from ..models import Delivery, DeliveryState, DueShop, Job, JobState, Shop
from .auth import public
from .runtime import runtime

bp = Blueprint("health", __name__)

# Every lane is looked at once a minute while a worker runs; twice that overdue means that none does.
OVERDUE = timedelta(minutes=2)


@bp.get("/healthz")
@public
def alive() -> Response:
    return jsonify({"status": "ok"})


@bp.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    """200 when the database answers and no lane is overdue; 503 with what is wrong otherwise."""
    now = runtime().clock()
    with runtime().db.reading() as session:
        overdue = session.scalar(
            select(func.count())
            .select_from(DueShop)
            .where(
                DueShop.next_due < now - OVERDUE,
                (DueShop.lease_until.is_(None)) | (DueShop.lease_until < now),
            )
        )
        backlog = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.state == DeliveryState.NEW))
    status = {"database": "ok", "worker": "overdue" if overdue else "ok", "backlog": backlog}
    return jsonify(status), 503 if overdue else 200


@bp.get("/metrics")
@public
def metrics() -> Response:
    """Prometheus. Counts only: no shop, no customer."""
    registry = CollectorRegistry()
    with runtime().db.reading() as session:
        deliveries = Gauge("regulars_deliveries", "Webhook deliveries kept, by state", ["state"], registry=registry)
        for state, count in session.execute(select(Delivery.state, func.count()).group_by(Delivery.state)):
            deliveries.labels(state).set(count)
        jobs = Gauge("regulars_jobs", "Jobs waiting, by state", ["state"], registry=registry)
        for job_state in JobState:
            jobs.labels(job_state).set(
                session.scalar(select(func.count()).select_from(Job).where(Job.state == job_state)) or 0
            )
        Gauge("regulars_shops_installed", "Shops that have the app", registry=registry).set(
            session.scalar(select(func.count()).select_from(Shop).where(Shop.uninstalled_at.is_(None))) or 0
        )
        oldest = session.scalar(select(func.min(Delivery.received_at)).where(Delivery.state == DeliveryState.NEW))
        Gauge("regulars_oldest_delivery_seconds", "Age of the oldest unworked delivery", registry=registry).set(
            (runtime().clock() - oldest).total_seconds() if oldest else 0
        )
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
