"""Jobs files, YAML and CSV, as plain words with the lines that they stand on.

Types belong to the options that the words are for, so nothing is guessed here: 1e4 is a number
where a number is wanted, and `no` is a word. Imports no torch.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from photostyle.documents import Unreadable, decoded, named, read_bytes, shown
from photostyle.errors import JobsError

#: Mistakes shown; how many more there are is told.
MOST_SHOWN = 20
MOST_JOBS = 100_000
#: Lists in lists: composing a hundred times as many would exhaust the stack.
MOST_DEPTH = 5000
#: What parts the cells of a CSV; programs of many countries write semicolons.
SEPARATORS = ",;\t"
_SAID = re.compile(r'"?sep=([^"\s]|\t)"?[\r\n]', re.IGNORECASE)


@dataclass(frozen=True)
class Word:
    """A value's text and the line that it stands on, from 1."""

    text: str
    line: int


@dataclass
class Entry:
    """One job: its words by name, and its first line."""

    line: int
    words: dict[str, Word] = field(default_factory=dict)


@dataclass
class Mistakes:
    """What is wrong with a file, collected so that one reading shows it all."""

    path: Path
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, sentence: str) -> None:
        self.found.append((line, sentence.rstrip(".")))

    def check(self) -> None:
        """Raises JobsError if there is any."""
        if not self.found:
            return
        found = list(dict.fromkeys(self.found))  # one in the defaults is found in every job
        shown = sorted(found, key=lambda fault: fault[0])[:MOST_SHOWN]
        lines = [f"{self.path}:{line}: {s}{'' if s.endswith('?') else '.'}" for line, s in shown]
        if more := len(found) - len(shown):
            lines.append(f"{self.path}: and {more} more like these.")
        raise JobsError("\n".join([*lines, "Nothing was run."]))


def read_jobs(path: Path, mistakes: Mistakes) -> list[Entry]:
    """The jobs of a .yaml, .yml or .csv file, the file's defaults put into each.

    Raises:
        JobsError: the file cannot be read at all. Whatever else is wrong goes to `mistakes`.
    """
    readers = {".csv": _csv, ".yaml": _yaml, ".yml": _yaml}
    if path.suffix.lower() not in readers:
        raise JobsError(f"{path}: a jobs file ends in .yaml or .csv.")
    try:
        data = read_bytes(path)
    except Unreadable as error:
        raise JobsError(f"{path} {error}.") from None
    try:
        text = decoded(data)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise JobsError(f"{path}:{line}: this is no UTF-8 text; save it as UTF-8.") from None
    entries = readers[path.suffix.lower()](text, mistakes)
    if not entries and not mistakes.found:
        mistakes.add(1, "there is no job in this file")
    if len(entries) > MOST_JOBS:
        mistakes.add(entries[MOST_JOBS].line, f"more than {MOST_JOBS} jobs; split the file")
    return entries


def _csv(text: str, mistakes: Mistakes) -> list[Entry]:
    said = _SAID.match(text)
    separator = said[1] if said else _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    entries: list[Entry] = []
    names: list[str] | None = None
    try:
        line = 1
        for row in reader:
            if any(cell.strip() for cell in row) and not (said and line == 1):
                if names is None:
                    names = _header(row, line, mistakes)
                else:
                    entries.append(_row(names, row, line, mistakes))
            line = reader.line_num + 1  # a quoted cell may hold line ends
    except csv.Error as error:
        mistakes.add(reader.line_num, f"this is no well-formed CSV ({error})")
    return entries


def _separator(text: str) -> str:
    """What parts the names in the first line that says anything."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=header.count)  # of equals the first


def _header(row: Sequence[str], line: int, mistakes: Mistakes) -> list[str]:
    names = [cell.strip() for cell in row]
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        mistakes.add(line, f"the column {shown(name)} is there twice")
    return names


def _row(names: Sequence[str], row: Sequence[str], line: int, mistakes: Mistakes) -> Entry:
    if len(row) > len(names):
        mistakes.add(line, f"this row has {len(row)} cells, the header {len(names)}")
    pairs = zip(names, row, strict=False)
    return Entry(line, {n: Word(cell.strip(), line) for n, cell in pairs if cell.strip()})


def _yaml(text: str, mistakes: Mistakes) -> list[Entry]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_depth(text, loader)
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        mistakes.add(mark.line + 1 if mark else 1, f"this is no well-formed YAML ({error.problem})")
        return []
    except (yaml.YAMLError, ValueError) as error:
        mistakes.add(1, f"this is no well-formed YAML ({str(error).splitlines()[0]})")
        return []
    if root is None:
        return []
    if isinstance(root, yaml.SequenceNode):
        return _jobs(root, {}, mistakes)
    return _tables(root, mistakes)


def _check_depth(text: str, loader: Any) -> None:
    """Raises MarkedYAMLError for what is nested too deep: composing it would exhaust the stack."""
    depth = 0
    event: Any
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deep", problem_mark=event.start_mark)


def _tables(root: yaml.Node, mistakes: Mistakes) -> list[Entry]:
    """`defaults:` and `jobs:`."""
    if not isinstance(root, yaml.MappingNode):
        mistakes.add(_line(root), "a jobs file is a list of jobs, or has jobs: and defaults:")
        return []
    parts = dict(_items(root, mistakes))
    for name, node in parts.items():
        if name not in ("jobs", "defaults"):
            mistakes.add(_line(node), f"{shown(name)} is neither jobs nor defaults")
    defaults = _words(parts["defaults"], mistakes) if "defaults" in parts else {}
    if "jobs" not in parts:
        mistakes.add(_line(root), "there is no list of jobs; write it under jobs:")
        return []
    return _jobs(parts["jobs"], defaults, mistakes)


def _jobs(node: yaml.Node, defaults: dict[str, Word], mistakes: Mistakes) -> list[Entry]:
    if not isinstance(node, yaml.SequenceNode):
        mistakes.add(_line(node), "jobs must be a list: a line with - for each")
        return []
    return [Entry(_line(item), {**defaults, **_words(item, mistakes)}) for item in node.value]


def _words(node: yaml.Node, mistakes: Mistakes) -> dict[str, Word]:
    """The words of a flat table."""
    if not isinstance(node, yaml.MappingNode):
        mistakes.add(_line(node), "a job is a table of names and values, such as content: a.jpg")
        return {}
    words = {}
    for name, value in _items(node, mistakes):
        if isinstance(value, yaml.ScalarNode):
            empty = value.tag.endswith(":null")
            words[name] = Word("none" if empty else value.value, _line(value))
        elif isinstance(value, yaml.SequenceNode) and _flat(value):
            words[name] = Word("+".join(item.value for item in value.value), _line(value))
        else:
            mistakes.add(_line(value), f"{named(name)} must be one value, or a list of words")
    return words


def _items(node: yaml.MappingNode, mistakes: Mistakes) -> Iterator[tuple[str, yaml.Node]]:
    seen: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            mistakes.add(_line(key), "a name must be a word")
        elif key.value in seen:
            mistakes.add(
                _line(key), f"{named(key.value)} is there twice, first in line {seen[key.value]}"
            )
        else:
            seen[key.value] = _line(key)
            yield key.value, value


def _flat(node: yaml.SequenceNode) -> bool:
    return bool(node.value) and all(isinstance(item, yaml.ScalarNode) for item in node.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
