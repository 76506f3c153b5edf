"""The program's life: draft, publish, launch, pause; and which version judges a moment."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import String, bindparam, cast, select
from sqlalchemy.orm import Session

from ..db import Direct, Prepared, upsert
from ..errors import Refused
from ..jobs.queue import enqueue
from ..models import Draft, Lane, Pause, ProgramVersion, RewardTerms, Shop
from ..program.decision import Reason
from ..program.margin import margin_warnings
from ..program.presets import preset
from ..program.settings import ProgramSettings, describe_changes

LATEST_START = timedelta(days=365)
COMMITTED_WITHIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A shop's versions and pauses, oldest first: everything needed to judge any moment."""

    starts: tuple[datetime, ...]
    versions: tuple[tuple[int, ProgramSettings], ...]
    pauses: tuple[tuple[datetime, datetime | None], ...]

    def at(self, moment: datetime) -> tuple[int | None, ProgramSettings | None, Reason | None]:
        """Version number and settings in force, or why there are none: ``not_started``, ``paused``.

        Shopify's dates have no finer than seconds, so a version is in force from the start of its second.
        """
        index = bisect_right(self.starts, moment) - 1
        if index < 0:
            return None, None, "not_started"
        number, settings = self.versions[index]
        if any(start <= moment and (end is None or moment < end) for start, end in self.pauses):
            return number, None, "paused"
        return number, settings, None

    def in_force(self, now: datetime) -> ProgramSettings | None:
        """The rules as they stand, paused or not; None before launch."""
        index = bisect_right(self.starts, now) - 1
        return self.versions[index][1] if index >= 0 else None

    def is_launched(self, now: datetime) -> bool:
        return bool(self.starts) and self.starts[0] <= now

    def is_paused(self, now: datetime) -> bool:
        return any(start <= now and (end is None or now < end) for start, end in self.pauses)


def timeline(session: Session, shop_id: int) -> Timeline:
    rows = session.execute(
        select(ProgramVersion.number, ProgramVersion.settings, ProgramVersion.starts_at).where(
            ProgramVersion.shop_id == shop_id
        )
    ).all()
    rows = sorted(rows, key=lambda row: (_second(row.starts_at), row.number))
    pauses = session.execute(
        select(Pause.starts_at, Pause.ends_at).where(Pause.shop_id == shop_id).order_by(Pause.starts_at)
    )
    return Timeline(
        starts=tuple(_second(row.starts_at) for row in rows),
        versions=tuple((row.number, _settings(row.settings)) for row in rows),
        pauses=tuple((_second(start), end if end is None else _second(end)) for start, end in pauses),
    )


@dataclass(frozen=True, slots=True)
class InForce:
    """The version in force at a moment, and whether the program rests: of a `Timeline`, what redeeming must know."""

    number: int
    settings: ProgramSettings
    paused: bool


_SETTINGS = cast(ProgramVersion.settings, String).label("settings")  # as text, by which `_read` knows them again


def rules_of(shop_id: Any) -> tuple[Any, ...]:
    """Columns for whoever asks about a shop anyway: `in_force` reads them. ``shop_id`` is a column or a parameter.

    Like a timeline, in whole seconds: what starts within the second of a moment has started.
    """
    begun = (ProgramVersion.shop_id == shop_id, ProgramVersion.starts_at < bindparam("next_second"))
    latest = [
        select(wanted).where(*begun).order_by(ProgramVersion.number.desc()).limit(1).scalar_subquery().label(wanted.key)
        for wanted in (ProgramVersion.number, _SETTINGS)  # no version starts before an earlier one (`publish`)
    ]
    resting = select(Pause.shop_id).where(
        Pause.shop_id == shop_id,
        Pause.starts_at < bindparam("next_second"),
        Pause.ends_at.is_(None) | (Pause.ends_at >= bindparam("next_second")),
    )
    return (*latest, resting.exists().label("paused"))


IN_FORCE = Prepared(lambda insert: select(*rules_of(bindparam("shop"))))
STARTED = Prepared(
    lambda insert: select(_SETTINGS).where(
        ProgramVersion.shop_id == bindparam("shop"), ProgramVersion.starts_at < bindparam("next_second")
    )
)


def next_second(moment: datetime) -> datetime:
    """What `rules_of` wants to know of the moment it is asked about."""
    return _second(moment) + timedelta(seconds=1)


