"""What a merchant can press in the admin beyond a single verb: launching, looks, the guide, parked jobs, data requests.

Record verbs, all of them: they take ``session`` and ``now``, and never commit.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ..errors import NotFound, Refused
from ..jobs.queue import enqueue
from ..models import Draft, Job, JobState, Lane, PrivacyRequest, ProgramVersion, Shop
from ..program.presets import PRESETS, preset
from ..program.settings import Look, ProgramSettings
from . import programs


def start_from(session: Session, shop: Shop, preset_name: str, *, author: str, now: datetime) -> ProgramSettings:
    """Make a preset the draft, in the shop's currency. Raises `NotFound` for a name that is none."""
    if preset_name not in PRESETS:
        raise NotFound("There is no such preset.")
    settings = preset(preset_name, shop.currency)
    programs.save_draft(session, shop, settings, author=author, now=now)
    return settings


def launch(
    session: Session,
    shop: Shop,
    settings: ProgramSettings,
    *,
    test_orders: bool | None,
    author: str,
    now: datetime,
    starts_at: datetime | None = None,
) -> ProgramVersion | None:
    """Publish the first version. ``test_orders`` is the answer to the question asked at launch; None: not asked.

    Pressed twice, the program was launched once: the second time there is nothing to do, and None is returned.
    """
    programs.take_turn(session, shop)
    if programs.latest_version(session, shop.shop_id) is not None:
        return None
    if test_orders is not None:
        earning = settings.earning.model_copy(update={"test_orders": test_orders})
        settings = settings.model_copy(update={"earning": earning})
    return programs.publish(session, shop, settings, author=author, now=now, starts_at=starts_at)


def resume(session: Session, shop: Shop, *, now: datetime) -> None:
    """End a pause. A draft stays a draft; nothing else changes."""
    programs.end_pause(session, shop.shop_id, now)
    shop.published_seq += 1
    enqueue(session, shop.shop_id, "publish_program", lane=Lane.NETWORK, now=now)


def change_look(session: Session, shop: Shop, look: Look, *, author: str, now: datetime) -> ProgramVersion | None:
    """How the program looks in the store, from now on: a version like the live one but for its look.

    What is being drafted keeps everything but its look. Before launch, and while a version waits to start, the look
    goes into the draft only; None is returned then.
    """
    saved = session.get(Draft, shop.shop_id)
    drafted = programs.draft(session, shop)
    latest = programs.latest_version(session, shop.shop_id)
    version = None
    if latest is not None and latest.starts_at <= now:
        live = ProgramSettings.model_validate(latest.settings)
        if live.look != look:
            version = programs.publish(session, shop, live.model_copy(update={"look": look}), author=author, now=now)
    if version is None or saved is not None:
        programs.save_draft(session, shop, drafted.model_copy(update={"look": look}), author=author, now=now)
    return version


def show_guide(session: Session, shop_id: int, *, dismissed: bool) -> None:
    """Put the set-up guide away, or bring it back."""
    session.execute(update(Shop).where(Shop.shop_id == shop_id).values(setup_dismissed=dismissed))


def ask_to_reconcile(session: Session, shop_id: int, *, now: datetime) -> None:
    """Compare with Shopify as soon as a worker is free. Pressed twice it is one sweep."""
    enqueue(session, shop_id, "reconcile", lane=Lane.NETWORK, now=now, subject="sweep")


def retry_job(session: Session, shop_id: int, job_id: str, *, now: datetime) -> None:
    """Try a parked job again. Raises `NotFound` for another shop's or none; one that is due already is left alone."""
    job = _job(session, shop_id, job_id)
    if job.state == JobState.PARKED:
        enqueue(
            session, shop_id, job.kind, lane=job.lane, now=now, subject=job.subject, arguments=dict(job.arguments)
        )  # fmt: skip


def discard_job(session: Session, shop_id: int, job_id: str) -> None:
    """Give a parked job up. Raises `NotFound` for another shop's or none, `Refused` for one that is not parked."""
    if _job(session, shop_id, job_id).state != JobState.PARKED:
        raise Refused("This is being tried again.")
    session.execute(delete(Job).where(Job.shop_id == shop_id, Job.job_id == job_id, Job.state == JobState.PARKED))


def note_download(session: Session, shop_id: int, request_id: int, *, by: str, now: datetime) -> None:
    """A data request's answer was downloaded; the first time counts."""
    session.execute(
        update(PrivacyRequest)
        .where(
            PrivacyRequest.shop_id == shop_id,
            PrivacyRequest.request_id == request_id,
            PrivacyRequest.downloaded_at.is_(None),
        )
        .values(downloaded_at=now, downloaded_by=by)
    )


def _job(session: Session, shop_id: int, job_id: str) -> Job:
    # Job ids are hexadecimal; what is not may hold what a database would choke on.
    known = select(Job).where(Job.shop_id == shop_id, Job.job_id == job_id)
    job = session.scalars(known).first() if job_id.isalnum() and job_id.isascii() else None
    if job is None:
        raise NotFound("This is not here any more.")
    return job
