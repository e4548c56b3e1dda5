"""Sheet, table and page of a folder of jobs, from whatever is there: also while jobs still run."""

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image

from photostyle.documents import Unreadable, read_json
from photostyle.errors import ImageError, OptionError
from photostyle.images.picture import load_image
from photostyle.images.sheets import Cell, grid_sheet, thumbnail
from photostyle.jobs.jobs import PLAN, Folder, Record, write_text

#: Height of the pictures on the sheet and in the page's table.
THUMB, ICON = 200, 96
#: Cells on one sheet; further ones go to sheet-2.png and so on.
PAGE_CELLS = 200
#: Long side of the pictures that a page carries in itself.
EMBEDDED = 1600
COLUMNS = 6


@dataclass
class Report:
    """What is known of a folder.

    Attributes:
        embed: the page carries its pictures in itself; otherwise it points at those beside it.
    """

    folder: Path
    embed: bool = True
    _plan: dict[str, Any] = field(default_factory=dict)
    _records: list[Record | None] = field(default_factory=list)

    def write(self) -> list[Path]:
        """Writes scores.csv, scores.json, the sheets and report.html; gives their paths.

        Raises:
            OptionError: the folder holds no jobs.
            OutputError: it cannot be written.
        """
        self._read()
        table, listed = self.folder / "scores.csv", self.folder / "scores.json"
        write_text(table, _csv(self._rows()))
        write_text(listed, json.dumps(self._rows(), indent=1, ensure_ascii=False))
        page = self.folder / "report.html"
        write_text(page, self._page())
        return [table, listed, *self._sheets(), page]

    def _read(self) -> None:
        plan = _plan(self.folder)
        if plan is None:
            raise OptionError(
                f"{self.folder} holds no jobs; give the --out folder of a sweep, a batch or a post."
            )
        self._plan = plan
        self._records = [Folder(self.folder).record(job["key"]) for job in plan["jobs"]]

    def _rows(self) -> list[dict[str, Any]]:
        """One flat row for each job: what it was, how it went, its scores."""
        rows = []
        for job, record in zip(self._plan["jobs"], self._records, strict=True):
            facts = record or {"state": "missing"}
            row = {"name": job["name"], "state": facts["state"], **dict(job["labels"])}
            row |= {k: round(v, 6) for k, v in facts.get("scores", {}).items()}
            row |= {f"{k}_loss": v for k, v in facts.get("losses", {}).items()}
            known = ("seconds", "calls", "picture", "reason")
            rows.append(row | {k: facts[k] for k in known if k in facts})
        return rows

    def _sheets(self) -> list[Path]:
        jobs = list(zip(self._plan["jobs"], self._records, strict=True))
        columns = self._plan["columns"] or min(COLUMNS, len(jobs))
        per_page = max(columns, PAGE_CELLS // columns * columns)
        paths = []
        for page, first in enumerate(range(0, len(jobs), per_page), start=1):
            part = jobs[first : first + per_page]
            path = self.folder / ("sheet.png" if page == 1 else f"sheet-{page}.png")
            cells = [self._cell(job, record) for job, record in part]
            grid_sheet(cells, columns, path, self._inputs() if page == 1 else ())
            paths.append(path)
        return paths

    def _cell(self, job: Mapping[str, Any], record: Record | None) -> Cell:
        lines = tuple(f"{name} {value}" for name, value in job["labels"])
        picture = self._picture(record)
        return Cell(picture and _scaled(picture, THUMB), (*lines, *_score_lines(record)))

    def _inputs(self) -> tuple[Cell, ...]:
        """Content and style, where all jobs have the same."""
        pairs = {tuple(job["files"][:2]) for job in self._plan["jobs"]}
        if len(pairs) != 1 or not self._plan["axes"]:
            return ()
        named = zip(("content", "style"), map(Path, pairs.pop()), strict=False)
        shown = ((role, _opened(path)) for role, path in named)
        return tuple(Cell(p and _scaled(p, THUMB), (role,)) for role, p in shown)

    def _picture(self, record: Record | None) -> Image.Image | None:
        if not record or record["state"] != "done":
            return None
        return _opened(self.folder / record["picture"])

    def _page(self) -> str:
        pictures: dict[str, str] = {}
        rows = []
        jobs = zip(self._plan["jobs"], self._records, self._rows(), strict=True)
        for job, record, facts in jobs:
            row: dict[str, Any] = {"facts": facts}
            if picture := self._picture(record):
                assert record
                row["icon"] = _data_uri(_scaled(picture, ICON))
                row["full"] = self._shown(record["picture"], pictures)
                for name in ("heat", "stains"):  # records of before know no stains
                    row[name] = record.get(name) and self._shown(record[name], pictures)
                row["before"] = self._before(Path(job["files"][0]), picture.size, pictures)
            rows.append(row)
        data = {"title": self._plan["title"], "rows": rows, "pictures": pictures,
                "axes": [name for name, _ in self._plan["axes"]]}  # fmt: skip
        # Inside a script nothing but "<" could end it.
        words = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
        template = files("photostyle.jobs").joinpath("report.html").read_text(encoding="utf-8")
        return template.replace("{{data}}", words)

    def _shown(self, name: str, pictures: dict[str, str]) -> str | None:
        """The name under which the page finds a picture of the folder."""
        if name not in pictures:
            if self.embed:
                picture = _opened(self.folder / name)
                if picture is None:
                    return None
                pictures[name] = _data_uri(_reduced(picture))
            else:
                pictures[name] = _url(name)
        return name

    def _before(self, path: Path, size: tuple[int, int], pictures: dict[str, str]) -> str | None:
        """The content at the result's size: always in the page, as it lies elsewhere."""
        name = f"content {path} {size[0]}×{size[1]}"
        if name not in pictures:
            picture = _opened(path)
            if picture is None:
                return None
            pictures[name] = _data_uri(_reduced(picture.resize(size, Image.Resampling.BOX)))
        return name


def results(folder: Path) -> list[Path] | None:
    """The finished pictures of a folder of jobs; None where the folder is no such."""
    plan = _plan(folder)
    if plan is None:
        return None
    keys = dict.fromkeys(job["key"] for job in plan["jobs"])
    records = (Folder(folder).record(key) for key in keys)
    return [folder / r["picture"] for r in records if r and r["state"] == "done"]


def _plan(folder: Path) -> dict[str, Any] | None:
    """The plan in a folder; None where there is none that can be used."""
    try:
        plan = read_json(folder / PLAN)
    except Unreadable:
        return None
    return plan if _is_plan(plan) else None


def _is_plan(plan: Any) -> bool:
    """Whether a document is what `Plan.to_json` writes."""
    try:
        jobs = [(j["key"], j["name"], *j["files"], dict(j["labels"])) for j in plan["jobs"]]
        words = [plan["title"], *(name for name, _ in plan["axes"])]
        for *own, labels in jobs:
            words += [*own, *labels, *labels.values()]
        whole = isinstance(plan["columns"], int) and plan["columns"] >= 0
        return bool(jobs) and whole and all(isinstance(word, str) for word in words)
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def _score_lines(record: Record | None) -> tuple[str, ...]:
    if record is None:
        return ("not done yet",)
    if record["state"] == "failed":
        return (f"failed: {record['reason']}",)
    scores = record.get("scores")
    if not scores:
        return ()
    losses = record.get("losses", {})
    shown = [f"{name} {losses[name]:.3g}" for name in ("style", "photoreal") if name in losses]
    lines = [
        f"structure {scores['structure']:.3f}  edges {scores['edges']:.3f}",
        f"colours {scores['style_taken']:.0%}  distance {scores['colour']:.2f}",
    ]
    if "stain" in scores:
        lines.append(f"gain {scores['smoothness']:.2f}  stain {scores['stain']:.2f}")
    return (*lines, "losses: " + "  ".join(shown)) if shown else tuple(lines)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _opened(path: Path) -> Image.Image | None:
    """The picture as 8-bit sRGB, or None where it cannot be read."""
    try:
        image = load_image(path).image
    except ImageError:
        return None
    return thumbnail(image, image.shape[2])


def _scaled(picture: Image.Image, height: int) -> Image.Image:
    width = max(1, round(picture.width * height / picture.height))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _reduced(picture: Image.Image) -> Image.Image:
    picture.thumbnail((EMBEDDED, EMBEDDED), Image.Resampling.LANCZOS)
    return picture


def _data_uri(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _url(name: str) -> str:
    from urllib.parse import quote

    return quote(name)
