"""Finding jobs by keywords: a full-text index in memory, made for one question and thrown away.

Used by the command line (`search`), and for HTTP. Pure: specs in, hits out; it must not read a clock, a file or the
database. Over SQLite's FTS5 (https://www.sqlite.org/fts5.html) with its bm25 ranking.

Why no index in the database: the writer would pay for it with every change, every kind of removal would have to
remember it, and a Python whose SQLite has no FTS5 could not run the daemon. Made anew it is always in step. Jobs that
have the letters of no word are left out before: of 10,000 jobs the whole command takes 0.13 s, and 0.28 s for a word
that all of them have. How rare a word is counts among the jobs that have any of the words.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import orjson

from specs.frozen import frozen
from specs.secrets import secrets_in_script

FIELDS = {"name": 10.0, "project": 4.0, "labels": 4.0, "tags": 4.0, "description": 3.0, "annotations": 1.0, "run": 1.0}
"""What is searched, and what a match there weighs. `run`: command, script and instructions; never `env`: its values
may be secrets."""

_TOLD = ("description", "run", "labels", "tags", "annotations")
"""Where a snippet may come from, in this order: name and project stand beside it anyway."""
_OPEN, _CLOSE = "\x02", "\x03"
"""Around a match, between us and FTS5; specs cannot hold them where it matters: they are dropped on the way in."""
_WORDS = 16
"""Length of a snippet, in words."""
CHECKED = 500
"""Jobs of which it is looked whether only a secret fits, at least, for who must not find secrets: 0.15 s. What so many
jobs have in common is none."""
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')
_MARKS = str.maketrans("", "", f"{_OPEN}{_CLOSE}\0")


@frozen
class Snippet:
    """A piece of text around what matched."""

    field: str
    """One of `FIELDS`."""
    text: str
    matches: tuple[tuple[int, int], ...]
    """Where in `text` the matches are: first character, and the one behind the last."""


@frozen
class Hit:
    """A job that fits."""

    identity: str
    score: float
    """1 is the best hit of this search; more is better."""
    description: str
    snippet: Snippet
    """The beginning of the description where only name or project matched."""

    def view(self) -> dict[str, Any]:
        """For `-o json` and HTTP."""
        return {
            "job": self.identity,
            "score": self.score,
            "description": self.description,
            "snippet": {
                "field": self.snippet.field,
                "text": self.snippet.text,
                "matches": [list(place) for place in self.snippet.matches],
            },
        }


def hit_of(view: Mapping[str, Any]) -> Hit:
    """The hit that `Hit.view` told. Raises KeyError, TypeError or ValueError when it is none."""
    snippet = view["snippet"]
    matches = tuple((int(first), int(last)) for first, last in snippet["matches"])
    told = Snippet(str(snippet["field"]), str(snippet["text"]), matches)
    return Hit(str(view["job"]), float(view["score"]), str(view["description"]), told)


@frozen
class Term:
    """A word, or a phrase in quotes, of which nothing is syntax."""

    text: str
    phrase: bool

    def expression(self) -> str:
        """For MATCH. A word also fits the beginning of a longer one, which then counts less."""
        quoted = '"' + self.text.replace('"', '""') + '"'
        return quoted if self.phrase else f"({quoted} OR {quoted} *)"

    def needles(self) -> list[bytes] | None:
        """What a text of ASCII letters holds, in lower case, when it fits; None when that cannot be said."""
        plain = "".join(c for c in unicodedata.normalize("NFD", self.text) if unicodedata.category(c) != "Mn").lower()
        return [part.encode() for part in re.findall("[a-z0-9]+", plain)] if plain.isascii() else None


def parse_query(text: str) -> list[Term]:
    """Words and "quoted phrases", all of which must be found; those without a letter or digit are left out."""
    found = []
    for phrase, word in _TERM.findall(text.encode("utf-8", "replace").decode().translate(_MARKS)):
        if any(character.isalnum() for character in phrase or word):
            found.append(Term(phrase or word, bool(phrase)))
    return found


def search(
    jobs: Iterable[tuple[str, bytes]], query: Sequence[Term], *, limit: int, secrets: bool = True
) -> tuple[list[Hit], int]:
    """The best `limit` hits, best first and then by name, and how many jobs fit in all.

    Args:
        jobs: (`project/name`, canonical spec) of each.
        query: from `parse_query`; empty finds nothing.
        secrets: also jobs in which only a secret fits that somebody wrote in clear: for who may read specs as they are,
            and wants to know where it is used. Others would find it out letter by letter.

    Raises:
        sqlite3.OperationalError: this Python's SQLite has no FTS5.
    """
    if not query:
        return [], 0
    documents = list(_documents(jobs, query))
    match = " AND ".join(term.expression() for term in query)
    # Two indexes: the large one keeps no text, and the text of the few best is cheap to index again.
    with closing(_index(documents, ", content = ''")) as index:
        weights = ", ".join(map(str, FIELDS.values()))
        ranked = index.execute(f"SELECT bm25(job, {weights}), rowid FROM job WHERE job MATCH ?", (match,)).fetchall()
    ranked = [(score, documents[number - 1]) for score, number in ranked]
    ranked.sort()
    best = [document for _, document in ranked[: limit if secrets else max(limit, CHECKED)]]
    with closing(_index([_masked(document) for document in best])) as index:
        snippets = ", ".join(
            f"snippet(job, {list(FIELDS).index(field)}, '{_OPEN}', '{_CLOSE}', '...', {_WORDS})" for field in _TOLD
        )
        rows = index.execute(f"SELECT rowid, {snippets} FROM job WHERE job MATCH ?", (match,))
        matched = {number: _snippet(texts) for number, *texts in rows}
    hits = [
        Hit(
            f"{document[_PROJECT]}/{document[_NAME]}",
            round(score / ranked[0][0], 3),
            document[_DESCRIPTION],
            # What matched may have been a secret.
            matched.get(number) or Snippet(_TOLD[0], " ".join(document[_DESCRIPTION].split()[:_WORDS]), ()),
        )
        for number, (score, document) in enumerate(ranked[: len(best)], 1)
        if secrets or number in matched
    ]
    return hits[:limit], len(ranked) - (len(best) - len(hits))


_NAME, _PROJECT, _DESCRIPTION = (list(FIELDS).index(field) for field in ("name", "project", "description"))
Document = tuple[str, ...]
"""The texts of `FIELDS`."""


def _index(documents: Sequence[Document], options: str = "") -> sqlite3.Connection:
    """A full-text index of these alone, rowids from 1."""
    index = sqlite3.connect(":memory:", isolation_level=None)
    try:
        index.execute(
            f"CREATE VIRTUAL TABLE job USING fts5({', '.join(FIELDS)}, "
            f"tokenize = 'unicode61 remove_diacritics 2'{options})"
        )
        index.execute("BEGIN")
        index.executemany(
            f"INSERT INTO job (rowid, {', '.join(FIELDS)}) VALUES ({', '.join('?' * (len(FIELDS) + 1))})",
            ((number, *document) for number, document in enumerate(documents, 1)),
        )
    except BaseException:
        index.close()
        raise
    return index


def _documents(jobs: Iterable[tuple[str, bytes]], query: Sequence[Term]) -> Iterator[Document]:
    """A row for each job that has the letters of at least one term: with fewer, bm25 would misjudge how rare one is."""
    needles = [term.needles() for term in query]
    known = [each for each in needles if each is not None]
    filtered = len(known) == len(needles)
    for identity, canonical in jobs:
        if filtered and canonical.isascii():
            text = canonical.lower()
            own = identity.encode()
            if not any(all(needle in text or needle in own for needle in each) for each in known):
                continue
        document = _document(identity, orjson.loads(canonical))
        # In canonical JSON these characters are written `\\u0002`.
        yield tuple(value.translate(_MARKS) for value in document) if b"\\u000" in canonical else document


def _document(identity: str, spec: Mapping[str, Any]) -> Document:
    project, _, name = identity.partition("/")
    run = spec.get("run") or {}
    return (
        name,
        project,
        _pairs(spec.get("labels")),
        " ".join(spec.get("tags") or ()),
        spec.get("description") or "",
        _pairs(spec.get("annotations")),
        "\n".join(filter(None, (" ".join(run.get("command") or ()), run.get("script"), run.get("instructions")))),
    )


def _masked(document: Document) -> Document:
    """Without the secrets that somebody wrote in clear: what is found there may be found, and is not shown."""
    return tuple(_without_secrets(text) for text in document)


def _without_secrets(text: str) -> str:
    for found in sorted(secrets_in_script(text), reverse=True):
        text = f"{text[: found.start]}***{text[found.end :]}"
    return text


def _pairs(mapping: Mapping[str, str] | None) -> str:
    return ", ".join([f"{key}={value}" for key, value in mapping.items()]) if mapping else ""


def _snippet(texts: Sequence[str]) -> Snippet:
    """Of the snippets of `_TOLD`, the first with a match, else the first."""
    field, text = next(
        (pair for pair in zip(_TOLD, texts, strict=True) if _OPEN in pair[1]),
        (_TOLD[0], texts[0]),
    )
    # Of a script the lines are of no interest here.
    text = " ".join(text.split())
    plain, matches = "", []
    for part in re.split(f"({_OPEN}[^{_CLOSE}]*{_CLOSE})", text):
        if part.startswith(_OPEN):
            matches.append((len(plain), len(plain) + len(part) - 2))
            plain += part[1:-1]
        else:
            plain += part
    return Snippet(field, plain, tuple(matches))
