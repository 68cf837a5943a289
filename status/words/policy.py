"""A job's policies in words, the defaults too: what `describe` and the page show. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from specs.jitter import stable_offset
from specs.policy import Policy, RetryPolicy
from specs.stored import StoredJob, StoredValue, Unreadable
from state.records import JobRecord
from status.words.counting import counted
from status.words.masking import masked
from status.words.times import size, span, stamp

SECOND = 1_000_000
OVERLAP = {
    "skip": "a slot that comes while a run is active is skipped",
    "queue": "a slot that comes while a run is active waits for its end; one waits, others are skipped",
    "replace": "a slot that comes while a run is active cancels it",
}
MISSED = {
    "latest": "of slots that passed while nothing could run, the latest is caught up",
    "skip": "slots that passed while nothing could run are not caught up",
}
BACKOFF = {"fixed": "", "linear": ", growing by that each time", "exponential": ", doubling each time"}
OCCASIONS = ("failure", "recovery", "missed", "still_failing", "slow", "skipped", "success")
ENDS = ("succeeded", "failed", "cancelled", "expired", "skipped")
FAILURE = {
    "wait": "a failure of one is waited out",
    "fail": "a failure of one fails the run",
    "run": "a failure of one does not hold it",
}


def policy_pairs(record: JobRecord, job: StoredJob, policy: Policy) -> Iterator[tuple[str, str]]:
    """Name and sentence of every policy, in the order people ask for them."""
    if policy.overlap == "allow":
        most = policy.max_concurrent
        yield "Overlap", f"up to {counted(most, 'run')} at once; a slot beyond that is skipped"
    else:
        yield "Overlap", OVERLAP[policy.overlap]
    if job.schedule is not None:
        yield "Missed", _missed(policy)
    yield "Retry", _retry(policy.retry)
    yield "Lost", f"a run whose end nobody saw {'is run again' if policy.rerun_lost else 'has failed'}"
    timeout = job.timeout_seconds()
    yield "Timeout", "none" if timeout is None else f"{span(timeout)}, then TERM, and KILL {span(job.grace)} later"
    if policy.success_codes != {0}:
        yield "Success", f"exit codes {', '.join(map(str, sorted(policy.success_codes)))}"
    if policy.spread or policy.random:
        yield "Jitter", _jitter(record, policy)
    if policy.calendars:
        yield "Calendar", ", ".join(policy.calendars)
    if policy.pool is not None:
        yield "Pool", f"{policy.pool}, priority {policy.priority}"
    yield from _telling(job)
    yield from _completion(record, policy)
    if policy.depends_on:
        yield "Failure", f"{FAILURE[policy.on_dependency_failure]} (`on_dependency_failure`)"
    if policy.cancel_on_delete:
        yield "Deleting", "an active run is cancelled when its file goes"
    if not policy.prune:
        yield "Pruning", "it stays when its file goes"
    kept = job.retention
    runs, age, output = kept.get("max_runs"), kept.get("max_age"), kept.get("output_max")
    if runs or age or output:
        parts = (
            f"{runs} runs" if runs else "",
            span(age) if age else "",
            f"{size(output)} of output" if output else "",
        )
        yield "History", ", ".join(part for part in parts if part)


def _telling(job: StoredJob) -> Iterator[tuple[str, str]]:
    try:
        rules, callback = job.notify, job.callback
    except Unreadable:
        return
    for rule in rules:
        on = [each.replace("_", " ") for each in OCCASIONS if each in rule.on]
        extra = f" (longer than {span(rule.slower_than)})" if "slow" in rule.on and rule.slower_than else ""
        extra += f" (every {rule.failures} failures)" if "still_failing" in rule.on else ""
        yield "Notify", f"{', '.join(rule.to)}: on {', '.join(on)}{extra}"
    if callback is not None:
        ends = "every end" if len(callback.on) == len(ENDS) else ", ".join(each for each in ENDS if each in callback.on)
        yield "Callback", f"{address_words(callback.url)}: {ends}"


def address_words(value: StoredValue) -> str:
    """An address without what may be secret of it, or where it is kept."""
    if isinstance(value, str):
        return str(masked({"url": value})["url"])
    return ", ".join(f"{key} {where}" for key, where in value.items())


def _missed(policy: Policy) -> str:
    said = MISSED.get(policy.missed) or (
        f"of slots that passed while nothing could run, the latest {policy.max_missed} are caught up, in order"
    )
    return said if policy.grace is None else f"{said}; none that is more than {span(policy.grace / SECOND)} late"


def _retry(retry: RetryPolicy | None) -> str:
    if retry is None:
        return "none: one attempt"
    growing = BACKOFF[retry.backoff]
    most = f", at most {span(retry.max_delay / SECOND)}" if growing else ""
    codes = "" if retry.exit_codes is None else f" ({', '.join(map(str, sorted(retry.exit_codes)))} only)"
    ends = {"failed": f"a failure{codes}", "expired": "a timeout", "lost": "a lost run"}
    after = ", ".join(words for end, words in ends.items() if end in retry.on)
    return f"up to {retry.attempts} attempts, {span(retry.delay / SECOND)} apart{growing}{most}; after {after}"


def _jitter(record: JobRecord, policy: Policy) -> str:
    parts = []
    if policy.spread:
        offset = stable_offset(record.identity, policy.spread)
        parts.append(f"every slot starts {span(offset / SECOND)} later (below {span(policy.spread / SECOND)})")
    if policy.random:
        parts.append(f"each slot starts up to {span(policy.random / SECOND)} later, by chance")
    return "; ".join(parts)


def _completion(record: JobRecord, policy: Policy) -> Iterator[tuple[str, str]]:
    if policy.start_at is not None:
        yield "Starts at", stamp(policy.start_at)
    if policy.end_at is not None:
        yield "Ends at", stamp(policy.end_at)
    if policy.repeat is not None:
        yield "Repeat", f"complete after {counted(policy.repeat, 'run')}; {record.repeat_done} done"
    if policy.until is not None:
        yield "Until", f"complete when this is true after a run: {policy.until}"


def param_pairs(job: StoredJob) -> Iterator[tuple[str, str]]:
    """Name and words of every input."""
    for name, param in job.params.items():
        parts = ["no default" if param.default is None else f"default {param.default!r}"]
        if param.allowed is not None:
            parts.append(f"one of {', '.join(param.allowed)}")
        if param.pattern is not None:
            parts.append(f"like {param.pattern}")
        if param.description:
            parts.append(param.description)
        yield name, "; ".join(parts)
