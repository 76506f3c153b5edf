"""Carries out the faults of ``faults``: answers the real platform is known to give on a bad day."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable

from flask import Response, request


def misbehave(fault: str | None, answer: Callable[[], Response]) -> Response:
    """The answer, or what stands in for it. "lost", "truncated" and "slow" do what was asked first."""
    match fault:
        case None:
            return answer()
        case "500" | "502":
            return Response("Internal Server Error", int(fault), content_type="text/html")
        case "429":
            return Response(json.dumps({"errors": "Too Many Requests"}), 429, {"Retry-After": "1.0"})
        case "401":
            return Response(json.dumps({"errors": "[API] Invalid API key or access token"}), 401)
        case "402" | "423":
            return Response(json.dumps({"errors": "Unavailable Shop"}), int(fault))
        case "throttled":
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            status = {"maximumAvailable": 2000, "currentlyAvailable": 0, "restoreRate": 100}
            cost = {"requestedQueryCost": 20, "actualQueryCost": None, "throttleStatus": status}
            return Response(json.dumps({"errors": [error], "extensions": {"cost": cost}}))
        case "html":
            return Response("<html><body>Something went wrong</body></html>", content_type="text/html")
        case "slow":
            time.sleep(2)
            return answer()
        case "truncated":
            whole = answer()
            data = whole.get_data()
            return Response(data[: len(data) // 2], whole.status_code, content_type="application/json")
        case "lost":
            answer()
    return _cut()


def _cut() -> Response:
    """Hang up: whatever the server writes after this goes nowhere."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    return Response("", 200)
