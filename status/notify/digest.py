"""The digest: what happened since the last one, in words. Called by the notify process, which finds the facts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from status.notify.wording import Text, Voice, in_voice, span_words, when
from status.words.counting import counted

LISTED = 10
"""Jobs of each part that are listed; of the others it says how many."""
_WORDS = {
    "succeeded": "succeeded", "failed": "failed", "expired": "ran out of time", "cancelled": "cancelled",
    "skipped": "skipped",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failing:
    """A job whose last run did not succeed."""

    identity: str
    since: int | None
    failures: int


@dataclass(frozen=True, slots=True)
class Slow:
    """One of the runs that took longest."""

    identity: str
    run_id: str
    lasted: int
    """Microseconds."""


@dataclass(frozen=True, slots=True)
class Late:
    """A job that should have succeeded by now."""

    identity: str
    deadline: int


@dataclass(frozen=True, slots=True)
class Coming:
    """When a job starts next."""

    identity: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """What a digest tells. Instants are microseconds UTC."""

    since: int
    until: int
    jobs: int
    """Living ones that it is about."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Runs that ended in that time, by state; skipped slots."""
    failing: Sequence[Failing] = ()
    """Now, those failing longest first."""
    late: Sequence[Late] = ()
    slowest: Sequence[Slow] = ()
    """Of that time, the slowest first."""
    coming: Sequence[Coming] = ()
    """The first starts of the day after, in order."""


def write_digest(facts: DigestFacts, voice: Voice, *, last_for_now: int | None = None) -> Text:
    """The message. `last_for_now` as in `wording.write`."""
    ended = sum(count for state, count in facts.counts.items() if state != "skipped")
    troubled = len({job.identity for job in facts.failing} | {job.identity for job in facts.late})
    state = "all is well" if not troubled else f"{troubled} of {facts.jobs} jobs need a look"
    title = f"Digest: {state}, {counted(ended, 'run')}"
    values = {"what": "digest", "job": f"{facts.jobs} jobs", "at": when(facts.until, voice.timezone)}
    values |= {"since": when(facts.since, voice.timezone), "command": "jobsctl status"}
    return in_voice(title, "\n".join(_lines(facts, voice.timezone)), values, voice, last_for_now=last_for_now)


def _lines(facts: DigestFacts, zone: str) -> Iterator[str]:
    yield f"From {when(facts.since, zone)} to {when(facts.until, zone)}, {facts.jobs} jobs"
    told = [f"{facts.counts[state]} {words}" for state, words in _WORDS.items() if facts.counts.get(state)]
    yield f"Runs: {', '.join(told) or 'none'}"
    yield from _part("Failing", [_failing(each, zone) for each in facts.failing])
    yield from _part(
        "Late", [f"{each.identity}, was due to succeed by {when(each.deadline, zone)}" for each in facts.late]
    )
    yield from _part(
        "Slowest", [f"{each.identity}, {span_words(each.lasted)} ({each.run_id})" for each in facts.slowest]
    )
    yield from _part("Next", [f"{when(each.at, zone)} {each.identity}" for each in facts.coming])
    yield "More: jobsctl status"


def _failing(job: Failing, zone: str) -> str:
    since = "" if job.since is None else f", since {when(job.since, zone)}"
    return f"{job.identity}{since}, {counted(job.failures, 'failure')} in a row"


def _part(name: str, lines: Sequence[str]) -> Iterator[str]:
    if not lines:
        return
    yield f"{name}:"
    yield from (f"- {line}" for line in lines[:LISTED])
    if len(lines) > LISTED:
        yield f"... and {len(lines) - LISTED} more"
