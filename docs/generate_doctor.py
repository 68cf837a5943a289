"""Writes docs/doctor.md from `cli.health.checks`: `python -m docs.generate_doctor`. A test compares the two."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cli.health.checks import CHECKS  # noqa: E402

TEXT = """\
# When something is wrong with the house itself

<!-- Written by docs/generate_doctor.py from the code; edit the code. -->

`jobsctl status` tells how the jobs are. `jobsctl doctor` looks at what they stand on, and works when nothing else does:
with no daemon, and with a broken database. It changes nothing.

```sh
jobsctl doctor                     # what is wrong, the gravest first, and what to do about it
jobsctl doctor -v                  # what is all right too
jobsctl doctor --only database     # one check
jobsctl doctor -o json | jq '.findings[] | select(.level == "problem")'
```

It ends with 1 when there is a problem; warnings alone end with 0.

`jobsctl doctor --fix` mends what is safe to mend, after one question (`--yes`: without). It closes files of the state
to others, removes half-written requests, and removes run directories that belong to no run and are older than
`retention` keeps runs. All else it leaves to you.

## The checks

| name | looks at |
|---|---|
"""


def document() -> str:
    """The whole page."""
    return TEXT + "".join(f"| `{check.name}` | {check.about} |\n" for check in CHECKS)


if __name__ == "__main__":
    (ROOT / "docs" / "doctor.md").write_text(document(), encoding="utf-8")
