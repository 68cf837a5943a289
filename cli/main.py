"""`jobsctl`: finds the command, loads only it, and turns whatever it raises into one clear message and an exit code.

Called by `jobsctl.main`. Must stay light: `jobsctl --help` imports click and nothing of the rooms below.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from cli import streams
from cli.errors import CliError, UsageError
from cli.exits import Exit
from cli.options import REMOTE, Settings, global_options
from cli.streams import write_error

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "Start": {
        "init": "Make a home: jobsctl.yaml, jobs/ and a first job.",
        "daemon": "Keep what runs equal to what the files say.",
        "import": "Turn crontabs, timers and other systems' jobs into job files.",
        "version": "Say which jobsctl, Python and SQLite this is.",
    },
    "Write": {
        "validate": "Check spec files; say file, line and column of what is wrong.",
        "explain": "Explain a field, the code of a finding, or a reason.",
        "schema": "Print the JSON Schema of spec files, for editors.",
        "plan": "Tell what a change would do: fields, next runs, clock changes.",
        "diff": "Show what applying the files would change.",
        "apply": "Put spec files in place and wait until the daemon follows them.",
    },
    "Act": {
        "trigger": "Run a job now.",
        "cancel": "Stop a run, or the active runs of a job.",
        "suspend": "Pause a job's schedule.",
        "resume": "End a pause made by suspend.",
        "silence": "Notify nobody of a job for a while.",
        "delete": "Remove a job and its spec file.",
    },
    "See": {
        "status": "Is everything all right? And if not, what first?",
        "list": "List jobs.",
        "search": "Find jobs by keywords.",
        "describe": "Tell all about a job: policies, inputs, dependencies.",
        "runs": "List runs.",
        "run": "Tell the whole story of a run.",
        "logs": "Print the output of a run.",
        "events": "List what happened to a job or run.",
        "deliveries": "List what was told to whom, and what came of it.",
        "why": "Tell why a job ran, did not run, waits or will run.",
        "graph": "Show which jobs follow which.",
        "next": "Show when a job, or any schedule, is due next.",
        "timers": "List jobs by when they start next.",
        "outputs": "List the files runs kept; print one.",
        "metrics": "Show CPU, memory and durations.",
        "top": "Watch what runs now, and what waits.",
    },
    "Look after": {
        "doctor": "Find what is wrong with home and machine, and mend it.",
        "backup": "Save history and schedules into one file, or check one.",
        "restore": "Put a backup in the place of the state.",
        "notify": "Try a notifier out.",
        "token": "Make, list and revoke tokens for readers over HTTP.",
        "completion": "Print the script that lets a shell complete commands and names.",
    },
}
"""Command -> its one line, by the section of the help it stands in; code in `cli.commands.<command>`, as `command`."""

NOT_BUILT = ("sessions",)

COMPLETE = "_JOBSCTL_COMPLETE"
"""Set by the scripts of `jobsctl completion`: what a shell asks. `cli.completing.VARIABLE`."""

_LINES = {name: line for section in COMMANDS.values() for name, line in section.items()}


class LazyGroup(click.Group):
    """Knows its commands by name and one line; imports the module of the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_LINES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in NOT_BUILT:
            raise UsageError(f"`jobsctl {name}` is not built yet", hint="`jobsctl --help` lists what there is")
        if name not in _LINES:
            return None
        return prepared(import_module(f"cli.commands.{name}").command, name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        # Not as click: that would load every command for its one line.
        from click.shell_completion import CompletionItem

        return [CompletionItem(name, help=line) for name, line in _LINES.items() if name.startswith(incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        args = help_asked(ctx, args)
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            from cli.othernames import OTHER_NAMES

            if meant := OTHER_NAMES.get(error.command_name):
                told = " or ".join(f"`jobsctl {name}`" for name in meant)
                raise UsageError(
                    f"there is no command {error.command_name}; you may mean {told}",
                    hint="`jobsctl --help` lists what there is",
                ) from None
            raise no_such("command", error.command_name, _LINES, "jobsctl --help") from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _LINES))
        for section, commands in COMMANDS.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), line) for name, line in commands.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples"):
            for example in ("jobsctl init", "jobsctl daemon", "jobsctl status", "jobsctl logs -f hello"):
                formatter.write_text(example)
        formatter.write_paragraph()
        formatter.write_text("Global options may also follow the command. More: `jobsctl COMMAND --help`.")


def no_such(what: str, name: str, known: Iterable[str], help: str) -> UsageError:
    """There is no command, or system, of this name; with those that are meant perhaps, the nearest first."""
    import difflib

    typed = name.lower()
    begun = [each for each in known if len(typed) > 1 and each.startswith(typed)]
    close = (begun or difflib.get_close_matches(typed, list(known), n=2, cutoff=0.7))[:2]
    hint = f"did you mean {' or '.join(close)}?" if close else f"`{help}` lists what there is"
    return UsageError(f"there is no {what} {name}", hint=hint)


