"""Sheet, table and page of a folder of jobs, from whatever is there: also while jobs still run."""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image

from photostyle.documents import csv_text, json_text
from photostyle.errors import ImageError, OptionError
from photostyle.films.containers import VIDEO_SUFFIXES
from photostyle.images.picture import fit_size, image_size, load_image
from photostyle.images.sheets import WARNING, Cell, grid_sheet, thumbnail
from photostyle.jobs.jobs import Folder, Record, write_text

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
    #: Pictures as high as on a sheet, by name: each is opened but once.
    _thumbs: dict[str, Image.Image | None] = field(default_factory=dict)

    def write(self) -> list[Path]:
        """Writes scores.csv, scores.json, the sheets and report.html; gives their paths.

        Raises:
            OptionError: the folder holds no jobs.
            OutputError: it cannot be written.
        """
        self._read()
        table, listed, page, *sheets = report_files(self.folder, self._plan)
        write_text(table, _csv(self._rows()))
        write_text(listed, json_text(self._rows()))
        write_text(page, self._page())
        self._write_sheets(sheets)
        return [table, listed, *sheets, page]

    def _read(self) -> None:
        plan = Folder(self.folder).plan()
        if plan is None:
            raise OptionError(
                f"{self.folder} holds no jobs; give the --out folder of a sweep, a batch or a post."
            )
        self._plan = plan
        self._records = [Folder(self.folder).record(job["key"]) for job in plan["jobs"]]

    def _rows(self) -> list[dict[str, Any]]:
        """One flat row for each job: what it was, how it went, its scores."""
        rows = []
        warned = any(record and record.get("warnings") for record in self._records)
        for job, record in zip(self._plan["jobs"], self._records, strict=True):
            facts = record or {"state": "missing"}
            row = {"name": job["name"], "state": facts["state"]}
            if warned:
                row["warnings"] = "; ".join(facts.get("warnings", ()))
            row |= dict(job["labels"])
            row |= {k: round(v, 6) for k, v in facts.get("scores", {}).items()}
            row |= {f"{k}_loss": v for k, v in facts.get("losses", {}).items()}
            known = ("seconds", "calls", "picture", "reason")
            rows.append(row | {k: facts[k] for k in known if k in facts})
        return rows

    def _write_sheets(self, paths: Sequence[Path]) -> None:
        jobs = list(zip(self._plan["jobs"], self._records, strict=True))
        columns, per_page = _sheet_size(len(jobs), self._plan["columns"])
        for page, path in enumerate(paths):
            part = jobs[page * per_page : (page + 1) * per_page]
            cells = [self._cell(job, record) for job, record in part]
            grid_sheet(cells, columns, path, () if page else self._inputs())

    def _cell(self, job: Mapping[str, Any], record: Record | None) -> Cell:
        lines = tuple(f"{name} {value}" for name, value in job["labels"])
        return Cell(self._thumb(record), (*lines, *_score_lines(record)))

    def _thumb(self, record: Record | None) -> Image.Image | None:
        """A result as high as on a sheet."""
        if not record or record["state"] != "done":
            return None
        if record["picture"] not in self._thumbs:
            self._picture(record)
        return self._thumbs[record["picture"]]

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
        picture = _opened(self.folder / record["picture"])
        self._thumbs[record["picture"]] = picture and _scaled(picture, THUMB)
        return picture

    def _page(self) -> str:
        pictures: dict[str, str] = {}
        rows = []
        jobs = zip(self._plan["jobs"], self._records, self._rows(), strict=True)
        for job, record, facts in jobs:
            row: dict[str, Any] = {"facts": facts}
            if picture := self._picture(record):
                assert record
                row["icon"] = _data_uri(_scaled(picture, ICON))
                row["full"] = self._shown(record["picture"], pictures, picture)
                for name in ("heat", "stains"):  # records of before know no stains
                    row[name] = record.get(name) and self._shown(record[name], pictures)
                row["before"] = self._before(Path(job["files"][0]), picture.size, pictures)
            rows.append(row)
        data = {"title": self._plan["title"], "rows": rows, "pictures": pictures,
                "axes": [name for name, _ in self._plan["axes"]]}  # fmt: skip
        # Inside a script nothing but "<" could end it.
        words = json_text(data).replace("<", "\\u003c")
        template = files("photostyle.jobs").joinpath("report.html").read_text(encoding="utf-8")
        return template.replace("{{data}}", words)

    def _shown(
        self, name: str, pictures: dict[str, str], opened: Image.Image | None = None
    ) -> str | None:
        """The name under which the page finds a picture of the folder, opened already or not."""
        if name not in pictures:
            if self.embed:
                picture = opened or _opened(self.folder / name)
                if picture is None:
                    return None
                pictures[name] = _data_uri(picture)
            else:
                pictures[name] = _url(name)
        return name

    def _before(self, path: Path, size: tuple[int, int], pictures: dict[str, str]) -> str | None:
        """The content at the shown result's size: always in the page, as it lies elsewhere."""
        name = f"content {path} {size[0]}×{size[1]}"
        if name not in pictures:
            picture = _opened(path)
            if picture is None:
                return None
            pictures[name] = _data_uri(picture.resize(size, Image.Resampling.BOX))
        return name


