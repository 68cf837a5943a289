"""Command lines of `ExecStart=`: systemd's own quoting, prefixes, specifiers and variables, which are not a shell's.

Source: systemd.service(5) "COMMAND LINES", systemd.unit(5) "SPECIFIERS". Called by `service`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cli.importing.systemd.unitfile import Unit

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'",
            "s": " "}  # fmt: skip
_VARIABLE = re.compile(r"\$(\$|\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Line:
    """One command. `words` still have `$` and `%`."""

    prefixes: str
    words: tuple[str, ...]


class BadCommand(ValueError):
    """Raised when systemd would refuse a command line."""


def read_commands(text: str) -> list[Line]:
    """The commands of one assignment; more than one when a lone `;` separates them. Raises `BadCommand`."""
    lines: list[Line] = []
    current: list[str] = []
    for word, quoted in split(text):
        if word == ";" and not quoted:
            lines.append(_line(current))
            current = []
        else:
            current.append(";" if word == "\\;" and not quoted else word)
    if current:
        lines.append(_line(current))
    return lines


def _line(words: list[str]) -> Line:
    if not words:
        raise BadCommand("a command is empty")
    found = re.match(r"[-@:+!|]*", words[0])
    prefixes = found[0] if found is not None else ""
    program = words[0][len(prefixes) :]
    if not program:
        raise BadCommand("no program stands after the prefix")
    return Line(prefixes, (program, *words[1:]))


def split(text: str) -> list[tuple[str, bool]]:
    """Words, with whether any of them was quoted. Quotes and C escapes are taken away. Raises `BadCommand`."""
    words: list[tuple[str, bool]] = []
    word: str | None = None
    quote, quoted, index = "", False, 0
    while index < len(text):
        char = text[index]
        if char == "\\" and index + 1 < len(text) and quote != "":
            made, index = _escape(text, index)
            word = (word or "") + made
        elif char == "\\" and index + 1 < len(text):
            made, index = ("\\;", index + 1) if text[index + 1] == ";" else _escape(text, index)
            word = (word or "") + made
        elif quote:
            if char == quote:
                quote = ""
            else:
                word = (word or "") + char
        elif char in "'\"":
            quote, quoted, word = char, True, word or ""
        elif char in " \t\n":
            if word is not None:
                words.append((word, quoted))
            word, quoted = None, False
        else:
            word = (word or "") + char
        index += 1
    if quote:
        raise BadCommand(f"a {quote} is not closed")
    if word is not None:
        words.append((word, quoted))
    return words


def _escape(text: str, index: int) -> tuple[str, int]:
    """The character of a C escape, and the index of its last character."""
    char = text[index + 1]
    if char in _ESCAPES:
        return _ESCAPES[char], index + 1
    found = re.match(r"x([0-9A-Fa-f]{2})|([0-7]{3})|u([0-9A-Fa-f]{4})", text[index + 1 :])
    if found is None:
        return "\\" + char, index + 1  # systemd warns and keeps it
    digits = found[1] or found[3]
    return chr(int(digits, 16) if digits else int(found[2], 8)), index + len(found[0])


def specifiers(text: str, unit: Unit, user: str | None, home: str | None) -> tuple[str, list[str]]:
    """`text` with its `%` specifiers replaced, and those that only the running systemd knows (they stay)."""
    known = {
        "%": "%",
        "n": unit.name,
        "N": unit.name.rpartition(".")[0],
        "p": unit.prefix,
        "P": unescape(unit.prefix),
        "i": None if unit.is_template else unit.instance,
        "I": None if unit.is_template else unescape(unit.instance),
        "j": unit.prefix.rpartition("-")[2],
        "f": "/" + unescape(unit.instance or unit.prefix),
        "u": user or "root",
        "h": home,
        "s": None,
        "t": "/run",
        "S": "/var/lib",
        "C": "/var/cache",
        "L": "/var/log",
        "E": "/etc",
        "T": "/tmp",
        "V": "/var/tmp",
    }
    unknown: list[str] = []

    def replaced(found: re.Match[str]) -> str:
        value = known.get(found[1])
        if value is None:
            unknown.append(found[0])
            return found[0]
        return value

    return re.sub(r"%([%A-Za-z])", replaced, text), unknown


def unescape(text: str) -> str:
    """systemd-escape --unescape: `-` is `/`, `\\x2d` is `-`."""
    plain = text.replace("-", "/")
    return re.sub(r"\\x([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), plain)


def expand(words: tuple[str, ...], env: Mapping[str, str]) -> tuple[str, ...] | None:
    """The words with the variables whose values the unit itself gives; None when one comes from elsewhere.

    `${X}` is one word always, `$X` as a word of its own becomes as many words as its value has.
    """
    made: list[str] = []
    for word in words:
        names = [found[1].strip("{}") for found in _VARIABLE.finditer(word) if found[1] != "$"]
        if any(name not in env for name in names):
            return None
        alone = re.fullmatch(r"\$([A-Za-z_][A-Za-z0-9_]*)", word)
        if alone is not None:
            made += env[alone[1]].split()
        else:
            made.append(_VARIABLE.sub(lambda found: "$" if found[1] == "$" else env[found[1].strip("{}")], word))
    return tuple(made)


def for_shell(words: tuple[str, ...]) -> str:
    """A line of a shell script that runs these words, with their variables read from the environment."""
    return " ".join(_shell_word(word) for word in words)


def _shell_word(word: str) -> str:
    if re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*", word):
        return word
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", word):
        return word
    if not _VARIABLE.search(word):
        return "'" + word.replace("'", "'\\''") + "'"
    quoted = re.sub(r'([\\"`])', r"\\\1", word).replace("$$", "\\$")
    return f'"{quoted}"'
