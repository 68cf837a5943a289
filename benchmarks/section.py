"""One section in its own process: `python -m benchmarks.section NAME WORK [--quick]`.

Started by `benchmarks.__main__`, to whom figures go through stdout, a JSON line each.
SIGTERM ends it in an orderly way: `finally` clauses stop what was started.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys
import traceback
from pathlib import Path

from benchmarks.figures import Figure, not_measured
from benchmarks.workshop import Bench, Unavailable


def main(name: str, work: Path, *, quick: bool) -> int:
    """Measure; every part of a section that fails gives a line saying so, and the next part goes on."""
    section = importlib.import_module(f"benchmarks.{name}")
    bench = Bench(quick, work)
    failed = False
    for part in section.PARTS:
        try:
            for figure in part(bench):
                _tell(figure)
        except Unavailable as reason:
            _tell(not_measured(_title(part), str(reason)))
        except Exception as error:
            traceback.print_exc()
            failed = True
            _tell(not_measured(_title(part), f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"))
    return 1 if failed else 0


def _title(part: object) -> str:
    return (getattr(part, "__doc__", None) or str(part)).splitlines()[0].rstrip(".")


def _tell(figure: Figure) -> None:
    print(json.dumps(figure.as_json()), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), quick="--quick" in sys.argv[3:]))
