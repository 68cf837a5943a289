"""From timers and services to jobs: each timer with the service it starts; a service without a timer as a manual job.

Called by the subcommand. Pure: what this machine knows (homes) and the zone are parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from cli.importing.imported import Import, Imported, Note, SourceText, unreadable
from cli.importing.naming import Names
from cli.importing.systemd.handlers import OCCASIONS, started_by, tells
from cli.importing.systemd.service import about_unit, read_service
from cli.importing.systemd.settings import Draft
from cli.importing.systemd.timer import Timed, read_timer
from cli.importing.systemd.unitfile import Unit, read_units
from cli.importing.systemd.words import specifiers
from specs.diagnostic import Diagnostic

Homes = Callable[[str | None], str | None]


def unit_of(timer: Unit) -> str:
    """The service a timer starts: `Unit=`, else the one of its name."""
    setting = timer.get("Timer", "Unit")
    return setting.value if setting is not None else f"{timer.name.removesuffix('.timer')}.service"


def template_of(name: str) -> str | None:
    """`dump@.service` for `dump@db.service`; None for a unit that is no instance."""
    stem, _, suffix = name.rpartition(".")
    prefix, at, instance = stem.partition("@")
    return f"{prefix}@.{suffix}" if at and instance else None


def read_systemd(files: Sequence[SourceText], *, timezone: str, timezone_given: bool, home_of: Homes) -> Import:
    """The jobs of the given unit files and drop-ins.

    Args:
        timezone: zone of the machine they come from; written into the jobs when `timezone_given`.
        home_of: the home of a user; None when it is not known.
    """
    units, findings = read_units(files)
    sources = {source.path: source for source in files}
    telling = dict(_telling(units))
    names = Names()
    jobs: list[Imported] = []
    notes: list[Note] = []
    started: set[str] = set()
    for timer in (unit for unit in units.values() if unit.name.endswith(".timer")):
        wanted = unit_of(timer)
        service = _service(units, wanted)
        started |= {wanted, template_of(wanted) or wanted}
        if service is None:
            findings.append(_without_service(timer, wanted, sources))
            continue
        if timer.is_template:
            notes.append(
                Note(
                    "changed",
                    timer.name,
                    "a template: its jobs have no instance, and %i became nothing",
                    timer.origin,
                    "name the file as an instance, as dump@db.timer",
                )
            )
        job, errors = _job(timer, service, units, names, timezone, timezone_given, home_of, sources)
        findings += errors
        if job is not None:
            jobs.append(job)
    for service in units.values():
        if not service.name.endswith(".service") or service.name in started:
            continue
        if service.name in telling:
            why = f"{telling[service.name]} starts it to tell somebody: no job was made of it"
            notes.append(Note("info", service.name, why, service.origin))
        else:
            job, errors = _job(None, service, units, names, timezone, timezone_given, home_of, sources)
            findings += errors
            if job is not None:
                jobs.append(job)
                notes.append(
                    Note(
                        "info",
                        service.name,
                        "no timer of these files starts it: the job runs when triggered",
                        service.origin,
                    )
                )
    return Import(tuple(jobs), tuple(dict.fromkeys(findings)), tuple(notes))


def _telling(units: dict[str, Unit]) -> Iterator[tuple[str, str]]:
    """The services that only tell somebody how another ended, with what starts them: `OnFailure= of dump.service`."""
    for unit in units.values():
        for key in OCCASIONS:
            for name in started_by(unit, key):
                handler = _service(units, name)
                if handler is not None and tells(handler) is not None:
                    yield name if name in units else template_of(name) or name, f"{key}= of {unit.name}"


def _service(units: dict[str, Unit], name: str) -> Unit | None:
    """The service of this name, or the template's instance, with the drop-ins of both."""
    own, template = units.get(name), units.get(template_of(name) or "")
    if template is None:
        return own
    settings = [*template.settings, *(own.settings if own is not None else [])]
    return Unit(name, template.origin, settings, template.comments)


def _without_service(timer: Unit, wanted: str, sources: dict[str, SourceText]) -> Diagnostic:
    help = f"name {wanted} too" if wanted.endswith(".service") else "only services can be jobs"
    return unreadable(
        sources[timer.origin.path], 1, 1, f"{timer.name} starts {wanted}, which is not among the files", help=help
    )


def _job(
    timer: Unit | None,
    service: Unit,
    units: dict[str, Unit],
    names: Names,
    timezone: str,
    timezone_given: bool,
    home_of: Homes,
    sources: dict[str, SourceText],
) -> tuple[Imported | None, list[Diagnostic]]:
    find = partial(_service, units)
    draft, errors = read_service(service, home_of=home_of, sources=sources, find=find)
    stem = (timer or service).name.rpartition(".")[0]
    name = names.take(stem.replace("@", "-"))
    timed = (
        Timed() if timer is None else read_timer(timer, name, timezone, timezone_given=timezone_given, sources=sources)
    )
    if timer is not None:
        about_unit(draft, timer, find)
    errors += timed.errors
    if "command" not in draft.run and "script" not in draft.run:
        return None, errors
    if timer is not None and "schedule" not in timed.tree and timed.errors:
        return None, errors
    described = _described(service) or (_described(timer) if timer is not None else "")
    tree: dict[str, Any] = {"name": name}
    if described:
        tree["description"] = described
    tree |= timed.tree | {"run": draft.run}
    if draft.env:
        tree["env"] = draft.env
    tree |= draft.tree
    if timer is None:
        timed = replace(timed, no_rule="nothing starts it by itself")
    return Imported(
        tree,
        (timer or service).origin,
        rule=timed.rule,
        no_rule=timed.no_rule,
        documents=tuple(timed.documents),
        notes=(*timed.notes, *draft.notes, *(timer.notes if timer is not None else ()), *service.notes),
        comments=_comments(service, draft),
    ), errors


def _described(unit: Unit) -> str:
    setting = unit.get("Unit", "Description")
    return "" if setting is None else specifiers(setting.value, unit, None, None)[0][:4096]


def _comments(service: Unit, draft: Draft) -> tuple[str, ...]:
    return (*(f"Documentation: {each.value}" for each in service.all("Unit", "Documentation")), *draft.comments)
