"""`photostyle serve` on words that do not fit."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest


def served(*words: str, code: str = "pass") -> "subprocess.CompletedProcess[str]":
    program = f"import sys; {code}; from photostyle.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "serve", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_what_is_not_installed_is_told_with_how_to_get_it(missing: str) -> None:
    sentence = refused(served(code=f"sys.modules[{missing!r}] = None"))
    assert "pip install 'photostyle[web]'" in sentence
    assert missing in sentence


def test_other_machines_are_let_in_only_with_a_token() -> None:
    assert "--token" in refused(served("--host", "0.0.0.0"))
    assert "12" in refused(served("--host", "0.0.0.0", "--token", "short"))
    assert "letters" in refused(served("--token", "with space in it"))


def test_ports_and_folders_that_are_not_there(tmp_path: Path) -> None:
    pytest.importorskip("starlette", reason="pip install 'photostyle[web]'")
    assert "65535" in refused(served("--port", "70000"))
    assert "no such folder" in refused(served("--folder", str(tmp_path / "none")))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "another --port" in refused(served("--port", str(taken.getsockname()[1])))
