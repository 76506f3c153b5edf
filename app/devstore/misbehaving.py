"""Carries out the faults of ``faults``: answers the real platform is known to give on a bad day.

Those that happen to what is asked itself (throttled, missing_scope, partial, stuck, taken) are not seen here: they are
the endpoint's and the mutations' to act upon.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator

from flask import Response, request

from .faults import Fault


def misbehave(fault: Fault | None, answer: Callable[[], Response]) -> Response:
    """The answer, or what stands in for it."""
    match fault.kind if fault else None:
        case "500" | "502" | "503" as status:
            page = "<html><body><h1>Something went wrong</h1></body></html>"
            return Response(page, int(status), content_type="text/html")
        case "429":
            return Response(json.dumps({"errors": "Too Many Requests"}), 429, {"Retry-After": "1.0"})
        case "401":
            return Response(json.dumps({"errors": "[API] Invalid API key or access token"}), 401)
        case "402" | "423" as status:
            return Response(json.dumps({"errors": "Unavailable Shop"}), int(status))
        case "html":
            return Response("<html><body>Something went wrong</body></html>", content_type="text/html")
        case "reset":
            return _cut()
        case "timeout_before":
            return _hang_up_after(fault)
        case "timeout_after":
            answer()
            return _hang_up_after(fault)
        case "lost":
            answer()
            return _cut()
        case "slow":
            time.sleep(_seconds(fault))
            return answer()
        case "truncated":
            whole = answer()
            data = whole.get_data()
            return Response(data[: len(data) // 2], whole.status_code, content_type="application/json")
        case "drip" | "drip_cut" as kind:
            return _drip(answer(), _seconds(fault), cut=kind == "drip_cut")
    return answer()


def _seconds(fault: Fault | None) -> float:
    return fault.seconds if fault else 0.0


def _hang_up_after(fault: Fault | None) -> Response:
    time.sleep(_seconds(fault))
    return _cut()


def _drip(whole: Response, seconds: float, *, cut: bool) -> Response:
    """The same answer a byte at a time, evenly over ``seconds``; cut: but for its last byte."""
    data, connection = whole.get_data(), request.environ.get("werkzeug.socket")

    def pieces() -> Iterator[bytes]:
        for place in range(len(data)):
            if cut and place == len(data) - 1:
                _shut(connection)
                return
            yield data[place : place + 1]
            time.sleep(seconds / len(data))

    # With its length, so that the bytes go out as they are and a client can tell that some are missing.
    return Response(pieces(), whole.status_code, {**whole.headers, "Content-Length": str(len(data))})


def _cut() -> Response:
    """Hang up: whatever the server writes after this goes nowhere."""
    _shut(request.environ.get("werkzeug.socket"))
    return Response("", 200)


def _shut(connection: socket.socket | None) -> None:
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
