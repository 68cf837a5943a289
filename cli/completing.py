"""What a shell asks at TAB, answered with what there is now: commands, options, jobs, runs, projects, labels, files.

Called by `cli.main` when the variable below is set, as the script of `jobsctl completion` does. Click finds out which
parameter is meant and talks to the shells; here are the names. Must stay light, and must never fail: at a shell's
prompt nobody reads a traceback, so what cannot be told is not offered.

Names come from the database and from specs; what is offered is inserted into a command line unquoted. So only names of
harmless characters are.
"""

from __future__ import annotations

import gc
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import click
from click.shell_completion import BashComplete, CompletionItem, ShellComplete, get_completion_class, split_arg_string

from cli.options import Settings

T = TypeVar("T")
VARIABLE = "_JOBSCTL_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
MOST = 200
"""More than that nobody reads, and bash takes 10 us for each."""
RUNS = 100
"""Newest runs that are offered."""
_HARMLESS = re.compile(r"[A-Za-z0-9_./@+,:=-]*")
_KINDS = re.compile("[A-Z]+")

Names = Callable[[Settings, str], list[CompletionItem[str]]]


class Bash(BashComplete):
    """Bash cuts words at `=` too: what it cut is put together again, and the answer is what comes behind the last."""

    _before = ""

    def source(self) -> str:
        # Not as click: that starts a bash to ask for its version.
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        words = split_arg_string(os.environ["COMP_WORDS"])
        at = int(os.environ["COMP_CWORD"])
        *args, incomplete = joined([*words[1:at], words[at] if at < len(words) else ""])
        if "=" in incomplete and not incomplete.startswith("-"):
            self._before = incomplete[: incomplete.rindex("=") + 1]
        return args, incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        return f"{item.type},{item.value.removeprefix(self._before)}"


def joined(words: Iterable[str]) -> list[str]:
    """`team = ops` is one word; the `=` behind an option goes."""
    found: list[str] = []
    glue = False
    for word in words:
        if word == "=" and found and not glue:
            if found[-1].startswith("--"):
                found.append("")
            else:
                found[-1] += "="
            glue = True
        elif glue:
            found[-1] += word
            glue = False
        else:
            found.append(word)
    return found


def completer(program: click.Command, shell: str) -> ShellComplete:
    """What talks to a shell. Its `source()` is the script."""
    kind = Bash if shell == "bash" else get_completion_class(shell)
    assert kind is not None
    return kind(program, {"obj": Settings()}, "jobsctl", VARIABLE)


def answer(program: click.Command, instruction: str) -> int:
    """Print what the shell asked for, as `bash_complete`. The exit code."""
    shell, _, what = instruction.partition("_")
    if shell not in SHELLS or what not in ("source", "complete"):
        return 1
    gc.disable()  # this process is gone before it would pay
    talking = completer(program, shell)
    try:
        click.echo(talking.source() if what == "source" else talking.complete())
    except Exception:
        if os.environ.get("JOBSCTL_DEBUG"):
            raise
        return 1
    return 0


def attach(command: click.Command) -> click.Command:
    """Give the parameters of a command their names, by what their help calls them."""
    for param in command.params:
        names = _names_for(param)
        if names is not None:
            param.shell_complete = _completion(names)  # type: ignore[method-assign, assignment]
    return command


def _names_for(param: click.Parameter) -> Names | None:
    if isinstance(param.type, click.Choice | click.Path | click.File):
        return None
    if isinstance(param, click.Argument):
        kinds = set(_KINDS.findall(param.metavar or (param.name or "").upper()))
    else:
        # What its help calls it says more than its name: `--reason TEXT` is no `--reason REASON`.
        kinds = set(_KINDS.findall(param.metavar or "")) - {"NAME", "SELECTOR"}
        kinds = kinds or {max(param.opts, key=len).lstrip("-").upper()}
    kinds |= {kind.removesuffix("S") for kind in kinds}
    if kinds & {"JOB", "TARGET"} and kinds & {"RUN", "TARGET"}:
        return lambda settings, text: [*_jobs(settings, text), *_runs(settings, text)]
    for kind, names in _BY_KIND.items():
        if kind in kinds:
            return names
    return None


