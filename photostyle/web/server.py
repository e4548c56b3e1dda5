"""The server put together: sessions, workers, the page's own files, and the guard around it all."""

import contextlib
import mimetypes
import secrets
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from photostyle.web import results, routes
from photostyle.web import state as states
from photostyle.web.folder import Shelf
from photostyle.web.guard import Guard
from photostyle.web.refusing import Refused
from photostyle.web.session import Session
from photostyle.web.store import Store
from photostyle.web.workshop import Worker

#: Where the workers find what they can do.
TASKS = "photostyle.web.tasks"
#: Names of the example pair.
EXAMPLE = {"content": "city.jpg", "style": "night.jpg"}


class Server:
    """What the routes work on."""

    def __init__(self, store: Store, shelf: Shelf | None) -> None:
        self.store, self.shelf = store, shelf
        self.solver, self.hand = (
            Worker("photostyle solver", TASKS),
            Worker("photostyle hand", TASKS),
        )
        self._open: dict[str, Session] = {}

    def session(self, name: str) -> Session:
        """The session of that name.

        Raises:
            Refused: there is none.
        """
        self.store.folder(name)
        if name not in self._open:
            self._open[name] = Session(name, self.store, self.solver, self.hand)
        return self._open[name]

    def create(self) -> Session:
        """A new session."""
        session = self.session(self.store.create())
        session.changed()
        return session

    def forget(self, name: str) -> None:
        """Ends and removes a session."""
        session = self.session(name)
        session.cancel()
        self.solver.cancel(f"{name} batch")
        self._open.pop(name, None)
        self.store.remove(name)

    def listed(self) -> list[dict[str, Any]]:
        """The latest sessions that have pictures, in a few words."""
        found = []
        for name in self.store.recent()[:12]:
            state = self.session(name).state
            if chosen := states.picture(state, "content"):
                found.append({
                    "id": name, "name": chosen["name"], "file": chosen["file"],
                    "results": len(state["strip"]),
                })  # fmt: skip
        return found

    def example(self) -> dict[str, Path]:
        """The example pair, in the order in which they are given.

        Raises:
            Refused: it did not come with this installation.
        """
        folder = resources.files("photostyle.web") / "static"
        found = {role: Path(str(folder / "example" / name)) for role, name in EXAMPLE.items()}
        if not all(path.is_file() for path in found.values()):
            raise Refused("The example pictures did not come with this installation.", 404)
        return found


def application(
    token: str, host: str = "127.0.0.1", shelf: Shelf | None = None, store: Store | None = None
) -> Guard:
    """The whole server, as an ASGI application.

    Args:
        token: that every request must show. host: to which it is bound.
        shelf: a folder that pages may look at. store: where things are kept.
    """
    server = Server(store or Store(), shelf)
    page = _files()

    async def static(request: Request) -> Response:
        found = page.get(request.path_params.get("name", "index.html"))
        if found is None:
            return JSONResponse({"error": "There is no such page."}, 404)
        return Response(found[0], media_type=found[1], headers={"cache-control": "no-cache"})

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        server.store.clean()
        for worker in (server.solver, server.hand):
            worker.start()
        server.solver.give("warm", {}, "")
        server.hand.give("ready", {}, "")
        yield
        for worker in (server.solver, server.hand):
            worker.close()

    app = Starlette(
        routes=[
            Route("/", static), Route("/static/{name:path}", static),
            *routes.ROUTES, *results.ROUTES,
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _sentence},
    )  # fmt: skip
    app.state.server = server
    return Guard(app, token, host)


async def _sentence(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "There is no such page.", 405: "That cannot be done here."}
    sentence = words.get(error.status_code, "That request makes no sense.")
    return JSONResponse({"error": sentence}, error.status_code)


def _files() -> dict[str, tuple[bytes, str]]:
    """The page's own files by their names, read once: no address ever becomes a path."""
    folder = Path(str(resources.files("photostyle.web") / "static"))
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".html", ".css", ".js", ".svg"):
            kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0]
            found[path.relative_to(folder).as_posix()] = (path.read_bytes(), kind or "text/plain")
    return found


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)
