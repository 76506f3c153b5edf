"""Sixty-four threads that begin at the same moment, again and again; each keeps its connection, as a server's do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import TracebackType
from typing import Any

from app.errors import LoyaltyError

THREADS = 64


class Racers:
    """``run(work)`` calls ``work(0 … 63)`` at once. What is refused comes back as the refusal's code, any other
    exception as itself.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self._gate = Barrier(threads)

    def __enter__(self) -> Racers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown()

    def run(self, work: Callable[[int], Any]) -> list[Any]:
        def start(number: int) -> Any:
            self._gate.wait()
            try:
                return work(number)
            except LoyaltyError as refusal:
                return refusal.code
            except Exception as error:
                return error

        return list(self._pool.map(start, range(self.threads)))