def in_force(row: Any) -> InForce | None:
    """Of a row with the columns of `rules_of`. None before launch."""
    if row is None or row.number is None:
        return None
    return InForce(row.number, _read(row.settings.encode()), bool(row.paused))


def had_reward(direct: Direct, shop_id: int, reward_id: str, moment: datetime) -> bool:
    """Whether any version that has started by then had the reward."""
    rows = direct.ask(STARTED, shop=shop_id, next_second=next_second(moment)).all()
    return any(reward_id in _read(row.settings.encode()).rewards_by_id for row in rows)


def draft(session: Session, shop: Shop) -> ProgramSettings:
    """The shop's draft: what was saved, else the live version, else the starter preset in the shop's currency."""
    saved = session.get(Draft, shop.shop_id)
    if saved is not None:
        return _settings(saved.settings)
    latest = latest_version(session, shop.shop_id)
    return _settings(latest.settings) if latest else preset("starter", shop.currency)


def has_draft(session: Session, shop_id: int) -> bool:
    return session.get(Draft, shop_id) is not None


def save_draft(session: Session, shop: Shop, settings: ProgramSettings, *, author: str, now: datetime) -> None:
    saved = session.get(Draft, shop.shop_id) or Draft(shop_id=shop.shop_id)
    saved.settings, saved.saved_at, saved.author = settings.model_dump(mode="json"), now, author
    session.add(saved)


def discard_draft(session: Session, shop_id: int) -> None:
    saved = session.get(Draft, shop_id)
    if saved is not None:
        session.delete(saved)


def take_turn(session: Session, shop: Shop) -> None:
    """Whoever changes the program next waits until this transaction is over, and sees what it did.

    Pressed twice in one breath, the second press would else make the same version under the same number.
    """
    session.flush()  # what was changed of the shop a moment ago would be forgotten
    session.refresh(shop, with_for_update={"key_share": True})


def publish(
    session: Session,
    shop: Shop,
    settings: ProgramSettings,
    *,
    author: str,
    now: datetime,
    starts_at: datetime | None = None,
) -> ProgramVersion:
    """Make the settings a version, in force from now or from a later moment; the draft is used up.

    Raises `Refused` for a start in the past, beyond a year, or before a version that is already waiting to start, and
    for rewards that give away more than the margin guard allows, where it is told to stop them.
    """
    starts_at = starts_at or now
    if settings.margin.stop and (warnings := margin_warnings(settings)):
        raise Refused(warnings[0].sentence, code="margin", field="margin")
    if starts_at < now:
        raise Refused(
            "A version starts now or later, so that no order changes its rule.", code="starts_in_past", field="start"
        )
    if starts_at > now + LATEST_START:
        raise Refused("Choose a start within a year.", code="starts_too_late", field="start")
    take_turn(session, shop)
    before = latest_version(session, shop.shop_id)
    if before is not None and _second(before.starts_at) > _second(starts_at):
        raise Refused(
            f"Version {before.number} already waits to start later. Choose a start after it.",
            code="starts_before_latest",
            field="start",
        )
    version = ProgramVersion(
        shop_id=shop.shop_id,
        number=before.number + 1 if before else 1,
        settings=settings.model_dump(mode="json"),
        starts_at=starts_at,
        published_at=now,
        author=author,
        changes=describe_changes(_settings(before.settings), settings) if before else [],
    )
    session.add(version)
    discard_draft(session, shop.shop_id)
    session.flush()
    note_rewards(session, shop.shop_id, settings, now)
    # By a name of its own when it starts later: the day's own look at the pools does not wait for that.
    subject = f"v{version.number}" if starts_at > now else ""
    enqueue(session, shop.shop_id, "stock_pools", lane=Lane.SETTLE, now=now, subject=subject, due_at=starts_at)
    _announce(session, shop, now)
    announce_scheduled(session, shop.shop_id, now)
    _settle_again(session, shop.shop_id, f"v{version.number}", starts_at, now)
    return version


def launch(
    session: Session, shop: Shop, *, preset_name: str | None, author: str, now: datetime
) -> ProgramVersion | None:
    """Start the program, or start it again after a pause.

    With a preset, that preset becomes a new version; without, the draft does when there is one (or nothing is live
    yet). Returns the new version, None when only a pause ended.
    """
    end_pause(session, shop.shop_id, now)
    if preset_name is not None:
        return publish(session, shop, preset(preset_name, shop.currency), author=author, now=now)
    if latest_version(session, shop.shop_id) is None or has_draft(session, shop.shop_id):
        return publish(session, shop, draft(session, shop), author=author, now=now)
    _announce(session, shop, now)
    return None


