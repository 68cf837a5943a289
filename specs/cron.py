"""Five cron fields, as Vixie cron and Debian's `crontab(5)` mean them: our seam around croniter.

Called by `specs.entry`. Nothing else of the product imports croniter. What croniter would read in its own way (equal
and reversed ranges, `?`, `L`, `W`, `#`, `R`, seconds, `H`, aliases, steps on a single number) is refused or rewritten
here before it sees the text; croniter then parses terms with names. Those of numbers alone say it themselves.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from specs.expression import ScheduleError, ScheduleWarning
from specs.frozen import frozen
from specs.phrases import say_days
from specs.slots import WallTimes

MAX_LENGTH = 256
"""Characters. croniter's cost is linear in the text: 100 kB take 0.26 s."""
ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

_LONGEST = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_TERM = re.compile(r"(\*|[0-9]+|[A-Za-z]+)(?:-([0-9]+|[A-Za-z]+))?(?:/([0-9]+))?")
_NUMBERS = re.compile(r"(\*|[0-9]+)(?:-([0-9]+))?(?:/([0-9]+))?")
_HASHED = re.compile(r"H(?:\(([0-9]+)-([0-9]+)\))?(?:/([0-9]+))?")
_FOREIGN = {
    "?": "write `*`",
    "L": "cron has no last day of the month: run on days 28-31 and let the job check the date",
    "W": "cron has no nearest weekday: list the days, or let the job check the date",
    "#": "cron has no n-th weekday: run every week and let the job check the date",
    "R": "write `H` for a spread that stays the same",
    "~": "write `H(a-b)` for a spread that stays the same",
    "@": "an alias like @daily stands alone, without fields",
}


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    spread: int = 0
    """The highest value `H` takes: a job spread over days of the month must run in February too."""

    @property
    def one(self) -> str:
        return f"an {self.name}" if self.name == "hour" else f"a {self.name}"

    def number(self, name: str) -> int:
        return self.names.index(name.lower()) + self.low


_FIELDS = (
    _Field("minute", 0, 59, spread=59),
    _Field("hour", 0, 23, spread=23),
    _Field("day-of-month", 1, 31, spread=28),
    _Field("month", 1, 12, MONTHS, spread=12),
    _Field("day-of-week", 0, 7, WEEKDAYS, spread=6),
)


@frozen
class Cron:
    """A sound expression. `text` is the five fields with `H` replaced by what it stands for."""

    text: str
    times: WallTimes
    fixed: bool
    """Neither minute nor hour begins with `*`: Debian cron treats its times specially when the clock is moved."""
    warnings: tuple[ScheduleWarning, ...] = ()


def has_hash(text: str) -> bool:
    """Does the expression use `H`, so that it means another time for another job?"""
    return re.search(r"(?<![A-Za-z])H(?![A-Za-z])", text) is not None


def parse_cron(text: str, identity: str) -> Cron:
    """The meaning of five fields or an alias. `identity` (`project/name`) decides what `H` stands for.

    Raises ScheduleError, with the characters that are wrong.
    """
    if len(text) > MAX_LENGTH:
        raise ScheduleError(f"an expression has at most {MAX_LENGTH} characters, this one {len(text)}")
    if fields := ALIASES.get(text.lower()):
        return _expand([(field, 0) for field in fields.split()], identity)
    tokens = [(found[0], found.start()) for found in re.finditer(r"[^ \t]+", text)]
    for token, start in () if text.isascii() and text.replace("\t", " ").isprintable() else tokens:
        for index, char in enumerate(token, start):
            if not "!" <= char <= "~":
                raise ScheduleError(f"{char!r} is not allowed in a cron expression", span=(index, index + 1))
    if len(tokens) != len(_FIELDS):
        raise _wrong_count(text, tokens)
    return _expand(tokens, identity)


