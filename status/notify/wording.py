"""Notices in words: title and body of what goes out, as plain text.

Called by the notify process when something is sent. Pure: what is said beside a notice (last lines of output, the
page) is found by the caller and given, redacted already. Control characters are taken out, and each part is bounded: a
message is for a small screen. Words for reasons are those of `status.words.reasons`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from specs.stored import StoredTemplate
from specs.template import fill
from specs.zones import find_zone
from state.records import Reason
from status.notify.occurrences import Notice
from status.words.reasons import advice_words, end_words, skip_words
from status.words.runs import exit_words, short_revision
from status.words.times import span

LONGEST_TITLE = 200
LONGEST_BODY = 3500
"""Characters. Below what Telegram takes as one message (4096); where a service takes less, apprise divides it."""
OUTPUT_LINES = 15
OUTPUT_WIDTH = 200
OUTPUT_CHARACTERS = 1500
"""Of all lines of output together; the last are kept."""
LISTED = 20
"""Notices of a group that are listed; of the others it says how many."""

_WITH_OUTPUT = frozenset({"failure", "still_failing", "slow"})
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
"""Colours and other sequences of a terminal (ECMA-48): without their first character they would be litter."""

VERBS = {
    "failure": "failed",
    "still_failing": "still fails",
    "recovery": "recovered",
    "missed": "missed its deadline",
    "slow": "is slow",
    "skipped": "skipped",
    "success": "succeeded",
}
_COUNTED = VERBS | {"still_failing": "still failing", "missed": "late", "slow": "slow"}
"""What several notices are counted by: `2 failed, 1 late`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a notice's job and run beside the notice."""

    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    output: Sequence[str] = ()
    """The last lines the run wrote, redacted."""
    link: str | None = None
    """Address of the page that shows more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How a notifier speaks."""

    notifier: str
    timezone: str = "UTC"
    """Of the times in its messages."""
    template: StoredTemplate = field(default_factory=StoredTemplate)


@dataclass(frozen=True, slots=True)
class Text:
    """What goes out."""

    title: str
    """One line."""
    body: str


NOTHING = About()


def write(
    notices: Sequence[Notice],
    voice: Voice,
    *,
    about: Mapping[str, About],
    last_for_now: int | None = None,
) -> Text:
    """The message that tells these.

    Args:
        notices: at least one, in the order in which they are told.
        about: by the id of a notice; nothing more is known of others.
        last_for_now: `gathering.Send.last_for_now`.
    """
    zone = voice.timezone
    if len(notices) == 1:
        notice = notices[0]
        said = about.get(notice.id, NOTHING)
        values = _values(notice, said, zone)
        title, body = f"{notice.identity} {_headline(notice, zone)}", "\n".join(_lines(notice, said, zone))
    else:
        values = _values_of_several(notices)
        title, body = _title_of_several(notices), "\n".join(_list(notices, zone))
    return in_voice(title, body, values, voice, last_for_now=last_for_now)


def when(at: int, timezone: str) -> str:
    """`2026-11-21 08:30:00 CET`."""
    return find_zone(timezone).local(at).strftime("%Y-%m-%d %H:%M:%S %Z")


def clean(text: str, *, longest: int) -> str:
    """Without what a terminal or chat would take as more than text (control and bidirectional characters), cut."""
    kept = "".join(
        " " if each == "\t" else each
        for each in _ESCAPES.sub("", text[: longest * 4])
        if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cf", "Cs")
    )
    return kept if len(kept) <= longest else f"{kept[: longest - 3]}..."


def in_voice(
    title: str, body: str, values: Mapping[str, str], voice: Voice, *, last_for_now: int | None = None
) -> Text:
    """The notifier's own words where it has some, filled in with ours and `values`."""
    note = ""
    if last_for_now is not None:
        note = (
            f"\n\nThis was the last message for now: the `rate` of notifier {voice.notifier} is used up. What comes "
            f"until {when(last_for_now, voice.timezone)} is sent together then."
        )
    title, body = _line(title), clean(body, longest=LONGEST_BODY)
    given = {**values, "title": title, "body": body}
    if voice.template.title is not None:
        title = _line(fill(voice.template.title, given, longest=LONGEST_TITLE * 2))
    if voice.template.body is not None:
        body = clean(fill(voice.template.body, given, longest=LONGEST_BODY * 2), longest=LONGEST_BODY)
    return Text(title, body + note)


