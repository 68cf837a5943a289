"""`jobsctl status`: one screen that answers whether everything is all right, and if not, what to look at first."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings, watchable


@click.command("status")
@click.argument("job", required=False)
@watchable
@click.pass_obj
def command(settings: Settings, job: str | None) -> int:
    """Say how the daemon, the files and the jobs are; with JOB, all about that job.

    Ends with 0 when all is well, 1 when something is not (a job fails, a file is wrong, a run is overdue), 5 when no
    daemon is running. With JOB: 0 when it is well, 1 when it is not.

    \b
    Examples:
      jobsctl status
      jobsctl status report
      jobsctl status -o json | jq .problems
    """
    from cli.output import print_one
    from cli.reading import reading
    from cli.selection import find_job

    with reading(settings) as seen:
        if job is None:
            from cli.overview import overview

            whole = overview(seen, settings.project)
            print_one(settings, whole.view(), name="\n".join(whole.troubled()), text=whole.lines())
            return whole.exit_code()
        from cli.jobstory import is_well, job_lines

        record = find_job(settings, seen.reader, job)
        print_one(settings, seen.view(record), name=f"job/{record.identity}", text=job_lines(seen, record))
        return Exit.OK if is_well(seen, record) else Exit.FAILED
