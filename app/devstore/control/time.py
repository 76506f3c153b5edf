"""What time it is in the dev store, and moving it; an app that reads the same file moves along (``clock``)."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, g, jsonify

from .. import clock
from ..errors import Refusal
from . import bp
from .doors import body


@bp.get("/clock")
def show_clock() -> Response:
    return jsonify(now=clock.graphql(clock.now()), ahead_seconds=int(clock.ahead().total_seconds()))


@bp.post("/clock")
def move_clock() -> Response:
    """{"days": 30}; weeks, hours, minutes and seconds too. {"back": true} is the system's time again."""
    wanted = body()
    back = wanted.pop("back", False)
    try:
        by = timedelta(**wanted)
    except (TypeError, OverflowError) as wrong:
        raise Refusal(f"time cannot be moved by that: {wrong}") from wrong
    g.devstore.move_clock(None if back else by)
    return show_clock()
