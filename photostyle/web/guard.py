"""Who may ask, and what a page may do: a layer around the whole server.

Every request needs the token, whatever it asks for. The Host must be a name of this server, so that
no foreign name that points here (DNS rebinding) is answered, and whoever changes something must
come from this server's own pages.
"""

import hmac
import ipaddress
import logging
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from photostyle.web.limits import MOST_BYTES, MOST_PAINTED, MOST_WORDS
from photostyle.web.refusing import told

#: Nothing from elsewhere, no inline script, never in another page's frame.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
#: What page scripts of other origins cannot send without being asked about.
MARK = "x-photostyle"
SAFE = ("GET", "HEAD")
LARGE = {"/pictures/": MOST_BYTES, "/masks-files": MOST_BYTES, "/labels/": MOST_PAINTED}


class Guard:
    """The layer.

    Args:
        app: what answers whom is let through.
        token: that every request must show, in a cookie, a header or the address.
        host: to which the server is bound.
    """

    def __init__(self, app: ASGIApp, token: str, host: str) -> None:
        self.app, self.token, self.host = app, token, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        target = self._refusal(scope, headers) or self._entrance(scope) or self.app
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                found = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    found[name] = value
                found.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await target(scope, _limited(receive, scope["path"]), sending)
        except Exception as error:  # whoever asks gets a sentence, never a traceback
            logging.getLogger("photostyle.web").debug("request failed", exc_info=error)
            if not started:
                sentence, status = told(error)
                await JSONResponse({"error": sentence}, status)(scope, receive, sending)

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        """The answer to whom is not let through."""
        if not own_host(headers.get("host", ""), self.host):
            return PlainTextResponse("This server is not called that.", 421)
        if not self._known(scope, headers):
            return PlainTextResponse(
                "This page needs the address that `photostyle serve` printed, token included.", 403
            )
        origin = headers.get("origin")
        foreign = origin is not None and not _same_origin(origin, headers.get("host", ""))
        sites = headers.get("sec-fetch-site", "same-origin")
        if foreign or (scope["method"] not in SAFE and sites not in ("same-origin", "none")):
            return PlainTextResponse("Requests of other sites are not answered.", 403)
        if scope["method"] not in SAFE and headers.get(MARK) != "1":
            return PlainTextResponse("This request did not come from the page.", 403)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > most_bytes(scope["path"]):
            return PlainTextResponse("That is more than can be taken.", 413)
        return None

    def _known(self, scope: Scope, headers: Headers) -> bool:
        """Whether a request shows the token."""
        shown = [headers.get("x-token", ""), *self._addressed(scope)]
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            cookies = SimpleCookie()
        name = _cookie(scope)
        if name in cookies:
            shown.append(cookies[name].value)
        return any(hmac.compare_digest(word.encode(), self.token.encode()) for word in shown)

    def _addressed(self, scope: Scope) -> list[str]:
        query = scope["query_string"].decode("latin-1")
        if len(query) > 4096:
            return []
        return parse_qs(query).get("token", [])

    def _entrance(self, scope: Scope) -> Response | None:
        """For whom came by the address with the token: from now on the browser shows it by itself,
        to this server alone, and the address says it no more."""
        if scope["path"] != "/" or not self._addressed(scope):
            return None
        answer = RedirectResponse("/", 303)
        answer.set_cookie(_cookie(scope), self.token, httponly=True, samesite="strict", path="/")
        return answer


def _cookie(scope: Scope) -> str:
    """Cookies are shared by all ports of a machine, so that each server has its own name."""
    server = scope.get("server") or ("", 0)
    return f"photostyle-{server[1]}"


def own_host(said: str, bound: str) -> bool:
    """Whether a Host header names this server: as it is bound, or by a number that no foreign name
    can stand for."""
    name = _name_of(said)
    if name is None:
        return False
    if name in ("localhost", "127.0.0.1", "::1"):
        return bound in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "")
    if bound in ("0.0.0.0", "::", ""):
        return _number(name) or name == socket.gethostname().lower()
    return name == bound.lower()


def _name_of(said: str) -> str | None:
    """The name in a Host header, without its port."""
    try:
        parts = urlsplit(f"//{said}")
        _ = parts.port  # raises where it is none
    except ValueError:
        return None
    plain = parts.netloc == said and "@" not in said and not parts.path and not parts.query
    return parts.hostname if said and plain else None


def _number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_origin(origin: str, host: str) -> bool:
    parts = urlsplit(origin) if origin.isascii() and len(origin) < 300 else None
    return parts is not None and parts.scheme in ("http", "https") and parts.netloc == host


def most_bytes(path: str) -> int:
    """Bytes that a request to this path may bring."""
    return next((most for part, most in LARGE.items() if part in path), MOST_WORDS)


def _limited(receive: Receive, path: str) -> Receive:
    """Stops a body that is longer than it may be, whatever its header said."""
    most, seen = most_bytes(path) + (1 << 16), 0

    async def receiving() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            return {"type": "http.disconnect"}
        return message

    return receiving
