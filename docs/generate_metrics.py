"""Writes docs/metrics.md from what the exporter tells of a furnished home: `python -m docs.generate_metrics`.

A test compares the two. Names, types, meanings and labels are the exporter's own.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from state.store import Store  # noqa: E402
from status.metrics.exposition import MAX_JOBS, Exporter, Sources  # noqa: E402
from status.picture.board import Board  # noqa: E402
from status.picture.files import StatusFiles  # noqa: E402
from status.picture.refresh import Refresher  # noqa: E402
from tests.seeing.building import NINE, make_home  # noqa: E402
from tests.seeing.furnished import NOON, furnish  # noqa: E402

INTRODUCTION = """\
# Metrics

<!-- Written by docs/generate_metrics.py from the code; edit the code. -->

`/metrics` of the [HTTP endpoint](http.md), in Prometheus' text format 0.0.4 or OpenMetrics 1.0, as asked for.
[alerts.md](alerts.md) tells how to scrape it, and brings alert rules and a dashboard.

Instants are exported, not ages: `time() - x`. A series that is known in advance is there from the start, at 0; what is
not known (no run yet) is left out. Counters of runs, attempts and deliveries are stored: they do not go back when a
process restarts or history is pruned. Those "since the daemon started" begin at 0 with it, as Prometheus expects.

One alert catches every job that did not do its work in time, whatever its schedule:

```
time() > jobsctl_job_success_deadline_timestamp_seconds
```

With OpenMetrics, each bucket of `jobsctl_run_duration_seconds` has an exemplar: the run that ended last in it, as
`{run_id="..."}` for `jobsctl logs RUN`. It may have been pruned since.

`process_*` are the status process's own CPU, memory and descriptors, `jobsctl_daemon_process_*` the daemon's.
"""
JOBS = """\
A job that is archived has no series. 10,000 jobs are 210,000 series, 18 MB and less than 0.1
seconds of a low-priority process ([benchmarks.md](benchmarks.md)). Scrapes within one second share one text.
"""
PROJECTS = f"""\
`jobsctl_jobs` is always there. The others stand in for the series of jobs when there are more jobs than
`metrics.max_jobs` of `jobsctl.yaml` ({MAX_JOBS:,}, if it says nothing): `jobsctl_metrics_truncated` is 1 then, and the
alerts name projects. There is no counter among them, as a sum over jobs goes back when one is archived.
"""
PARTS = (
    ("Jobs", ("jobsctl_job_", "jobsctl_runs", "jobsctl_slots_skipped"), JOBS),
    ("Projects", ("jobsctl_jobs", "jobsctl_project_"), PROJECTS),
)
WORDS: Mapping[str, str] = {
    "reason": "[a reason](reasons.md)",
    "route": "a pattern, or `other`",
    "code": "HTTP's",
    "revision": "what git calls it",
    "target": "a notifier's name, a callback's host",
}
"""Labels whose values are told in words; others with a closed set list them."""
CLOSED = ("state", "phase", "result", "kind", "collector")


def exporter_of(folder: Path, *, max_jobs: int) -> Exporter:
    """An exporter over a furnished home in an empty folder."""
    home = make_home(folder)
    with closing(Store.open(home.database, now=NINE)) as opened:
        furnish(home, opened)
    refresher = Refresher(home.database, Board(), StatusFiles(home.status), monotonic=lambda: 0.0, now=lambda: NOON)
    refresher.round()
    refresher.stop()
    refresher.run()
    return Exporter(
        Sources(
            home=home, picture=lambda: refresher.picture, requests=lambda: {("/healthz", 200): 3},
            files_written=lambda: 5, now=lambda: NOON, monotonic=lambda: 0.0, version="0.1.0", max_jobs=max_jobs,
        )
    )  # fmt: skip


@functools.cache
def families() -> dict[str, Metric]:
    """Everything that can be told, by name; `process_*` left out."""
    found: dict[str, Metric] = {}
    for max_jobs in (MAX_JOBS, 1):
        with TemporaryDirectory() as folder:
            exporter = exporter_of(Path(folder) / "home", max_jobs=max_jobs)
            text = b"".join(exporter.scrape()).decode()
        for family in text_string_to_metric_families(text):
            if not family.name.startswith(("process_", "jobsctl_daemon_process_")):
                found.setdefault(family.name, family)
    return found


def document() -> str:
    """The whole page."""
    return "".join([INTRODUCTION, *_tables(families())])


def _tables(found: dict[str, Metric]) -> Iterator[str]:
    left = dict(found)
    for title, starts, words in PARTS:
        names = [name for name in left if name.startswith(starts)]
        yield f"\n## {title}\n\n{words}\n" + _table([left.pop(name) for name in names])
    for title, starts in SECTIONS:
        names = [name for name in left if name.startswith(starts)]
        yield f"\n## {title}\n\n" + _table([left.pop(name) for name in names])
    assert not left, f"in no section: {sorted(left)}"


SECTIONS = (
    ("What runs and what waits", ("jobsctl_blocked", "jobsctl_oldest_blocked", "jobsctl_pool", "jobsctl_retries",
                                  "jobsctl_run_duration", "jobsctl_run_wait", "jobsctl_active", "jobsctl_unlaunched")),
    ("The source", ("jobsctl_source", "jobsctl_spec", "jobsctl_prune", "jobsctl_watch", "jobsctl_scan")),
    ("The store", ("jobsctl_db", "jobsctl_state_", "jobsctl_backup", "jobsctl_oldest_run")),
    ("Telling people", ("jobsctl_deliveries", "jobsctl_http", "jobsctl_status", "jobsctl_metrics",
                        "jobsctl_collector")),
    ("The daemon", ("jobsctl_",)),
)  # fmt: skip
"""The last takes what is left."""


def _table(members: list[Metric]) -> str:
    return "| metric | type | labels | |\n|---|---|---|---|\n" + "".join(_row(family) for family in members)


def _row(family: Metric) -> str:
    name = f"{family.name}_total" if family.type == "counter" else family.name
    help = family.documentation[0].lower() + family.documentation[1:].removesuffix(".")
    help = family.documentation.removesuffix(".") if help.startswith("hTTP") else help
    return f"| `{name}` | {family.type} | {_labels(family)} | {help} |\n"


def _labels(family: Metric) -> str:
    names = dict.fromkeys(label for sample in family.samples for label in sample.labels if label != "le")
    return ", ".join(_label(family, name) for name in names)


def _label(family: Metric, name: str) -> str:
    if name in WORDS:
        return f"`{name}`: {WORDS[name]}"
    if name in CLOSED and family.name != "jobsctl_job_info":
        values = dict.fromkeys(sample.labels[name] for sample in family.samples)
        return f"`{name}`: `{' '.join(values)}`"
    return f"`{name}`"


if __name__ == "__main__":
    (ROOT / "docs" / "metrics.md").write_text(document(), encoding="utf-8")
