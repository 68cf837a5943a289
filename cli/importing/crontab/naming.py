"""What a command line would be called by a person: `backup`, `certbot-renew`, `artisan-schedule-run`. Pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_WRAPPERS = frozenset(
    {
        "sudo", "nice", "ionice", "nohup", "time", "timeout", "env", "setsid", "chronic", "flock", "lockrun", "lockf",
        "run-one", "solo", "cronic", "chrt", "taskset", "systemd-cat", "unbuffer", "exec", "command",
    }
)  # fmt: skip
_INTERPRETERS = re.compile(
    r"(?:ba|da|z|k|c|a)?sh|python[0-9.]*|perl|ruby|php[0-9.]*|node(?:js)?|java|uv|poetry|pipenv|npx"
)
_CHECKS = frozenset(
    ("test", "[", "cd", "[[", "if", "command", "sleep", "export", "set", ".", "source", "!", "true", ":")
)
_SUFFIX = re.compile(r"\.(?:sh|py|pl|rb|php|js|bash|cron|bin|jar)$", re.IGNORECASE)
_ANYTHING = frozenset(("run", "cron", "start", "main", "script", "job", "update", "index", "console"))
"""Names that say little without their folder's."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_:-]{1,24}")


def names_of(command: str) -> list[str]:
    """Candidates, the shortest first; may be empty."""
    command = re.sub(r"\$\([^()]*\)|`[^`]*`", "", command)
    parts = [words for part in re.split(r"&&|\|\||[;|\n{}()]", command) if (words := _words(part))]
    if not parts:
        return []
    meaning = next((words for words in parts if _program(words)[0] not in _CHECKS), parts[0])
    program, rest = _program(meaning)
    base = _SUFFIX.sub("", PurePosixPath(program).name) or program
    folder = PurePosixPath(program).parent.name
    if base.lower() in _ANYTHING and folder not in ("", "bin", "sbin", "scripts", "cron", ".."):
        base = f"{folder} {base}"
    found = [base]
    plain = [word for word in rest if _WORD.fullmatch(word)]
    if rest:
        said = rest[0] if _WORD.fullmatch(rest[0]) else None if _scripted(program) else _target(rest)
        found = [f"{base} {said}" if said is not None else base]
    more = [f"{found[0]} {word}" for word in (*plain, *filter(None, [_target(rest)])) if word not in found[0].split()]
    return [*found, *more[:2]]


def _scripted(program: str) -> bool:
    """A script of a name that says enough."""
    return _SUFFIX.search(program) is not None


def _words(part: str) -> list[str]:
    text = re.sub(r"[0-9]*>>?&?\s*\S+|<\s*\S+|&>>?\s*\S+", " ", part)
    return [word.strip("\"'`$") for word in text.split() if not re.fullmatch(r"[A-Za-z_]\w*=.*", word)]


def _program(words: list[str]) -> tuple[str, list[str]]:
    """The word that says what is done, and those after it: past `sudo`, `flock -n x`, `python3 -u` and the like."""
    index = 0
    while index < len(words):
        name = PurePosixPath(words[index]).name
        if name in _WRAPPERS:
            index = _past_wrapper(name, words, index + 1)
            continue
        if _INTERPRETERS.fullmatch(name) and index + 1 < len(words):
            after = index + 1
            while after < len(words) and words[after].startswith("-") and words[after] not in ("-c", "-m"):
                after += 1
            if after < len(words):
                index = after + (words[after] in ("-c", "-m"))
                if index < len(words):
                    continue
                break
        return words[index], words[index + 1 :]
    return words[0], words[1:]


def _past_wrapper(name: str, words: list[str], index: int) -> int:
    while index < len(words) and words[index].startswith("-"):
        takes_value = (name, words[index]) in {
            ("nice", "-n"), ("ionice", "-n"), ("ionice", "-c"), ("sudo", "-u"), ("sudo", "-g"), ("flock", "-w"),
            ("flock", "-E"), ("timeout", "-k"), ("timeout", "-s"),
        }  # fmt: skip
        index += 1 + takes_value
    if name in ("flock", "lockrun", "lockf", "timeout", "chrt", "taskset"):
        index += 1
    while index < len(words) and re.fullmatch(r"-[a-z]|-c|\d+", words[index]):
        index += 1
    return index


def _target(words: list[str]) -> str | None:
    """The host of a URL, or the last part of a path: what `curl` and `find` are about."""
    for word in words:
        url = re.match(r"https?://(?:[^/@\s]*@)?([^/:\s?]+)", word)
        if url is not None:
            return url[1].removeprefix("www.")
        if word.startswith("/") and len(word) > 1:
            return _SUFFIX.sub("", PurePosixPath(word).name) or None
    return None