def _expand(tokens: list[tuple[str, int]], identity: str) -> Cron:
    warnings: list[ScheduleWarning] = []
    texts = [
        _check_field(field, text, start, identity, warnings)
        for field, (text, start) in zip(_FIELDS, tokens, strict=True)
    ]
    text = " ".join(texts)
    minutes, hours, days, months, weekdays = (_bits(place, field) for place, field in enumerate(texts))
    # The star bit is about the text (Vixie): `*/2` has it although it restricts, `1-31` has not although it does not.
    starred = texts[2].startswith("*") or texts[4].startswith("*")
    longest = max(_LONGEST[month] for month in range(1, 13) if months >> month & 1)
    possible = days & ((2 << longest) - 1)
    whole_month, whole_week = possible == (2 << longest) - 2, weekdays == 0x7F
    if not possible and starred:
        place = tokens[2][1]
        raise ScheduleError(
            f"this never fires: no month it names has a day {texts[2]}",
            span=(place, place + len(tokens[2][0])),
            help="the last day all months have is 28",
        )
    either = not starred and not (whole_month or whole_week)
    every_day = not starred and not either
    if whole_month or every_day:
        possible = (2 << 31) - 2
    times = WallTimes(minutes, hours, possible, months, 0x7F if every_day else weekdays, either)
    if not starred or not (whole_month or whole_week):
        warnings.append(_day_warning(tokens, starred, times))
    fixed = not (texts[0].startswith("*") or texts[1].startswith("*"))
    return Cron(text, times, fixed, tuple(warnings))


@functools.lru_cache(maxsize=4096)
def _bits(place: int, text: str) -> int:
    """The values of one field, as bits. Cached by field: ten thousand jobs have few different ones."""
    high = 6 if _FIELDS[place].names == WEEKDAYS else _FIELDS[place].high
    values: set[int] = set()
    for term in text.split(","):
        if (found := _NUMBERS.fullmatch(term)) is None:
            values.update(_named(place, term, high))
            continue
        first, last, step = found.groups()
        low, top = (_FIELDS[place].low, high) if first == "*" else (int(first), int(last or first))
        values.update(range(low, top + 1, int(step or 1)))
    return sum(1 << number for number in {value % (high + 1) for value in values})


def _named(place: int, term: str, high: int) -> Iterable[int]:
    """The values of a term with names: `MON-FRI`."""
    # Loaded only for these: it takes 20 ms, which is long for a command that shows one job.
    from croniter import croniter

    others = ["*"] * len(_FIELDS)
    others[place] = term
    expanded, nth_weekdays = croniter.expand(" ".join(others))
    assert not nth_weekdays, "`#` was refused before"
    if "*" in expanded[place]:  # of all of them, croniter says a star
        return range(_FIELDS[place].low, high + 1)
    return map(int, expanded[place])


def _check_field(field: _Field, text: str, start: int, identity: str, warnings: list[ScheduleWarning]) -> str:
    """The field in a form croniter reads as we mean it."""
    if text == "*" or (text.isdecimal() and len(text) < 6 and field.low <= int(text) <= field.high):
        return text  # nearly every field, at a third of the price
    terms: dict[str, None] = {}
    first = start
    for term in text.split(","):
        if not term:  # underline a comma beside it: there is nothing else to underline
            comma = start if start == first else start - 1
            raise ScheduleError(f"the {field.name} list has an empty place", span=(comma, comma + 1))
        terms.setdefault(_check_term(field, term, start, identity, warnings))
        start += len(term) + 1
    return ",".join(terms)


def _check_term(field: _Field, term: str, start: int, identity: str, warnings: list[ScheduleWarning]) -> str:
    end = start + len(term)
    if hashed := _HASHED.fullmatch(term):
        spread = _spread(field, hashed, start, identity)
        if hashed[3] is not None and hashed[1] is None:
            _warn_uneven(field, term, int(hashed[3]), start, warnings, first=int(spread.split(",")[0]))
        return spread
    found = _TERM.fullmatch(term)
    if found is None:
        raise _unreadable(field, term, start)
    first, last, step = found.groups()
    if first == "*" and last is not None:
        raise ScheduleError(f"`{term}`: `*` already is a range", span=(start, end))
    low = field.low if first == "*" else _value(field, first, start)
    high = 6 if field.name == "day-of-week" and last is None else field.high
    if last is not None:
        high = _value(field, last, start + len(first) + 1)
        if low >= high:
            raise _bad_range(field, first, last, low, high, start)
    if step is None:
        return term
    _check_step(field, term, int(step), high - low + 1, (found.start(3) + start, end), str(low))
    if first != "*" and last is None:
        span = f"{low}-{high}/{step}" if low < high else str(low)
        warnings.append(
            ScheduleWarning(f"`{term}` means {span} here; Debian cron refuses it", f"write {span}", (), start, end)
        )
        return span
    if first == "*" or high - low >= _last_of(field) - field.low:
        _warn_uneven(field, term, int(step), start, warnings)
    return term


