"""Files of other systems, as people have them, for the house `moved`."""

from __future__ import annotations

FOREIGN = {
    "crontab": """\
MAILTO=ops@example.com
PATH=/usr/local/bin:/usr/bin:/bin

# Dumps the shop's database
30 2 * * * backup --database shop > /var/log/backup.log 2>&1
*/15 8-18 * * 1-5 poll "https://shop.example/orders?day=$(date +\\%F)"
@reboot warm-cache
""",
    "system.crontab": """\
SHELL=/bin/sh
17 * * * * root cd / && run-parts --report /etc/cron.hourly
25 6 * * * www-data reindex
""",
    "bad.crontab": "30 2 * * * backup\n61 2 * * * never\nthis is no line of cron\n",
    "empty.crontab": "# nothing yet\n",
    "backup.timer": """\
[Unit]
Description=Dump the database every night

[Timer]
OnCalendar=*-*-* 02:30:00
RandomizedDelaySec=10min
Persistent=true

[Install]
WantedBy=timers.target
""",
    "backup.service": """\
[Unit]
Description=Dump the database

[Service]
Type=oneshot
User=postgres
ExecStart=/usr/local/bin/backup --database shop
TimeoutStartSec=1h
""",
    "bad.timer": "[Timer]\nOnCalendar=someday\n",
    "cronjob.yaml": """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: report
  namespace: sales
spec:
  schedule: "0 6 * * 1-5"
  timeZone: Asia/Tokyo
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 2
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: report
              image: registry.example/report:1.4
              command: [make, report]
              resources: {limits: {memory: 512Mi}}
""",
    "deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n",
    "yacrontab.yaml": """\
defaults:
  shell: /bin/bash
jobs:
  - name: ping
    command: ping -c 1 shop.example
    schedule: "*/5 * * * *"
    captureStderr: true
    onFailure:
      retry: {maximumRetries: 3, initialDelay: 10, maximumDelay: 60, backoffMultiplier: 2}
      report: {mail: {from: cron@example.com, to: ops@example.com, smtpHost: mail.example}}
""",
    "jobs.json": """\
{"name": "daily-summary", "enabled": true, "runner_type": "program",
 "runner_config": {"command": "summary", "args": ["--day", "yesterday"]},
 "trigger_type": "cron", "trigger_config": {"expression": "0 7 * * *", "timezone": "UTC"}}
""",
    "broken.yaml": "jobs: [\n",
}
"""Path in the home -> text."""
