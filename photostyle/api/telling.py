"""`info`: what is seen of picture files."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import os
from dataclasses import replace

from photostyle.beside import manifest_beside
from photostyle.images.facts import Facts, facts_of
from photostyle.places import expanded


def info(*files: str | os.PathLike[str]) -> list[Facts]:
    """What is seen of picture files: size, depth, colours, orientation, transparency, gain map,
    what else they carry, and where their manifest lies.

    Raises:
        ImageError: a file is no picture that is read; the sentence says what would be right.
    """
    found = []
    for file in files:
        path = expanded(file)
        facts = facts_of(path)
        if facts.manifest is None and (manifest := manifest_beside(path)):
            facts = replace(facts, manifest=str(manifest))
        found.append(facts)
    return found
