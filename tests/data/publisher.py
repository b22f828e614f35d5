"""A publisher's server on this machine that can misbehave: cut, ignore ranges, send wrong bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Publisher:
    """Serves `content` at every path. `cuts`: after how many bytes each request is cut off, in turn."""

    content: bytes
    cuts: list[int | None] = field(default_factory=list)
    ranges: bool = True
    shifted: bool = False
    status: int = 200
    tell_length: bool = True
    before_last: Callable[[], None] | None = None
    asked: list[str | None] = field(default_factory=list)
    sent: int = 0
    address: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.asked.append(wanted)
        cut = self.cuts.pop(0) if self.cuts else None
        if self.status != 200:
            handler.send_error(self.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        body = self.content[start:]
        handler.send_response(206 if start else 200)
        if start:
            first = start - 1 if self.shifted else start
            handler.send_header("Content-Range", f"bytes {first}-{len(self.content) - 1}/{len(self.content)}")
        if self.tell_length:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        shown = body if cut is None else body[:cut]
        handler.wfile.write(shown[:-1])
        handler.wfile.flush()
        if self.before_last:
            self.before_last()
        handler.wfile.write(shown[-1:])
        self.sent += len(shown)


@contextmanager
def serving(publisher: Publisher) -> Iterator[Publisher]:
    """Run it on a free port of 127.0.0.1 for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.answer(self)
            self.close_connection = True

        def log_message(self, *words: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    publisher.address = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