def _line(text: str) -> str:
    return clean(" ".join(text.split()), longest=LONGEST_TITLE)


def _headline(notice: Notice, zone: str) -> str:
    """What happened, after the job's name."""
    verb = VERBS[notice.what]
    match notice.what:
        case "failure":
            return f"{_ended(notice)}{_detail(notice, ': ')}"
        case "still_failing":
            return f"{verb}: {notice.failures} times in a row{_detail(notice, ', ')}"
        case "missed":
            return f"{verb}: no success by {when(notice.at, zone)}"
        case "slow":
            return f"{verb}: {span_words(notice.lasted)}, more than {span_words(notice.slower_than)}"
        case "skipped":
            slots = "a slot" if notice.count <= 1 else f"{notice.count} slots"
            return f"{verb} {slots}: {(notice.reason or '').replace('_', ' ')}"
        case "recovery":
            again = "after its missed deadline" if notice.missed or not notice.failures else _failures(notice)
            return f"{verb} {again}"
        case "success":
            return verb


def _failures(notice: Notice) -> str:
    return "after a failure" if notice.failures == 1 else f"after {notice.failures} failures"


def _ended(notice: Notice) -> str:
    return "ran out of time" if notice.state == "expired" else "failed"


def _detail(notice: Notice, before: str) -> str:
    how = exit_words(notice.reason, notice.exit_code, notice.signal)
    if how is not None:
        return f"{before}{how}"
    if notice.reason is None or notice.state == "expired":
        return ""
    return f"{before}{notice.reason.replace('_', ' ')}"


def _lines(notice: Notice, about: About, zone: str) -> Iterator[str]:
    """The body about one thing."""
    reason = _reason(notice)
    if about.description:
        yield clean(about.description, longest=300)
    if notice.what == "skipped":
        yield f"Why: {skip_words(reason)}"
        first, last = notice.first, notice.last
        if last is not None:
            early = "" if first is None or first == last else f"{when(first, zone)} .. "
            yield f"Slots: {early}{when(last, zone)}"
    elif notice.what == "missed":
        yield f"Why: {_failed_so_far(notice)}; it had to succeed by {when(notice.at, zone)}"
    elif notice.what in ("failure", "still_failing"):
        why = end_words(reason)
        if why is not None:
            yield f"Why: {why}"
        if notice.error and notice.error != _detail(notice, ""):
            yield f"Error: {clean(notice.error, longest=300)}"
    if notice.since is not None and notice.what in ("failure", "still_failing", "recovery"):
        times = f", {notice.failures} failures in a row" if notice.failures > 1 else ""
        yield f"{'Failing' if notice.what != 'recovery' else 'Was in trouble'} since: {when(notice.since, zone)}{times}"
    yield from _run_lines(notice, about, zone)
    advice = _advice(notice)
    if advice:
        yield f"Advice: {advice}"
    if command_of(notice) not in advice:
        yield f"More: {command_of(notice)}"
    if about.link:
        yield f"Page: {clean(about.link, longest=500)}"
    if notice.what in _WITH_OUTPUT and (output := _output(about.output)):
        yield ""
        yield "Last lines of its output:"
        yield output


def _failed_so_far(notice: Notice) -> str:
    if not notice.failures:
        return "no run of it has succeeded in time"
    return f"its last run{' has' if notice.failures == 1 else f's, {notice.failures} in a row, have'} failed"


def _run_lines(notice: Notice, about: About, zone: str) -> Iterator[str]:
    if notice.run_id is not None and notice.what != "skipped":
        parts = [notice.run_id]
        if notice.attempt > 1:
            parts.append(f"attempt {notice.attempt}")
        if notice.started_at is not None:
            parts.append(f"started {when(notice.started_at, zone)}")
        if notice.lasted is not None and notice.what != "slow":
            parts.append(f"took {span_words(notice.lasted)}")
        yield f"Run: {', '.join(parts)}"
    if notice.revision is not None:
        yield f"Revision: {short_revision(notice.revision)}"


