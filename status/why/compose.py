"""The story of a job, put together: pure, facts in, `Story` out. Called by `cli.commands.why`."""

from __future__ import annotations

from specs.zones import Zone
from state.records import Trigger
from status.phase import first_problem
from status.timing import words_of
from status.why import coming, past, waiting
from status.why.known import Facts, SlotFacts
from status.why.moment import Moment
from status.why.story import About, Answer, Story, Verdict
from status.why.words import rule

HALF_A_DAY = 43_200
SECOND = 1_000_000


def overview(facts: Facts, last: SlotFacts | None) -> Story:
    """Without `--at`: the last slot, what is active now, and what comes next."""
    answers = [_last(facts, last)]
    now = waiting.now(facts)
    if now is not None:
        answers.append(now)
    timing = facts.timing
    upcoming = None if timing is None else timing.after(max(facts.record.cursor_at, facts.now))
    due = None if timing is None or facts.record.archived_at is not None else timing.before(
        facts.now, facts.record.cursor_at
    )  # fmt: skip
    if due is not None and facts.record.completed_at is None:
        answers.append(past.undecided(facts, due, About.NEXT, f"Due now, slot {facts.local.when(due)}"))
    answers.append(coming.following(facts, None if upcoming is None else shift_near(facts, upcoming)))
    return _story(facts, answers, None, ())


def _last(facts: Facts, last: SlotFacts | None) -> Answer:
    if last is None:
        text = "No run has ended yet." if facts.active else "Nothing has run yet, and no slot has come."
        return Answer(about=About.LAST, verdict=Verdict.NOTHING, title="Last", text=(text,))
    return past.told(facts, last, About.LAST, _title(facts, last, "Last run", "Last slot,"))


def _title(facts: Facts, slot: SlotFacts, of_run: str, of_slot: str) -> str:
    run = slot.rows[-1] if slot.rows else None
    if run is not None and run.scheduled_for is None:
        asked = f" asked for by {run.requested_by}" if run.requested_by else " asked for"
        asked = "" if run.trigger is Trigger.DEPENDENCY else asked
        return f"{of_run},{asked} {facts.local.when(run.created_at)}"
    return f"{of_slot} {facts.local.when(slot.slot)}"


def at_start(facts: Facts, slot: SlotFacts, moment: Moment) -> Story:
    """With `--at`, where no slot is, but a run started: its slot."""
    run = slot.rows[-1]
    of = "that somebody asked for" if run.scheduled_for is None else f"of slot {facts.local.at(slot.slot)}"
    note = f"no slot is at {facts.local.at(moment.at)}; the run {of} started then"
    answer = past.told(facts, slot, About.SLOT, _title(facts, slot, "Run", "Slot"))
    return _story(facts, [answer], moment, (*moment.notes, note))


def at_slot(facts: Facts, slot: SlotFacts, moment: Moment) -> Story:
    """With `--at`, and a slot is there: past or to come."""
    local, record = facts.local, facts.record
    title = f"Slot {local.when(slot.slot)}"
    shift = shift_near(facts, slot.slot)
    if slot.rows or slot.slot <= record.cursor_at:
        answer = past.told(facts, slot, About.SLOT, title)
    elif slot.slot > facts.now or record.archived_at is not None or record.completed_at is not None:
        answer = _to_come(facts, slot.slot, title, shift)
        shift = None
    else:
        answer = past.undecided(facts, slot.slot, About.SLOT, title)
    return _story(facts, [answer], moment, (*moment.notes, *((shift,) if shift else ())))


def _to_come(facts: Facts, slot: int, title: str, shift: str | None) -> Answer:
    """A slot of a job that goes on, or why a job that does not will not run it."""
    if facts.record.archived_at is None and facts.record.completed_at is None and facts.timing is not None:
        return coming.ahead(facts, slot, About.SLOT, title, shift)
    none = coming.following(facts, None)
    when = "did" if slot <= facts.now else "will"
    text = f"It {when} not run: {none.text[0].removeprefix('Nothing: ')}"
    return Answer(
        about=About.SLOT, verdict=Verdict.WILL_NOT_RUN, title=title, text=(text,), slot=slot, reason=none.reason,
        advice=none.advice,
    )  # fmt: skip


