"""The routes of regions and results."""

import json
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from photostyle.web import many, turning
from photostyle.web import state as states
from photostyle.web.asking import answered, attached, role_of, session_of, words
from photostyle.web.limits import MOST_MASKS, MOST_WORDS
from photostyle.web.refusing import Refused
from photostyle.web.routes import FOREVER
from photostyle.web.session import Session, label_names

_SEGMENTATION = ("segmenter", "regions", "palette", "edge_softness")
_LEFT = {"view": "view.png", "thumb": "thumb.webp", "regions": "regions.png"}


async def find(request: Request) -> Response:
    """Finds the regions of the pair; what was drawn for it goes."""
    session = session_of(request)
    key, options = states.pair_key(session.state), session.state["options"]
    chosen = {k: v for k, v in options.items() if k in _SEGMENTATION and k != "palette"}
    if chosen.get("segmenter") == "labels":
        del chosen["segmenter"]
    found = await session.hand.ask(
        "find",
        {**session.paths(), "options": chosen, "files": str(session.store.files),
         "names": session.names()},
        session.name,
    )  # fmt: skip
    session.state["masks"][key] = {**found, "drawn": False}
    session.changed()
    return JSONResponse(session.told())


async def upload(request: Request) -> Response:
    """A mask file in the body; gives its name here."""
    session = session_of(request)
    name = states.called(request.query_params.get("name"))
    file = await session.store.receive(request.stream(), name)
    return JSONResponse({"file": file, "name": name})


async def load(request: Request) -> Response:
    """Reads masks that were uploaded, of whatever kind, for one picture."""
    session, role = session_of(request), role_of(request.path_params["role"])
    given: Any = (await words(request)).get("files")
    tables = isinstance(given, list) and all(isinstance(x, dict) for x in given)
    if not tables or not 1 <= len(given) <= MOST_MASKS:
        raise Refused(f"Give one mask file, or up to {MOST_MASKS}, one for each region.")
    named = [(session.store.file(x.get("file")), states.called(x.get("name"))) for x in given]
    picture = states.picture(session.state, role)
    if picture is None:
        raise Refused("Give the picture before its mask.", 409)
    key, held = states.pair_key(session.state), states.masks(session.state)
    path = session.store.file(picture["file"])
    found = await session.hand.ask(
        "load",
        {"role": role, "picture": str(path), "name": picture["name"],
         "mask": {"paths": [str(p) for p, _ in named], "called": [n for _, n in named]},
         "held": _held(session, held), "palette": session.state["options"].get("palette"),
         "files": str(session.store.files),
         "names": {**{str(p): n for p, n in named}, **session.names()}},
        session.name,
    )  # fmt: skip
    session.state["masks"][key] = {**found, "drawn": True}
    session.changed()
    session.wish()
    return JSONResponse({**session.told(), "notes": found["notes"]})


def _held(session: Session, held: dict[str, Any] | None) -> dict[str, Any] | None:
    if held is None:
        return None
    paths = {role: session.label_paths(held[role]) for role in states.ROLES if held.get(role)}
    return {"regions": held["regions"], **paths}


async def give(request: Request) -> Response:
    """An index for every pixel of a picture's regions."""
    session = session_of(request)
    held = _regions(session, role_of(request.path_params["role"]))
    data = await session.hand.ask("give", {"path": str(session.store.file(held["file"]))})
    return Response(
        data, media_type="application/octet-stream", headers={"content-encoding": "gzip"}
    )


async def take(request: Request) -> Response:
    """What was painted: a line of JSON with the regions, then an index for every pixel, packed."""
    session, role = session_of(request), role_of(request.path_params["role"])
    picture = states.picture(session.state, role)
    if picture is None:
        raise Refused("Give the picture before its regions.", 409)
    key, held = states.pair_key(session.state), states.masks(session.state) or {}
    head, data = await _parted(request)
    name = await session.store.receive(_once(data), "painted")
    found = await session.hand.ask(
        "take",
        {"path": str(session.store.file(name)), "size": picture["size"],
         "regions": head.get("regions") or [], "files": str(session.store.files),
         "base": session.label_paths(held[role]) if held.get(role) else None},
        session.name,
    )  # fmt: skip
    session.store.file(name).unlink(missing_ok=True)
    session.state["masks"][key] = {
        **(states.masks(session.state) or {}), role: found, "regions": head["regions"],
        "drawn": True, "by": "labels",
    }  # fmt: skip
    session.changed()
    if not head.get("more"):
        session.wish()
    return JSONResponse(session.told())