def _last_of(field: _Field) -> int:
    """The highest value of a whole cycle: 7 is Sunday again."""
    return 6 if field.names == WEEKDAYS else field.high


def _check_step(field: _Field, term: str, step: int, count: int, place: tuple[int, int], low: str) -> None:
    if step == 0:
        raise ScheduleError("a step is at least 1", span=place)
    if step > count and count > 1:
        raise ScheduleError(
            f"`{term}`: the {field.name} has only {count} values here, a step of {step} reaches one of them",
            span=place,
            help=f"write {low} for that one; for longer distances use `every`, like `every 90m`",
        )


def _warn_uneven(
    field: _Field, term: str, step: int, start: int, warnings: list[ScheduleWarning], *, first: int = 0
) -> None:
    """JOB070: a step over the whole field that does not divide it. `first`: the value it begins with."""
    cycle = {"minute": 60, "hour": 24, "day-of-month": 0, "month": 12, "day-of-week": 7}[field.name]
    whole = {"minute": "hour", "hour": "day", "day-of-month": "month", "month": "year", "day-of-week": "week"}[
        field.name
    ]
    if step == 1 or (cycle and cycle % step == 0):
        return
    unit = {"minute": "m", "hour": "h", "day-of-month": "d", "month": "", "day-of-week": "d"}[field.name]
    if cycle:
        low = max(first - field.low, 0)
        rest = cycle - (cycle - 1 - low) // step * step
        message = f"`{term}` starts again with every {whole}: the last step before it is {rest}, not {step}"
    else:
        message = f"`{term}` counts from the 1st of every month: the last step of a month is shorter"
    even = (
        f"`every {step * 24}h` keeps an even distance"
        if unit == "d"
        else f"`every {step}{unit}` keeps an even distance"
    )
    warnings.append(ScheduleWarning(message, even if unit else None, (), start, start + len(term), code="JOB070"))


def _spread(field: _Field, found: re.Match[str], start: int, identity: str) -> str:
    """`H`, `H(a-b)`, `H/n`, `H(a-b)/n` as the numbers they stand for, for ever: documented in docs/schedules.md.

    The first 8 bytes of sha256("jobsctl H 1:" + field + ":" + identity) as a big-endian number, modulo the number of
    values to choose from. Never Python's hash(), which differs from process to process.
    """
    term, end = found[0], start + len(found[0])
    low, high = field.low, field.spread
    if found[1] is not None:
        low, high = int(found[1]), int(found[2])
        for group in (1, 2):
            if not field.low <= int(found[group]) <= min(field.high, 6 if field.names == WEEKDAYS else field.high):
                raise ScheduleError(
                    f"{found[group]} is not {field.one}",
                    span=(start + found.start(group), start + found.end(group)),
                )
        if low >= high:
            raise ScheduleError(f"`{term}`: the range must rise", span=(start, end))
    step = int(found[3]) if found[3] is not None else 0
    if found[3] is not None:
        _check_step(field, term, step, high - low + 1, (start + found.start(3), end), "H")
    digest = hashlib.sha256(f"jobsctl H 1:{field.name}:{identity}".encode()).digest()
    chosen = low + int.from_bytes(digest[:8]) % (step or high - low + 1)
    return ",".join(map(str, range(chosen, high + 1, step))) if step else str(chosen)


