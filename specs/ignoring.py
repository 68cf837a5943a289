"""Comments that silence warnings: `# jobsctl: ignore[JOB072]`, as type checkers have them.

Called by `specs.load`, and by the command line for what it finds besides. Pure. A comment silences the codes it names
on its own line, or, alone on a line, on the next one that is no comment; `ignore-file[...]` does so in the whole file.
Errors cannot be silenced: what is not applied must be said. JOB077 tells of comments that cannot work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from specs.diagnostic import Diagnostic, Severity
from specs.text import Place, Source

MARK = b"jobsctl:"
"""Is in every file with such a comment."""
_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*jobsctl:\s*(?P<word>[A-Za-z-]*)(?P<rest>\s*\[(?P<codes>[^\]]*)\])?")
_ONLY_COMMENT = re.compile(r"\s*#")
_WORDS = ("ignore", "ignore-file")


class Ignored:
    """The comments of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines: dict[int, set[str]] = {}
        self._file: set[str] = set()
        self.findings: list[Diagnostic] = []
        """JOB077: comments that cannot work."""
        lines = source.lines
        for number, line in enumerate(lines, 1):
            for found in _COMMENT.finditer(line) if "jobsctl:" in line else ():
                self._take(found, number, lines)

    def silences(self, finding: Diagnostic) -> bool:
        """Whether a comment of this file is about the finding, which is in this file; none is about an error."""
        return finding.code in self._file or finding.code in self._lines.get(finding.line, ())

    def _take(self, found: re.Match[str], number: int, lines: Sequence[str]) -> None:
        word, codes = found["word"], found["codes"]
        if word not in _WORDS:
            said = f"a comment cannot ask for `{word}`" if word else "this comment asks for nothing"
            self._wrong(found, "word", number, said, "write `ignore[JOB072]`")
            return
        if codes is None or not codes.strip(" ,"):
            self._wrong(found, "word", number, "the codes to be ignored are missing", f"write `{word}[JOB072]`")
            return
        target = self._file
        if word == "ignore":
            alone = _ONLY_COMMENT.match(lines[number - 1]) is not None
            target = self._lines.setdefault(_next_line(number, lines) if alone else number, set())
        start = found.start("codes")
        for each in re.finditer(r"[^\s,]+", codes):
            if self._known(each[0], number, start + each.start()):
                target.add(each[0])

    def _known(self, code: str, number: int, start: int) -> bool:
        from specs.codes import CODES  # for few files: the daemon need not load all codes

        known = CODES.get(code)
        if known is not None and known.severity == "warning":
            return True
        said = f"there is no code `{code}`" if known is None else f"`{code}` is an error, which cannot be ignored"
        help = "`jobsctl explain` lists the codes" if known is None else "correct what it says"
        place = Place(number, start + 1, start + 1 + len(code))
        self.findings.append(self._source.finding("JOB077", said, place, help=help, severity=Severity.WARNING))
        return False

    def _wrong(self, found: re.Match[str], group: str, number: int, said: str, help: str) -> None:
        start, end = found.span(group)
        place = Place(number, start + 1, max(end, start + 1) + 1)
        self.findings.append(self._source.finding("JOB077", said, place, help=help, severity=Severity.WARNING))


def _next_line(number: int, lines: Sequence[str]) -> int:
    """The first line after `number` that is not only a comment."""
    for ahead, line in enumerate(lines[number:], number + 1):
        if not _ONLY_COMMENT.match(line):
            return ahead
    return number


def without_ignored(findings: Iterable[Diagnostic], files: dict[str, Ignored]) -> Iterator[Diagnostic]:
    """Those that no comment silences. `files`: by path, as far as they have such comments."""
    for finding in findings:
        ignored = files.get(finding.path)
        if ignored is None or not ignored.silences(finding):
            yield finding