def report_files(folder: Path, plan: Mapping[str, Any]) -> list[Path]:
    """What the report of a folder consists of: tables, page and sheets."""
    _, per_page = _sheet_size(len(plan["jobs"]), plan["columns"])
    pages = math.ceil(len(plan["jobs"]) / per_page)
    sheets = ["sheet.png", *(f"sheet-{page}.png" for page in range(2, pages + 1))]
    return [folder / name for name in ("scores.csv", "scores.json", "report.html", *sheets)]


def _sheet_size(jobs: int, columns: int) -> tuple[int, int]:
    """Columns of a sheet, and cells on each."""
    columns = columns or min(COLUMNS, jobs)
    return columns, max(columns, PAGE_CELLS // columns * columns)


def results(folder: Path) -> list[Path] | None:
    """The finished pictures of a folder of jobs; None where the folder is no such."""
    if Folder(folder).plan() is None:
        return None
    return [folder / record["picture"] for record in done(folder)]


def done(folder: Path) -> list[Record]:
    """The records of a folder's finished jobs, in the plan's order."""
    plan = Folder(folder).plan()
    keys = dict.fromkeys(job["key"] for job in plan["jobs"]) if plan else ()
    records = (Folder(folder).record(key) for key in keys)
    return [r for r in records if r and r["state"] == "done"]


def _score_lines(record: Record | None) -> tuple[str, ...]:
    if record is None:
        return ("not done yet",)
    if record["state"] == "failed":
        return (f"failed: {record['reason']}",)
    warnings = tuple(f"{WARNING}{warning}" for warning in record.get("warnings", ()))
    return warnings + _figures(record)


def _figures(record: Record) -> tuple[str, ...]:
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
    return csv_text([names, *([row.get(name, "") for name in names] for row in rows)])


def _opened(path: Path) -> Image.Image | None:
    """The picture as 8-bit sRGB, as large as a page shows it at most, of a film the middle; None
    where it cannot be read."""
    try:
        if path.suffix.lower() in VIDEO_SUFFIXES:
            from photostyle.films.glancing import stills  # load PyAV
            from photostyle.films.tensors import image_of

            image = image_of(stills(path, [0.5])[0])
        else:
            image = load_image(path).image
    except ImageError:
        return None
    return thumbnail(image, fit_size(image_size(image), EMBEDDED)[0])


def _scaled(picture: Image.Image, height: int) -> Image.Image:
    width = max(1, round(picture.width * height / picture.height))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _data_uri(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _url(name: str) -> str:
    from urllib.parse import quote

    return quote(name)