def _value(field: _Field, text: str, start: int) -> int:
    end = start + len(text)
    if text.isdigit():
        value = int(text) if len(text) < 6 else field.high + 1
        if field.low <= value <= field.high:
            return value
        help = "cron counts hours 0-23: midnight is 0" if field.name == "hour" and value == 24 else None
        raise ScheduleError(f"{text[:20]} is not {field.one} ({field.low}-{field.high})", span=(start, end), help=help)
    if text.lower() in field.names:
        return field.number(text)
    raise _unreadable(field, text, start)


def _unreadable(field: _Field, term: str, start: int) -> ScheduleError:
    for index, char in enumerate(term):
        if not char.isalpha() and char in _FOREIGN:
            return ScheduleError(
                f"`{char}` is not part of cron", span=(start + index, start + index + 1), help=_FOREIGN[char]
            )
    for found in re.finditer(r"[A-Za-z]+", term):
        word, place = found[0], (start + found.start(), start + found.end())
        if word.lower()[:3] in field.names and len(word) > 3:
            return ScheduleError(f"`{word}` is not {field.one}", help=f"did you mean {word[:3].upper()}?", span=place)
        if word.lower() in field.names:
            continue
        if word.upper() in ("LW", "L", "W", "R"):
            return ScheduleError(f"`{word}` is not part of cron", help=_FOREIGN[word[0].upper()], span=place)
        if word == "h":
            return ScheduleError("`h` is not part of cron", help="did you mean H?", span=place)
        if word == "H":
            return ScheduleError(f"`{term}` is not a form of H", help="write H, H(a-b), H/n or H(a-b)/n", span=place)
        if word.lower() in MONTHS + WEEKDAYS:
            return ScheduleError(f"`{word}` is not {field.one}", help=f"names go in {_home_of(word)}", span=place)
        return ScheduleError(f"`{word}` is not {field.one}", help=_forms(field), span=place)
    return ScheduleError(f"`{term}` is not {field.one}", span=(start, start + len(term)), help=_forms(field))


def _home_of(word: str) -> str:
    return "the fourth field, month" if word.lower() in MONTHS else "the fifth field, day-of-week"


def _forms(field: _Field) -> str:
    names = f", {field.names[0].upper()}-{field.names[-1].upper()}" if field.names else ""
    return f"{field.one} is `*`, {field.low}-{field.high}{names}, a range a-b, a step */n or a list of these"


def _bad_range(field: _Field, first: str, last: str, low: int, high: int, start: int) -> ScheduleError:
    place = (start, start + len(first) + len(last) + 1)
    if low == high:
        return ScheduleError(f"`{first}-{last}` is a range of one", help=f"write {first}", span=place)
    head = f"{low}-{field.high}" if low < field.high else str(low)
    bottom = 1 if field.names == WEEKDAYS else field.low  # 7 is Sunday already
    tail = [] if high < bottom else [f"{bottom}-{high}" if high > bottom else str(high)]
    return ScheduleError(f"`{first}-{last}` runs backwards", help=f"write {','.join([head, *tail])}", span=place)


def _wrong_count(text: str, tokens: list[tuple[str, int]]) -> ScheduleError:
    count, place = len(tokens), (0, len(text))
    message = f"a cron expression has five fields (minute hour day-of-month month day-of-week), this one {count}"
    if tokens and tokens[0][0].startswith("@"):
        return ScheduleError(message, span=place)
    if count in (6, 7):
        rest = " ".join(token for token, _ in tokens[1:6])
        return ScheduleError(message, help=f"seconds and years are not supported; without seconds: {rest}", span=place)
    if count > len(_FIELDS):
        return ScheduleError(message, help="the command goes into `run`, not into `schedule`", span=place)
    return ScheduleError(message, help="like 30 4 * * MON-FRI; or in words: daily at 04:30", span=place)


def _day_warning(tokens: list[tuple[str, int]], starred: bool, times: WallTimes) -> ScheduleWarning:
    (days, start), (weekdays, last) = tokens[2], tokens[4]
    rule = "one begins with `*`, so both must match" if starred else "either is enough"
    return ScheduleWarning(
        f"day-of-month `{days}` and day-of-week `{weekdays}` are both given; {rule}: it runs {say_days(times)}",
        "to say only one of them, write `*` for the other",
        (),
        start,
        last + len(weekdays),
    )
