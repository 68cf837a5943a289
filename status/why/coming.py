"""A slot that is to come: when it starts, and what would keep it from running. Pure; called by `status.why.compose`.

What will happen is told as it stands now. Obstacles come in two kinds: those by which the slot does not run (`never`),
and those that may be over by then (`maybe`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from specs.frozen import frozen
from state.records import WAIT_REASONS, Health, Reason, RunState
from status.phase import suspension_of
from status.why.known import Facts
from status.why.story import About, Answer, Verdict
from status.why.waiting import occupied, upstream_words
from status.why.words import length, resume_advice, suspended
from status.words.counting import counted
from status.words.times import relative

_AFTER_FAILURE = {"fail": "its run fails with it", "run": "it runs all the same"}
FAR = 10_000
"""Slots counted ahead for `repeat`; beyond, a job has done its runs anyway or nobody asks."""


@frozen
class Obstacle:
    """One thing that keeps a slot from running, or may."""

    never: bool
    reason: Reason | None
    text: str
    advice: tuple[str, ...] = ()


def following(facts: Facts, shift: str | None) -> Answer:
    """The next slot, or why none comes. `shift`: a word about clocks that are moved around it."""
    record, local, timing = facts.record, facts.local, facts.timing
    if record.archived_at is not None:
        text = f"Nothing: no file defines the job any more; it was archived {local.when(record.archived_at)}."
        return _nothing(text, Reason.ARCHIVED, (f"bring back {record.path}",))
    if timing is None or facts.schedule is None:
        return _nothing(f"Nothing: its schedule cannot be read any more: {facts.trouble}.", None, ())
    if record.completed_at is not None:
        text = f"Nothing: the job has been complete since {local.when(record.completed_at)}: {_completion(facts)}."
        return _nothing(text, Reason.COMPLETE, ())
    slot = timing.after(max(record.cursor_at, facts.now))
    if slot is not None:
        return ahead(facts, slot, About.NEXT, f"Next slot, {local.when(slot)}", shift)
    return _without_slots(facts)


def _nothing(text: str, reason: Reason | None, advice: tuple[str, ...]) -> Answer:
    return Answer(about=About.NEXT, verdict=Verdict.NOTHING, title="Next", text=(text,), reason=reason, advice=advice)


def _completion(facts: Facts) -> str:
    """Why a completed job is complete."""
    policy, record = facts.policy, facts.record
    if policy.repeat is not None and record.repeat_done >= policy.repeat:
        return f"all {policy.repeat} runs are done (`repeat`)"
    if policy.end_at is not None and (record.completed_at or 0) >= policy.end_at:
        return f"`end_at` has passed, {facts.local.at(policy.end_at)}"
    if policy.until is not None:
        return f"`until` was true after a run: {policy.until}"
    return "its schedule has no further instant"


def _without_slots(facts: Facts) -> Answer:
    """Jobs whose next start is no instant of a schedule."""
    schedule, policy, record, local = facts.schedule, facts.policy, facts.record, facts.local
    assert schedule is not None
    if schedule.from_finish is not None:
        return _after_finish(facts)
    if schedule.kind == "manual" and policy.depends_on:
        return _after_others(facts)
    if schedule.kind == "manual":
        text = "Nothing: it has no schedule, and runs only when somebody triggers it."
        return _nothing(text, Reason.MANUAL, (f"jobsctl trigger {record.identity}",))
    if schedule.reboot:
        obstacles = list(_obstacles(facts, None))
        return _answer(facts, None, "Next", ["It runs when the machine boots the next time."], obstacles)
    if policy.end_at is not None:
        return _nothing(f"Nothing: no slot is left before `end_at`, {local.at(policy.end_at)}.", Reason.HORIZON, ())
    return _nothing("Nothing: its schedule has no further instant.", Reason.COMPLETE, ())


def _after_finish(facts: Facts) -> Answer:
    schedule, local, record = facts.schedule, facts.local, facts.record
    assert schedule is not None
    delay = length(schedule.from_finish or 0)
    obstacles = [each for each in _obstacles(facts, None) if each.reason is not Reason.OVERLAP]
    if facts.active:
        return _answer(facts, None, "Next", [f"It starts {delay} after the end of the run that is active."], obstacles)
    planned = schedule.next_from_finish(anchor=record.anchor_at, last_end=record.last_finished_at)
    at = record.next_at or planned
    if at is None or planned is None:
        return _nothing("Nothing: no start is planned.", None, ())
    since = "the last run ended" if record.last_finished_at is not None else "it was first applied"
    text = f"It starts {length(at - (record.last_finished_at or record.anchor_at))} after {since}."
    blocked = facts.calendars.blocked_by(planned) if facts.calendars is not None else None
    held = [f"Calendar {blocked[0]} does not let it start before."] if blocked is not None and at > planned else []
    return _answer(facts, at, f"Next, {local.when(at)}", [text, *held], obstacles)


def _after_others(facts: Facts) -> Answer:
    missing = [each for each in facts.upstream if not each.ready]
    if facts.active:
        text = ["It has no schedule: what succeeds while a run is active is followed by one run after that."]
    elif not missing:
        text = ["Every job it depends on has succeeded: it starts any moment."]
    else:
        whom = "; ".join(upstream_words(facts, each) for each in missing)
        text = [f"It has no schedule: it starts when these have succeeded: {whom}."]
    if facts.calendars is not None and (blocked := facts.calendars.blocked_by(facts.now)) is not None:
        opening = facts.calendars.next_open(facts.now)
        until = "" if opening is None else f" before {facts.local.when(opening)}"
        text.append(f"Calendar {blocked[0]} does not let it start{until}.")
    if missing and (what := _AFTER_FAILURE.get(facts.policy.on_dependency_failure)):
        text.append(f"Should one of them fail, {what} (`on_dependency_failure`).")
    obstacles = [each for each in _obstacles(facts, None) if each.reason not in (Reason.DEPENDENCY, Reason.OVERLAP)]
    answer = _answer(facts, None, "Next", text, obstacles)
    failing = [each.upstream.identity for each in missing if each.record and each.record.health is Health.FAILING]
    return replace(answer, advice=(*answer.advice, *(f"jobsctl why {identity}" for identity in failing)))


def ahead(facts: Facts, slot: int, about: About, title: str, shift: str | None) -> Answer:
    """What will happen at `slot`, which is to come."""
    timing, local = facts.timing, facts.local
    assert timing is not None
    start = timing.start(slot)
    obstacles = list(_obstacles(facts, slot))
    text: list[str] = []
    if start != slot and not any(each.never for each in obstacles):
        day = local.when(start) if start - slot >= 12 * 3600 * 1_000_000 else local.clock(start)
        text.append(f"It starts at {day}: `jitter` moves this slot by {length(start - slot)}.")
    blocked = _blocked(facts, slot)
    if blocked is not None and blocked[1] is not None:
        start = max(start, blocked[1])
        text.append(f"Calendar {blocked[0]} does not let it run then, and defers it: it starts {local.when(start)}.")
    if shift is not None:
        text.append(shift)
    if slot == _next(facts) and not any(each.never for each in obstacles):
        text += _at_hand(facts)
    return _answer(facts, slot, title, text, obstacles, about=about, starts_at=start)


def _at_hand(facts: Facts) -> Iterator[str]:
    """What the next start needs and has, as it is now, and which runs it finds that are not in its way."""
    if facts.active and not (beside := _overlap(facts))[0]:
        yield f"{_capital(beside[1])}."
    for each in facts.upstream:
        if each.ready:
            yield f"It follows {upstream_words(facts, each)}: it need not wait for that."
    pool = facts.pool
    if pool is not None and pool.slots is not None and len(pool.running) < pool.slots:
        yield f"It needs a slot of pool {occupied(pool)}."


def _answer(
    facts: Facts, slot: int | None, title: str, text: list[str], obstacles: list[Obstacle],
    *, about: About = About.NEXT, starts_at: int | None = None,
) -> Answer:  # fmt: skip
    never = next((each for each in obstacles if each.never), None)
    if never is not None:
        verdict, first = Verdict.WILL_NOT_RUN, f"It will not run: {never.text}."
        # What it would wait for matters to nobody when it does not run.
        obstacles = [each for each in obstacles if each.never or each.reason not in WAIT_REASONS]
        others = [each for each in obstacles if each is not never]
    elif obstacles:
        verdict, first = Verdict.MAY_WAIT, "It will run, if what is in its way now is gone by then." if slot else ""
        others = obstacles
    else:
        verdict, first = Verdict.WILL_RUN, "It will run." if slot else ""
        others = []
    sentences = [first] if first else []
    return Answer(
        about=about,
        verdict=verdict,
        title=title,
        text=(*(sentences if slot or never else ()), *text, *(f"{_capital(each.text)}." for each in others)),
        slot=slot,
        starts_at=starts_at if starts_at is not None else slot,
        reason=next((each.reason for each in obstacles if each.never or never is None), None),
        advice=tuple(dict.fromkeys(advice for each in obstacles for advice in each.advice)),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _obstacles(facts: Facts, slot: int | None) -> Iterator[Obstacle]:
    """What stands in the way of the next start (`slot` None) or of this slot, the gravest first."""
    record, local = facts.record, facts.local
    suspension = suspension_of(record)
    if suspension is not None:
        said = suspended(suspension, record, local, still=" and not resumed since")
        text = f"the job {'was' if suspension.override else 'is'} {said}"
        yield Obstacle(True, Reason.SUSPENDED, text, resume_advice(suspension, record))
    if slot is not None:
        yield from _horizon(facts, slot)
        yield from _calendar(facts, slot)
    if record.stalled is not None:
        text = f"deciding on it keeps failing: {record.stalled}"
        yield Obstacle(False, None, text, (f"jobsctl events {record.identity} --warnings",))
    if not facts.alive:
        seen = f"; the last was seen {relative(facts.last_beat, facts.now)}" if facts.last_beat else ""
        text = f"no daemon is running, and nothing starts without one{seen}"
        yield Obstacle(False, Reason.DAEMON_DOWN, text, ("jobsctl daemon",))
    if record.missing_since is not None and facts.policy.prune:
        text = f"no file has named it since {local.when(record.missing_since)}: it is about to be archived"
        yield Obstacle(False, Reason.ARCHIVED, text, (f"bring back {record.path}",))
    if slot is None or slot == _next(facts):
        yield from _of_the_next(facts)


def _next(facts: Facts) -> int | None:
    timing = facts.timing
    return None if timing is None else timing.after(max(facts.record.cursor_at, facts.now))


def _horizon(facts: Facts, slot: int) -> Iterator[Obstacle]:
    policy, record, timing = facts.policy, facts.record, facts.timing
    if policy.repeat is None or timing is None:
        return
    left = policy.repeat - record.repeat_done  # what is active is counted already
    after = max(record.cursor_at, facts.now)
    place = timing.schedule.count(after=after, through=slot, anchor=timing.anchor, limit=FAR)
    if place > left:
        done = f"{record.repeat_done} of {policy.repeat} runs are done"
        text = f"by then the job is complete (`repeat`): {done}, and this is slot {place} from now"
        yield Obstacle(True, Reason.HORIZON, text)


def _blocked(facts: Facts, slot: int) -> tuple[str, int | None] | None:
    """The calendar that does not let this slot run, and until when it is deferred (None: it is skipped)."""
    blocked = facts.calendars.blocked_by(slot) if facts.calendars is not None else None
    if blocked is None or facts.calendars is None:
        return None
    name, action = blocked
    return name, facts.calendars.next_open(slot) if action == "defer" else None


def _calendar(facts: Facts, slot: int) -> Iterator[Obstacle]:
    blocked = _blocked(facts, slot)
    if blocked is not None and blocked[1] is None:
        text = f"calendar {blocked[0]} does not let it run then; it is recorded as skipped"
        yield Obstacle(True, Reason.CALENDAR, text)


def _of_the_next(facts: Facts) -> Iterator[Obstacle]:
    """What is the case now, and may be over when the next slot comes."""
    policy = facts.policy
    if facts.active and (beside := _overlap(facts))[0]:
        yield Obstacle(False, Reason.OVERLAP, beside[1], ())
    for each in facts.upstream:
        if not each.ready:
            what = _AFTER_FAILURE.get(policy.on_dependency_failure)
            then = f"; should that fail, {what} (`on_dependency_failure`)" if what else ""
            text = f"it waits for a success of {upstream_words(facts, each)}{then}"
            yield Obstacle(False, Reason.DEPENDENCY, text, (f"jobsctl why {each.upstream.identity}",))
    pool = facts.pool
    if pool is not None and (pool.slots is None or len(pool.running) >= pool.slots):
        count = len(pool.waiting)
        queue = f"; {counted(count, 'run')} {'waits' if count == 1 else 'wait'} for one" if count else ""
        advice = () if pool.slots is not None else (f"define `kind: Pool` with the name {pool.name}",)
        yield Obstacle(False, Reason.POOL, f"it needs a slot of pool {occupied(pool)}{queue}", advice)


def _overlap(facts: Facts) -> tuple[bool, str]:
    """Whether the runs there are may keep the next slot from running at its time, and what becomes of it or of them."""
    policy, active = facts.policy, facts.active
    waiting = [run for run in active if run.state is RunState.BLOCKED]
    running = len(active) > len(waiting)
    is_over = f"run {active[-1].id} is {'active' if running else 'waiting'}; should it still be then"
    match policy.overlap:
        case "skip":
            if not running and all(run.reason is Reason.BACKOFF for run in waiting):
                return False, f"{is_over}, the slot takes its place (`overlap: skip`)"
            return True, f"{is_over}, the slot is skipped (`overlap: skip`)"
        case "queue":
            full = any(run.attempt == 1 for run in waiting)
            how = "the slot is skipped, as one waits already" if full else "this one waits for its end"
            return True, f"{is_over}, {how} (`overlap: queue`)"
        case "replace":
            if not all(run.reason in (Reason.OVERLAP, Reason.BACKOFF) for run in waiting):
                return True, f"{is_over}, the slot is skipped: one that waits is enough (`overlap: replace`)"
            how = "it is cancelled for this one" if running else "the slot takes its place"
            return False, f"{is_over}, {how} (`overlap: replace`)"
    full = len(active) >= policy.max_concurrent
    then = "; should they still be then, the slot is skipped" if full else "; this one runs beside them"
    return full, f"{len(active)} of at most {policy.max_concurrent} runs are active (`overlap: allow`){then}"
