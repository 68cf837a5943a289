"""`jobsctl init`: makes a home. Can be called again: it adds what is missing and changes nothing that is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from cli.errors import CliError
from cli.exits import Exit
from cli.options import Settings
from cli.output import print_items, print_lines, say
from specs.schema.editors import CONFIG_FILE, FILE, config_schema, spec_schema
from state.home import Home

CONFIG = f"""\
# yaml-language-server: $schema={CONFIG_FILE}
# How the jobsctl daemon of this home works. Every line is optional: these are the defaults.

# specs: jobs                 # the folder with the job files
# timezone: UTC               # of schedules that name none
# resync: 60s                 # look at all files this often, also when nothing seems to have changed
# prune_limit:                # more jobs than the greater of both may not vanish in one look
#   jobs: 3
#   share: 0.3
# http:                       # read-only API; `http: null` switches it off
#   listen: 127.0.0.1:8787
#   tokens: null              # a file of the tokens readers need: `jobsctl token`
# retention:                  # of runs, their output and events
#   max_runs: 1000
#   max_age: 30d
"""

HELLO = f"""\
# yaml-language-server: $schema={FILE}
# A job: its name, when it runs, what it runs. The file may have any name and stand in any folder below jobs/.
name: hello
description: Says hello; change me.
schedule: every 10m
run:
  command: [echo, "hello from jobsctl"]
"""

IGNORE = ".jobsctl/"


@click.command("init")
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def command(settings: Settings, directory: Path | None) -> int:
    """Make a home in DIRECTORY (default: --home, else here): jobsctl.yaml, jobs/ with a first job and the
    schema for editors, .gitignore.

    Files that are there already are left as they are; `jobsctl schema --write` renews an old schema.

    \b
    Examples:
      jobsctl init
      jobsctl init nightly-jobs
    """
    home = Home(directory.absolute() if directory else settings.home_option or Path.cwd())
    if home.root.exists() and not home.root.is_dir():
        raise CliError(f"{home.root} is a file, not a directory", hint="name another directory")
    home.root.mkdir(parents=True, exist_ok=True)
    first = not home.specs.exists()
    home.specs.mkdir(exist_ok=True)
    made = [_write_new(home.config, CONFIG, "settings, all commented out")]
    # Never put the first job back where somebody removed it.
    if first:
        made.append(_write_new(home.specs / "hello.yaml", HELLO, "a first job"))
    made.append(_write_new(home.specs / FILE, spec_schema().decode(), "what editors check job files with"))
    made.append(_write_new(home.root / CONFIG_FILE, config_schema().decode(), "the same for jobsctl.yaml"))
    made.append(_ignore(home.root / ".gitignore"))
    if settings.output in ("table", "wide"):
        print_lines(settings, map(Made.line, made))
    else:
        print_items(settings, made, view=Made.view, name=lambda file: str(file.path), columns=(), empty="")
    say(f"\nNext:\n  jobsctl{_at(home)} validate\n  jobsctl{_at(home)} daemon\n  jobsctl{_at(home)} status")
    return Exit.OK


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one file."""

    path: Path
    word: Literal["created", "changed", "kept"]
    what: str

    def line(self) -> str:
        return f"{self.word:7}  {self.path}" + (f": {self.what}" if self.word != "kept" else "")

    def view(self) -> dict[str, str]:
        """For `-o json`."""
        return {"path": str(self.path), "change": self.word, "description": self.what}


def _write_new(path: Path, text: str, what: str) -> Made:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return Made(path, "kept", what)
    return Made(path, "created", what)


def _ignore(path: Path) -> Made:
    """State does not belong into git: history, output and sockets change all the time."""
    what = f"{IGNORE} is the daemon's state"
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    if any(line.strip().strip("/") == IGNORE.strip("/") for line in text.splitlines()):
        return Made(path, "kept", what)
    word: Literal["created", "changed"] = "changed" if text else "created"
    if text and not text.endswith("\n"):
        text += "\n"
    path.write_text(f"{text}{IGNORE}\n", encoding="utf-8", errors="surrogateescape")
    return Made(path, word, what)


def _at(home: Home) -> str:
    from cli.options import find_home

    if find_home(Path.cwd()) == home.root:
        return ""
    try:
        return f" --home {home.root.relative_to(Path.cwd())}"
    except ValueError:
        return f" --home {home.root}"
