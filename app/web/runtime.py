"""What a request needs and a process has one of: settings, database, the way to Shopify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app

from ..config import Config
from ..db import Database
from ..loyalty.access import Access
from ..shopify.origins import Origins

EXTENSION = "regulars"


@dataclass(slots=True)
class Runtime:
    config: Config
    db: Database
    origins: Origins
    access: Access
    clock: Callable[[], datetime]


def runtime() -> Runtime:
    return cast(Runtime, current_app.extensions[EXTENSION])
