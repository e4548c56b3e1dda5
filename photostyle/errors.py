"""Everything that photostyle raises on purpose.

PhotostyleError            anything below; its text is one sentence for the user
├── InputError             the user can put it right; the command line exits with 2
│   ├── ImageError         a picture that cannot be read or used
│   ├── MaskError          a mask or label picture that cannot be used
│   ├── WeightsError       an encoder's weight file that cannot be used
│   ├── ModelError         a style network or its training's checkpoint that cannot be used
│   ├── LookError          a look that cannot be used, or learnt
│   ├── LutError           another program's look-up table that cannot be read, or a look that it
│   │                      cannot hold
│   ├── OptionError        an option, preset or configuration file that cannot be used
│   ├── DeviceError        a device that was asked for and is not there
│   ├── JobsError          a jobs file that cannot be used; a line for each mistake in it
│   └── OutputError        a place that cannot be written
├── DownloadError          the network or a server did not give a file
└── SolveError             the optimisation broke down and has no picture to give
"""

import re

#: An option as the command line has it, with the capitals that stand for its value; commands in
#: backticks are typed in a terminal, whoever reads of them.
_OPTION = re.compile(r"(`[^`]*`)|(?<![\w/.-])--([a-z][a-z0-9-]*)( (?=[A-Z]{2}))?")
#: Options of the command line alone.
_TERMINAL = ("folder", "from", "help", "help-all", "nproc-per-node", "set", "sha256")


class PhotostyleError(Exception):
    """Base of everything that photostyle raises on purpose.

    Sentences are made with the command line's names of options. `str` gives Python's, as in
    "photoreal_weight is 'big'"; what goes on in another sentence, and the command line itself,
    takes them `as_typed`.
    """

    def __str__(self) -> str:
        return keywords_in(self.as_typed)

    @property
    def as_typed(self) -> str:
        """The sentence with the options as the command line has them."""
        return super().__str__()


class InputError(PhotostyleError):
    """Something that the user gave and can put right."""


class ImageError(InputError):
    """A picture that cannot be read or used."""


class MaskError(InputError):
    """A mask or label picture that cannot be used."""


class WeightsError(InputError):
    """An encoder's weight file that cannot be used."""


class ModelError(InputError):
    """A style network, or the checkpoint of its training, that cannot be used."""


class LookError(InputError):
    """A look that cannot be used, or learnt."""


class LutError(InputError):
    """Another program's look-up table that cannot be read, or a look that it cannot hold."""


class OptionError(InputError):
    """An option, preset or configuration file that cannot be used."""


class DeviceError(InputError):
    """A device that was asked for and is not there."""


class JobsError(InputError):
    """A jobs file that cannot be used; a line for each mistake in it."""


class OutputError(InputError):
    """A place that cannot be written."""


class DownloadError(PhotostyleError):
    """The network or a server did not give a file."""


class SolveError(PhotostyleError):
    """The optimisation broke down and has no picture to give."""


def keywords_in(sentence: str) -> str:
    """A sentence with options as keywords of Python: --photoreal-weight as photoreal_weight, and
    --model FILE as model=FILE."""

    def keyword(match: re.Match[str]) -> str:
        command, option, value = match.groups()
        if command or option in _TERMINAL:
            return match[0]
        return option.replace("-", "_") + ("=" if value else "")

    return _OPTION.sub(keyword, sentence)


def unpaired(
    content_mask: object,
    style_mask: object,
    names: tuple[str, str] = ("--content-mask", "--style-mask"),
) -> str | None:
    """The sentence on a mask without its partner; None where there are both, or neither."""
    if (content_mask is None) == (style_mask is None):
        return None
    missing, given = names if content_mask is None else names[::-1]
    return f"{missing} is missing: masks come in pairs, and {given} was given."
