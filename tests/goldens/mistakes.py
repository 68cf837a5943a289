"""Spec files with one kind of mistake each, for the house `broken`; and what somebody edited, for `changed`."""

from __future__ import annotations

BROKEN = {
    "jobs/key.yaml": "name: key\nschedule: every 10m\nrun: {comand: [mail]}\n",
    "jobs/schedule.yaml": 'name: schedule\nschedule: "0 25 * * *"\nrun: {command: [mail]}\n',
    "jobs/duration.yaml": "name: duration\nschedule: daily at 02:30\ntimeout: 30 parsecs\nrun: {command: [mail]}\n",
    "jobs/zone.yaml": "name: zone\nschedule: daily at 02:30\ntimezone: Europe/Berlln\nrun: {command: [mail]}\n",
    "jobs/missing.yaml": "name: missing\nschedule: daily at 02:30\n",
    "jobs/type.yaml": 'name: type\nschedule: daily at 02:30\nretry: {attempts: "three"}\nrun: {command: [mail]}\n',
    "jobs/indent.yaml": "name: indent\nschedule: daily at 02:30\nrun:\n  command: [mail]\n script: x\n",
    "jobs/dependency.yaml": "name: dependency\ndepends_on: [kye]\nrun: {command: [mail]}\n",
    "jobs/twice-a.yaml": "name: twice\nrun: {command: [a]}\n",
    "jobs/twice-b.yaml": "name: twice\nrun: {command: [b]}\n",
    "jobs/Name.yaml": "name: Send Mail\nrun: {command: [mail]}\n",
    "jobs/odd.yaml": 'name: odd\nschedule: "*/7 * 1 * 1"\nenv: {API_TOKEN: hunter2hunter2}\nrun: {command: [mail]}\n',
}
"""Path in the home -> text. `odd.yaml` has warnings only."""

EDITED = {
    "jobs/ops/clean.yaml": None,
    "jobs/hello.yaml": """\
name: hello
description: Says hello; change me.
labels: {team: ops}
schedule: every 15m
timeout: 30m
env: {GREETING_TOKEN: s3cr3t-s3cr3t}
run: {command: [echo, hello, world]}
""",
    "jobs/fresh.yaml": """\
name: fresh
description: New since yesterday.
schedule: daily at 02:30
timezone: Europe/Berlin
timeout: 1h
run: {command: [fresh]}
""",
}
"""Path in the home -> its new text, None: removed."""

GIVEN = {
    "report.yaml": "name: report\nschedule: daily at 06:00\nrun: {command: [make, report]}\n",
    "bad.yaml": BROKEN["jobs/key.yaml"],
    "more/one.yaml": "name: one\nrun: {command: [one]}\n",
    "more/two.yaml": "name: two\nrun: {command: [two]}\n",
    "poll.yaml": "name: other\nrun: {command: [other]}\n",
    "empty.yaml": "",
    "notes.txt": "name: notes\nrun: {command: [notes]}\n",
}
"""Files beside the specs, that somebody applies or checks by name."""
