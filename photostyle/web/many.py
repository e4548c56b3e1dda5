"""What a session does to many pictures, or many times: a sweep of one option, and all photographs
of the session one after the other. Imports no torch."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

from photostyle.web import state as states
from photostyle.web import turning
from photostyle.web.limits import SWEEP_VALUES
from photostyle.web.refusing import Refused, Stopped, told
from photostyle.web.session import Session


def begin_sweep(session: Session, name: object, values: object) -> None:
    """Tries some values of an option, each as a small picture.

    Raises:
        Refused, OptionError: no such option, or a value that does not fit it.
    """
    if not isinstance(name, str) or not isinstance(values, list):
        raise Refused("A sweep needs an option and its values.")
    if not 2 <= len(values) <= SWEEP_VALUES:
        raise Refused(f"A sweep has 2 to {SWEEP_VALUES} values.")
    if name in ("size", "output_size"):
        raise Refused("All pictures of a sweep have one size.")
    state = session.state
    tried = [turning.checked(state["preset"], {**state["options"], name: v})[name] for v in values]
    session.cancel()
    arguments = {
        **session.paths(), "preset": state["preset"], "options": state["options"],
        "labels": session.labels(), "name": name, "values": tried, "names": session.names(),
    }  # fmt: skip
    for key in [key for key in session.live if key.startswith("sweep")]:
        del session.live[key]

    def hear(event: dict[str, Any]) -> None:
        version = state["count"] * 1000 + event["place"] + 1
        if "picture" in event:
            session.live[f"sweep-{event['place']}"] = version, event.pop("picture")
        session.tell({**event, "version": version})

    state["count"] += 1
    job = session.solver.give("sweep", arguments, session.name, hear)
    session.tell({"type": "sweep", "name": name, "values": tried})

    async def finish() -> None:
        try:
            await job.done
            session.tell({"type": "swept"})
        except Stopped:
            session.tell({"type": "swept"})
        except Exception as error:
            session.tell({"type": "swept"})
            session.complain(error)

    session.go_on(finish())


def begin_batch(session: Session) -> None:
    """Styles all photographs of the session, with its style and options."""
    states.pair(session.state)
    if any(item["state"] in ("waiting", "doing") for item in session.state["batch"]):
        raise Refused("The photographs are being styled already.", 409)
    folder = session.store.folder(session.name)
    shutil.rmtree(folder / "batch", ignore_errors=True)
    (folder / "batch").mkdir()
    session.state["batch"] = [
        {"file": p["file"], "name": p["name"], "state": "waiting"}
        for p in session.state["pictures"]["content"]
    ]
    session.changed()
    works = [_work(session, item, f"{folder}/batch/{n}") for n, item in enumerate(_items(session))]
    session.go_on(_batch(session, works))


def _items(session: Session) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = session.state["batch"]
    return found


def _work(
    session: Session, item: dict[str, Any], folder: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is asked of the workers for a photograph: its solve, and its file."""
    state = session.state
    content, style = (
        str(session.store.files / f) for f in (item["file"], state["chosen"]["style"])
    )
    names = {content: item["name"], style: "the style"}
    solve = {
        "content": content, "style": style, "preset": state["preset"],
        "options": states.solved_options(state), "labels": session.labels(item["file"]),
        "inputs": session.inputs(item), "out": folder, "ladder": False,
    }  # fmt: skip
    keep = {
        "result": folder, "content": content, "options": states.rendered_options(state["options"]),
        **state["keep"], "called": kept_name(item, state["keep"]["form"]),
    }  # fmt: skip
    return {**solve, "names": names}, {**keep, "names": names}


def kept_name(item: dict[str, Any], form: str) -> str:
    """What a finished photograph of the batch is called."""
    return f"{item['name'].rpartition('.')[0] or 'result'}-styled.{form}"


async def _batch(session: Session, works: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    for item, (solve, keep) in zip(_items(session), works, strict=True):
        if item["state"] != "waiting":
            continue
        item["state"] = "doing"
        session.changed()
        try:
            facts = await session.solver.ask("solve", solve, f"{session.name} batch")
            options = turning.fitting(keep["options"], facts["names"])
            item["kept"] = await session.hand.ask("keep", {**keep, "options": options})
            item |= {"state": "done", "seconds": facts["seconds"]}
        except (Stopped, asyncio.CancelledError):
            item["state"] = "stopped"
        except Exception as error:  # one photograph fails, the rest goes on
            item |= {"state": "failed", "error": told(error)[0]}
        session.changed()


async def pack_batch(session: Session) -> Path:
    """An archive of the finished photographs, each under a name of its own.

    Raises:
        Refused: none is finished.
    """
    folder = session.store.folder(session.name) / "batch"
    files: dict[str, str] = {}
    for place, item in enumerate(_items(session)):
        if item["state"] == "done":
            name = kept_name(item, item["kept"].rpartition(".")[2])
            name = f"{place + 1}-{name}" if name in files else name
            files[name] = str(folder / str(place) / item["kept"])
    if not files:
        raise Refused("None of the photographs is done.", 404)
    await session.hand.ask("pack", {"files": files, "path": str(folder / "all.zip")})
    return folder / "all.zip"


def end_batch(session: Session) -> None:
    """Stops after the photograph under way."""
    for item in session.state["batch"]:
        if item["state"] == "waiting":
            item["state"] = "stopped"
    session.solver.cancel(f"{session.name} batch")
    session.changed()
