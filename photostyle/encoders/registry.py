"""The published VGG weights that `photostyle weights fetch` knows, and what each expects."""

from __future__ import annotations

from dataclasses import dataclass

from photostyle.errors import OptionError

PYTORCH = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class Entry:
    """One set of weights.

    Attributes:
        name: What the user calls it.
        file: Name of the published file; as usual with torch.hub, the part between "-" and ".pth"
            is how its SHA-256 begins.
        base: Address of the folder that the file lies in.
        megabytes: Size of the download (2^20 bytes).
        preprocessing: What the weights expect, one of `VggOptions`' names.
        about: Where they come from.
    """

    name: str
    file: str
    base: str
    megabytes: int
    preprocessing: str
    about: str

    @property
    def sha256_start(self) -> str:
        """The first hexadecimal digits of the published file's SHA-256."""
        return self.file.removesuffix(".pth").rpartition("-")[2]

    @property
    def depth(self) -> int:
        """Of the network, 16 or 19: every name begins with it."""
        return int(self.name.removeprefix("vgg")[:2])

    @property
    def command(self) -> str:
        """What gets it."""
        return f"photostyle weights fetch {self.name}"


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(
            "vgg19", "vgg19-dcbb9e9d.pth", PYTORCH, 548, "imagenet",
            "torchvision's VGG-19, IMAGENET1K_V1",
        ),
        Entry(
            "vgg16", "vgg16-397923af.pth", PYTORCH, 528, "imagenet",
            "torchvision's VGG-16, IMAGENET1K_V1",
        ),
        Entry(
            "vgg19-caffe", "vgg19-d01eb7cb.pth", "https://web.eecs.umich.edu/~justincj/models/",
            548, "caffe", "the original VGG-19 of the papers, converted from Caffe by J. Johnson",
        ),
        # torchvision documents RGB for it, although Caffe's own networks take BGR.
        Entry(
            "vgg16-caffe", "vgg16_features-amdegroot-88682ab5.pth", PYTORCH, 528, "caffe-rgb",
            "torchvision's VGG-16, IMAGENET1K_FEATURES, ported from Caffe",
        ),
    )
}  # fmt: skip


def entry_of(name: str) -> Entry:
    """The entry of that name.

    Raises:
        OptionError: there is none; the message lists those that exist.
    """
    if name not in ENTRIES:
        raise OptionError(f"weights {name!r} are not known; choose from {', '.join(ENTRIES)}.")
    return ENTRIES[name]


def known_file(file_name: str) -> Entry | None:
    """The entry whose published file has that name."""
    return next((entry for entry in ENTRIES.values() if entry.file == file_name), None)
