"""`jobsctl schema`: the JSON Schema that an editor checks and completes spec files with."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings
from cli.output import print_lines, print_one, say, to_json


@click.command("schema")
@click.argument(
    "kind",
    required=False,
    metavar="[KIND]",
    type=click.Choice(["job", "defaults", "pool", "calendar", "notifier", "config"]),
)
@click.option(
    "--write", is_flag=True, help="Write it into the specs directory, where `init` puts it; renews an old one."
)
@click.pass_obj
def command(settings: Settings, kind: str | None, write: bool) -> int:
    """Print the JSON Schema (draft-07) of spec files, for editors.

    KIND: `job`, `defaults`, `pool`, `calendar` or `notifier` for one kind of document; `config` for jobsctl.yaml.
    Without KIND: of a whole file, which picks by the document's `kind`. It is what the line
    `# yaml-language-server: $schema=.jobsctl.schema.json` of a spec file leads to; docs/editor.md tells more.

    \b
    Examples:
      jobsctl schema > jobsctl.schema.json
      jobsctl schema pool
      jobsctl schema --write
    """
    from specs import schema

    if write:
        if kind is not None:
            raise click.UsageError("--write writes the schema of all kinds: leave KIND out")
        return _write(settings)
    found = schema.of_kind(kind) if kind else schema.whole()
    print_one(settings, found, name=f"schema/{kind or 'file'}", text=[to_json(found)])
    return Exit.OK


def _write(settings: Settings) -> int:
    from cli.placing import Placement, write
    from cli.specfiles import specs_root
    from specs.schema import editors

    home = settings.existing_home()
    root = specs_root(settings)
    files = ((root / editors.FILE, editors.spec_schema()), (home.root / editors.CONFIG_FILE, editors.config_schema()))
    lines = []
    for target, data in files:
        there = target.read_bytes() if target.exists() else None
        if there != data:
            write(Placement(target, data, replaces=there is not None))
        word = "kept   " if there == data else "created" if there is None else "changed"
        lines.append(f"{word}  {target}")
    print_lines(settings, lines)
    if lines[0].startswith("created"):
        line = editors.modeline(root / "hello.yaml", root / editors.FILE)
        say(f"\nNext: begin the job files in {root} with\n  {line}")
    return Exit.OK
