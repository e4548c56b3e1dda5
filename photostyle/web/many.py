"""What a session does to many pictures, or many times: a sweep of one option, and all photographs
of the session one after the other. Imports no torch."""

import asyncio
import shutil
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
        key = f"sweep-{event['place']}"
        version = state["count"] * 1000 + event["place"] + 1
        session.live[key] = version, event.pop("picture")
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
    _, style = states.pair(session.state)
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
    session.go_on(_batch(session, style["file"], str(folder / "batch")))


async def _batch(session: Session, style: str, out: str) -> None:
    state = session.state
    preset = state["preset"]
    solved, rendered = states.solved_options(state), states.rendered_options(state["options"])
    for place, item in enumerate(state["batch"]):
        if item["state"] != "waiting":
            continue
        item["state"] = "doing"
        session.changed()
        folder = f"{out}/{place}"
        try:
            content, its = (str(session.store.file(f)) for f in (item["file"], style))
            names = {content: item["name"], its: "the style"}
            facts = await session.solver.ask(
                "solve",
                {"content": content, "style": its, "preset": preset, "options": solved,
                 "labels": None, "inputs": _inputs(item, style), "out": folder, "ladder": False,
                 "names": names},
                f"{session.name} batch",
            )  # fmt: skip
            item["kept"] = await session.hand.ask(
                "keep",
                {"result": folder, "content": content, "options": rendered, "form": "png",
                 "depth": 8, "called": f"{item['name']}.png", "names": names},
            )  # fmt: skip
            item |= {"state": "done", "seconds": facts["seconds"]}
        except (Stopped, asyncio.CancelledError):
            item["state"] = "stopped"
        except Exception as error:  # one photograph fails, the rest goes on
            item |= {"state": "failed", "error": told(error)[0]}
        session.changed()


def _inputs(item: dict[str, Any], style: str) -> dict[str, Any]:
    return {
        "content": {"path": item["name"], "sha256": item["file"][:64]},
        "style": {"path": "style", "sha256": style[:64]},
    }


def end_batch(session: Session) -> None:
    """Stops after the photograph under way."""
    for item in session.state["batch"]:
        if item["state"] == "waiting":
            item["state"] = "stopped"
    session.solver.cancel(f"{session.name} batch")
    session.changed()
