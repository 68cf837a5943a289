"""Codes about when a job runs (schedules, calendars, conditions), notifiers, and what has no effect.

Read through `specs.codes`.
"""

from __future__ import annotations

from specs.codes.code import RUN, Code

NOTIFIER = 'kind: Notifier\nname: ops\nurls: ["mailto://localhost?to=ops@example.com"]\n'

TIMING = (
    Code(
        "JOB040",
        "schedule cannot be used",
        "The expression is not one of those that are known, or can never fire.",
        f'{RUN}schedule: "61 * * * *"\n',
        f'{RUN}schedule: "59 * * * *"\n',
    ),
    Code(
        "JOB041",
        "schedule may not mean what it seems to",
        "The expression is sound and is applied; it has a known way of surprising people.",
        f'{RUN}schedule: "0 0 1 * 1"\n',
        f'{RUN}schedule: "0 0 1 * *"\n',
        severity="warning",
    ),
    Code(
        "JOB042",
        "unknown timezone",
        "Zones are names of the IANA database, as Europe/Berlin. Abbreviations such as CST mean several zones.",
        f"{RUN}timezone: Europe/Berln\n",
        f"{RUN}timezone: Europe/Berlin\n",
    ),
    Code(
        "JOB043",
        "has no effect",
        "The field is sound and is applied, and nothing in this job asks for it: often something else is missing. What "
        "comes from a `Defaults` document is not told.",
        f"{RUN}repeat: 3\n",
        f"{RUN}schedule: every 10m\nrepeat: 3\n",
        severity="warning",
    ),
    Code(
        "JOB044",
        "jitter longer than the schedule's period",
        "A `spread` this long makes every run lie one slot or more behind. A `random` offset is always less than the "
        "distance to the next slot, whatever is asked for.",
        f"{RUN}schedule: every 10m\njitter: 30m\n",
        f"{RUN}schedule: every 10m\njitter: 2m\n",
        severity="warning",
    ),
    Code(
        "JOB045",
        "calendar cannot be used",
        "A date, weekday or time of the calendar is none, or its times are such that a job could never run.",
        "kind: Calendar\nname: holidays\ndates: [2026-13-24]\n",
        "kind: Calendar\nname: holidays\ndates: [2026-12-24]\n",
    ),
    Code(
        "JOB046",
        "condition cannot work",
        "`until` is an expression of CEL over `run`, `job`, `result` and `now`, and is true or false. It is tried with "
        "sample values when the file is read; what a result will hold cannot be known then. docs/conditions.md lists "
        "the fields.",
        f"{RUN}schedule: every 10m\nuntil: run.status == 'succeeded'\n",
        f"{RUN}schedule: every 10m\nuntil: run.state == 'succeeded'\n",
    ),
    Code(
        "JOB047",
        "parameter that is not put in",
        "`{{ params.name }}` is replaced in arguments, variables and the working directory, by parameters that the job "
        "has. In a script it never is: a value pasted into a program is how injections are made.",
        "name: hello\nparams: {who: {default: you}}\nrun: {command: [echo, '{{ params.whom }}']}\n",
        "name: hello\nparams: {who: {default: you}}\nrun: {command: [echo, '{{ params.who }}']}\n",
        severity="warning",
    ),
    Code(
        "JOB048",
        "template stands for nothing",
        "A notifier's `template` is filled in with names in two braces, and with these only: it has no conditions, "
        "loops or filters. docs/notifications.md lists the names.",
        f"{NOTIFIER}template: {{title: '{{{{ jobs }}}} failed'}}\n",
        f"{NOTIFIER}template: {{title: '{{{{ job }}}} failed'}}\n",
    ),
    Code(
        "JOB049",
        "quiet hours cannot be used",
        "A weekday or time of a notifier's `quiet_hours` is none, or they never end.",
        f'{NOTIFIER}quiet_hours: {{from: "22:00", to: "25:00"}}\n',
        f'{NOTIFIER}quiet_hours: {{from: "22:00", to: "07:00"}}\n',
    ),
)
