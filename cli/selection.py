"""From what somebody typed to the job or run that is meant, with suggestions when there is none.

A job is `name` or `project/name`; a run is its id or the beginning of it. Names win over run ids. What `-o name`
prints (`job/default/hello`, `run/01m7...`) is understood too.
"""

from __future__ import annotations

from collections.abc import Iterable

from cli.errors import NotFound
from cli.options import Settings
from state import errors
from state.ids import is_id, is_prefix
from state.inbox import daemon_alive
from state.reads import Reader
from state.records import JobRecord, Reason, Run, RunState

SHORTEST_RUN = 8
"""A shorter text is not taken for the beginning of a run id: the first characters of an id are its time."""
PROJECTS = 10
"""Named when there is none like the one that was asked for."""


def find_job(settings: Settings, reader: Reader, text: str) -> JobRecord:
    """The job called `text`; an archived one only when no living one has the name.

    Raises:
        NotFound: with the nearest names.
        state.errors.Ambiguous: several projects have a job of this name.
    """
    text = plain(text)
    try:
        return reader.job(text, project=settings.project)
    except errors.NotFound:
        identities = reader.identities()
    run = _run_called(reader, text)
    hint = f"that is a run of {run.identity}: name the job" if run is not None else suggestion(text, identities)
    raise NotFound(f"there is no job {shown(settings, text)}", hint=hint)


def find_target(settings: Settings, reader: Reader, text: str) -> JobRecord | Run:
    """The job or run called `text`.

    Raises:
        NotFound: neither; with the nearest job names.
        state.errors.Ambiguous: several of them.
    """
    text = plain(text)
    try:
        return reader.job(text, project=settings.project)
    except errors.NotFound:
        pass
    if (run := _run_called(reader, text)) is not None:
        return run
    hint = suggestion(text, reader.identities())
    if text[:1].isdecimal() and len(text) < SHORTEST_RUN and is_prefix(text):
        hint = f"of a run give at least the first {SHORTEST_RUN} characters of its id; `jobsctl runs` lists them"
    elif text[:1].isdecimal() and len(text) >= SHORTEST_RUN and is_prefix(text):
        hint = "`jobsctl runs` lists the runs; old ones are pruned (`retention`)"
    raise NotFound(f"there is no job or run {shown(settings, text)}", hint=hint)


def _run_called(reader: Reader, text: str) -> Run | None:
    """Raises state.errors.Ambiguous: several ids begin so."""
    if len(text) < SHORTEST_RUN or not is_prefix(text):
        return None
    try:
        return reader.run(text)
    except errors.NotFound:
        return None


def nothing_there(reader: Reader, project: str | None, otherwise: str) -> str:
    """What to say when nothing is found: that the project is none, which is a slip of the pen; else `otherwise`."""
    if project is None or reader.jobs(project=project, archived=None, limit=1):
        return otherwise
    projects = dict.fromkeys(identity.partition("/")[0] for identity in reader.identities())
    if not projects:
        return otherwise
    import difflib

    close = difflib.get_close_matches(project, projects, n=3)
    there = (
        f"Did you mean {' or '.join(close)}?" if close else f"The projects are {', '.join(list(projects)[:PROJECTS])}."
    )
    return f"No job is in a project {project}. {there}"


def plain(text: str) -> str:
    """`default/hello` for `job/default/hello`, the id for `run/<id>`; anything else as it is."""
    kind, _, rest = text.partition("/")
    if (kind == "job" and rest.count("/") == 1) or (kind == "run" and is_id(rest)):
        return rest
    return text


def latest_run(reader: Reader, job: JobRecord) -> Run:
    """The job's newest run that really ran, or runs.

    Raises:
        NotFound: none yet, or all were pruned.
    """
    states = [state for state in RunState if state is not RunState.SKIPPED]
    found = reader.runs(job_id=job.id, states=states, limit=1)
    if not found:
        hint = f"`jobsctl why {job.identity}` tells why; `jobsctl trigger {job.identity}` runs it now"
        raise NotFound(f"{job.identity} has no run yet", hint=hint)
    return found[0]


def latest_tried(reader: Reader, job: JobRecord) -> Run:
    """The job's newest run that was started, or could not be: not one that waits, or that the next slot displaced.

    Of a job that waits for its next attempt it is the one that failed, whose output people want. When all wait, the
    newest.

    Raises:
        NotFound: as `latest_run`.
    """
    states = [state for state in RunState if state not in (RunState.SKIPPED, RunState.BLOCKED)]
    tried = (run for run in reader.runs(job_id=job.id, states=states) if run.reason is not Reason.SUPERSEDED)
    return next(tried, None) or latest_run(reader, job)


def shown(settings: Settings, text: str) -> str:
    """`text` with the project it was looked for in."""
    return text if "/" in text or settings.project is None else f"{settings.project}/{text}"


def suggestion(text: str, identities: Iterable[str]) -> str:
    """`did you mean ...?`, or where to look."""
    import difflib

    known = list(identities)
    by_name = {identity.partition("/")[2]: identity for identity in known}
    begun = [name for name in (*by_name, *known) if name.startswith(text)]
    close = begun or difflib.get_close_matches(text, [*known, *by_name], n=3)
    unique = list(dict.fromkeys(by_name.get(name, name) for name in close))[:3]
    if unique:
        return f"did you mean {' or '.join(filter(None, (', '.join(unique[:-1]), unique[-1])))}?"
    return "`jobsctl list` shows the jobs" if known else "no file was applied yet; `jobsctl status` says why"


def identity_to_change(settings: Settings, text: str) -> str:
    """The identity of the job called `text`; raises as `job_to_change`."""
    return job_to_change(settings, text)[0]


def job_to_change(settings: Settings, text: str) -> tuple[str, bytes]:
    """Identity and spec of the job called `text`: one that is applied, or with no daemon running one in the files.

    Raises:
        NotFound: with the nearest names.
        state.errors.Ambiguous: several projects have a job of this name.
    """
    text = plain(text)
    home = settings.existing_home()
    try:
        with Reader(home.database) as reader:
            record = find_job(settings, reader, text)
            return record.identity, record.spec
    except (errors.NoDatabase, errors.OlderSchema, NotFound) as error:
        # A running daemon has applied every file: what it does not know is not there.
        if daemon_alive(home):
            raise
        missing = error
    from cli.specfiles import read_home

    specs = {job.identity: job.spec for job in read_home(settings).jobs}
    wanted = [identity for identity in specs if _called(settings, identity, text)]
    if len(wanted) > 1:
        raise errors.Ambiguous(f"job {text} is in several projects", wanted)
    if wanted:
        return wanted[0], specs[wanted[0]]
    if isinstance(missing, NotFound):
        raise missing
    raise NotFound(f"there is no job {shown(settings, text)}", hint=suggestion(text, specs))


def _called(settings: Settings, identity: str, text: str) -> bool:
    project, _, name = identity.partition("/")
    return text == identity or (text == name and settings.project in (None, project))