def help_asked(ctx: click.Context, args: list[str]) -> list[str]:
    """`help list` as `list --help`, as git, docker and kubectl have it; `help` alone prints the group's and ends."""
    if args[0] != "help":
        return args
    asked = [word for word in args if word != "help"]
    if not asked:
        click.echo(ctx.get_help())
        ctx.exit()
    return [*asked, "--help"]


def prepared(command: click.Command, name: str) -> click.Command:
    """The command with what all have: variables of its options, and the global options behind it.

    Args:
        name: as variables call it; of a subcommand `import_crontab`.
    """
    for param in command.params:
        if isinstance(param, click.Option) and param.envvar is None and param.expose_value:
            param.envvar = variable_of(name, param)
    where = "--home, --server" if name in REMOTE else "--home"
    command.epilog = command.epilog or f"Global options ({where}, -p, -o, --no-color): see `jobsctl --help`."
    taken = {text for param in command.params for text in param.opts}
    for option in global_options(after_command=True):
        if taken.isdisjoint(option.opts):
            command.params.append(option)
    if COMPLETE in os.environ:
        from cli.completing import attach

        attach(command)
    return command


def variable_of(command: str, option: click.Option) -> str:
    """`JOBSCTL_RUNS_STATUS` for `--status` of `runs`: after the option's name, whatever the code calls it."""
    longest = max(option.opts, key=len)
    return f"JOBSCTL_{command}_{longest.lstrip('-')}".replace("-", "_").upper()


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from jobsctl import __version__

        click.echo(f"jobsctl {__version__}")
        ctx.exit()


program = LazyGroup(
    name="jobsctl",
    help="Cron by pull request: jobs are YAML files, a daemon keeps what runs equal to them.",
    params=[
        *global_options(),
        # Without a variable: JOBSCTL_VERSION is a likely name for something else, and would stop every command.
        click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version,
                     allow_from_autoenv=False, help="Print the version and exit."),
    ],
    subcommand_metavar="COMMAND ...",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "JOBSCTL",
        "max_content_width": 100,
    },
)  # fmt: skip


def run(arguments: Sequence[str] | None = None, settings: Settings | None = None) -> int:
    """Carry out one call; returns its exit code. Everything a command may raise ends here, as a message on stderr.

    Args:
        arguments: default: those of this process.
        settings: what options start from; tests give a fake clock with it.
    """
    debug = bool(os.environ.get("JOBSCTL_DEBUG"))
    given = list(sys.argv[1:] if arguments is None else arguments)
    if (instruction := os.environ.get(COMPLETE)) and arguments is None:
        from cli.completing import answer, attach

        return answer(attach(program), instruction)
    try:
        # Not program.main(): that one answers a closed pipe with exit code 1 and Ctrl-C with "Aborted!".
        with program.make_context("jobsctl", given, obj=settings or Settings()) as context:
            result = program.invoke(context)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else Exit.OK
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except CliError as error:
        return _tell(str(error), error.hint, error.exit)
    except click.exceptions.NoArgsIsHelpError as error:
        write_error(f"{error.format_message()}\n")
        return Exit.USAGE
    except click.UsageError as error:
        # Of an option without its value click does not say which command it is of.
        where = error.ctx.command_path if error.ctx else " ".join(("jobsctl", *_called(given)))
        from cli.usage import explained

        return _tell(*explained(error, where), Exit.USAGE)
    except click.ClickException as error:
        return _tell(error.format_message(), None, Exit.FAILED)
    except (KeyboardInterrupt, click.Abort):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.PIPE_CLOSED
    except Exception as error:
        if debug:
            raise
        try:
            from cli.unexpected import explain
        except OSError:  # no descriptor is left to read a module with
            return _tell(str(error), None, Exit.FAILED)
        told = explain(error)
        return _tell(told.message, told.hint, told.exit)


def main() -> NoReturn:
    """Entry point of the program."""
    streams.prepare()
    code = streams.finish(run())
    # Under `python -m`, Ctrl-C inside generated code (a dataclass being made) marks the process to die of SIGINT in the
    # end, caught or not; other generated code takes the mark away (CPython, Python/pythonrun.c: run_eval_code_obj).
    exec("")  # noqa: S102
    # Nothing is left to be given back: a second Ctrl-C ends the program as any other, without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)


def _called(given: Sequence[str]) -> Sequence[str]:
    """The command among the arguments."""
    return [word for word in given if word in _LINES][:1]


def _tell(message: str, hint: str | None, code: Exit) -> Exit:
    from cli.terminal import shortened, visible

    # A whole file may have been pasted in the place of a name.
    write_error(f"error: {visible(shortened(message))}\n")
    if hint:
        write_error(f"hint: {visible(shortened(hint))}\n")
    return code
