"""The files that belong to the units somebody named: the service beside its timer, and the drop-ins of both.

Called by the subcommand. Touches the disk; nothing else of `systemd` does.
"""

from __future__ import annotations

from pathlib import Path

from cli.importing.delivering import read_sources
from cli.importing.imported import SourceText
from cli.importing.systemd.reader import template_of, unit_of
from cli.importing.systemd.unitfile import read_units


def with_services(sources: list[SourceText]) -> list[SourceText]:
    """The files, and those beside them that their timers mean: `X.service`, and the drop-ins of both."""
    found = {source.path: source for source in sources}

    def add(path: Path) -> None:
        if str(path) not in found and path.is_file():
            (found[str(path)],) = read_sources([str(path)])

    for source in sources:
        folder = Path(source.path).parent
        if source.path == "-" or not source.path.endswith(".timer"):
            continue
        _drop_ins(Path(source.path), add)
        units, _ = read_units([found[path] for path in found if path.startswith(source.path)])
        for name in [unit_of(unit) for unit in units.values()]:
            for each in (name, template_of(name) or name):
                if "/" not in each:
                    add(folder / each)
                    _drop_ins(folder / each, add)
    return list(found.values())


def _drop_ins(unit: Path, add: object) -> None:
    assert callable(add)
    for path in sorted(unit.with_name(f"{unit.name}.d").glob("*.conf")):
        add(path)
