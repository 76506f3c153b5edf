"""The program's versions, its draft, and what a draft would do: everything the program page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import NotFound, ShopifyError
from ...models import Draft, Pause, ProgramVersion, Shop
from ...program.explaining import rate_words
from ...program.presets import PRESETS, preset
from ...program.settings import ProgramSettings, plain_summary
from ...shopify.products import ProductName, product_titles, product_vendors
from ..access import Access
from ..programs import draft as draft_of
from ..programs import latest_version, live_version


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    settings: ProgramSettings
    starts_at: datetime
    published_at: datetime
    author: str
    changes: list[str]
    state: str  # "live", "waits to start", "past"

    @property
    def summary(self) -> str:
        return plain_summary(self.settings)

    @property
    def rate(self) -> str:
        return rate_words(self.settings)


@dataclass(frozen=True, slots=True)
class ProgramState:
    """Where a shop's program stands."""

    draft: ProgramSettings  # what was saved, else the latest version, else the starter preset
    draft_saved_at: datetime | None  # None: nothing is saved that is not published
    draft_author: str
    live: Version | None
    waiting: Version | None  # published, starts later
    latest_number: int  # 0: nothing published
    paused_since: datetime | None

    @property
    def next_number(self) -> int:
        return self.latest_number + 1

    @property
    def rate(self) -> str:
        """The draft's."""
        return rate_words(self.draft)

    @property
    def is_launched(self) -> bool:
        return self.latest_number > 0

    @property
    def compared_with(self) -> Version | None:
        """The version a draft's changes are told against."""
        return self.waiting or self.live


@dataclass(frozen=True, slots=True)
class PresetCard:
    name: str
    title: str
    summary: str


def program_state(session: Session, shop: Shop, now: datetime) -> ProgramState:
    saved = session.get(Draft, shop.shop_id)
    latest = latest_version(session, shop.shop_id)
    live = live_version(session, shop.shop_id, now)
    pause = session.scalars(
        select(Pause).where(Pause.shop_id == shop.shop_id, Pause.ends_at.is_(None)).limit(1)
    ).first()
    return ProgramState(
        draft=draft_of(session, shop),
        draft_saved_at=saved.saved_at if saved else None,
        draft_author=saved.author if saved else "",
        live=_version(live, live, now) if live else None,
        waiting=_version(latest, live, now) if latest and latest.starts_at > now else None,
        latest_number=latest.number if latest else 0,
        paused_since=pause.starts_at if pause else None,
    )


def summary(state: ProgramState) -> str:
    """What the draft does, in a few sentences."""
    return plain_summary(state.draft)


def versions(session: Session, shop_id: int, now: datetime) -> list[Version]:
    """All of them, the newest first."""
    live = live_version(session, shop_id, now)
    rows = session.scalars(
        select(ProgramVersion).where(ProgramVersion.shop_id == shop_id).order_by(ProgramVersion.number.desc())
    )
    return [_version(row, live, now) for row in rows]


def version(session: Session, shop_id: int, number: int, now: datetime) -> Version:
    """Raises `NotFound` for a number this shop has not published."""
    row = session.get(ProgramVersion, (shop_id, number)) if 0 < number < 2**31 else None
    if row is None:
        raise NotFound("There is no such version.")
    return _version(row, live_version(session, shop_id, now), now)


def preset_cards(currency: str) -> list[PresetCard]:
    return [
        PresetCard(name, card.title, plain_summary(preset(name, currency))) for name, card in sorted(PRESETS.items())
    ]


def excluded_titles(access: Access, shop_id: int, product_ids: tuple[int, ...]) -> dict[int, str]:
    """Network verb: what the products a program leaves out are called. Without an answer they keep their numbers."""
    found: dict[int, ProductName] = {}
    if product_ids:
        try:
            found = access.ask(shop_id, lambda client: product_titles(client, product_ids))
        except ShopifyError:
            found = {}
    return {
        product_id: found[product_id].title if product_id in found else f"Product {product_id}"
        for product_id in product_ids
    }


def vendors_of(access: Access, shop_id: int) -> list[str]:
    """Network verb: the shop's vendors, to choose from; none when Shopify does not answer."""
    try:
        return access.ask(shop_id, product_vendors)
    except ShopifyError:
        return []


def _version(row: ProgramVersion, live: ProgramVersion | None, now: datetime) -> Version:
    is_live = live is not None and live.number == row.number
    return Version(
        number=row.number,
        settings=ProgramSettings.model_validate(row.settings),
        starts_at=row.starts_at,
        published_at=row.published_at,
        author=row.author,
        changes=list(row.changes),
        state="live" if is_live else "waits to start" if row.starts_at > now else "past",
    )
