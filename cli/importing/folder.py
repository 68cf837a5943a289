"""The files of `import --write`: one for each job and each document that jobs share, all or none.

Called by `delivering`. Touches the disk.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.errors import CliError, Refused
from cli.importing.imported import Import, SharedDocument
from cli.importing.report import Outcome, SharedOutcome
from cli.placing import Placement, write
from specs.contents import is_spec

DEFAULTS = "_defaults"
"""It comes first in a listing."""


def for_folder(made: Import, folder: Path, specs: Path) -> Import:
    """As it is written into `folder`: what all jobs say in `notify` is said once, by a `Defaults`.

    Only within `specs`, the specs directory: who copies files into it copies no defaults. And only where the folder has
    no other files, whose jobs would be told of too.
    """
    said = [job.tree.get("notify") for job in made.jobs]
    if len(said) < 2 or said[0] is None or any(each != said[0] for each in said) or not _within(folder, specs):
        return made
    ours = {
        f"{stem}.yaml" for stem in (DEFAULTS, *(job.name for job in made.jobs), *(each.stem for each in made.shared))
    }
    if DEFAULTS in {job.name for job in made.jobs} or _others(folder, ours):
        return made
    without = tuple(
        replace(job, tree={key: value for key, value in job.tree.items() if key != "notify"}) for job in made.jobs
    )
    tree: dict[str, Any] = {"kind": "Defaults", "job": {"notify": said[0]}}
    comments = ("For all jobs of this folder. One that nobody shall hear of says `notify: []`.",)
    return replace(made, jobs=without, shared=(*made.shared, SharedDocument(tree, comments, DEFAULTS)))


def _within(folder: Path, specs: Path) -> bool:
    return folder.resolve().is_relative_to(specs.resolve())


def _others(folder: Path, ours: Collection[str]) -> bool:
    """Whether specs that are not ours are in the folder, or below."""
    found = (Path(place, name).relative_to(folder) for place, _, names in os.walk(folder) for name in names)
    return any(is_spec(str(file)) and str(file) not in ours for file in found)


def write_files(
    folder: Path, specs: Path, outcomes: Sequence[Outcome], shared: Sequence[SharedOutcome], *, force: bool
) -> tuple[list[Outcome], list[SharedOutcome]]:
    """One file each. Looks at all of them before it writes the first: all, or none.

    A notifier that is there already, word for word, is left alone, wherever below `specs`: two crontabs may mail to the
    same people, and its name may be taken once.
    """
    kept = {each.stem: place for each in shared if (place := _kept(folder, specs, each)) is not None}
    files = {folder / f"{outcome.job.name}.yaml": outcome.document for outcome in outcomes}
    files |= {folder / f"{each.stem}.yaml": each.document for each in shared if each.stem not in kept}
    there = [file for file in files if os.path.lexists(file)]
    if there and not force:
        more = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
        raise Refused(f"{there[0]} is there already{more}; nothing was written", hint="--force overwrites")
    try:
        for file, document in files.items():
            write(Placement(file, document.encode(), replaces=file in there))
    except OSError as error:
        raise CliError(f"{error.filename or folder}: {error.strerror}") from error
    return (
        [replace(outcome, file=str(folder / f"{outcome.job.name}.yaml")) for outcome in outcomes],
        [
            replace(each, file=str(kept.get(each.stem, folder / f"{each.stem}.yaml")), kept=each.stem in kept)
            for each in shared
        ],
    )


def _kept(folder: Path, specs: Path, shared: SharedOutcome) -> Path | None:
    """The file that says the same already."""
    name = f"{shared.stem}.yaml"
    places = [folder / name]
    if shared.shared.tree["kind"] == "Notifier" and _within(folder, specs):
        found = (Path(place, name) for place, _, names in os.walk(specs) if name in names)
        places += [each for each in found if is_spec(str(each.relative_to(specs)))]
    return next((place for place in places if _says(place, shared.document)), None)


def _says(file: Path, document: str) -> bool:
    try:
        return file.read_text(encoding="utf-8") == document
    except (OSError, UnicodeDecodeError):
        return False