async def _parted(request: Request) -> tuple[dict[str, Any], bytes]:
    """The line of JSON at the beginning of a body, and the rest."""
    line, found, data = (await request.body()).partition(b"\n")
    try:
        head = json.loads(line) if found and len(line) <= MOST_WORDS else None
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or not isinstance(head.get("regions"), list):
        raise Refused("What was painted came without its regions.", 400)
    return head, data


async def _once(data: bytes) -> Any:
    yield data


async def drop(request: Request) -> Response:
    """Forgets the regions of the pair."""
    session = session_of(request)
    session.state["masks"].pop(states.pair_key(session.state), None)
    session.changed()
    session.wish()
    return JSONResponse(session.told())


async def export(request: Request) -> Response:
    """A picture's regions as a file."""
    session, role = session_of(request), role_of(request.path_params["role"])
    held = _regions(session, role)
    pair = states.pair(session.state)
    picture = pair[states.ROLES.index(role)]
    names = [region["name"] for region in (states.masks(session.state) or {})["regions"]]
    data, ending = await session.hand.ask(
        "export",
        {"file": session.label_paths(held), "known": names, "called": picture["name"],
         "form": request.query_params.get("form", "labels")},
    )  # fmt: skip
    stem = label_names(*(p["name"] for p in pair))[role].removesuffix("-labels.png")
    return Response(data, media_type="application/octet-stream", headers=attached(stem + ending))


def _regions(session: Session, role: str) -> dict[str, Any]:
    held = (states.masks(session.state) or {}).get(role)
    if not held:
        raise Refused("There are no regions of that picture yet.", 404)
    found: dict[str, Any] = held
    return found


async def pieces(request: Request) -> Response:
    """The superpixels of a picture."""
    session, role = session_of(request), role_of(request.path_params["role"])
    picture = states.picture(session.state, role)
    if picture is None:
        raise Refused("There is no such picture.", 404)
    path, files = session.store.file(picture["file"]), session.store.files
    name = await session.hand.ask(
        "pieces", {"path": str(path), "size": picture["size"], "files": str(files)}
    )
    headers = {**FOREVER, "content-encoding": "gzip"}
    return FileResponse(session.store.file(name), headers=headers)


async def left(request: Request) -> Response:
    """What a solve left: view, thumbnail, regions."""
    session, what = session_of(request), request.path_params["what"]
    _, folder = session.result(request.path_params["number"])
    if what not in _LEFT:
        raise Refused("There is nothing of that name.", 404)
    return FileResponse(folder / _LEFT[what], headers=FOREVER)


async def rendered(request: Request) -> Response:
    """A result under options of rendering: as a view, at full size, or as a heat map."""
    session, number = session_of(request), request.path_params["number"]
    wanted, what = await words(request), request.path_params["what"]
    options = wanted.get("options") or {}
    if what in ("view", "close"):
        data = await session.of_result(what, number, options=options)
    elif what in ("stains", "departures"):
        data = await session.of_result("heat", number, options=options, kind=what)
    else:
        raise Refused("There is nothing of that name.", 404)
    return Response(data, media_type="image/jpeg" if what == "close" else "image/png")


async def protected(request: Request) -> Response:
    """Where a picture has what can be protected by its look."""
    session = session_of(request)
    path = session.store.file(request.path_params["file"])
    what = request.path_params["what"]
    data = await session.hand.ask("protected", {"content": str(path), "what": what})
    return Response(data, media_type="image/png", headers=FOREVER)


