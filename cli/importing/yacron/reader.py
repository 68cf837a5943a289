"""From yacron's configurations to jobs. Called by the subcommand. Included files come from a function."""

from __future__ import annotations

from collections.abc import Sequence

from cli.importing.draft import Draft
from cli.importing.imported import Import, Imported, Note, Origin, SourceText
from cli.importing.naming import Names, slug
from cli.importing.nodes import Unexpected, comment_above, get, text_of
from cli.importing.notifiers import Notifiers
from cli.importing.yacron.config import Config, ConfiguredJob, Load, read_config
from cli.importing.yacron.jobs import add_job
from specs.diagnostic import Diagnostic

_SECTIONS = {
    "web": "jobsctl serves a web page and an HTTP API of its own: see `jobsctl daemon`",
    "logging": "it is about yacron's own log",
}


def read_yacron(sources: Sequence[SourceText], *, local: str, local_given: bool, load: Load) -> Import:
    """The jobs of all files. `local`: the zone of the machine they are from, `local_given`: somebody said it."""
    names = Names()
    notifiers = Notifiers(names)
    jobs: list[Imported] = []
    broken: list[Diagnostic] = []
    notes: list[Note] = []
    seen: set[tuple[str, int]] = set()
    for source in sources:
        config = read_config(source, load)
        broken += [each for each in config.unreadable if each not in broken]
        for where, section, node in config.sections:
            note = Note("lost", section, _SECTIONS[section], Origin(where.path, node.line))
            notes += [note] if note not in notes else []
        if not config.jobs and not config.unreadable:
            why = "there are no jobs in it: its defaults are used by the files that include it"
            notes.append(Note("info", source.path, why, Origin(source.path, 1)))
        for job in _in_effect(config, notes):
            if (place := (job.source.path, job.own.line)) in seen:
                continue  # a file that was named, and is included by another
            seen.add(place)
            try:
                jobs.append(_job(job, names, notifiers, local, local_given=local_given, load=load))
            except Unexpected as error:
                broken.append(error.finding(job.source))
    return Import(tuple(jobs), tuple(broken), tuple(notes), notifiers.documents())


def _in_effect(config: Config, notes: list[Note]) -> list[ConfiguredJob]:
    """The jobs that yacron would run: of two with one name, the later."""
    last = {_name(job): job for job in config.jobs}
    for job in config.jobs:
        if last[_name(job)] is not job:
            why = "a later job has the same name, and yacron runs only that one"
            notes.append(Note("lost", f"job {_name(job)}", why, Origin(job.source.path, job.own.line)))
    return [job for job in config.jobs if last[_name(job)] is job]


def _name(job: ConfiguredJob) -> str:
    node = get(job.own, "name")
    try:
        return text_of(node, "name") or f"line {job.own.line}"
    except Unexpected:
        return f"line {job.own.line}"


def _job(
    job: ConfiguredJob, names: Names, notifiers: Notifiers, local: str, *, local_given: bool, load: Load
) -> Imported:
    """Raises Unexpected."""
    name = text_of(get(job.own, "name"), "name")
    if name is None:
        raise Unexpected(job.own, "the job has no `name`")
    draft = Draft(job.source, job.own, {"name": names.take(name)})
    if comment := comment_above(job.source, job.own.line):
        draft.tree["description"] = comment[:4096]
    if draft.tree["name"] != name:
        if "description" not in draft.tree:
            draft.tree["description"] = name[:4096]
        if draft.tree["name"] != slug(name):
            why = f"named {draft.tree['name']}: another file has a job of its name, of which yacron runs only one"
            draft.note("changed", f"job {name}", why)
    add_job(draft, job, local, notifiers, local_given=local_given, load=load)
    return draft.done()
