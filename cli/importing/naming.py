"""Names for jobs that had none: from a command or a comment, short, stable, and different from each other.

Called by the readers. Pure.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 63


def slug(text: str, *, longest: int = LONGEST) -> str:
    """`text` as a job's name may be: a-z, 0-9 and `-`. Empty when nothing of it can be kept.

    A word is not cut in the middle where it can be left out as a whole.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    made = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    if len(made) <= longest:
        return made
    head = made[: longest + 1]
    return (head[: head.rindex("-")] if "-" in head[longest // 2 :] else made[:longest]).strip("-")


class Names:
    """The names of one import. The same input in the same order gives the same names."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, *candidates: str) -> str:
        """The first candidate that is free as a slug; else the first one with a number: `backup-2`.

        `job` when no candidate has a letter.
        """
        slugs = [made for made in map(slug, candidates) if made] or ["job"]
        for made in slugs:
            if made not in self._taken:
                self._taken.add(made)
                return made
        number = 2
        while (made := f"{slug(slugs[0], longest=LONGEST - len(str(number)) - 1)}-{number}") in self._taken:
            number += 1
        self._taken.add(made)
        return made
