"""The running server against whoever should not be let in, and against nonsense."""

import contextlib
import http.client
import json
import os
import random
import socket
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="pip install 'photostyle[web]'")
from photostyle.web.guard import own_host
from photostyle.web.limits import MOST_BYTES, MOST_WORDS

Served = Any  # of conftest.py


def test_every_address_wants_the_token(served: Served) -> None:
    session = served.session()
    for path in ("/", "/static/js/main.js", "/api/options", "/api/sessions", session,
                 f"{session}/events", "/nothing"):  # fmt: skip
        assert served.ask("GET", path, bare=True)[0] == 403, path
        for wrong in ("", "x", served.token[:-1], served.token + "x", served.token.swapcase()):
            assert served.ask("GET", path, headers={"X-Token": wrong}, bare=True)[0] == 403
        assert served.ask("GET", path, headers={"Cookie": "photostyle-1=x; a"}, bare=True)[0] == 403
    assert served.ask("GET", "/static/js/main.js")[0] == 200


def test_the_address_that_was_printed_lets_in_and_then_hides_the_token(served: Served) -> None:
    connection = http.client.HTTPConnection(served.base.removeprefix("http://"))
    connection.request("GET", f"/?token={served.token}")
    answer = connection.getresponse()
    cookie = answer.getheader("set-cookie")
    assert answer.status == 303
    assert answer.getheader("location") == "/"
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    answer.read()
    connection.request("GET", "/", headers={"Cookie": cookie.split(";")[0]})
    answer = connection.getresponse()
    assert answer.status == 200
    assert b"main.js" in answer.read()


def test_pages_may_load_nothing_from_elsewhere_and_run_no_inline_script(served: Served) -> None:
    connection = http.client.HTTPConnection(served.base.removeprefix("http://"))
    for path, token in (("/", True), ("/", False), ("/api/nothing", True)):
        connection.request("GET", path, headers={"X-Token": served.token} if token else {})
        answer = connection.getresponse()
        body = answer.read()
        policy = answer.getheader("content-security-policy")
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("referrer-policy") == "no-referrer"
        assert b"<script>" not in body
        assert b"style=" not in body


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil", "",
                                  "localhost.", "[::1", "10.0.0.1"])  # fmt: skip
def test_foreign_names_that_point_here_are_not_answered(served: Served, host: str) -> None:
    assert served.ask("GET", "/api/options", headers={"Host": host})[0] in (400, 421)
    assert served.ask("GET", "/api/options", headers={"Host": "localhost"})[0] == 200


@pytest.mark.parametrize(
    ("said", "bound", "own"),
    [
        ("127.0.0.1:80", "127.0.0.1", True), ("localhost:1", "127.0.0.1", True),
        ("[::1]:5", "::1", True), ("evil:80", "127.0.0.1", False), ("evil", "0.0.0.0", False),
        ("10.1.2.3:80", "0.0.0.0", True), ("10.1.2.3", "127.0.0.1", False),
        ("10.1.2.3", "10.1.2.3", True), ("10.1.2.4", "10.1.2.3", False), ("a/b", "0.0.0.0", False),
    ],
)  # fmt: skip
def test_names_of_this_server(said: str, bound: str, own: bool) -> None:
    assert own_host(said, bound) is own


def test_requests_of_other_sites_change_nothing(served: Served) -> None:
    own = served.base
    for headers in (
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "file://"},
        {"Origin": own.replace("127.0.0.1", "localhost")}, {"Origin": own + "1"},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"X-Photostyle": "0"},
    ):  # fmt: skip
        assert served.ask("POST", "/api/sessions", headers=headers)[0] == 403, headers
    assert served.ask("GET", "/api/options", headers={"Origin": "http://evil.example"})[0] == 403
    both = {"X-Token": served.token}
    assert served.ask("POST", "/api/sessions", headers=both, bare=True)[0] == 403
    fine = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
    assert served.ask("POST", "/api/sessions", headers=fine)[0] == 200


ESCAPES = ("../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/server.py",
           "/etc/passwd", "....//etc/passwd", "%00", "index.html%00.js", "\\..\\server.py",
           "a" * 3000)  # fmt: skip


def test_no_address_leaves_its_folder(served: Served) -> None:
    session = served.pair()
    for escape in ESCAPES:
        for path in (f"/static/{escape}", f"/static/js/{escape}", f"/api/sessions/{escape}",
                     f"{session}/files/{escape}/view", f"{session}/preview/{escape}",
                     f"{session}/results/{escape}/view", f"{session}/protected/{escape}/sky",
                     f"{session}/labels/{escape}"):  # fmt: skip
            status, body = served.ask("GET", path)
            assert status in (400, 403, 404, 405, 422), (path, status)
            assert b"root:" not in body
            assert b"import" not in body


def test_names_of_uploads_are_never_paths(served: Served, photo: Any, tmp_path: Path) -> None:
    session = served.session()
    before = {p for p in served.home.parent.rglob("*") if "session" not in str(p)}
    for name in ("../../escaped.png", "/tmp/escaped.png", "..%2F..%2Fescaped.png", "escaped%00.png",
                 "c:\\escaped.png", ".", "%2e%2e", "escaped.png%0d%0aX-A: b"):  # fmt: skip
        quoted = name.replace(" ", "%20")
        state = served.json("POST", f"{session}/pictures/content?name={quoted}", photo(3))
        called = state["pictures"]["content"][0]["name"]
        assert "/" not in called
        assert "\\" not in called
        assert "\0" not in called
    assert not [p for p in served.home.parent.rglob("*escaped*") if p not in before]
    assert not Path("/tmp/escaped.png").exists()
    kept = {p.name for p in (served.home / "web/files").iterdir()}
    assert all(len(name.split("-")[0].split(".")[0]) == 64 for name in kept), kept


