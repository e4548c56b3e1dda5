"""A small HTTP server for tests: ranges, cut connections, and a gate, all on command."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """What came in, and how many bytes of the body went out."""

    path: str
    range: str | None
    if_range: str | None
    status: int = 0
    sent: int = 0


@dataclass
class Site:
    """Files and the server's manners; `cuts` holds, per answer, the bytes until it hangs up."""

    files: dict[str, bytes]
    ranges: bool = True
    etag: str | None = '"one"'
    status: int | None = None
    cuts: list[int | None] = field(default_factory=list)
    gate: threading.Event | None = None
    reached_gate: threading.Event = field(default_factory=threading.Event)
    requests: list[Request] = field(default_factory=list)
    address: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        headers = handler.headers
        request = Request(handler.path, headers.get("Range"), headers.get("If-Range"))
        self.requests.append(request)
        data = self.files.get(handler.path)
        request.status = self.status or (404 if data is None else 200)
        if request.status != 200 or data is None:
            handler.send_error(request.status)
            return
        start = 0
        if request.range and self.ranges and request.if_range in (None, self.etag):
            start = int(request.range.removeprefix("bytes=").removesuffix("-"))
            request.status = 206
        if start >= len(data):
            request.status = 416
        handler.send_response(request.status)
        if request.status == 416:
            handler.send_header("Content-Range", f"bytes */{len(data)}")
        if request.status == 206:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        body = data[start:] if request.status != 416 else b""
        handler.send_header("Content-Length", str(len(body)))
        if self.etag:
            handler.send_header("ETag", self.etag)
        handler.end_headers()
        self._send(handler, request, body)

    def _send(self, handler: BaseHTTPRequestHandler, request: Request, body: bytes) -> None:
        cut = self.cuts.pop(0) if self.cuts else None
        body = body if cut is None else body[:cut]
        half = len(body) // 2
        request.sent = len(body)  # noted first: the client may be done before the write returns
        handler.wfile.write(body[:half])
        if self.gate:
            self.reached_gate.set()
            self.gate.wait(60)
        handler.wfile.write(body[half:])


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The site's address, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                site.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                return  # the client was killed

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        site.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield site.address
    finally:
        if site.gate:
            site.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
