"""A load generator as light as we could make it: raw sockets, requests made beforehand, one thread a connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence


def run(port: int, requests: Sequence[bytes], *, connections: int = 16) -> float:
    """Send every request once over kept-alive connections. Returns seconds; raises unless each is answered 2xx."""
    problems: list[str] = []

    def send(mine: Sequence[bytes]) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in mine:
                connection.sendall(request)
                answer = b""
                while b"\r\n\r\n" not in answer:
                    part = connection.recv(65536)
                    if not part:
                        problems.append("the connection was closed")
                        return
                    answer += part
                head, _, rest = answer.partition(b"\r\n\r\n")
                if head[8:13] not in (b" 200 ", b" 201 "):
                    problems.append(head[:60].decode("latin-1"))
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line[15:])
                while len(rest) < length:
                    rest += connection.recv(65536)

    threads = [threading.Thread(target=send, args=(requests[n::connections],)) for n in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if problems:
        raise RuntimeError(f"{len(problems)} requests failed, the first: {problems[0]}")
    return seconds
