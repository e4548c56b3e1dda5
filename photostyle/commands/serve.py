"""`photostyle serve`: the page, where pictures are styled by looking at them."""

import argparse
import contextlib
import socket
import sys
import webbrowser
from typing import Any

from photostyle.commands.arguments import add_command
from photostyle.errors import OptionError
from photostyle.places import expanded

LOCAL = ("127.0.0.1", "localhost", "::1")
#: Letters that a token has at least.
LEAST_TOKEN = 12


def register(commands: Any) -> None:
    parser = add_command(commands, "serve", "open the page, where pictures are styled", _serve)
    parser.add_argument(
        "--port", type=int, default=8765, help="0 takes any that is free (default: 8765)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1",
        help="address to listen at; other than this machine's own needs --token "
        "(default: 127.0.0.1)",
    )  # fmt: skip
    parser.add_argument(
        "--token", help="secret word of the page's address; without it, a random one"
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--folder", type=expanded, metavar="DIR",
        help="folder whose pictures the page offers; it is only read",
    )  # fmt: skip
    parser.add_argument(
        "--forget",
        action="store_true",
        help="forget all earlier sessions first; those of more than a week ago go by themselves",
    )


def _serve(arguments: argparse.Namespace) -> int:
    _check(arguments)
    try:
        import uvicorn

        from photostyle.web.folder import Shelf
        from photostyle.web.server import application, new_token
        from photostyle.web.store import Store
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("starlette", "uvicorn", "anyio", "h11", "click"):
            raise
        raise OptionError(
            f"The page needs {missing}, which is not installed: "
            "pip install 'photostyle[web]' brings it."
        ) from None
    shelf = Shelf.of(arguments.folder) if arguments.folder else None
    token = arguments.token or new_token()
    store = Store()
    if arguments.forget:
        store.forget()
    with _bound(arguments.host, arguments.port) as listening:
        port = listening.getsockname()[1]
        name = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
        address = f"http://{name}:{port}/?token={token}"
        print(
            f"The page is at {address}\nCtrl-C ends it; sessions are kept for a week.", flush=True
        )
        app = application(token, arguments.host, shelf, store)
        config = uvicorn.Config(
            app, log_level="critical", access_log=False, server_header=False, ws="none",
            timeout_graceful_shutdown=1, limit_concurrency=200,
        )  # fmt: skip
        if arguments.open:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):  # the usual end
            uvicorn.Server(config).run(sockets=[listening])
    print("The page is closed.", file=sys.stderr)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.port <= 65535:
        raise OptionError(f"--port {arguments.port}: ports are 0 to 65535.")
    token = arguments.token
    if token is None and arguments.host not in LOCAL:
        raise OptionError(
            f"--host {arguments.host} lets other machines in: give --token with a secret word of "
            f"{LEAST_TOKEN} letters or more."
        )
    letters = token is None or (
        token.isascii() and token.replace("-", "").replace("_", "").isalnum()
    )
    if token is not None and (len(token) < LEAST_TOKEN or not letters):
        raise OptionError(
            f"--token needs {LEAST_TOKEN} letters, digits, - or _, or more, so that nobody "
            "guesses it."
        )


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OptionError: the place is taken, or there is none of that name.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        raise OptionError(
            f"--host {host} --port {port}: cannot listen there "
            f"({error.strerror or error}); choose another --port, 0 for any."
        ) from None
    return listening