def test_the_folder_cannot_be_left(served: Served) -> None:
    listed = served.json("GET", "/api/shelf")["pictures"]
    assert [x["name"] for x in listed] == ["inside.png"]  # neither the link nor what is linked
    session = served.session()
    for number in ("../secret.png", "link.png", "/etc/passwd", "", None, 1, ["x"]):
        assert served.ask("POST", f"{session}/shelf/content", {"id": number})[0] == 404
    before = {p: p.stat().st_mtime_ns for p in served.folder.iterdir()}
    state = served.json("POST", f"{session}/shelf/content", {"id": listed[0]["id"]})
    assert state["pictures"]["content"][0]["name"] == "inside.png"
    assert {p: p.stat().st_mtime_ns for p in served.folder.iterdir()} == before


def test_options_name_no_file(served: Served) -> None:
    session = served.session()
    for options in ({"encoder": "/etc/passwd"}, {"model": "x.safetensors"},
                    {"segmenter_model": "/tmp"}, {"segmenter_groups": "../x.toml"},
                    {"size": "big"}, {"size": -1}, {"seed": 1e99}, {"strength": "x"}):  # fmt: skip
        status, body = served.ask("PATCH", session, {"options": options})
        assert status == 422, (options, body)
        assert json.loads(body)["error"].endswith(".")
    assert served.json("GET", session)["options"] == {"size": 96}


def test_oversized_bodies_are_refused_before_they_are_read(served: Served) -> None:
    session = served.session()
    for path, most in ((f"{session}/pictures/content?name=x.png", MOST_BYTES),
                       (f"{session}/sweep", MOST_WORDS)):  # fmt: skip
        headers = {"X-Token": served.token, "X-Photostyle": "1", "Content-Length": str(most + 1)}
        connection = http.client.HTTPConnection(served.base.removeprefix("http://"), timeout=10)
        connection.putrequest("POST", path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(b"x")
        assert connection.getresponse().status == 413
    chunks = (b"x" * 65536 for _ in range(2 * MOST_WORDS // 65536))
    connection = http.client.HTTPConnection(served.base.removeprefix("http://"), timeout=10)
    headers = {"X-Token": served.token, "X-Photostyle": "1", "Transfer-Encoding": "chunked"}
    with contextlib.suppress(ConnectionError, http.client.HTTPException):  # cut off on the way
        connection.request("POST", f"{session}/sweep", chunks, headers, encode_chunked=True)
        assert connection.getresponse().status == 413
    assert served.ask("GET", "/api/options")[0] == 200


def test_a_thousand_malformed_requests(served: Served) -> None:
    host, port = served.base.removeprefix("http://").split(":")
    draw = random.Random(0)
    session = served.session()
    names = sorted(p for p in served.home.parent.rglob("*") if p.is_dir())
    known = ["/", "/api/sessions", session, f"{session}/labels/content", f"{session}/sweep",
             f"{session}/masks/style", f"{session}/results/1/view", f"{session}/do/x"]  # fmt: skip
    for n in range(1000):
        path = draw.choice(known) + draw.choice(["", "?", "?token=%ff", "/%c3%28", "/\x7f", "#"])
        method = draw.choice(["GET", "POST", "PATCH", "PUT", "DELETE", "BREW", "G\0T"])
        body = draw.choice([b"", b"{", b"[]", b"null", b'{"a":' * 900, draw.randbytes(200),
                            b'{"options":{"size":[[]]}}', b'{"files":[1]}',
                            b'{"name":{},"values":{}}', b'{"regions":[1]}\n\x1f\x8b'])  # fmt: skip
        length = draw.choice([len(body), len(body), -1, 10**12, "x"])
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nX-Token: {served.token}\r\n"
        head += draw.choice(
            ["X-Photostyle: 1\r\n", "X-Photostyle: 1\r\nCookie: =;;\r\n", "bad\r\n"]
        )
        request = (head + f"Content-Length: {length}\r\nConnection: close\r\n\r\n").encode() + body
        with socket.create_connection((host, int(port)), timeout=10) as link:
            link.sendall(request[: draw.choice([len(request), len(request), len(request) // 2])])
            link.shutdown(socket.SHUT_WR)
            answer = link.recv(4096)
        assert b"Traceback" not in answer, (n, request)
        assert not answer.startswith(b"HTTP/1.1 500"), (n, request)
    assert served.process.poll() is None
    assert served.ask("GET", "/api/options")[0] == 200
    new = {p for p in served.home.parent.rglob("*") if p.is_dir()} - set(names)
    assert all(served.home in p.parents for p in new)


def test_what_is_kept_is_for_its_owner_alone(served: Served) -> None:
    served.session()
    if os.name == "posix":
        for folder in (served.home / "web", *(served.home / "web/sessions").iterdir()):
            assert folder.stat().st_mode & 0o077 == 0
