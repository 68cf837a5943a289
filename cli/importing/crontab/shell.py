"""What a crontab's command line is: can it be an argument list, or does it need its shell?

Called by `entry`. Pure. Of the shell's grammar just enough is known to be sure that a line means the same without a
shell; everything else stays a script.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from shlex import quote

_BUILTIN = frozenset(
    {
        ".", ":", "[[", "alias", "bg", "break", "case", "cd", "command", "continue", "declare", "do", "done", "elif",
        "else", "esac", "eval", "exec", "exit", "export", "fc", "fg", "fi", "for", "function", "getopts", "hash", "if",
        "in", "jobs", "let", "local", "read", "readonly", "return", "select", "set", "shift", "source", "then", "time",
        "times", "trap", "type", "ulimit", "umask", "unalias", "unset", "until", "wait", "while", "{", "}", "!",
    }
)  # fmt: skip
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_LITERAL = re.compile(r"[A-Za-z0-9_@%+=:,./^\u00a0-\U0010ffff-]")
STDIN_END = "END"


@dataclass(frozen=True, slots=True)
class Command:
    """A command line as cron gives it to the shell."""

    text: str
    """Without the standard input that `%` gives, and with `\\%` as `%`."""
    stdin: str | None
    """What stands after the first `%`, others being line breaks; None without one."""
    comment: str = ""
    """A shell comment at the end of the line."""


@dataclass(frozen=True, slots=True)
class Words:
    """A line that needs no shell."""

    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    working_dir: str | None = None


def split_input(line: str) -> Command:
    """The command and its standard input, as `child_process` of Debian's cron cuts them.

    A backslash before `%` or another backslash goes. What follows the first plain `%` is the input.
    """
    found: list[str] = []
    escaped = False
    stdin: str | None = None
    for index, char in enumerate(line):
        if escaped:
            if char in "%\\":
                found[-1] = char
            else:
                found.append(char)
            escaped = False
        elif char == "%":
            stdin = _input(line[index + 1 :])
            break
        else:
            found.append(char)
            escaped = char == "\\"
    text = "".join(found).strip()
    bare = _without_comment(text)
    return Command(bare, stdin, text[len(bare) :].strip().lstrip("#").strip())


def _input(text: str) -> str:
    made = re.sub(r"\\%|%", lambda found: "%" if len(found[0]) == 2 else "\n", text)
    return made if made.endswith("\n") or not made else made + "\n"


def simple_words(text: str) -> Words | None:
    """The line as variables, a folder and an argument list; None when it needs a shell.

    `cd /srv/app && ./run` is a working directory and a command: with the folder missing neither runs.
    """
    moved = re.fullmatch(r"cd[ \t]+([^\s;&|<>]+)[ \t]*&&[ \t]*(.+)", text, re.DOTALL)
    folder: str | None = None
    if moved is not None:
        target = _words(moved[1])
        if target is None or len(target) != 1 or not target[0].startswith("/"):
            return None
        folder, text = target[0], moved[2]
    words = _words(text)
    if words is None:
        return None
    env: dict[str, str] = {}
    while words and (found := _ASSIGNMENT.fullmatch(words[0])) is not None:
        env[found[1]] = found[2]
        words = words[1:]
    if not words or words[0] in _BUILTIN or "\n" in text:
        return None
    return Words(tuple(words), env, folder)


def _words(text: str) -> list[str] | None:
    """The words of a simple command, unquoted; None when something in it is the shell's to do."""
    words: list[str] = []
    word: str | None = None
    index = 0
    while index < len(text):
        char = text[index]
        if char in " \t":
            if word is not None:
                words.append(word)
            word = None
        elif char == "'":
            end = text.find("'", index + 1)
            if end < 0:
                return None
            word, index = (word or "") + text[index + 1 : end], end
        elif char == '"':
            end = text.find('"', index + 1)
            inner = text[index + 1 : end]
            if end < 0 or re.search(r"[$`\\]", inner):
                return None
            word, index = (word or "") + inner, end
        elif _LITERAL.fullmatch(char):
            word = (word or "") + char
        else:
            return None
        index += 1
    return words if word is None else [*words, word]


def same_under_strict(text: str) -> bool:
    """Whether `sh -eu`, which our scripts have by default, runs this line as plain `sh` does.

    Then there is one list of commands without variables: its last status is the script's, with or without `-e`.
    """
    return (
        re.search(
            r"[;$`\n(){}]|(?<![&>])&(?![&>0-9])|\b(?:if|for|while|until|case|set|eval)\b|^\s*(?:\.|source)\s", text
        )
        is None
    )


def with_input(text: str, stdin: str) -> str:
    """A script that gives the line its standard input.

    Of a line that breaks off (`date "+%F"`, where the input begins at `%`) the shell reads nothing else as code: it
    says that the line is wrong, as it does under cron.
    """
    end = STDIN_END
    while end in stdin.split("\n"):
        end += "_"
    if _breaks_off(text):
        text = f"eval {quote(text)}"
    line = f"{text} <<'{end}'" if re.search(r"[;&|\n<]", text) is None else f"{{ {text}\n}} <<'{end}'"
    return f"{line}\n{stdin}{end}\n"


def _breaks_off(text: str) -> bool:
    """Whether the shell would read on behind the line: a quote, a bracket or a word is open, or what `<<` begins."""
    plain = re.sub(r"""\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"|`[^`]*`""", "x", text)
    open_now = any(plain.count(left) > plain.count(right) for left, right in ("()", "{}"))
    return open_now or re.search(r"""['"`\\]|<<|(?:&&|\|)\s*$""", plain) is not None


def _without_comment(text: str) -> str:
    """The line without a shell comment at its end."""
    quote = ""
    index = 0
    while index < len(text):
        char = text[index]
        if char == "\\" and quote != "'":
            index += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
        elif char == "#" and (index == 0 or text[index - 1] in " \t;&|("):
            return text[:index].rstrip() or text
        index += 1
    return text
