"""How the jobs of the month (`tests.page.month`) behave: how long, how heavy, what goes wrong, what they write."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from state.records import Reason, RunState

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class End:
    """How a run ends that does not succeed."""

    state: RunState = RunState.FAILED
    reason: Reason = Reason.EXIT_CODE
    error: str | None = "exit code 1"
    exit_code: int | None = 1
    signal: int | None = None


BAD = End()
KILLED = End(reason=Reason.SIGNAL, error=None, exit_code=None, signal=11)
OOM = End(reason=Reason.OOM, error="killed for memory: its limit is 4.0 GiB", exit_code=None, signal=9)
LOST = End(reason=Reason.LOST, error="the machine was started anew", exit_code=None)
NO_START = End(
    reason=Reason.START_ERROR, error="program not found: bin/mirror is not in the repository", exit_code=None
)
TIMEOUT = End(RunState.EXPIRED, Reason.TIMEOUT, "stopped at its timeout", None, 15)
CANCELLED = End(RunState.CANCELLED, Reason.CANCELLED, None, None, 15)


@dataclass(frozen=True, slots=True)
class Habit:
    """One job."""

    takes: float = 8.0
    """Seconds."""
    spread: float = 0.2
    growth: float = 0.0
    """Seconds more each day of the month."""
    fails: float = 0.0
    """Share of first attempts that fail."""
    failing_for: float | None = None
    """Days: everything has failed since."""
    ends: Mapping[int, End] = field(default_factory=dict)
    """By how many runs ago: how that one ended."""
    most: int = 1000
    """Runs kept."""
    logs: int = 30
    """Of so many newest runs the output is kept."""
    cores: float = 0.6
    memory: int = 80 * MIB
    writes: Callable[[random.Random], str] | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    result: Mapping[str, Any] | None = None


def rows(random: random.Random) -> str:
    """An import."""
    count = random.randint(40, 220)
    lines = [f"order {random.randint(10_000, 99_999)} taken over, {random.randint(1, 9)} items" for _ in range(count)]
    return "\n".join(["connecting to marketplace.example:443", *lines, f"{count} orders, 0 refused", ""])


def coloured(random: random.Random) -> str:
    """A program that believes it writes to a terminal: colours, a bar drawn over itself, links, a title."""
    lines = ["\x1b]0;reindex\x07\x1b[1mBuilding the index\x1b[0m"]
    for part in range(1, 41):
        level = random.choice(["\x1b[32mok\x1b[0m", "\x1b[33mslow\x1b[0m", "\x1b[38;5;208mretried\x1b[0m"])
        lines.append(f"  shard {part:02d}/40  {random.randint(1000, 90_000):>6} documents  {level}")
    lines.append("progress  10%\rprogress  50%\rprogress 100%")
    lines.append("\x1b]8;;https://wiki.example/index\x1b\\documentation\x1b]8;;\x1b\\ \x1b[31;1m1 warning\x1b[0m")
    return "\n".join([*lines, ""])


def hostile(random: random.Random) -> str:
    """What must never be more than text on a page."""
    return (
        "<script>alert('output')</script>\n"
        "a.example \u202egnp.1.0.0.127\u202c ok & \"quoted\" 'single' </pre></code></template>\n"
        "\x00nul \x07bell \x08back \x1b[2J\x1b[Hcleared \x9b31mC1 \x7fdel\n"
        "javascript:alert(1) data:text/html,<script>alert(2)</script> https://a.example/?q=<b>&x=\"y\"\n"
        "日本語 العربية עברית 👩‍👩‍👧 e\u0301 \ufeff\u200b\n"
    ) + "\udcff\udcfe not UTF-8\n" + "x" * 5000 + "\n"  # fmt: skip


def failing(random: random.Random) -> str:
    """Why the invoices are not sent."""
    return (
        "41 invoices to send\n"
        "connecting to mail.example:587\n"
        "Traceback (most recent call last):\n"
        '  File "bin/invoices", line 88, in send\n'
        "    session.login(user, password)\n"
        "smtplib.SMTPAuthenticationError: (535, b'5.7.8 authentication failed: password expired')\n"
        "0 of 41 invoices were sent\n"
    )


def steps(random: random.Random) -> str:
    """Anything else."""
    return "".join(f"step {step} of 5: {random.randint(10, 900)} done\n" for step in range(1, 6)) + "done\n"


HABITS: Mapping[str, Habit] = {
    "shop/orders-import": Habit(42, 0.35, fails=0.01, writes=rows, cores=0.4, result={"orders": 131, "refused": 0}),
    "shop/payments-poll": Habit(3, 0.5, fails=0.004, logs=24, cores=0.1, memory=24 * MIB),
    "shop/stock-sync": Habit(15, 0.4, fails=0.12, logs=40, writes=rows),
    "shop/refunds-report": Habit(75),
    "shop/price-feed": Habit(20, fails=0.005, logs=24),
    "shop/sitemap": Habit(95, fails=0.03),
    "shop/search-reindex": Habit(
        1300, 0.06, growth=62, ends={9: OOM}, writes=coloured, cores=2.4, memory=1900 * MIB,
        result={"documents": 1_204_331, "shards": 40}),
    "shop/thumbnails": Habit(240, 0.5, growth=7, cores=1.8, memory=300 * MIB),
    "shop/newsletter": Habit(610, 0.1),
    "shop/abandoned-carts": Habit(33, ends={4: KILLED}),
    "shop/fraud-check": Habit(70, 0.9, most=700, logs=24, cores=0.9),
    "shop/invoices": Habit(51, failing_for=1.2, writes=rows),
    "data/extract": Habit(900, 0.15, fails=0.05, cores=0.7, memory=210 * MIB, result={"rows": 812_443}),
    "data/clean": Habit(380, 0.2),
    "data/transform": Habit(1500, 0.12, ends={6: BAD}, cores=3.1, memory=2600 * MIB),
    "data/load": Habit(700, 0.2, memory=500 * MIB),
    "data/publish": Habit(12),
    "data/quality": Habit(130, ends={11: BAD, 12: BAD}),
    "data/features": Habit(190, 0.3, cores=1.4, memory=700 * MIB),
    "data/train": Habit(19_000, 0.1, ends={2: TIMEOUT}, cores=5.5, memory=9000 * MIB),
    "data/score": Habit(800, 0.2, cores=2.0, memory=1200 * MIB),
    "data/clickstream": Habit(22, 0.6, fails=0.01, logs=24, cores=0.5),
    "data/snapshot": Habit(1500, 0.1),
    "data/export-partners": Habit(
        160, outputs={"partners/north.csv": "partner,orders\nnorth,812\n",
                      "partners/süd.csv": "partner,orders\nsüd,93\n",
                      "summary.json": '{"partners": 2}', "read <me> & \"you\".txt": "kept\n"}),
    "data/weekly-report": Habit(45, outputs={"report.html": "<h1>Week</h1><script>alert(1)</script>\n"}),
    "data/backfill": Habit(5200, 0.3, cores=2.2, memory=800 * MIB),
    "data/migrate-orders": Habit(340),
    "data/kpi-mail": Habit(16),
    "ops/backup-db": Habit(1750, 0.08, growth=9, ends={13: BAD}, cores=0.8, memory=350 * MIB,
                           outputs={"shop.dump.sha256": "9f2c\n"}, result={"bytes": 41_222_123_008}),
    "ops/backup-files": Habit(2600, 0.1, cores=0.3),
    "ops/verify-restore": Habit(3100, 0.1, ends={2: BAD}),
    "ops/cert-renew": Habit(9),
    "ops/log-rotate": Habit(5),
    "ops/disk-health": Habit(4, logs=24),
    "ops/patch-hosts": Habit(900),
    "ops/mirror": Habit(8200, 0.25, ends={5: NO_START, 20: LOST}, cores=0.2),
    "ops/vacuum": Habit(1200, 0.4, ends={1: CANCELLED}),
    "ops/announce-boot": Habit(1),
    "ops/usage-report": Habit(40),
    "ops/dns-check": Habit(6, 0.4, fails=0.03, most=600, logs=30, writes=hostile),
    "ops/old-ftp-pull": Habit(60, fails=0.2),
}  # fmt: skip