def _completion(names: Names) -> Callable[[click.Context, str], list[CompletionItem[str]]]:
    def complete(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        settings = ctx.ensure_object(Settings)
        return [item for item in names(settings, incomplete) if _HARMLESS.fullmatch(item.value)]

    return complete


def _jobs(settings: Settings, text: str) -> list[CompletionItem[str]]:
    """Names; with their project where a slash was typed, or where several projects have the name."""
    from state.names import job_names

    found = _read(settings, lambda database: job_names(database, project=settings.project, prefix=text))
    if "/" in text:
        return _narrowed((f"{project}/{name}" for project, name in found), text)
    named = [(project, name) for project, name in found if name.startswith(text)]
    times = Counter(name for _, name in named)
    return _narrowed((name if times[name] == 1 else f"{project}/{name}" for project, name in named), "")


def _runs(settings: Settings, text: str) -> list[CompletionItem[str]]:
    from state.names import newest_runs

    runs = _read(settings, lambda database: newest_runs(database, project=settings.project, limit=RUNS))
    return [CompletionItem(run_id, help=f"{job} {state}") for run_id, job, state in runs if run_id.startswith(text)]


def _projects(settings: Settings, text: str) -> list[CompletionItem[str]]:
    from state.names import project_names

    return _narrowed(_read(settings, project_names), text)


def _labels(settings: Settings, text: str) -> list[CompletionItem[str]]:
    """`key=value`; behind a comma the next term."""
    from state.names import label_pairs

    before = text[: text.rfind(",") + 1]
    found = _narrowed(_read(settings, label_pairs), text.removeprefix(before))
    return [CompletionItem(before + item.value) for item in found if item.value]


def _topics(settings: Settings, text: str) -> list[CompletionItem[str]]:
    """What `explain` knows: documents and fields, a level at a time; codes and reasons. Loads no model."""
    from cli.explaining import beginning_with

    return _narrowed(beginning_with(text), text)


def _reasons(settings: Settings, text: str) -> list[CompletionItem[str]]:
    from state.records import Reason

    return _narrowed((reason.value for reason in Reason), text)


def _zones(settings: Settings, text: str) -> list[CompletionItem[str]]:
    from zoneinfo import available_timezones

    return _narrowed(available_timezones(), text)


def _files(settings: Settings, text: str) -> list[CompletionItem[str]]:
    return [CompletionItem(text, type="file")]


def _folders(settings: Settings, text: str) -> list[CompletionItem[str]]:
    return [CompletionItem(text, type="dir")]


_BY_KIND: dict[str, Names] = {
    "JOB": _jobs,
    "RUN": _runs,
    "PROJECT": _projects,
    "LABEL": _labels,
    "TOPIC": _topics,
    "REASON": _reasons,
    "ZONE": _zones,
    "FILE": _files,
    "FILENAME": _files,
    "PATH": _files,
    "TOKEN-FILE": _files,
    "HOME": _folders,
    "DIR": _folders,
    "DIRECTORY": _folders,
}


def _narrowed(names: Iterable[str], text: str) -> list[CompletionItem[str]]:
    """Those that begin with `text`; where they are too many, the beginnings they share, so that the next character
    can be chosen: a part of them would make the shell insert what only that part has in common."""
    found = sorted(name for name in names if name.startswith(text))
    if len(found) <= MOST:
        return [CompletionItem(name) for name in found]
    shared: list[str] = [text]
    for length in range(len(text), len(found[-1]) + 1):
        cut = sorted({name[:length] for name in found})
        if len(cut) > MOST:
            break
        shared = cut
    return [CompletionItem(name) for name in shared]


def _read(settings: Settings, ask: Callable[[Path], list[T]]) -> list[T]:
    """What the home's database says; nothing over HTTP, or when it cannot be read."""
    from state.errors import StateError

    if settings.server is not None:
        return []
    try:
        return ask(settings.home.database)
    except StateError:
        return []
