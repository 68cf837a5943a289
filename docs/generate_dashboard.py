"""Writes deploy/grafana/jobsctl.json: `python -m docs.generate_dashboard`. A test compares the two.

One table of panels per row, so that places and ids come by themselves. Every expression is also asked of a real
Prometheus by tests/alerting.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

FILE = ROOT / "deploy" / "grafana" / "jobsctl.json"
WIDTH = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
OF_HOUSE = 'job="$job", instance=~"$instance"'
OF_PROJECT = f'{OF_HOUSE}, project=~"$project"'
OF_JOB = f'{OF_PROJECT}, job_name=~"$job_name"'
RED, ORANGE, GREEN, BLUE = "red", "orange", "green", "blue"


@dataclass(frozen=True)
class Panel:
    """One panel. `queries` are (expression, legend)."""

    title: str
    kind: str
    queries: tuple[tuple[str, str], ...]
    width: int = 12
    height: int = 8
    unit: str = "short"
    about: str = ""
    instant: bool = False
    steps: tuple[tuple[str, float | None], ...] = ((GREEN, None),)
    mappings: tuple[dict[str, Any], ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    transformations: tuple[dict[str, Any], ...] = ()
    overrides: tuple[dict[str, Any], ...] = ()


def _stat(title: str, query: str, about: str, *, unit: str = "short", bad: bool = True, **more: Any) -> Panel:
    steps: tuple[tuple[str, float | None], ...] = ((GREEN, None), (RED, 1)) if bad else ((BLUE, None),)
    options = {
        "colorMode": "background" if bad else "value", "graphMode": "none", "textMode": "value",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }  # fmt: skip
    given = {"steps": steps, "options": options} | more
    return Panel(title, "stat", ((query, ""),), width=4, height=4, unit=unit, about=about, instant=True, **given)


def _lines(title: str, *queries: tuple[str, str], unit: str = "short", about: str = "", **more: Any) -> Panel:
    options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return Panel(
        title, "timeseries", queries, unit=unit, about=about, options=options,
        custom={"lineWidth": 1, "fillOpacity": 8, "showPoints": "auto", **more.pop("custom", {})}, **more,
    )  # fmt: skip


def _table(title: str, query: str, about: str, column: str, *, unit: str = "dateTimeFromNow", **more: Any) -> Panel:
    hidden = dict.fromkeys(("Time", "__name__", "job", "instance"), True)
    return Panel(
        title, "table", ((query, ""),), unit=unit, about=about, instant=True, height=7,
        options={"showHeader": True, "sortBy": [{"displayName": column, "desc": False}]},
        transformations=(
            {"id": "organize", "options": {
                "excludeByName": hidden, "renameByName": {"Value": column, "job_name": "Job", "project": "Project"},
            }},
        ),
        **more,
    )  # fmt: skip


UP_DOWN = (
    {"type": "value", "options": {"0": {"text": "down", "color": RED, "index": 0}}},
    {"type": "value", "options": {"1": {"text": "up", "color": GREEN, "index": 1}}},
)
RESULTS = (
    {"type": "value", "options": {"0": {"text": "failed", "color": RED, "index": 0}}},
    {"type": "value", "options": {"1": {"text": "succeeded", "color": GREEN, "index": 1}}},
    {"type": "value", "options": {"2": {"text": "running", "color": BLUE, "index": 2}}},
)
DEADLINE = f"jobsctl_job_success_deadline_timestamp_seconds{{{OF_JOB}}}"
FAILING = f"jobsctl_job_last_run_success{{{OF_JOB}}} == 0 unless jobsctl_job_suspended{{{OF_JOB}}} == 1"
ACTIVE = f"jobsctl_job_active_runs{{{OF_JOB}}}"
NEXT = f"jobsctl_job_next_run_timestamp_seconds{{{OF_JOB}}}"

ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    ("Overview", (
        _stat("Late", f"count(time() > {DEADLINE}) or vector(0)", "Jobs that have not succeeded by their deadline."),
        _stat("Failing", f"count({FAILING}) or vector(0)", "Jobs whose last run failed or expired."),
        _stat(
            "Running", f"sum(jobsctl_jobs{{{OF_PROJECT}, phase=\"in_progress\"}}) or vector(0)",
            "Jobs with a run that is pending or running.", bad=False,
        ),
        _stat(
            "Waiting", f"sum(jobsctl_blocked_runs{{{OF_HOUSE}}}) or vector(0)",
            "Runs that wait: for a pool, a run before, another job, their next attempt.", bad=False,
        ),
        _stat(
            "Next start", f"min({NEXT} > time()) * 1000", "When the next job is due.", bad=False,
            unit="dateTimeFromNow",
        ),
        _stat(
            "Daemon", f"min(jobsctl_daemon_up{{{OF_HOUSE}}}) or vector(0)", "Whether it gives signs of life.",
            bad=False, mappings=UP_DOWN,
        ),
        _table(
            "Late", f"sort((time() > {DEADLINE}) * 1000)",
            "Should have succeeded by then.", "Deadline",
        ),
        _table("Failing", f"jobsctl_job_consecutive_failures{{{OF_JOB}}} > 0",
               "Runs that failed since the last success.", "Failures", unit="short"),
        _table("Coming", f"bottomk(15, {NEXT} > time()) * 1000", "The next starts.", "Starts"),
        _lines(
            "Jobs by phase", (f"sum by (phase) (jobsctl_jobs{{{OF_PROJECT}}})", "{{phase}}"), height=7,
            custom={"stacking": {"mode": "normal"}, "fillOpacity": 30}, about="Every job is in one phase.",
        ),
    )),
    ("Jobs", (
        Panel(
            "Results", "state-timeline",
            ((f"bottomk(60, (jobsctl_job_last_run_success{{{OF_JOB}}} unless {ACTIVE} > 0) or ({ACTIVE} > 0) * 0 + 2)",
              "{{project}}/{{job_name}}"),),
            width=24, height=10, mappings=RESULTS,
            about="How the last run ended; blue while one is active. 60 jobs, those that fail first.",
            options={"mergeValues": True, "showValue": "never", "rowHeight": 0.8, "legend": {"showLegend": False}},
            custom={"fillOpacity": 80, "lineWidth": 0},
        ),
        _lines("Duration of the last run", (
            f"topk(30, jobsctl_job_last_run_duration_seconds{{{OF_JOB}}})", "{{project}}/{{job_name}}"), unit="s",
            about="The 30 longest."),
        _lines(
            "Runs per hour, by how they ended",
            (f"sum by (state) (increase(jobsctl_runs_total{{{OF_JOB}}}[1h]))", "{{state}}"),
            custom={"drawStyle": "bars", "stacking": {"mode": "normal"}, "fillOpacity": 60},
        ),
        _lines(
            "Scheduled instants without a run, per hour",
            (f"sum by (reason) (increase(jobsctl_slots_skipped_total{{{OF_JOB}}}[1h])) > 0", "{{reason}}"),
            custom={"drawStyle": "bars", "stacking": {"mode": "normal"}, "fillOpacity": 60},
        ),
        _lines("Consecutive failures", (
            f"jobsctl_job_consecutive_failures{{{OF_JOB}}} > 0", "{{project}}/{{job_name}}")),
    )),
    ("Runs", (
        Panel(
            "How long runs take", "heatmap",
            ((f"sum by (le) (increase(jobsctl_run_duration_seconds_bucket{{{OF_HOUSE}}}[$__rate_interval]))",
              "{{le}}"),),
            unit="s", about="All jobs together. With exemplars: the runs themselves.",
            options={"calculate": False, "yAxis": {"unit": "s"}, "color": {"scheme": "Blues", "mode": "scheme"}},
        ),
        _lines(
            "How long runs wait for their start",
            *((f"histogram_quantile({share}, sum by (le) (rate(jobsctl_run_wait_seconds_bucket{{{OF_HOUSE}}}[1h])))",
               name) for share, name in ((0.5, "half"), (0.99, "all but 1 in 100"))),
            unit="s", about="For a pool, a run before, another job, a delay.",
        ),
        _lines("What runs wait for", (f"sum by (reason) (jobsctl_blocked_runs{{{OF_HOUSE}}})", "{{reason}}")),
        _lines(
            "Pools",
            (f"jobsctl_pool_running{{{OF_HOUSE}}}", "{{pool}}: running"),
            (f"jobsctl_pool_waiting{{{OF_HOUSE}}}", "{{pool}}: waiting"),
            (f"jobsctl_pool_slots{{{OF_HOUSE}}}", "{{pool}}: slots"),
        ),
    )),
    ("Daemon", (
        _lines(
            "How late runs start",
            *((f"histogram_quantile({share}, sum by (instance, le) "
               f"(rate(jobsctl_scheduler_lag_seconds_bucket{{{OF_HOUSE}}}[$__rate_interval])))",
               f"{{{{instance}}}}: {name}") for share, name in ((0.5, "half"), (0.99, "all but 1 in 100"))),
            unit="s",
        ),
        _lines(
            "Work", (f"rate(jobsctl_reconcile_total{{{OF_HOUSE}}}[$__rate_interval])", "{{instance}}: {{result}}"),
            unit="ops", about="Rounds of work per second.",
        ),
        _lines(
            "Processors",
            (f"rate(jobsctl_daemon_process_cpu_seconds_total{{{OF_HOUSE}}}[$__rate_interval])", "{{instance}}: daemon"),
            (f"rate(process_cpu_seconds_total{{{OF_HOUSE}}}[$__rate_interval])", "{{instance}}: status process"),
            unit="percentunit",
        ),
        _lines(
            "Memory",
            (f"jobsctl_daemon_process_resident_memory_bytes{{{OF_HOUSE}}}", "{{instance}}: daemon"),
            (f"process_resident_memory_bytes{{{OF_HOUSE}}}", "{{instance}}: status process"),
            unit="bytes",
        ),
        _lines(
            "Database",
            (f"jobsctl_db_size_bytes{{{OF_HOUSE}}}", "{{instance}}: file"),
            (f"jobsctl_db_wal_bytes{{{OF_HOUSE}}}", "{{instance}}: log"),
            unit="bytes",
        ),
        _lines("Disk", (f"jobsctl_state_filesystem_avail_bytes{{{OF_HOUSE}}}", "{{instance}}: room"), unit="bytes"),
    )),
    ("Source", (
        _stat("Specs directory", f"min(jobsctl_source_up{{{OF_HOUSE}}})", "Whether it can be read.", bad=False,
              mappings=UP_DOWN),
        _stat("Errors", f"sum(jobsctl_spec_errors{{{OF_HOUSE}}})", "Findings that keep documents from being applied."),
        _stat("Held back", f"sum(jobsctl_prune_blocked_jobs{{{OF_HOUSE}}})", "Jobs the prune guard keeps."),
        _stat("Watcher", f"min(jobsctl_watch_up{{{OF_HOUSE}}})", "Without it, sweeps find changes.", bad=False,
              mappings=UP_DOWN),
        _stat("Jobs", f"sum(jobsctl_spec_jobs{{{OF_HOUSE}}})", "Valid jobs in the files.", bad=False),
        _stat("Last look", f"min(jobsctl_scan_last_timestamp_seconds{{{OF_HOUSE}}}) * 1000",
              "When the daemon last looked at the files.", bad=False, unit="dateTimeFromNow"),
        Panel("Revision", "table", ((f"jobsctl_source_info{{{OF_HOUSE}}}", ""),), height=5, instant=True,
              about="What was applied last.",
              transformations=({"id": "organize", "options": {
                  "excludeByName": dict.fromkeys(("Time", "Value", "__name__", "job"), True)}},)),
        _lines("How long a look takes", (f"jobsctl_scan_duration_seconds{{{OF_HOUSE}}}", "{{instance}}"), unit="s",
               height=5),
    )),
    ("Telling", (
        _lines(
            "Notifications and callbacks, per hour",
            (f"sum by (kind, target, result) (increase(jobsctl_deliveries_total{{{OF_HOUSE}}}[1h]))",
             "{{kind}} {{target}}: {{result}}"),
            custom={"drawStyle": "bars", "stacking": {"mode": "normal"}, "fillOpacity": 60},
        ),
        _lines("Tried again", (
            f"sum by (kind, target) (jobsctl_deliveries_retrying{{{OF_HOUSE}}})", "{{kind}} {{target}}")),
        _lines("Requests", (
            f"sum by (route, code) (rate(jobsctl_http_requests_total{{{OF_HOUSE}}}[$__rate_interval]))",
            "{{code}} {{route}}"), unit="reqps"),
        _lines("Streams", (f"jobsctl_http_streams{{{OF_HOUSE}}}", "{{instance}}")),
    )),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """The document Grafana imports."""
    return {
        "title": "jobsctl",
        "uid": "jobsctl",
        "description": "Jobs of jobsctl: what fails, what is late, what runs, what comes; and the daemon behind it.",
        "tags": ["jobsctl"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": list(_variables())},
        "annotations": {"list": [_annotation()]},
        "panels": list(_panels()),
    }


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    yield _variable("job", "Scrape job", "label_values(jobsctl_build_info, job)", several=False)
    yield _variable("instance", "Home", 'label_values(jobsctl_build_info{job="$job"}, instance)')
    yield _variable("project", "Project", f"label_values(jobsctl_jobs{{{OF_HOUSE}}}, project)")
    yield _variable("job_name", "Job", f"label_values(jobsctl_job_info{{{OF_PROJECT}}}, job_name)")


def _variable(name: str, label: str, query: str, *, several: bool = True) -> dict[str, Any]:
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE, "refresh": 2, "sort": 1,
        "query": {"query": query, "refId": name}, "definition": query,
        "multi": several, "includeAll": several, "allValue": ".*" if several else None,
        "current": {"text": "All", "value": "$__all"} if several else {},
    }  # fmt: skip


def _annotation() -> dict[str, Any]:
    return {
        "name": "New revision", "datasource": SOURCE, "enable": True, "iconColor": BLUE,
        "expr": f"count by (revision) (jobsctl_source_info{{{OF_HOUSE}}}) "
                f"unless count by (revision) (jobsctl_source_info{{{OF_HOUSE}}} offset 1m)",
        "titleFormat": "applied {{revision}}", "step": "1m",
    }  # fmt: skip


def _panels() -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for title, panels in ROWS:
        number += 1
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
               "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}}  # fmt: skip
        top += 1
        left = height = 0
        for panel in panels:
            if left + panel.width > WIDTH:
                left, top, height = 0, top + height, 0
            number += 1
            yield _panel(panel, number, {"x": left, "y": top, "w": panel.width, "h": panel.height})
            left, height = left + panel.width, max(height, panel.height)
        top += height


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    defaults = {
        "unit": panel.unit, "mappings": list(panel.mappings), "custom": panel.custom,
        "thresholds": {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in panel.steps]},
    }  # fmt: skip
    targets = [
        {"refId": chr(ord("A") + place), "expr": expression, "legendFormat": legend, "datasource": SOURCE,
         "exemplar": panel.kind in ("timeseries", "heatmap") and "_bucket" in expression,
         "instant": panel.instant, "range": not panel.instant,
         "format": "table" if panel.kind == "table" else "heatmap" if panel.kind == "heatmap" else "time_series"}
        for place, (expression, legend) in enumerate(panel.queries)
    ]  # fmt: skip
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.about, "datasource": SOURCE,
        "gridPos": place, "targets": targets, "options": panel.options,
        "fieldConfig": {"defaults": defaults, "overrides": list(panel.overrides)},
        "transformations": list(panel.transformations),
    }  # fmt: skip


def document() -> str:
    """The file's text."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
