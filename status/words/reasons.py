"""Every reason in words: what it means as an end, as a slot without a run, as what a run waits for; and what to do.

Read by the command line (`why`, `runs`, `describe`) and by `docs/generate_reasons.py`, which makes docs/reasons.md of
it. The set is closed: a `Reason` without an entry here fails a test. Pure words: it knows no run and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from specs.frozen import frozen
from state.records import Reason


@frozen(kw_only=True)
class Explained:
    """One reason. Each text is a clause that goes on after a colon; None where the reason is not used that way."""

    end: str | None = None
    """Why a run ended as it did."""
    skip: str | None = None
    """Why slots have no run."""
    wait: str | None = None
    """What a blocked run waits for."""
    decision: str | None = None
    """Why deciding did what it did (the daemon's log and its events only)."""
    advice: str
    """What to do about it; `nothing` when all is as it should be."""


EXPLAINED: Mapping[Reason, Explained] = {
    Reason.SUCCEEDED: Explained(
        end="it ended with one of its success codes (`success_codes`, 0 when the job names none)", advice="nothing"
    ),
    Reason.EXIT_CODE: Explained(
        end="it exited with a code that is not a success",
        advice="`jobsctl logs RUN`; a code that is no failure belongs into `success_codes`",
    ),
    Reason.SIGNAL: Explained(
        end="a signal ended it that jobsctl did not send", advice="`jobsctl logs RUN`, and the log of the machine"
    ),
    Reason.TIMEOUT: Explained(
        end="it ran longer than its `timeout` and was stopped",
        advice="find what it waits for (`jobsctl logs RUN`), or raise `timeout`",
    ),
    Reason.CANCELLED: Explained(end="somebody cancelled it", advice="`jobsctl run RUN` says who"),
    Reason.DELETED: Explained(
        end="its job was removed from the files, with `on_delete: cancel`",
        advice="bring the file back when it was not meant to go",
    ),
    Reason.LOST: Explained(
        end="nobody saw how it ended: the machine went down, or daemon and supervisor did at once",
        advice="`jobsctl logs RUN` shows how far it came; `on_lost: rerun` runs such a run again",
    ),
    Reason.START_ERROR: Explained(
        end="it could not be started; its error says which step failed",
        advice="correct what the error names: the program, the user, the directory, a secret",
    ),
    Reason.OOM: Explained(
        end="the kernel killed it for memory", advice="raise `run.limits.memory`, or let it use less"
    ),
    Reason.REPLACED: Explained(
        end="it was cancelled because the next slot came (`overlap: replace`)",
        advice="nothing; when it happens often, the job takes longer than its schedule allows",
    ),
    Reason.SUPERSEDED: Explained(
        end="it waited and never started: the run of the next slot took its place",
        advice="look at what it waited for (its events); the slot after it has the run",
    ),
    Reason.OVERLAP: Explained(
        skip="the run before was still active",
        wait="the end of the run before",
        advice="`overlap: queue` lets one wait instead, `allow` runs them side by side; or run it less often",
    ),
    Reason.POOL: Explained(
        skip="the run before still waited for a slot of its pool",
        wait="a slot of its pool",
        advice="`jobsctl runs --active` shows who holds the slots; raise the pool's `slots`, or the job's `priority`",
    ),
    Reason.DEPENDENCY: Explained(
        end="a job it depends on has failed (`on_dependency_failure: fail`)",
        skip="the run before still waited for a job it depends on",
        wait="the success of a job it depends on",
        advice="`jobsctl graph JOB` shows which; mend that one, then this one goes on by itself",
    ),
    Reason.MISSED: Explained(
        skip="nothing could run then: the machine slept, the clock was set, or the daemon was held up",
        advice="nothing when the slot after them was caught up; `missed: all` catches up each slot",
    ),
    Reason.DAEMON_DOWN: Explained(
        skip="no daemon was running",
        advice="run the daemon as a service, which is started again by itself; `missed: all` catches up each slot",
    ),
    Reason.GRACE: Explained(
        skip="they were found later than `missed: {grace: ...}` allows", advice="raise `grace`, or trigger the job"
    ),
    Reason.SUSPENDED: Explained(
        skip="the job was suspended", advice="`jobsctl resume JOB`, or remove `suspend` from its file"
    ),
    Reason.PAST: Explained(
        skip="the instant of this one-shot had passed when its file was first applied",
        advice="give it an instant to come, or `jobsctl trigger JOB`",
    ),
    Reason.CALENDAR: Explained(
        skip="a calendar of the job does not let it run then",
        wait="the time at which its calendar allows it",
        advice="nothing; a calendar's `action` says whether such a slot is skipped or deferred",
    ),
    Reason.HORIZON: Explained(
        skip="it lies beyond the end of the job: `end_at`, `repeat` or `until`",
        advice="nothing; change `end_at`, `repeat` or `until` when the job is to go on",
    ),
    Reason.DST_GAP: Explained(
        skip="the clocks went forward over it, and the job says `dst: {gap: skip}`",
        advice="nothing; `dst: {gap: run_after}`, the default, runs it right after the gap",
    ),
    Reason.BACKOFF: Explained(
        wait="the delay before its next attempt", advice="nothing; `retry.delay` and `retry.backoff` say how long"
    ),
    Reason.DUE: Explained(decision="the slot has come, and its run was made", advice="nothing"),
    Reason.NOT_DUE: Explained(decision="no slot has come", advice="nothing"),
    Reason.WAITING: Explained(decision="what is due waits, as its run says", advice="look at the blocked run"),
    Reason.STAGGER: Explained(
        decision="something is to be caught up, a little later, so that not all jobs start at once", advice="nothing"
    ),
    Reason.COMPLETE: Explained(
        decision="the job is complete: `repeat`, `end_at`, `until`, or no instant is left",
        advice="nothing; a change of what says so starts it anew",
    ),
    Reason.CLOCK: Explained(
        decision="the clock was set back by hours: what is due counts from the new time",
        advice="check the clock of the machine",
    ),
    Reason.ARCHIVED: Explained(
        decision="no file defines the job any more", advice="bring its file back when it was not meant to go"
    ),
    Reason.MANUAL: Explained(decision="somebody asked for the run", advice="nothing"),
}


def skip_words(reason: Reason | None) -> str:
    """Why slots have no run, as a clause."""
    found = EXPLAINED.get(reason) if reason is not None else None
    return (found.skip if found else None) or "the reason is not known to this version of jobsctl"


def wait_words(reason: Reason | None) -> str:
    """What a blocked run waits for, as the object of `waits for`."""
    found = EXPLAINED.get(reason) if reason is not None else None
    return (found.wait if found else None) or "something this version of jobsctl does not know"


def end_words(reason: Reason | None) -> str | None:
    """Why a run ended so, as a clause; None for what says nothing beyond the state."""
    found = EXPLAINED.get(reason) if reason is not None else None
    return found.end if found else None


def advice_words(reason: Reason | None, identity: str) -> str:
    """What to do about it, for this job; empty when there is nothing to do."""
    found = EXPLAINED.get(reason) if reason is not None else None
    return "" if found is None or found.advice.startswith("nothing") else found.advice.replace("JOB", identity)