def _advice(notice: Notice) -> str:
    if notice.what not in ("failure", "still_failing", "skipped"):
        return ""
    return advice_words(_reason(notice), notice.identity).replace("RUN", notice.run_id or "RUN")


def _reason(notice: Notice) -> Reason | None:
    return Reason(notice.reason) if notice.reason in list(Reason) else None


def command_of(notice: Notice) -> str:
    """What to type to see more."""
    match notice.what:
        case "failure" | "still_failing" | "success":
            return f"jobsctl logs {notice.run_id}"
        case "slow":
            return f"jobsctl logs -f {notice.run_id}"
        case "recovery":
            return f"jobsctl runs {notice.identity}"
        case "missed" | "skipped":
            return f"jobsctl why {notice.identity}"


def _output(lines: Sequence[str]) -> str:
    kept: list[str] = []
    left = OUTPUT_CHARACTERS
    for line in reversed(lines[-OUTPUT_LINES:]):
        text = clean(line.rstrip().replace("\n", " "), longest=OUTPUT_WIDTH)
        left -= len(text) + 1
        if left < 0:
            break
        kept.append(text)
    return "\n".join(reversed(kept))


def _title_of_several(notices: Sequence[Notice]) -> str:
    counts = Counter(_COUNTED[notice.what] for notice in notices)
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    jobs = {notice.identity for notice in notices}
    return f"{next(iter(jobs))}: {told}" if len(jobs) == 1 else f"{len(jobs)} jobs: {told}"


def _list(notices: Sequence[Notice], zone: str) -> Iterator[str]:
    folded = list(_folded(notices))
    for notice in folded[:LISTED]:
        yield f"- {notice.identity} {_headline(notice, zone)} ({when(notice.at, zone)})"
    if len(folded) > LISTED:
        yield f"... and {len(folded) - LISTED} more"
    yield f"More: {_command_of_several(notices)}"


def _folded(notices: Iterable[Notice]) -> Iterator[Notice]:
    """Skipped slots of one job for one reason are one line."""
    skips: dict[tuple[str, str | None], Notice] = {}
    order: list[Notice | tuple[str, str | None]] = []
    for notice in notices:
        key = (notice.identity, notice.reason)
        if notice.what != "skipped":
            order.append(notice)
        elif key in skips:
            skips[key] = replace(skips[key], count=skips[key].count + notice.count, last=notice.last, at=notice.at)
        else:
            skips[key] = notice
            order.append(key)
    for each in order:
        yield skips[each] if isinstance(each, tuple) else each


def _command_of_several(notices: Sequence[Notice]) -> str:
    jobs = {notice.identity for notice in notices}
    return f"jobsctl runs {next(iter(jobs))}" if len(jobs) == 1 else "jobsctl status"


def _values(notice: Notice, about: About, zone: str) -> dict[str, str]:
    """What a template is filled in with."""
    reason = _reason(notice)
    project, _, name = notice.identity.partition("/")
    why = skip_words(reason) if notice.what == "skipped" else end_words(reason)
    return {
        "what": notice.what,
        "job": notice.identity,
        "project": project,
        "name": name,
        "description": clean(about.description, longest=300),
        "labels": ", ".join(f"{key}={value}" for key, value in about.labels.items()),
        "run": notice.run_id or "",
        "state": notice.state or "",
        "reason": why or "",
        "exit_code": "" if notice.exit_code is None else str(notice.exit_code),
        "since": "" if notice.since is None else when(notice.since, zone),
        "at": when(notice.at, zone),
        "output": _output(about.output),
        "command": command_of(notice),
        "link": about.link or "",
    }


def _values_of_several(notices: Sequence[Notice]) -> dict[str, str]:
    jobs = {notice.identity for notice in notices}
    projects = {identity.partition("/")[0] for identity in jobs}
    return {
        "what": "several",
        "job": next(iter(jobs)) if len(jobs) == 1 else f"{len(jobs)} jobs",
        "project": ", ".join(sorted(projects)),
        "command": _command_of_several(notices),
    }


def span_words(micros: int | None) -> str:
    """`3m12s`; `-` for unknown."""
    return "-" if micros is None else span(micros / 1_000_000)
