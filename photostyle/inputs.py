"""What went into a run, as its manifest tells it: files by path and hash, else by shape."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from photostyle.brief import Brief
from photostyle.errors import OptionError


@dataclass(frozen=True)
class InputFile(Brief):
    """A picture or mask that went in.

    Attributes:
        path: as given; None where it was no file.
        sha256: of the file's bytes, or of a picture's values, in hex.
        given: what it was where it was no file, such as "NumPy array of 90×120×3 uint8".
    """

    path: Path | None
    sha256: str = field(repr=False)
    given: str = ""

    def to_dict(self) -> dict[str, str]:
        """As JSON keeps it."""
        where = {"given": self.given} if self.path is None else {"path": str(self.path)}
        return {**where, "sha256": self.sha256}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "InputFile":
        """What `to_dict` wrote; KeyError or TypeError for anything else."""
        if "given" in data:
            return cls(None, data["sha256"], str(data["given"]))
        return cls(Path(data["path"]), data["sha256"])

    def file(self, role: str) -> Path:
        """Its path.

        Raises:
            OptionError: it was no file.
        """
        if self.path is None:
            raise OptionError(
                f"The {role} of that run was no file but given in Python ({self.given}), so it is "
                "not there to be read again; give it in Python again, or save it as a file and run "
                "with that."
            )
        return self.path


@dataclass(frozen=True)
class Inputs(Brief):
    """What went into a run, by its role."""

    content: InputFile
    style: InputFile
    content_mask: InputFile | None = None
    style_mask: InputFile | None = None
    more_styles: tuple[InputFile, ...] = ()
    start: InputFile | None = None

    @property
    def styles(self) -> tuple[InputFile, ...]:
        """All style pictures, in the order given."""
        return (self.style, *self.more_styles)

    def named(self) -> Iterator[tuple[str, InputFile]]:
        """(role, file) of every file there is; the roles of further styles are style_2, …"""
        single = (self.content, self.style, self.content_mask, self.style_mask, self.start)
        roles = ("content", "style", "content_mask", "style_mask", "start")
        yield from ((role, file) for role, file in zip(roles, single, strict=True) if file)
        yield from ((f"style_{n}", file) for n, file in enumerate(self.more_styles, start=2))
