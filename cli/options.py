"""What every command is given: the home, the project, how to print; and the option types several commands share.

Loaded by `jobsctl --help`, so it imports nothing heavy: no pydantic, ruamel, peewee, rich.
Options may stand before or after the command's name; the later one counts. Every option has an environment variable:
`JOBSCTL_HOME`, and for a command's own ones `JOBSCTL_<COMMAND>_<OPTION>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import click

from cli.errors import NotFound, UsageError
from reconciler.clock import Clock, SystemClock
from state.home import Home

LEAST_INTERVAL = 0.1
OUTPUTS = ("table", "wide", "json", "yaml", "jsonl", "name")
Output = Literal["table", "wide", "json", "yaml", "jsonl", "name"]

REMOTE = frozenset((
    "status", "list", "search", "describe", "runs", "run", "logs", "events", "why", "graph", "next", "timers",
    "outputs", "metrics", "top", "silence", "deliveries",
))  # fmt: skip
"""Commands that read, and so also over HTTP."""
ABOUT_FILES = frozenset(("validate", "schema", "explain", "import", "version", "completion"))
"""Commands that ask no daemon: JOBSCTL_SERVER says nothing to them."""

if TYPE_CHECKING:
    from cli.reading import Reading
    from cli.watching import Changes

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Settings:
    """The global options of this call; `ctx.obj` of every command (`@click.pass_obj`)."""

    home_option: Path | None = None
    project: str | None = None
    """None: jobs of all projects; a bare job name must then be unique among them."""
    output: Output = "table"
    no_color: bool = False
    headers: bool = True
    """False: tables without their first line."""
    server: str | None = None
    """Ask this server instead of reading the home's files."""
    token_file: Path | None = None
    kept: Reading | None = None
    """With `--watch`: what was opened for the first round and serves the next ones."""
    changes: Changes | None = None
    """With `--watch` where only changes are printed: what was printed already."""
    over: bool = False
    """With `--watch`: nothing more can change."""
    clock: Clock = field(default_factory=SystemClock)

    @property
    def home(self) -> Home:
        """The home, found but not necessarily there."""
        return Home(self.home_option if self.home_option is not None else find_home(Path.cwd()))

    def existing_home(self) -> Home:
        """The home; raises `NotFound` when nothing of one is there, `UsageError` when a server was named instead."""
        if self.server is not None:
            raise UsageError(
                "this needs the home's files: it does not work with --server",
                hint="call it on the daemon's machine, without --server and JOBSCTL_SERVER",
            )
        home = self.home
        if not (home.config.exists() or home.state.exists() or home.specs.exists()):
            raise NotFound(
                f"{home.root} is not a jobsctl home: it has no jobsctl.yaml, jobs/ or .jobsctl/",
                hint="name one with --home DIR or JOBSCTL_HOME, or make one with `jobsctl init`",
            )
        return home

    def now(self) -> int:
        """Microseconds since the epoch, UTC."""
        return self.clock.now()


def find_home(start: Path) -> Path:
    """The nearest of `start` and its parents that has `.jobsctl/` or `jobsctl.yaml`; else `start`."""
    for folder in (start, *start.parents):
        if (folder / ".jobsctl").is_dir() or (folder / "jobsctl.yaml").is_file():
            return folder
    return start


