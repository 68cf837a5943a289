"""`jobsctl doctor`: look at everything a daemon needs, say what is wrong and how to mend it."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.options import Settings

NAMES = (
    "settings", "specs", "rights-specs", "rights-way", "rights-state", "clock-sync", "clock-jumps", "timezones",
    "disk", "disk-pace", "watcher", "limits", "cgroups", "database", "database-files", "daemon", "daemon-work",
    "version", "supervisors", "requests", "http", "tokens", "unit", "jobs", "telling", "run-directories", "run-files",
    "restores", "processes", "git", "backup",
)  # fmt: skip
"""Of `cli.health.checks.CHECKS`, spelled out so that `--help` needs not load them; a test compares."""
ONLY = "Only this check; repeatable. docs/doctor.md lists them."


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend; asks first on a terminal.")
@click.option("-y", "--yes", is_flag=True, help="With --fix: do not ask.")
@click.option("--only", "names", multiple=True, type=click.Choice(NAMES), metavar="NAME", help=ONLY)
@click.option("-v", "--verbose", is_flag=True, help="Say what is all right too.")
@click.pass_obj
def command(settings: Settings, fix: bool, yes: bool, names: tuple[str, ...], verbose: bool) -> int:
    """Look at everything a daemon needs: rights, clock, disk, limits, database, files, deliveries, leftovers, git.

    Works with no daemon running and with a broken database. Says what is wrong, and what to do about it. Ends with 1
    when there is a problem; warnings alone end with 0.

    \b
    Examples:
      jobsctl doctor
      jobsctl doctor --only database --only disk
      jobsctl doctor --fix --yes
    """
    import jobsctl
    from cli.doctor import doctor_lines, mend_all
    from cli.health.checks import CHECKS, examine, worst
    from cli.health.finding import Level, Patient
    from cli.output import print_one
    from cli.progress import Progress

    checks = [check for check in CHECKS if not names or check.name in names]
    home = settings.existing_home()

    def look() -> Patient:
        return Patient(home, settings.now(), jobsctl.__version__)

    patient = look()
    try:
        with Progress() as tell:
            told = examine(patient, checks, begin=lambda name: tell(f"checking {name}"))
        fixed = mend_all(settings, told, yes=yes) if fix else []
    finally:
        patient.close()
    if any(each.done for each in fixed):
        patient = look()
        try:
            with Progress() as tell:
                told = examine(patient, checks, begin=lambda name: tell(f"checking {name}"))
        finally:
            patient.close()
    level = worst(told)
    # Data has everything; people asked for what is wrong.
    print_one(
        settings,
        {
            "ok": level is not Level.PROBLEM,
            "level": level.value,
            "findings": [each.view() for each in told],
            "fixed": [each.view() for each in fixed],
        },
        name="\n".join(dict.fromkeys(each.check for each in told if each.finding.level is not Level.OK)),
        text=doctor_lines(told, verbose=verbose),
    )
    return Exit.FAILED if level is Level.PROBLEM else Exit.OK
