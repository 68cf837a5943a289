"""Codes of the lint: what is legal and probably wrong. Read through `specs.codes`."""

from __future__ import annotations

from specs.codes.code import RUN, Code

LINT = (
    Code(
        "JOB070",
        "step does not divide its field",
        "`*/7` in the minutes is 0, 7, 14 ... 56 and then 0 again, four minutes later: cron counts anew with every "
        "hour. Who wants the same distance always writes an interval, as `every 7m`.",
        f'{RUN}schedule: "*/7 * * * *"\ntimeout: 1m\n',
        f"{RUN}schedule: every 7m\ntimeout: 1m\n",
        severity="warning",
    ),
    Code(
        "JOB071",
        "timeout longer than the time between two slots",
        "A run may take longer than it is until the next slot. What happens then is `overlap`'s to say: the slots are "
        "skipped by default. Who has written `overlap` has decided that, and is not told; with `overlap: replace` the "
        "timeout never comes into play.",
        f"{RUN}schedule: every 10m\ntimeout: 1h\n",
        f"{RUN}schedule: every 10m\ntimeout: 8m\n",
        severity="warning",
    ),
    Code(
        "JOB072",
        "runs often, without a timeout",
        "Programs have no timeout unless one is given. A run that hangs then keeps every later slot from running, and "
        "nothing fails. It is asked for where a job can start more often than every ten minutes; `timeout: none` says "
        "that there is to be none.",
        f"{RUN}schedule: every 1m\n",
        f"{RUN}schedule: every 1m\ntimeout: 50s\n",
        severity="warning",
    ),
    Code(
        "JOB073",
        "time that the clocks skip or repeat",
        "On one night a year this local time does not exist, or exists twice. The finding says when the next ones are, "
        "and what will happen; docs/schedules.md has the rule. Another time of day avoids it, and `dst.gap` and "
        "`dst.repeat`, written out, say that it is meant.",
        f"{RUN}schedule: daily at 02:30\ntimezone: Europe/Berlin\n",
        f"{RUN}schedule: daily at 04:30\ntimezone: Europe/Berlin\n",
        severity="warning",
    ),
    Code(
        "JOB074",
        "secret in clear",
        "A variable that is called like a secret holds a literal value, or a text looks like a token, a private key or "
        "a URL with a password. Whoever can read the repository has it, and its history keeps it: change the secret, "
        "then refer to it. The value itself is never shown. docs/lint.md lists what is taken for one.",
        f"{RUN}env: {{DB_PASSWORD: hunter2}}\n",
        f"{RUN}env: {{DB_PASSWORD: {{from_file: /etc/jobsctl/db.password}}}}\n",
        severity="warning",
    ),
    Code(
        "JOB075",
        "program is not on this machine",
        "The program of `command`, or the `interpreter`, is not there or not executable, so no run would start. Only "
        "`validate --here` and an `apply` beside a running daemon tell this: where a pull request is checked, programs "
        "of the machine that runs the jobs may be missing.",
        "name: hello\nrun: {command: [/opt/no-such-program, hello]}\n",
        RUN,
        severity="warning",
    ),
    Code(
        "JOB076",
        "waits for a job that does not run by itself",
        "A job in `depends_on` is suspended, has no slots left, or only runs when triggered, so its success does not "
        "come by itself and this job does not start.",
        f"{RUN}---\nname: world\ndepends_on: [hello]\nrun: {{command: [echo, world]}}\n",
        f"{RUN}schedule: every 10m\n---\nname: world\ndepends_on: [hello]\nrun: {{command: [echo, world]}}\n",
        severity="warning",
    ),
    Code(
        "JOB077",
        "comment that silences nothing",
        "`# jobsctl: ignore[CODE]` silences warnings on its line (alone on a line: on the next one), "
        "`# jobsctl: ignore-file[CODE]` in the whole file. Several codes are separated by commas. Codes must be named, "
        "and errors cannot be silenced.",
        f"{RUN}schedule: every 1m # jobsctl: ignore[JOB720]\ntimeout: 50s\n",
        f"{RUN}schedule: every 1m # jobsctl: ignore[JOB072]\n",
        severity="warning",
    ),
    Code(
        "JOB078",
        "callback over a connection that is not encrypted",
        "The URL of `callback` begins with `http://`: whoever is on the way reads what is sent, and can keep it from "
        "arriving. The signature only keeps it from being changed unnoticed. Within a network of your own that may be "
        "meant: a comment says so.",
        f'{RUN}callback: {{url: "http://example.com/hook", secret: {{from_file: /etc/jobsctl/hook-key}}}}\n',
        f'{RUN}callback: {{url: "https://example.com/hook", secret: {{from_file: /etc/jobsctl/hook-key}}}}\n',
        severity="warning",
    ),
    Code(
        "JOB079",
        "notifier that no job names",
        "A `Notifier` sends what jobs have it told by their `notify`, and no job names this one: a job, or a folder's "
        "`Defaults`, forgot to, or it can be removed.",
        f"{RUN}---\nkind: Notifier\nname: ops\nurls: [{{from_file: /etc/jobsctl/ops-url}}]\n",
        f"{RUN}notify: [{{to: ops}}]\n---\nkind: Notifier\nname: ops\nurls: [{{from_file: /etc/jobsctl/ops-url}}]\n",
        severity="warning",
    ),
)
