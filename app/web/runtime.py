"""What a request needs and a process has one of: settings, database, the way to Shopify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import BoundedSemaphore
from typing import cast

from flask import current_app

from ..config import Config
from ..db import Database
from ..loyalty.access import Access
from ..shopify.origins import Origins

EXTENSION = "regulars"
ASKING_AT_ONCE = 3  # requests that wait for Shopify, of the eight a process works on (serving.py)


@dataclass(slots=True)
class Runtime:
    config: Config
    db: Database
    origins: Origins
    access: Access  # the worker's way, which may take its time
    clock: Callable[[], datetime]
    room: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(ASKING_AT_ONCE))

    @property
    def hurried(self) -> Access:
        """A request's way to Shopify."""
        return self.access.hurried(self.room)


def runtime() -> Runtime:
    return cast(Runtime, current_app.extensions[EXTENSION])
