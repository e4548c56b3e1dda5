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


class PhotostyleError(Exception):
    """Base of everything that photostyle raises on purpose."""


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
