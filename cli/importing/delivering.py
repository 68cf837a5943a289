"""The common end of every `jobsctl import`: write or print the jobs, check them, report, and say how it went.

Called by the subcommands with what their reader made. Touches the disk: reads the files named; `folder` writes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from cli.errors import CliError, NotFound, UsageError
from cli.exits import Exit
from cli.importing.checking import check, read_back, read_calendars
from cli.importing.folder import for_folder, write_files
from cli.importing.imported import Import, Imported, SourceText
from cli.importing.options import Choices
from cli.importing.report import Outcome, SharedOutcome, lines, tree
from cli.importing.writing import write_document, write_shared, write_stream
from cli.options import Settings
from cli.output import counted, print_one, say
from cli.progress import Progress
from cli.streams import write_error
from specs.config import load_config
from specs.render import render

MAX_BYTES = 32 << 20
"""Of one source file: `kubectl get cronjobs -A -o yaml` of a large cluster is a few MiB."""


def read_sources(paths: Sequence[str]) -> list[SourceText]:
    """The named files; `-` is standard input. Bytes that are not UTF-8 are read as Latin-1, which loses none.

    Raises:
        NotFound, CliError: a file is not there, or cannot be read.
    """
    if paths.count("-") > 1:
        raise UsageError("standard input can be read once: `-` is given twice")
    return [_read(path) for path in paths]


def reading_sources(paths: Sequence[str]) -> Progress:
    """Around reading and understanding the files: a person sees which ones take so long."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Progress(f"reading {paths[0]}{more}", typing="-" in paths)


def _read(path: str) -> SourceText:
    try:
        with nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"{path}: no such file", hint="name a file, or - for standard input") from None
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise CliError(f"{path}: larger than {MAX_BYTES >> 20} MiB: this is not what it is taken for")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return SourceText(path, text.replace("\r\n", "\n"))


def zone_of_home(settings: Settings) -> str:
    """The zone of jobs that name none: what a time without `--timezone` means."""
    return load_config(settings.home.root).timezone


def deliver(settings: Settings, choices: Choices, made: Import) -> Exit:
    """Everything after reading. YAML goes to stdout, the report to stderr; with `-o json` the report is the output."""
    default_timezone = zone_of_home(settings)
    choices = replace(choices, project=choices.project or settings.project)
    if choices.write is not None:
        made = for_folder(made, choices.write, settings.home.specs)
    shared = [SharedOutcome(each, write_shared(each)) for each in made.shared]
    outcomes = []
    with Progress() as tell:
        for number, job in enumerate(made.jobs, 1):
            tell(f"{'checking' if choices.check else 'writing'} job {number} of {len(made.jobs)}")
            outcomes.append(_outcome(settings, choices, job, default_timezone))
    if choices.write is not None:
        outcomes, shared = write_files(choices.write, settings.home.specs, outcomes, shared, force=choices.force)
    if settings.output in ("table", "wide"):
        if choices.write is None:
            sys.stdout.write(write_stream([*(job.document for job in outcomes), *(each.document for each in shared)]))
            sys.stdout.flush()
        _report(made, outcomes, shared, choices)
    else:
        names = "\n".join(_identity(outcome, choices) for outcome in outcomes)
        print_one(settings, tree(made, outcomes, shared), name=names, text=())
    if made.unreadable or any(outcome.errors for outcome in outcomes):
        return Exit.INVALID_SPEC
    different = any(outcome.checked is not None and outcome.checked.state == "different" for outcome in outcomes)
    return Exit.FAILED if different else Exit.OK


def _outcome(settings: Settings, choices: Choices, job: Imported, default_timezone: str) -> Outcome:
    document = write_document(job, project=choices.project)
    spec, errors = read_back(document, f"{job.name}.yaml", default_timezone)
    if spec is None:
        return Outcome(job, document, errors)
    if not choices.check:
        return Outcome(job, document)
    calendars = read_calendars(document, f"{job.name}.yaml", default_timezone) if job.documents else None
    checked = check(job, spec, now=settings.now(), default_timezone=default_timezone, calendars=calendars)
    return Outcome(job, document, checked=checked)


def _identity(outcome: Outcome, choices: Choices) -> str:
    return f"{choices.project or 'default'}/{outcome.job.name}"


def _report(made: Import, outcomes: Sequence[Outcome], shared: Sequence[SharedOutcome], choices: Choices) -> None:
    if made.unreadable:
        write_error(f"{render(made.unreadable)}\n")
    for line in lines(made, outcomes):
        say(line)
    for outcome in outcomes:
        if outcome.file is not None:
            say(f"wrote {outcome.file}")
    for each in shared:
        if each.file is not None:
            say(f"{'kept' if each.kept else 'wrote'} {each.file}")
    notes = {(note.level, note.what) for note in (*made.notes, *(each for one in outcomes for each in one.job.notes))}
    lost = sum(level == "lost" for level, _ in notes)
    notifiers = sum(each.shared.tree["kind"] == "Notifier" for each in shared)
    counts = [counted(len(outcomes), "job"), *([counted(notifiers, "notifier")] if notifiers else [])]
    counts += [f"{lost} not carried over"] if lost else []
    if made.unreadable:
        counts.append(f"{len(made.unreadable)} not read")
    say(f"Imported {', '.join(counts)}.")
    if not outcomes:
        return
    if choices.write is None:
        proof = "" if choices.check else "--check proves that they start when they did; "
        say(f"Next: {proof}--write DIR writes a file for each")
    else:
        say(f"Next: `jobsctl validate {choices.write}`, then commit the files, or `jobsctl apply {choices.write}`")
