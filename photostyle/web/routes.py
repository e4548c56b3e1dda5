"""The routes of sessions, pictures and solves."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from photostyle.web import many, turning
from photostyle.web import state as states
from photostyle.web.asking import answered, done, role_of, session_of, words
from photostyle.web.limits import HEARTBEAT
from photostyle.web.refusing import Refused
from photostyle.web.session import Session

#: Of pictures that never change under their names.
FOREVER = {"cache-control": "private, max-age=604800, immutable"}


async def sessions(request: Request) -> Response:
    """The sessions that there are, last touched first."""
    return JSONResponse({"sessions": request.app.state.server.listed()})


async def create(request: Request) -> Response:
    """A new session."""
    return JSONResponse(request.app.state.server.create().told())


async def read(request: Request) -> Response:
    """The state of a session."""
    return JSONResponse(session_of(request).told())


async def change(request: Request) -> Response:
    """Changes of preset, options, chosen pictures, or the result that is shown."""
    session = session_of(request)
    await session.change(await words(request))
    return JSONResponse(session.told())


async def forget(request: Request) -> Response:
    """Forgets a session."""
    request.app.state.server.forget(session_of(request).name)
    return done()


async def events(request: Request) -> Response:
    """All that happens in a session, as server-sent events; the state comes first."""
    session = session_of(request)

    async def stream() -> AsyncIterator[bytes]:
        with session.listening() as queue:
            yield _event({"type": "state", "state": session.told()})
            while True:
                try:
                    yield _event(await asyncio.wait_for(queue.get(), HEARTBEAT))
                except TimeoutError:
                    yield b": still here\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream")


def _event(event: dict[str, object]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()


async def upload(request: Request) -> Response:
    """A picture in the body, for a role; it is chosen unless the address says otherwise."""
    session, role = session_of(request), role_of(request.path_params["role"])
    name = states.called(request.query_params.get("name"))
    file = await session.store.receive(request.stream(), name)
    await session.add(role, file, name, choose=request.query_params.get("choose") != "no")
    return JSONResponse(session.told())


async def remove(request: Request) -> Response:
    """Takes a picture out."""
    session, role = session_of(request), role_of(request.path_params["role"])
    states.remove_picture(session.state, role, request.path_params["file"])
    session.changed()
    session.wish()
    return JSONResponse(session.told())


async def swap(request: Request) -> Response:
    """Content becomes style and style content."""
    session = session_of(request)
    states.swap(session.state)
    session.changed()
    session.wish()
    return JSONResponse(session.told())


async def example(request: Request) -> Response:
    """The example pair."""
    session = session_of(request)
    for role, path in request.app.state.server.example().items():
        file = await session.store.receive(_read(path), path.name)
        await session.add(role, file, path.name)
    return JSONResponse(session.told())


async def shelf(request: Request) -> Response:
    """The pictures of the server's folder."""
    found = request.app.state.server.shelf
    return JSONResponse({"pictures": found.listed() if found else None})


async def from_shelf(request: Request) -> Response:
    """A picture of the server's folder, by its number."""
    session, role = session_of(request), role_of(request.path_params["role"])
    shelf = request.app.state.server.shelf
    if shelf is None:
        raise Refused("No folder was given with --folder.", 404)
    wanted = await words(request)
    path = shelf.path(wanted.get("id"))
    file = await session.store.receive(_read(path), path.name)
    choose = wanted.get("choose") is not False
    await session.add(role, file, states.called(path.name), choose=choose)
    return JSONResponse(session.told())


async def _read(path: "object") -> AsyncIterator[bytes]:
    from pathlib import Path

    with Path(str(path)).open("rb") as file:
        while part := await asyncio.to_thread(file.read, 1 << 20):
            yield part


async def picture(request: Request) -> Response:
    """A view or thumbnail of a picture, or the picture as large as it is."""
    session, kind = session_of(request), request.path_params["kind"]
    file = request.path_params["file"]
    path = session.store.file(file)
    if kind == "full":
        files = str(session.store.files)
        name = await session.hand.ask("full", {"path": str(path), "files": files})
    else:
        ending = {"view": "png", "thumb": "webp"}.get(kind, "none")
        name = f"{file[:64]}-{kind}.{ending}"
    return FileResponse(session.store.file(name), headers=FOREVER)


async def preview(request: Request) -> Response:
    """The last picture of a solve under way, or of a sweep."""
    kept = session_of(request).live.get(request.path_params["key"])
    if kept is None:
        raise Refused("That preview is no longer kept.", 404)
    return Response(kept[1], media_type="image/jpeg")


async def solve(request: Request) -> Response:
    """Begins a solve, or ends it: now with the best so far, or without anything."""
    session, what = session_of(request), request.path_params["what"]
    _SOLVES.get(what, _nothing)(session)
    return done()


def _cancelled(session: Session) -> None:
    session.cancel()
    session.tell({"type": "progress", "n": 0, "stage": "idle"})


def _nothing(session: Session) -> None:
    raise Refused("There is nothing of that name to be done.", 404)


_SOLVES = {
    "solve": Session.solve,
    "stop": Session.stop,
    "cancel": _cancelled,
    "batch": many.begin_batch,
    "end-batch": many.end_batch,
}


async def sweep(request: Request) -> Response:
    """Tries some values of an option."""
    session, wanted = session_of(request), await words(request)
    many.begin_sweep(session, wanted.get("name"), wanted.get("values"))
    return done()


async def options(request: Request) -> Response:
    """All options and presets."""
    return JSONResponse(turning.told())


_S = "/api/sessions/{session}"
ROUTES = [
    Route("/api/options", answered(options)),
    Route("/api/shelf", answered(shelf)),
    Route("/api/sessions", answered(sessions)),
    Route("/api/sessions", answered(create), methods=["POST"]),
    Route(_S, answered(read)),
    Route(_S, answered(change), methods=["PATCH"]),
    Route(_S, answered(forget), methods=["DELETE"]),
    Route(f"{_S}/events", answered(events)),
    Route(f"{_S}/example", answered(example), methods=["POST"]),
    Route(f"{_S}/swap", answered(swap), methods=["POST"]),
    Route(f"{_S}/sweep", answered(sweep), methods=["POST"]),
    Route(f"{_S}/do/{{what}}", answered(solve), methods=["POST"]),
    Route(f"{_S}/preview/{{key}}", answered(preview)),
    Route(f"{_S}/pictures/{{role}}", answered(upload), methods=["POST"]),
    Route(f"{_S}/shelf/{{role}}", answered(from_shelf), methods=["POST"]),
    Route(f"{_S}/pictures/{{role}}/{{file}}", answered(remove), methods=["DELETE"]),
    Route(f"{_S}/files/{{file}}/{{kind}}", answered(picture)),
]
