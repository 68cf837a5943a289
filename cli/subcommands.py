"""A command whose first word is a command of its own: `token create`, `import crontab`. Used by those commands.

The subcommand that is called is found by `load`, which may import it then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from cli.main import help_asked, no_such, prepared


class Subcommands(click.Group):
    """Knows its subcommands by name and one line; each has what all commands have."""

    def __init__(
        self, *, kind: str, lines: Mapping[str, str], load: Callable[[str], click.Command], **usual: Any
    ) -> None:
        """
        Args:
            kind: what they are, as `action`.
            lines: what each does, by name, in the order of the help.
            load: the subcommand of one of these names.
            usual: as of any command.
        """
        super().__init__(**usual)
        self._kind = kind
        self._lines = lines
        self._load = load

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lines)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return prepared(self._load(name), f"{self.name}_{name}") if name in self._lines else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, help_asked(ctx, args))
        except click.NoSuchCommand as error:
            raise no_such(self._kind, error.command_name, self._lines, f"jobsctl {self.name} --help") from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(f"{self._kind.capitalize()}s"):
            formatter.write_dl(list(self._lines.items()))
