"""The files of the month (`tests.page.month`): what a small shop's operators have in their repository."""

from __future__ import annotations

SHOP = """\
kind: Defaults
job:
  project: shop
  timezone: Europe/Berlin
  timeout: 2h
  labels: {team: shop}
"""
DATA = """\
kind: Defaults
job:
  project: data
  timezone: Europe/Berlin
  labels: {team: data}
"""
OPS = """\
kind: Defaults
job:
  project: ops
  labels: {team: ops}
"""
SHARED = """\
kind: Pool
name: warehouse
description: The warehouse bears one load at a time.
slots: 1
---
kind: Pool
name: disk
description: Two programs at once read the disks without harm.
slots: 2
---
kind: Calendar
name: holidays
description: Public holidays of Berlin.
timezone: Europe/Berlin
dates: ["10-31", "12-25", "12-26", "01-01", "11-09"]
---
kind: Calendar
name: office-hours
mode: allow
timezone: Europe/Berlin
windows: [{days: mon-fri, from: "08:00", to: "20:00"}]
"""
INVOICES = """\
name: invoices
description: Sends the invoices of the day; accounting waits for them at seven.
tags: [money]
annotations: {runbook: https://wiki.example/invoices, owner: accounting}
schedule: daily at 18:00
retry: {attempts: 2, backoff: fixed, delay: 2m}
env:
  SMTP_HOST: mail.example
  SMTP_PASSWORD: {from_file: /run/secrets/smtp}
run: {command: [bin/invoices, --send]}
"""
KPI_MAIL = """\
name: kpi-mail
description: The figures of yesterday, for those who decide.
schedule: weekdays at 7:30am
run: {command: [bin/kpi, --mail]}
"""
KPI_MAIL_WRONG = """\
name: kpi-mail
description: The figures of yesterday, for those who decide.
schedule: weekdays at 7:30am
retry: {attemps: 3}
run: {command: [bin/kpi, --mail]}
"""
HOSTILE = """\
name: dns-check
description: "<script>alert('dns')</script> \\u202Egnp.exe\\u202C & \\"quotes\\" \\e[31mred\\e[0m 日本語"
labels: {team: ops, note: "<b>bold</b>"}
tags: ["\\"><img src=x onerror=alert(1)>"]
annotations: {runbook: "javascript:alert(document.cookie)", wiki: "https://wiki.example/?a=1&b=<2>"}
schedule: every 15m
params:
  host: {default: "'\\"><svg onload=alert(1)>", description: "which <host>"}
run: {command: [bin/dns, --all]}
"""
OLD_FTP = "name: old-ftp-pull\ndescription: Fetched the price lists from the old server.\nschedule: '@daily'\n" \
    "run: {command: [bin/ftp]}\n"  # fmt: skip