async def keep(request: Request) -> Response:
    """A result at full size, to be kept: a picture, its manifest, or all that belongs to it."""
    session, number = session_of(request), request.path_params["number"]
    asked = request.query_params
    options = states.rendered_options(session.state["options"])
    stem, depth = session.kept_name(number), asked.get("depth", "8")
    form, bits = turning.depths_of(asked.get("form", "png"), int(depth) if depth.isdecimal() else 0)
    kept = {"options": options, "form": form, "depth": bits}
    if asked.get("what") == "bundle":
        name = await session.of_result(
            "bundle", number, **kept, called=stem, labels=_label_files(session, number)
        )
        return _attachment(session, number, name, f"{stem}.zip")
    name = await session.of_result("keep", number, **kept, called=f"{stem}.{form}")
    return _attachment(session, number, name, f"{stem}.{form}")


def _label_files(session: Session, number: object) -> dict[str, str]:
    """The label pictures that a result was made with, by the names that its manifest gives."""
    entry, folder = session.result(number)
    if not entry.get("drawn"):
        return {}
    inputs = json.loads((folder / "manifest.json").read_bytes())["inputs"]
    roles = (inputs.get(f"{role}_mask") for role in states.ROLES)
    return {
        x["path"]: str(session.store.file(f"{x['sha256']}.png")) for x in roles if x and "path" in x
    }


def _attachment(session: Session, number: object, name: str, called: str) -> Response:
    _, folder = session.result(number)
    return FileResponse(folder / name, headers=attached(called))


async def look(request: Request) -> Response:
    """The look of a result, for other photographs and programs."""
    session, number = session_of(request), request.path_params["number"]
    kind = request.query_params.get("kind", "look")
    name = await session.look(number, kind)
    return _attachment(session, number, name, f"{session.kept_name(number)}.{kind}")


async def manifest(request: Request) -> Response:
    """The manifest of a result as it would be saved now."""
    session, number = session_of(request), request.path_params["number"]
    stem, options = session.kept_name(number), states.rendered_options(session.state["options"])
    called = f"{stem}.{session.state['keep']['form']}"
    text = await session.of_result("manifest", number, options=options, called=called)
    return Response(text, media_type="application/json", headers=attached(f"{stem}.json"))


async def go_back(request: Request) -> Response:
    """The settings and regions of a result, and the result itself, are there again."""
    session = session_of(request)
    session.go_back(request.path_params["number"])
    return JSONResponse(session.told())


async def of_batch(request: Request) -> Response:
    """A finished photograph of the batch."""
    session, place = session_of(request), request.path_params["place"]
    item = dict(enumerate(session.state["batch"])).get(place, {})
    if item.get("state") != "done":
        raise Refused("That photograph is not done.", 404)
    path: Path = session.store.folder(session.name) / "batch" / str(place)
    if request.path_params["what"] == "thumb":
        return FileResponse(path / "thumb.webp")
    called = many.kept_name(item, item["kept"].rpartition(".")[2])
    return FileResponse(path / item["kept"], headers=attached(called))


async def of_all(request: Request) -> Response:
    """All finished photographs of the batch, as an archive."""
    path = await many.pack_batch(session_of(request))
    return FileResponse(path, headers=attached("styled.zip"))


_S = "/api/sessions/{session}"
_R = f"{_S}/results/{{number:int}}"
ROUTES = [
    Route(f"{_S}/find", answered(find), methods=["POST"]),
    Route(f"{_S}/masks-files", answered(upload), methods=["POST"]),
    Route(f"{_S}/masks/{{role}}", answered(load), methods=["POST"]),
    Route(f"{_S}/labels", answered(drop), methods=["DELETE"]),
    Route(f"{_S}/labels/{{role}}", answered(give)),
    Route(f"{_S}/labels/{{role}}", answered(take), methods=["PUT"]),
    Route(f"{_S}/labels/{{role}}/file", answered(export)),
    Route(f"{_S}/pieces/{{role}}", answered(pieces)),
    Route(f"{_S}/protected/{{file}}/{{what}}", answered(protected)),
    Route(f"{_R}/keep", answered(keep)),
    Route(f"{_R}/look", answered(look)),
    Route(f"{_R}/manifest", answered(manifest)),
    Route(f"{_R}/back", answered(go_back), methods=["POST"]),
    Route(f"{_R}/{{what}}", answered(left)),
    Route(f"{_R}/{{what}}", answered(rendered), methods=["POST"]),
    Route(f"{_S}/batch/{{place:int}}/{{what}}", answered(of_batch)),
    Route(f"{_S}/batch/all", answered(of_all)),
]
