"""APScheduler 3 as a daemon, in its own environment: `apscheduler_daemon.py JOBS THREADS AT`.

JOBS is a JSON list of command lines; AT an instant in seconds, 0 for one far away. Writes `ready` beside JOBS when all
are added. Sees only its own environment: nothing of this package is imported.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger


def main(jobs: Path, threads: int, at: float) -> None:
    """Add the jobs, run until killed."""
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(threads)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        timezone=UTC,
    )
    scheduler.start(paused=True)
    due = DateTrigger(datetime.fromtimestamp(at, UTC)) if at else None
    commands = json.loads(jobs.read_text(encoding="utf-8"))
    for number, command in enumerate(commands):
        trigger = due or CronTrigger(minute=number % 60, hour=0, day=29, month=2, timezone=UTC)
        scheduler.add_job(subprocess.call, trigger, args=[command])
    scheduler.resume()
    (jobs.parent / "ready").write_text(str(len(scheduler.get_jobs())), encoding="ascii")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
