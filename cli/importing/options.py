"""The options that every `jobsctl import` subcommand has. Light: imports click only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Choices:
    """What was asked of one import, whatever the system."""

    check: bool = False
    write: Path | None = None
    force: bool = False
    project: str | None = None
    timezone: str | None = None
    """Zone of the source machine; None: nobody said, and the home's is taken."""


def shared_options(function: F) -> F:
    """Adds the shared options; the command gets them as one argument `choices: Choices`."""

    @wraps(function)
    def called(
        *args: Any, check: bool, write: str | None, force: bool, project: str | None, timezone: str | None, **rest: Any
    ) -> Any:
        choices = Choices(check, None if write is None else Path(write), force, _name(project), _zone(timezone))
        return function(*args, choices=choices, **rest)

    options = (
        click.option(
            "--check",
            is_flag=True,
            help="Prove that the next 1,000 instants are the source's; end with 1 when they are not.",
        ),
        click.option("--write", metavar="DIR", help="Write one file per job into DIR instead of printing them."),
        click.option("--force", is_flag=True, help="With --write: overwrite files that are there."),
        click.option("-p", "--project", metavar="NAME", help="Project of the jobs."),
        click.option("--timezone", metavar="ZONE", help="Zone of the machine it comes from. Default: the home's."),
    )
    for option in reversed(options):
        called = option(called)
    return called  # type: ignore[return-value]


def _name(project: str | None) -> str | None:
    from cli.options import check_name

    return None if project is None else check_name(project, "project")


def _zone(name: str | None) -> str | None:
    if name is None:
        return None
    from cli.errors import UsageError
    from specs.expression import ScheduleError
    from specs.zones import find_zone

    try:
        return find_zone(name).name
    except ScheduleError as error:
        raise UsageError(f"--timezone: {error.message}", hint=error.help) from None
