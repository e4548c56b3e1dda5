"""A session: one person's pictures, regions, options and results, and the pages that watch it.
Imports no torch."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from photostyle.web import state as states
from photostyle.web import turning
from photostyle.web.limits import MOST_LISTENERS, MOST_RESULTS
from photostyle.web.refusing import Refused, Stopped, told
from photostyle.web.store import Store
from photostyle.web.workshop import Job, Worker

Event = dict[str, Any]


class Session:
    """What is kept of a session, and what goes on in it.

    Args:
        name: as the store made it. solver, hand: the workers for solves and for all else.
    """

    def __init__(self, name: str, store: Store, solver: Worker, hand: Worker) -> None:
        self.name, self.store, self.solver, self.hand = name, store, solver, hand
        self.state = states.whole(store.load(name))
        self.progress: Event | None = None
        self.live: dict[str, tuple[int, bytes]] = {}
        self._listeners: set[asyncio.Queue[Event]] = set()
        self._job: Job | None = None
        self._keep: set[asyncio.Task[Any]] = set()

    # What pages hear.

    @contextlib.contextmanager
    def listening(self) -> Any:
        """A queue of events for one page."""
        if len(self._listeners) >= MOST_LISTENERS:
            raise Refused("Too many pages watch this session; close some.", 503)
        queue: asyncio.Queue[Event] = asyncio.Queue(maxsize=500)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def tell(self, event: Event) -> None:
        """Tells every page; one that does not listen any more is dropped."""
        for queue in list(self._listeners):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._listeners.discard(queue)

    def told(self) -> Event:
        """The state as pages have it."""
        return {**self.state, "id": self.name, "command": self.command(), "progress": self.progress,
                "regions": states.masks(self.state)}  # fmt: skip

    def changed(self) -> None:
        """Keeps the state and tells it; where it cannot be kept, that is told, and all goes on."""
        self.state["revision"] += 1
        try:
            self.store.save(self.name, self.state)
        except OSError as error:
            self.complain(error)
        self.tell({"type": "state", "state": self.told()})

    def complain(self, error: BaseException) -> None:
        """Tells a sentence for what went wrong."""
        self.tell({"type": "error", "error": told(error)[0]})

    # Pictures.

    async def add(self, role: str, file: str, name: str, choose: bool = True) -> None:
        """A picture of the store for a role; it is decoded before it counts.

        Args:
            choose: False leaves another that is chosen.
        """
        path = self.store.file(file)
        facts = await self.hand.ask(
            "look", {"path": str(path), "files": str(self.store.files), "names": {str(path): name}}
        )
        chosen = self.state["chosen"][role]
        states.add_picture(self.state, role, {"file": file, "name": name, **facts})
        if chosen and not choose:
            self.state["chosen"][role] = chosen
        else:
            self.state["shown"] = None
        self.changed()
        if self.state["chosen"][role] == file:
            self.wish()

    async def change(self, wanted: Mapping[str, Any]) -> None:
        """Makes changes; where these need a solve, it begins."""
        needed = states.change(self.state, wanted)
        self.changed()
        if needed:
            self.wish()

    def names(self, *roles: str) -> dict[str, str]:
        """The names of the chosen pictures by their paths, for sentences."""
        found = {}
        for role in roles or states.ROLES:
            if picture := states.picture(self.state, role):
                found[str(self.store.files / picture["file"])] = picture["name"]
        return found

    def paths(self) -> dict[str, str]:
        """Content and style, for a task."""
        content, style = states.pair(self.state)
        return {
            "content": str(self.store.file(content["file"])),
            "style": str(self.store.file(style["file"])),
        }

    def labels(self, content: str | None = None) -> dict[str, Any] | None:
        """The drawn regions of the pair, or of another photograph with its style, for a task."""
        return self._paths_of(self._drawn_labels(content))

    def _paths_of(self, labels: dict[str, Any] | None) -> dict[str, Any] | None:
        if labels is None:
            return None
        paths = {role: self.label_paths(labels[role]) for role in states.ROLES}
        return {"names": labels["names"], **paths}

    def label_paths(self, held: Mapping[str, str]) -> dict[str, str | None]:
        """The files of a picture's labels, for a task."""
        soft = held.get("soft")
        return {
            "path": str(self.store.file(held["file"])),
            "soft": str(self.store.file(soft)) if soft else None,
        }

    # Solves.

    def wish(self) -> None:
        """Begins a solve where both pictures are there and previews are wanted."""
        if self.state["live"] and all(self.state["chosen"].values()):
            self.solve()
        elif self.progress:
            self.cancel()

    def solve(self) -> None:
        """Begins a solve in place of the one under way."""
        self.cancel()
        self.state["count"] += 1
        number, state = self.state["count"], self.state
        preset, options = state["preset"], states.solved_options(state)
        folder = self.store.folder(self.name) / f"r{number}"
        arguments = {
            **self.paths(), "preset": preset, "options": options, "labels": self.labels(),
            "inputs": self.inputs(), "out": str(folder), "names": self.names(),
        }  # fmt: skip
        entry = {
            "n": number, "preset": preset, "options": options, **state["chosen"],
            "drawn": states.drawn(state) is not None, "labels": self._drawn_labels(),
        }  # fmt: skip
        self.progress = {"type": "progress", "n": number, "rung": "", "stage": "waiting"}
        job = self._job = self.solver.give("solve", arguments, self.name, self._hear(number))
        self.tell(self.progress)
        self.go_on(self._finish(job, entry))

    def cancel(self) -> None:
        """Gives up the solve under way."""
        self._job, self.progress = None, None
        self.solver.cancel(self.name)

    def stop(self) -> None:
        """Ends the solve under way with the best picture so far."""
        if not self.solver.end_early(self.name):
            self.cancel()
            self.tell({"type": "progress", "n": 0, "stage": "idle"})

    def _hear(self, number: int) -> Any:
        def hear(event: Event) -> None:
            if self._job is None or self.state["count"] != number:
                return
            picture = event.pop("picture", None)
            kind = "picture" if picture else "progress"
            told_ = {**event, "kind": event["type"], "n": number, "type": kind}
            if picture:
                version = self.live.get("preview", (0, b""))[0] + 1
                self.live["preview"] = version, picture
                told_["version"] = version
            self.progress = {**(self.progress or {}), **told_, "type": "progress"}
            self.tell(told_)

        return hear

    async def _finish(self, job: Job, entry: dict[str, Any]) -> None:
        try:
            facts = await job.done
        except Stopped:
            return
        except Exception as error:
            if job is self._job:
                self._job, self.progress = None, None
                self.tell({"type": "progress", "n": 0, "stage": "idle"})
                self.complain(error)
            return
        if job is not self._job:
            return
        self._job, self.progress = None, None
        strip = self.state["strip"]
        place = 1 + (strip[-1].get("place", len(strip)) if strip else 0)
        strip.append({**entry, **facts, "place": place, "at": round(time.time())})
        self.state["shown"] = entry["n"]
        self._prune()
        self.changed()

    def _prune(self) -> None:
        strip = self.state["strip"]
        while len(strip) > MOST_RESULTS:
            gone = strip.pop(0)
            shutil.rmtree(self.store.folder(self.name) / f"r{gone['n']}", ignore_errors=True)

    def _drawn_labels(self, content: str | None = None) -> dict[str, Any] | None:
        """The drawn regions as an entry of the strip keeps them."""
        found = states.drawn(self.state, content)
        if found is None:
            return None
        names, held = [r["name"] for r in found["regions"]], {r: found[r] for r in states.ROLES}
        return {"names": names, "regions": found["regions"], **held}

    def inputs(self, photograph: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What manifests say of the files: their own names, as nobody else has ours.

        Args:
            photograph: another than the one that is chosen.
        """
        content, style = states.pair(self.state)
        pair = (("content", photograph or content), ("style", style))
        found = {role: {"path": p["name"], "sha256": p["file"][:64]} for role, p in pair}
        if drawn := states.drawn(self.state, pair[0][1]["file"]):
            names = label_names(*(p["name"] for _, p in pair))
            for role, name in names.items():
                found[f"{role}_mask"] = {"path": name, "sha256": drawn[role]["file"][:64]}
        return found

    def go_on(self, work: Any) -> None:
        """Has something go on by itself."""
        task = asyncio.get_running_loop().create_task(work)
        self._keep.add(task)
        task.add_done_callback(self._let_go)

    def _let_go(self, task: "asyncio.Task[Any]") -> None:
        self._keep.discard(task)
        if not task.cancelled():
            task.exception()  # of a session that is forgotten nobody asks

    # Results.

    def result(self, number: object) -> tuple[dict[str, Any], Path]:
        """The entry of a result and its folder.

        Raises:
            Refused: there is none.
        """
        found = [entry for entry in self.state["strip"] if str(entry["n"]) == str(number)]
        folder = self.store.folder(self.name) / f"r{found[0]['n']}" if found else None
        if folder is None or not folder.is_dir():
            raise Refused("That result is no longer kept.", 404)
        return found[0], folder

    async def of_result(self, task: str, number: object, **arguments: Any) -> Any:
        """Does a task on a result and its content."""
        entry, folder = self.result(number)
        path = self.store.file(entry["content"])
        wanted = turning.checked(entry["preset"], arguments.pop("options", {}))
        options = turning.fitting(states.rendered_options(wanted), entry["names"])
        name = self._called(entry["content"])
        return await self.hand.ask(
            task,
            {"result": str(folder), "content": str(path), "options": options, **arguments,
             "names": {str(path): name}},
            self.name,
        )  # fmt: skip

    def _called(self, file: str) -> str:
        every = (p for role in states.ROLES for p in self.state["pictures"][role])
        return next((p["name"] for p in every if p["file"] == file), "the photograph")

    async def look(self, number: object, kind: str) -> str:
        """Has the look of a result fitted, once; gives the file's name beside it."""
        entry, folder = self.result(number)
        content, style = (str(self.store.file(entry[role])) for role in states.ROLES)
        arguments = {
            "result": str(folder), "content": content, "style": style, "preset": entry["preset"],
            "options": entry["options"], "labels": self._paths_of(entry.get("labels")),
            "kind": kind,
            "names": {path: self._called(Path(path).name) for path in (content, style)},
        }  # fmt: skip
        name: str = await self.solver.ask("fit", arguments, f"{self.name} look")
        return name

    def go_back(self, number: object) -> None:
        """Makes the settings those of a result, with its regions."""
        entry, _ = self.result(number)
        states.go_back(self.state, entry)
        self.cancel()
        self.tell({"type": "progress", "n": 0, "stage": "idle"})
        self.changed()

    def kept_name(self, number: object) -> str:
        """What a result is called where it is kept, without an ending."""
        entry, _ = self.result(number)
        stem = self._called(entry["content"]).rpartition(".")[0] or "result"
        return f"{stem}-styled"

    def command(self) -> str | None:
        """The command line that does the same."""
        content, style = (states.picture(self.state, role) for role in states.ROLES)
        if content is None or style is None:
            return None
        names: dict[str, str | None] = {"content": content["name"], "style": style["name"]}
        if states.drawn(self.state):
            labels = label_names(content["name"], style["name"])
            names |= {f"{role}-mask": name for role, name in labels.items()}
        keep = self.state["keep"]
        out = f"{content['name'].rpartition('.')[0] or 'result'}-styled.{keep['form']}"
        shown = [entry for entry in self.state["strip"] if entry["n"] == self.state["shown"]]
        options = self.state["options"]
        if shown:
            options = turning.fitting(options, shown[0]["names"])
        if keep["depth"] != content.get("depth") and keep["depth"] in (8, 16):
            options = {**options, "bit_depth": str(keep["depth"])}
        return turning.command_line(self.state["preset"], options, names, out)


def label_names(content: str, style: str) -> dict[str, str]:
    """What the label pictures of two pictures are called, by their roles; never both the same."""
    stems = {"content": content.rpartition(".")[0], "style": style.rpartition(".")[0]}
    if stems["content"] == stems["style"]:
        stems = {role: f"{stem}-{role}" if stem else role for role, stem in stems.items()}
    return {role: f"{stem or role}-labels.png" for role, stem in stems.items()}