def pause(session: Session, shop: Shop, *, now: datetime) -> None:
    """From now on orders earn nothing ("programme paused"); take-backs and holds go on. Paused already: nothing."""
    take_turn(session, shop)
    if latest_version(session, shop.shop_id) is None:
        raise Refused("The program is not live yet.", code="not_started")
    if not timeline(session, shop.shop_id).is_paused(now):
        session.merge(Pause(shop_id=shop.shop_id, starts_at=_second(now), ends_at=None))
        _settle_again(session, shop.shop_id, f"pause of {_second(now).isoformat()}", now, now)
        _announce(session, shop, now)


def end_pause(session: Session, shop_id: int, now: datetime) -> None:
    for open_pause in session.scalars(select(Pause).where(Pause.shop_id == shop_id, Pause.ends_at.is_(None))):
        open_pause.ends_at = max(now, open_pause.starts_at)
        _settle_again(session, shop_id, f"pause of {open_pause.starts_at.isoformat()} ends", now, now)
    session.flush()


def latest_version(session: Session, shop_id: int) -> ProgramVersion | None:
    return session.scalars(
        select(ProgramVersion).where(ProgramVersion.shop_id == shop_id).order_by(ProgramVersion.number.desc()).limit(1)
    ).first()


def live_version(session: Session, shop_id: int, now: datetime) -> ProgramVersion | None:
    """The version in force now, paused or not."""
    started = session.scalars(
        select(ProgramVersion)
        .where(ProgramVersion.shop_id == shop_id, ProgramVersion.starts_at <= now)
        .order_by(ProgramVersion.starts_at.desc(), ProgramVersion.number.desc())
        .limit(1)
    )
    return started.first()


def live_settings(session: Session, shop_id: int, now: datetime) -> ProgramSettings | None:
    """The rules in force now, paused or not; None before launch."""
    version = live_version(session, shop_id, now)
    return _settings(version.settings) if version else None


def note_rewards(session: Session, shop_id: int, settings: ProgramSettings, now: datetime) -> None:
    """Keep the terms behind each reward's id: redemptions pin them, whatever the program says later."""
    for reward_id, reward in settings.rewards_by_id.items():
        session.execute(
            upsert(session, RewardTerms)
            .values(
                shop_id=shop_id,
                reward_id=reward_id,
                slot=reward.slot,
                currency=settings.currency,
                reward=reward.model_dump(mode="json"),
                noted_at=now,
            )
            .on_conflict_do_nothing()
        )


def _settle_again(session: Session, shop_id: int, subject: str, moment: datetime, now: datetime) -> None:
    """What begins or ends at ``moment`` does so from the start of its second, and is known only once it is committed:
    orders of that second, and of the next ones, may have been settled without it.
    """
    second = _second(moment)
    enqueue(
        session, shop_id, "resettle", lane=Lane.SETTLE, now=now, subject=subject,
        arguments={"from": second.isoformat(), "until": (second + COMMITTED_WITHIN).isoformat()},
        due_at=moment + timedelta(seconds=2),
    )  # fmt: skip


def _announce(session: Session, shop: Shop, now: datetime) -> None:
    """Have the storefront's copy of the program written anew."""
    shop.published_seq += 1
    enqueue(session, shop.shop_id, "publish_program", lane=Lane.NETWORK, now=now)


def announce_scheduled(session: Session, shop_id: int, now: datetime) -> None:
    """Have the storefront's copy written when each waiting version starts."""
    waiting = select(ProgramVersion.number, ProgramVersion.starts_at).where(
        ProgramVersion.shop_id == shop_id, ProgramVersion.starts_at > now
    )
    for version in session.execute(waiting):
        enqueue(
            session, shop_id, "publish_program", lane=Lane.NETWORK, now=now, subject=f"v{version.number}",
            due_at=version.starts_at,
        )  # fmt: skip


def _settings(document: dict[str, object]) -> ProgramSettings:
    """A stored document as settings. Kept by content, since shoppers ask for the same one all day."""
    return _read(orjson.dumps(document))


@lru_cache(maxsize=512)
def _read(document: bytes) -> ProgramSettings:
    return ProgramSettings.model_validate(orjson.loads(document))


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
