"""Writes docs/cli.md from the commands themselves: `python docs/generate_cli.py`. A test compares the two."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import click  # noqa: E402

from cli.exits import Exit  # noqa: E402
from cli.main import COMMANDS, NOT_BUILT, program, variable_of  # noqa: E402

EXITS = {
    Exit.OK: "it worked; `diff`: no difference",
    Exit.FAILED: "the thing asked about or for failed: a run, a job that is not well, `diff` found differences",
    Exit.USAGE: "the command line is wrong, ambiguous, or asks for what is not built yet",
    Exit.INVALID_SPEC: "a spec file or `jobsctl.yaml` has errors",
    Exit.NOT_FOUND: "no job, run, file or home of that name; `why --at`: no slot at that time",
    Exit.DAEMON_DOWN: "only a daemon could have answered, and none is running (or none ever ran on this home)",
    Exit.TIMED_OUT: "no answer, or no end of the run, within `--timeout`; it may still come",
    Exit.REFUSED: "understood and not done: a conflict, a lock, the prune guard",
    Exit.INTERRUPTED: "Ctrl-C",
    Exit.PIPE_CLOSED: "whoever read the output went away, as `head` does",
}

INTRODUCTION = """\
# The command line

<!-- Written by docs/generate_cli.py from the code; edit the code. -->

`jobsctl [--home DIR] [-p PROJECT] [-o FORMAT] COMMAND ...`

- **Home**: `--home`, else `JOBSCTL_HOME`, else the nearest parent directory with `.jobsctl/` or `jobsctl.yaml`, else
  here.
- **Names**: a job is `name`, or `project/name` where several projects have it; a run is its id or the beginning of it.
  Where a run is wanted and a job is named, its newest run is meant. What `-o name` prints is understood too.
- **Reading** goes straight to the home's database, so it works with no daemon running, and cannot disturb one.
- **Changing** writes a file: a spec, or a request that the daemon answers. With no daemon running it is done when one
  starts; the command says so and ends with 0.
- **Output**: data on stdout, everything else on stderr. `-o json` gives `{"items": [...]}` for lists, `jsonl` one
  object per line, `name` names for other commands. Shapes grow, never shrink; they are those of the HTTP API and of
  status files.
- **Terminal**: colours only there, and not with `NO_COLOR`, `TERM=dumb` or `--no-color`. Control characters that come
  from specs and logs are written out (`\\x1b`) on a terminal; into a pipe logs go byte for byte.
- **Times** are RFC 3339 with offset, seconds since the epoch, or `2h` for two hours ago.
- **Variables**: global options `JOBSCTL_<OPTION>`, a command's own `JOBSCTL_<COMMAND>_<OPTION>`. A job's program gets
  `JOBSCTL_PROJECT`, so `jobsctl` in it means its own project.
- `JOBSCTL_DEBUG=1` shows where an unexpected error came from.
"""


def document() -> str:
    """The whole page."""
    parts = [INTRODUCTION, "\n## Exit codes\n\n| code | meaning |\n|---|---|\n"]
    parts += [f"| {code.value} | {EXITS[code]} |\n" for code in Exit]
    context = click.Context(program, info_name="jobsctl", auto_envvar_prefix="JOBSCTL")
    parts += ["\n## Global options\n\nBefore or after the command.\n", *_options(program, context)]
    for section, commands in COMMANDS.items():
        parts.append(f"\n## {section}\n")
        for name in commands:
            parts += _command(name, context)
    later = ", ".join(f"`{name}`" for name in NOT_BUILT)
    parts.append(f"\n## Not built yet\n\nRefused by name: {later}, and the option `--server`.\n")
    return "".join(parts)


def _command(name: str, above: click.Context) -> Iterator[str]:
    yield from _page(import_module(f"cli.commands.{name}").command, name, above, "###")


def _page(command: click.Command, name: str, above: click.Context, heading: str) -> Iterator[str]:
    context = click.Context(command, info_name=name.split()[-1], parent=above)
    usage = " ".join(part for part in command.collect_usage_pieces(context) if part)
    yield f"\n{heading} {name}\n\n```\njobsctl {name} {usage}\n```\n\n"
    text, _, examples = (command.help or "").replace("\b", "").partition("Examples:")
    yield "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")) + "\n"
    if command.epilog and not command.epilog.startswith("Global options"):
        yield f"\n{' '.join(command.epilog.split())}\n"
    yield from _options(command, context)
    if examples.strip():
        lines = "\n".join(line.strip() for line in examples.strip().splitlines())
        yield f"\n```sh\n{lines}\n```\n"
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from _page(below, f"{name} {each}", context, "####")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    rows = []
    for param in command.params:
        if isinstance(param, click.Option) and not param.hidden and not _is_global(param, command):
            value = "" if param.is_flag else f" {param.make_metavar(context)}"
            names = ", ".join(f"`{name}`" for name in param.opts)
            variable = f"`{_variable(param, command)}`" if param.allow_from_autoenv else ""
            rows.append(f"| {names}{value.replace('|', chr(92) + '|')} | {variable} | {param.help or ''} |\n")
    if rows:
        yield "\n| option | variable | meaning |\n|---|---|---|\n"
        yield from rows


def _variable(param: click.Option, command: click.Command) -> str:
    if command is program:
        return f"JOBSCTL_{(param.name or '').upper()}"
    return param.envvar if isinstance(param.envvar, str) else variable_of(command.name or "", param)


def _is_global(param: click.Option, command: click.Command) -> bool:
    """Whether the group added it to a command that was called earlier in this process."""
    return command is not program and not param.expose_value


if __name__ == "__main__":
    (ROOT / "docs" / "cli.md").write_text(document(), encoding="utf-8")
