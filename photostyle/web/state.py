"""The state of a session: what is kept, and what a page may change of it. Imports no torch."""

import re
from collections.abc import Mapping
from typing import Any

from photostyle.places import as_seen
from photostyle.web import turning
from photostyle.web.limits import MOST_PICTURES
from photostyle.web.refusing import Refused

ROLES = ("content", "style")
State = dict[str, Any]
#: Letters of a picture's name at most.
MOST_LETTERS = 120


def fresh() -> State:
    """The state of a new session."""
    return {
        "revision": 0, "pictures": {role: [] for role in ROLES}, "chosen": dict.fromkeys(ROLES),
        "preset": "photoreal", "options": {}, "live": True, "masks": {}, "strip": [], "count": 0,
        "shown": None, "batch": [], "keep": {"form": "png", "depth": 8},
    }  # fmt: skip


def whole(found: Mapping[str, Any]) -> State:
    """A state that was kept, with what it lacks."""
    state = fresh()
    known = {k: v for k, v in found.items() if k in state and type(v) is type(state[k])}
    state |= known
    state["shown"] = found.get("shown") if isinstance(found.get("shown"), int) else None
    for item in state["batch"]:
        if item["state"] in ("waiting", "doing"):
            item |= {"state": "stopped"}
    return state


def called(name: object) -> str:
    """What a picture is called on the page and in what is kept of it: a name, never a path."""
    text = as_seen(name) if isinstance(name, str) else ""
    text = text.replace("\\", "/").rpartition("/")[2]
    text = re.sub(r"[\x00-\x1f\x7f]", "", text).strip(" .")
    return text[-MOST_LETTERS:] or "picture"


def picture(state: State, role: str) -> dict[str, Any] | None:
    """The picture that is chosen for a role."""
    found = [p for p in state["pictures"][role] if p["file"] == state["chosen"][role]]
    return found[0] if found else None


def pair(state: State) -> tuple[dict[str, Any], dict[str, Any]]:
    """Content and style.

    Raises:
        Refused: one of them is missing.
    """
    content, style = (picture(state, role) for role in ROLES)
    if content is None or style is None:
        raise Refused("Give a photograph and a style first.", 409)
    return content, style


def pair_key(state: State, content: str | None = None) -> str:
    """What regions are kept under: those of this pair, or of another photograph with its style."""
    files = content or state["chosen"]["content"], state["chosen"]["style"]
    return "/".join(str(file)[:64] for file in files)


def masks(state: State, content: str | None = None) -> dict[str, Any] | None:
    """The regions of the pair, drawn or found."""
    found: dict[str, Any] | None = state["masks"].get(pair_key(state, content))
    return found


def drawn(state: State, content: str | None = None) -> dict[str, Any] | None:
    """The regions of the pair where somebody drew them, for both pictures."""
    found = masks(state, content)
    complete = found and found.get("drawn") and all(found.get(role) for role in ROLES)
    return found if complete else None


def add_picture(state: State, role: str, facts: dict[str, Any]) -> None:
    """Another picture for a role, which is chosen."""
    held = state["pictures"][role]
    if all(p["file"] != facts["file"] for p in held):
        if len(held) >= MOST_PICTURES:
            raise Refused(f"{MOST_PICTURES} pictures are the most for a session.")
        held.append(facts)
    state["chosen"][role] = facts["file"]


def change(state: State, wanted: Mapping[str, Any]) -> bool:
    """Makes the changes that a page asks for; whether they need a solve.

    Raises:
        Refused, OptionError: something that is not there or does not fit; nothing is changed then.
    """
    preset = wanted.get("preset", state["preset"])
    given = wanted.get("options", {})
    if not isinstance(given, Mapping):
        raise Refused("The options are no table.")
    options = {} if wanted.get("reset") else dict(state["options"])
    options |= given
    options = turning.checked(preset, {k: v for k, v in options.items() if v is not None})
    chosen = dict(state["chosen"])
    for role in ROLES:
        if role in wanted:
            if all(p["file"] != wanted[role] for p in state["pictures"][role]):
                raise Refused("There is no such picture in this session.", 404)
            chosen[role] = wanted[role]
    before = _solved(state)
    shown = wanted.get("shown", state["shown"])
    if shown is not None and all(entry["n"] != shown for entry in state["strip"]):
        raise Refused("There is no such result in this session.", 404)
    if chosen != state["chosen"] and "shown" not in wanted:
        shown = None
    state |= {
        "preset": preset, "options": options, "chosen": chosen, "shown": shown,
        "live": bool(wanted.get("live", state["live"])), "keep": _kept(state, wanted.get("keep")),
    }  # fmt: skip
    return before != _solved(state)


def _kept(state: State, wanted: Any) -> dict[str, Any]:
    """How results are to be saved, as a page asks for it."""
    if not isinstance(wanted, Mapping):
        return dict(state["keep"])
    form, depth = turning.depths_of(wanted.get("form"), wanted.get("depth"))
    return {"form": form, "depth": depth}


def go_back(state: State, entry: Mapping[str, Any]) -> None:
    """Makes the settings those of a result; what is chosen after a solve stays as it is.

    Raises:
        Refused: a picture of it is no longer in the session.
    """
    for role in ROLES:
        if all(p["file"] != entry[role] for p in state["pictures"][role]):
            raise Refused("The pictures of that result were taken out; add them again.", 409)
    state |= {
        "preset": entry["preset"], "shown": entry["n"],
        "options": {**entry["options"], **rendered_options(state["options"])},
        "chosen": {role: entry[role] for role in ROLES},
    }  # fmt: skip
    labels, found = entry.get("labels"), masks(state)
    if labels and "regions" in labels:
        held = {role: labels[role] for role in ROLES}
        regions = {"regions": labels["regions"], **held, "drawn": True, "by": "labels"}
        state["masks"][pair_key(state)] = regions
    elif found and not labels:
        _put_by(state, found)


def _put_by(state: State, found: Mapping[str, Any]) -> None:
    """Has the regions of the pair play no part: those that a result has go, others stay in sight
    for what they cost somebody to paint."""
    kept = [entry["labels"] for entry in state["strip"] if entry.get("labels")]
    if any(all(labels.get(role) == found.get(role) for role in ROLES) for labels in kept):
        del state["masks"][pair_key(state)]
    else:
        state["masks"][pair_key(state)] = {**found, "drawn": False}


def remove_picture(state: State, role: str, file: str) -> None:
    """Takes a picture out of the session."""
    state["pictures"][role] = [p for p in state["pictures"][role] if p["file"] != file]
    if state["chosen"][role] == file:
        rest = state["pictures"][role]
        state["chosen"][role] = rest[-1]["file"] if rest else None
        state["shown"] = None


def swap(state: State) -> None:
    """Makes the content the style and the other way round, with their regions."""
    found = masks(state)
    for table in ("pictures", "chosen"):
        held = state[table]
        held["content"], held["style"] = held["style"], held["content"]
    if found:
        turned = {**found, "content": found.get("style"), "style": found.get("content")}
        state["masks"][pair_key(state)] = turned
    state["shown"] = None


def solved_options(state: State) -> dict[str, Any]:
    """The options that a solve reads."""
    return {k: v for k, v in state["options"].items() if k not in turning.AFTERWARDS}


def rendered_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are chosen after a solve."""
    return {k: v for k, v in options.items() if k in turning.AFTERWARDS}


def _solved(state: State) -> tuple[Any, ...]:
    return state["preset"], solved_options(state), dict(state["chosen"]), drawn(state)
