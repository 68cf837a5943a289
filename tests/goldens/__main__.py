"""`python -m tests.goldens [NAME...]`: type every command again, and write what stands on the screen into its file."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.goldens.houses import house
from tests.goldens.screen import screen_of
from tests.goldens.transcript import transcripts


def main(names: list[str]) -> None:
    """Only the files of these names; all without any."""
    for transcript in transcripts():
        if names and transcript.path.stem not in names:
            continue
        screens = []
        for call in transcript.calls:
            with tempfile.TemporaryDirectory() as place, house(call.house, Path(place)) as root:
                screens.append(screen_of(call, root))
        text = transcript.text(screens)
        if text != transcript.path.read_text(encoding="utf-8"):
            transcript.path.write_text(text, encoding="utf-8")
            sys.stderr.write(f"wrote {transcript.path.name}\n")


main(sys.argv[1:])