def _set(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is None or value is False:
        return
    settings = ctx.ensure_object(Settings)
    match param.name:
        case "home":
            refuse_empty([value], "--home")
            settings.home_option = Path(value).absolute()
        case "project":
            settings.project = check_name(value, "project")
        case "output":
            settings.output = cast(Output, value)
        case "no_color":
            settings.no_color = True
        case "no_headers":
            settings.headers = False
        case "token_file":
            settings.token_file = Path(value)


def _server(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Take the server; of a command that cannot use it, refuse it: a change must not go to another home unnoticed."""
    settings = ctx.ensure_object(Settings)
    if value:
        settings.server = value
    if ctx.parent is None or settings.server is None or ctx.info_name in REMOTE:
        return
    if ctx.info_name not in ABOUT_FILES:
        raise UsageError(
            f"`jobsctl {ctx.info_name}` does not work with --server: it needs the files on the daemon's machine",
            hint="call it there, without --server and JOBSCTL_SERVER: changes and checks go through files",
        )
    if value:
        raise UsageError(f"`jobsctl {ctx.info_name}` reads files here: it has no use for --server")
    settings.server = None


def global_options(*, after_command: bool = False) -> list[click.Option]:
    """The options of every command. After a command's name they are hidden from its help and read no variables."""

    def option(*names: str, **settings: Any) -> click.Option:
        return click.Option(
            names, expose_value=False, callback=settings.pop("callback", _set), hidden=after_command,
            allow_from_autoenv=not after_command, is_eager=True, **settings,
        )  # fmt: skip

    return [
        option("--home", metavar="DIR", help="The home: specs, config and state. Default: nearest parent with one."),
        option("-p", "--project", metavar="NAME", help="Only jobs of this project."),
        option("-o", "--output", type=click.Choice(OUTPUTS), help="How to print. Default: table."),
        option("--no-color", is_flag=True, help="No colours; so does NO_COLOR in the environment."),
        option("--no-headers", is_flag=True, help="Tables without their first line."),
        option(
            "--server", metavar="URL", callback=_server, help="Read over HTTP from the daemon there, not from the home."
        ),
        option("--token-file", metavar="FILE", help="A file with the token for --server, if it asks for one."),
    ]


def refuse_empty(paths: Sequence[str], what: str = "a path") -> None:
    """Raise `UsageError` for an empty path: of a variable that is not set, and to Python the folder we are in."""
    if "" in paths:
        raise UsageError(f"{what} is empty", hint="is a variable not set? `.` is the folder you are in")


def check_name(value: str, what: str) -> str:
    """A project or job name, as specs allow it; raises `UsageError`."""
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", value):
        raise UsageError(f"{value!r} is not a {what} name: 1 to 63 of a-z, 0-9 and '-'")
    return value


class Span(click.ParamType[float]):
    """A length of time, in seconds: `90s`, `15m`, `2h`, or a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        from specs.notation import BadValue, parse_duration

        try:
            return parse_duration(float(value) if value.replace(".", "", 1).isdecimal() else value)
        except BadValue as error:
            self.fail(f"{value!r}: {error.message}", param, ctx)


class Instant(click.ParamType[int]):
    """An instant, in microseconds UTC: RFC 3339, seconds since the epoch, or `2h` for two hours ago."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        from status.words.instants import InvalidInstant, parse_instant

        try:
            return parse_instant(value, now=(ctx.ensure_object(Settings) if ctx else Settings()).now())
        except InvalidInstant as error:
            self.fail(str(error), param, ctx)


def timeout_option(default: float | None = 10.0, meaning: str = "for the daemon's answer") -> Callable[[F], F]:
    """`--timeout`, in seconds."""
    return click.option(
        "--timeout", type=Span(), default=default, metavar="DURATION",
        help=f"How long to wait {meaning}." + (f" Default: {default:g}s." if default else ""),
    )  # fmt: skip


def watchable(function: Callable[..., int]) -> Callable[..., int]:
    """`--watch` and `--interval`: the command again and again. Stands right above `@click.pass_obj`."""

    @click.option("-w", "--watch", is_flag=True, help="Go on: redraw on a terminal, else print what changed.")
    @click.option(
        "--interval", type=Span(), default=2.0, metavar="DURATION", help="With --watch: how often. Default: 2s."
    )
    @wraps(function)
    def watched(*given: Any, watch: bool, interval: float, **named: Any) -> int:
        if not watch:
            return function(*given, **named)
        from cli.watching import watch as watch_command

        if interval < LEAST_INTERVAL:
            raise UsageError(f"--interval is at least {LEAST_INTERVAL:g} s")
        settings = click.get_current_context().find_object(Settings)
        assert settings is not None
        return watch_command(settings, interval, lambda: function(*given, **named))

    return watched


def many_jobs(what: str = "JOB") -> Callable[[F], F]:
    """`JOB...`, `-l SELECTOR` and `--yes`, as `jobs`, `labels` and `yes`."""

    def decorate(function: F) -> F:
        for option in (
            click.option("-y", "--yes", is_flag=True, help="Do not ask, when it is about several."),
            click.option(
                "-l", "--label", "labels", multiple=True, metavar="SELECTOR", help="All jobs with it: team=ops."
            ),
            click.argument("jobs", nargs=-1, metavar=f"[{what}]..."),
        ):
            function = option(function)
        return function

    return decorate