FILES: dict[str, str] = {
    "shared.yaml": SHARED,
    "shop/defaults.yaml": SHOP,
    "data/defaults.yaml": DATA,
    "ops/defaults.yaml": OPS,
    "shop/orders.yaml": """\
name: orders-import
description: Takes over the orders of the last hour from the marketplace.
schedule: "5 * * * *"
run: {command: [bin/import, --from, marketplace]}
---
name: payments-poll
description: Asks the payment provider what was paid.
schedule: every 5m
timeout: 4m
run: {command: [bin/poll, payments]}
---
name: stock-sync
description: Tells the marketplace how much is left of everything.
schedule: every 20m
retry: {attempts: 3, backoff: linear, delay: 4m}
run: {command: [bin/sync, stock]}
---
name: refunds-report
schedule: weekly on friday at 4pm
calendar: holidays
run: {command: [bin/report, refunds]}
""",
    "shop/catalogue.yaml": """\
name: price-feed
schedule: "*/30 6-22 * * *"
run: {command: [bin/feed, prices]}
---
name: sitemap
schedule: daily at 04:10
run: {command: [bin/sitemap]}
---
name: search-reindex
description: Builds the search index anew. Gets slower as the catalogue grows.
schedule: daily at 03:00
timeout: 3h
run: {command: [bin/reindex, --full], limits: {memory: 4G}}
---
name: thumbnails
description: Makes small pictures of new ones.
schedule: every 2h
overlap: queue
run: {command: [bin/thumbnails]}
""",
    "shop/marketing.yaml": """\
name: newsletter
description: "\\U0001F4EC Every Monday, not on holidays."
schedule: weekly on monday at 8am
calendar: [holidays, office-hours]
run: {command: [bin/newsletter, --send]}
---
name: abandoned-carts
schedule: daily at 10:00
jitter: 10m
run: {command: [bin/carts]}
---
name: fraud-check
schedule: every 10m
run: {command: [bin/fraud]}
""",
    "shop/invoices.yaml": INVOICES,
    "data/chain.yaml": """\
name: extract
description: Fetches the orders of the day before.
schedule: daily at 01:30
retry: {attempts: 3, delay: 1m}
run: {command: [bin/etl, extract]}
---
name: clean
depends_on: [extract]
run: {command: [bin/etl, clean]}
---
name: transform
description: Joins orders, customers and stock.
depends_on: [clean]
pool: warehouse
priority: 10
capture: {streams: separate}
run: {command: [bin/etl, transform]}
---
name: load
depends_on: [transform]
pool: warehouse
run: {command: [bin/etl, load]}
---
name: publish
description: Makes the new tables visible, on working days.
depends_on: [load]
calendar: holidays
run: {command: [bin/etl, publish]}
---
name: quality
description: Compares today's tables with those of a week ago.
schedule: daily at 07:00
depends_on: [{job: load, max_age: 20h}]
run: {command: [bin/quality]}
""",
    "data/models.yaml": """\
name: features
schedule: "20 * * * *"
run: {command: [bin/features]}
---
name: train
description: Trains the recommendations on Sundays.
schedule: weekly on sunday at 5am
timeout: 7h
pool: warehouse
run: {command: [bin/train], limits: {memory: 16G}}
---
name: score
schedule: "0 */6 * * *"
run: {command: [bin/score, --all-customers]}
---
name: clickstream
schedule: every 5m
timeout: 5m
run: {command: [bin/poll, clickstream]}
""",
    "data/exports.yaml": """\
name: snapshot
schedule: daily at 02:00
pool: warehouse
run: {command: [bin/snapshot]}
---
name: export-partners
description: One file for each partner, kept for them to fetch.
schedule: daily at 06:30
run: {command: [bin/export, --partners]}
---
name: weekly-report
schedule: weekly on monday at 7am
run: {command: [bin/report, weekly]}
---
name: backfill
description: Computes a range of days again.
params:
  first: {default: "2026-01-01", description: the first day}
  last: {default: yesterday}
run: {command: [bin/backfill]}
---
name: migrate-orders
schedule: {once: ONCE}
run: {command: [bin/migrate]}
---
name: year-end-close
schedule: {once: LATER}
run: {command: [bin/close]}
""",
    "data/kpi.yaml": KPI_MAIL,
    "ops/backup.yaml": """\
name: backup-db
description: Dumps the shop's database and checks that the dump can be read.
tags: [nightly, backup]
annotations: {runbook: https://wiki.example/backup}
schedule: daily at 02:30
timezone: Europe/Berlin
timeout: 2h
retry: {attempts: 3, backoff: exponential, delay: 1m}
pool: disk
run: {command: [bin/backup, --database, shop]}
---
name: backup-files
tags: [nightly, backup]
schedule: daily at 03:15
pool: disk
run: {command: [bin/backup, --files, /srv]}
---
name: verify-restore
description: Restores the newest backup into an empty database and counts rows.
schedule: weekly on saturday at 6am
run: {command: [bin/restore, --verify]}
""",
    "ops/machines.yaml": """\
name: cert-renew
schedule: "H */12 * * *"
run: {command: [bin/certs, renew]}
---
name: log-rotate
schedule: "H 0 * * *"
run: {command: [bin/rotate]}
---
name: disk-health
schedule: every 30m
success_codes: [0, 4]
run: {command: [bin/smart, --all]}
---
name: patch-hosts
description: Installs what the distribution has corrected.
schedule: weekly on wednesday at 5am
run: {command: [bin/patch, --all]}
---
name: mirror
description: Copies the packages that we install from.
schedule: "15 */6 * * *"
run: {command: [bin/mirror, "packages.example::all"]}
---
name: vacuum
pool: disk
run: {command: [bin/vacuum]}
---
name: announce-boot
schedule: "@reboot"
run: {command: [bin/announce]}
---
name: usage-report
schedule: {cron: "0 6 1 * *"}
run: {command: [bin/report, usage]}
""",
    "ops/dns.yaml": HOSTILE,
    "ops/ftp.yaml": OLD_FTP,
}
"""As they were committed first. ONCE and LATER: instants that the month puts in."""

PROGRAMS = (
    "announce", "backfill", "backup", "carts", "certs", "close", "dns", "etl", "export", "feed", "features", "fraud",
    "ftp", "import", "invoices", "kpi", "migrate", "mirror", "newsletter", "patch", "poll", "quality", "reindex",
    "report", "restore", "rotate", "score", "sitemap", "smart", "snapshot", "sync", "thumbnails", "train", "usage",
    "vacuum",
)  # fmt: skip
PROGRAM = """\
#!/bin/sh
# A stand-in for a program of the shop: it says what it was asked, takes a moment, and is done.
echo "$(basename "$0") $*"
for step in 1 2 3 4 5; do echo "step $step of 5"; sleep 0.4; done
echo "done"
"""
