"""`jobsctl import term-llm`."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.importing.options import Choices, shared_options
from cli.options import Settings


@click.command("term-llm")
@click.argument("files", metavar="FILE|-...", nargs=-1, required=True)
@shared_options
@click.pass_obj
def command(settings: Settings, files: tuple[str, ...], choices: Choices) -> Exit:
    """Turn jobs of term-llm into job files.

    Definitions are JSON or YAML, one or many: what `term-llm jobs create` takes and `term-llm jobs --json list` prints.
    Programs carry over. Agents cannot be run yet: they are written suspended, with their instructions.

    \b
    Examples:
      term-llm jobs --json list | jobsctl import term-llm - --check
      jobsctl import term-llm nightly.json digest.yaml --write jobs/
    """
    from cli.importing.delivering import deliver, read_sources, reading_sources
    from cli.importing.term_llm.reader import read_term_llm

    with reading_sources(files):
        made = read_term_llm(read_sources(files))
    return deliver(settings, choices, made)
