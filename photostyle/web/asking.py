"""What the routes share: the session that is meant, what was sent, sentences that go back."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from photostyle.errors import PhotostyleError
from photostyle.web.refusing import Refused, Stopped, told
from photostyle.web.session import Session

Answer = Callable[[Request], Awaitable[Response]]


def answered(route: Answer) -> Answer:
    """A route whose errors become sentences."""

    async def answer(request: Request) -> Response:
        try:
            return await route(request)
        except Stopped:
            return JSONResponse({"error": "That was given up for something newer."}, 409)
        except ClientDisconnect:
            return Response(status_code=413)
        except (PhotostyleError, OSError, MemoryError) as error:
            sentence, status = told(error)
            return JSONResponse({"error": sentence}, status)

    return answer


def session_of(request: Request) -> Session:
    """The session that the address names.

    Raises:
        Refused: there is none.
    """
    found: Session = request.app.state.server.session(request.path_params["session"])
    return found


async def words(request: Request) -> dict[str, Any]:
    """The table that was sent.

    Raises:
        Refused: it is none.
    """
    body = await request.body()
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refused("What was sent is no JSON.", 400) from None
    if not isinstance(found, dict):
        raise Refused("What was sent is no table.", 400)
    return found


def role_of(word: str) -> str:
    """The role that an address names.

    Raises:
        Refused: there is no such role.
    """
    if word not in ("content", "style"):
        raise Refused("There is no such role.", 404)
    return word


def attached(name: str) -> dict[str, str]:
    """The header that has a browser keep what comes under a name."""
    from urllib.parse import quote

    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ()") else "_" for c in name)
    both = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"content-disposition": both}


DONE = {"ok": True}


def done(**facts: Any) -> JSONResponse:
    """All went well."""
    return JSONResponse({**DONE, **facts})
