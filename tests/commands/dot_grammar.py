"""Reads DOT as graphviz does, as far as `graph` writes it: a second opinion on what it prints.

The grammar is that of graphviz's language page: `digraph ID { statement; ... }`, quoted IDs, attribute lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z_][A-Za-z0-9_]*|-?(?:\.\d+|\d+(?:\.\d*)?))|(->)|([{}\[\];,=]))', re.DOTALL
)


@dataclass
class Dot:
    """What was read."""

    nodes: dict[str, dict[str, str]] = field(default_factory=dict)
    edges: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


def read_dot(text: str) -> Dot:
    """Raises ValueError where graphviz would say "syntax error"."""
    return _Parser(_tokens(text)).graph()


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"syntax error near {text[place : place + 20]!r}")
        found.append(next(group for group in match.groups() if group is not None))
        place = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.dot = Dot()

    def take(self, *wanted: str) -> str:
        token = self.tokens.pop(0) if self.tokens else "end of file"
        if wanted and token not in wanted:
            raise ValueError(f"syntax error near {token!r}: {' or '.join(wanted)} is expected")
        return token

    def name(self) -> str:
        token = self.take()
        if token[0] == '"':
            return re.sub(r'\\(["\\])', r"\1", token[1:-1])
        if not re.fullmatch(r"[A-Za-z_0-9.-]+", token):
            raise ValueError(f"syntax error near {token!r}: a name is expected")
        return token

    def graph(self) -> Dot:
        self.take("digraph")
        self.name()
        self.take("{")
        while self.tokens and self.tokens[0] != "}":
            self.statement()
        self.take("}")
        if self.tokens:
            raise ValueError(f"syntax error near {self.tokens[0]!r}: the end is expected")
        return self.dot

    def statement(self) -> None:
        quoted = self.tokens[0][0] == '"'
        name = self.name()
        if self.tokens[0] == "=":
            self.take("=")
            self.name()
        elif self.tokens[0] == "->":
            self.take("->")
            self.dot.edges.append((name, self.name(), self.attributes()))
        else:
            attributes = self.attributes()
            if quoted:
                self.dot.nodes[name] = attributes
        self.take(";")

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self.tokens[0] != "[":
            return found
        self.take("[")
        while True:
            key = self.name()
            self.take("=")
            found[key] = self.name()
            if self.take(",", "]") == "]":
                return found