def no_slot(facts: Facts, moment: Moment) -> Story:
    """With `--at`, and no slot is there: the nearest ones."""
    local, timing = facts.local, facts.timing
    title = f"No slot at {local.when(moment.at)}"
    schedule = facts.schedule
    if timing is None or schedule is None:
        text = [f"Its schedule cannot be read any more: {facts.trouble}."]
    elif not schedule.slots:
        text = [f"The job has no slots at instants of the clock: {words_of(schedule, facts.policy)}."]
    else:
        before, after = timing.before(moment.at - 1), timing.after(moment.at + max(moment.width, 1) - 1)
        nearest = [local.when(at) for at in (before, after) if at is not None]
        are = "are" if len(nearest) > 1 else "is"
        said = f"The nearest {are} {' and '.join(nearest)}" if nearest else "There is none"
        text = [f"{said}; the schedule says `{schedule.expression}`: {schedule.words}."]
        text += _bounds(facts, moment.at)
        if schedule.gaps(after=moment.at - 1, through=moment.at + moment.width, anchor=timing.anchor):
            text.append("The clocks go forward over one of its times, and the job says `dst: {gap: skip}`.")
    shift = shift_near(facts, moment.at)
    if shift is not None:
        text.append(shift)
    answer = Answer(about=About.SLOT, verdict=Verdict.NO_SLOT, title=title, text=text)
    return _story(facts, [answer], moment, moment.notes)


def _bounds(facts: Facts, at: int) -> list[str]:
    policy, local = facts.policy, facts.local
    if policy.start_at is not None and at < policy.start_at:
        return [f"Its slots begin at `start_at`, {local.at(policy.start_at)}."]
    if policy.end_at is not None and at > policy.end_at:
        return [f"Its slots end at `end_at`, {local.at(policy.end_at)}."]
    return []


def _story(facts: Facts, answers: list[Answer], moment: Moment | None, notes: tuple[str, ...]) -> Story:
    record = facts.record
    return Story(
        identity=record.identity,
        timezone=facts.local.zone.name,
        generation=record.generation,
        revision=record.revision,
        rule=_rule(facts),
        asked=None if moment is None else moment.at,
        notes=(*_notes(facts), *(note.rstrip(".") for note in notes)),
        answers=answers,
    )


def _rule(facts: Facts) -> str:
    record, schedule, policy = facts.record, facts.schedule, facts.policy
    if schedule is None:
        return f"its schedule cannot be read any more: {facts.trouble}"
    return rule(record, words_of(schedule, policy), schedule.expression)


def _notes(facts: Facts) -> list[str]:
    """What is wrong with the files: the story is told of what was applied last."""
    found = []
    problem = first_problem(facts.record)
    if problem is not None:
        found.append(f"its file is wrong, so that generation {facts.record.generation} goes on: {problem}")
    if facts.record.missing_since is not None and not facts.policy.prune:
        since = facts.local.when(facts.record.missing_since)
        found.append(f"no file has named it since {since}; `prune: false` keeps it, `jobsctl delete` ends it")
    if facts.source_problem is not None:
        found.append(f"the specs directory cannot be looked at: {facts.source_problem}")
    return found


def shift_near(facts: Facts, at: int) -> str | None:
    """A sentence when the clocks of the job's zone are moved within half a day of `at`."""
    moved = _shift(facts.local.zone, at // SECOND)
    if moved is None:
        return None
    when, before, after = moved
    local = facts.local.zone.local
    walls = [f"{local(when * SECOND - SECOND):%H:%M:%S}", f"{local(when * SECOND):%H:%M}"]
    came = "forward" if after > before else "back"
    went = "go" if when * SECOND > facts.now else "went"
    day = f"{local(when * SECOND):%a %Y-%m-%d}"
    return f"The clocks {went} {came} on {day}: after {walls[0]} {'comes' if went == 'go' else 'came'} {walls[1]}."


def _shift(zone: Zone, second: int) -> tuple[int, int, int] | None:
    """The second at which the offset changes within half a day, and the offsets before and after."""
    era = zone.era(second + HALF_A_DAY)
    if era.before != era.offset and era.start > second - HALF_A_DAY:
        return era.start, era.before, era.offset
    return None
