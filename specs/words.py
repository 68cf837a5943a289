"""Plain words that become cron: `daily at 09:00`, `weekdays at 9:30am`, `monthly on the 1st and 15th at 06:00`.

Called by `specs.entry`. A small fixed grammar, written down in docs/schedules.md; whatever is outside it is refused at
the word where it stops making sense, with the nearest word known. Imports `specs.expression` only.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from specs.expression import ScheduleError

_T = TypeVar("_T")
_DAY_NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december",
)  # fmt: skip
DAYS = {form: n for n, name in enumerate(_DAY_NAMES) for form in (name, f"{name}s", name[:3])}
DAYS |= {"tues": 2, "thur": 4, "thurs": 4}
_MONTHS = {form: n for n, name in enumerate(_MONTH_NAMES, 1) for form in (name, name[:3])}
GROUPS = {"weekdays": (1, 2, 3, 4, 5), "weekday": (1, 2, 3, 4, 5), "weekends": (6, 0), "weekend": (6, 0)}
_VOCABULARY = (
    *("every", "each", "on", "at", "and", "to", "through", "the", "of", "noon", "midnight", "minute", "hour", "day"),
    "continuous",
    *(
        "month",
        "week",
        "year",
        "hourly",
        "daily",
        "weekly",
        "monthly",
        "yearly",
        "annually",
        *GROUPS,
        *DAYS,
        *_MONTHS,
    ),
)
_TOKEN = re.compile(r"[0-9]{1,2}:[0-9]{2}|:[0-9]{2}|[0-9]+(?:st|nd|rd|th)?(?![0-9])|[a-z]+|[^ \t]", re.IGNORECASE)
_CRON_START = re.compile(r"[^A-Za-z]|[HLWR](?![A-Za-z])")


def reads_as_words(text: str) -> bool:
    """Is it meant as words? Cron begins with a digit, `*` or `H`; `*` is in no sentence."""
    return _CRON_START.match(text) is None and "*" not in text


def to_cron(text: str) -> str:
    """The five cron fields a sentence means.

    Raises ScheduleError, with the word that is wrong.
    """
    return _Sentence([(found[0].lower(), found.start(), found.end()) for found in _TOKEN.finditer(text)]).cron()


@dataclass(slots=True)
class _Sentence:
    """A reader that goes through the words once. `at` is the next word."""

    words: list[tuple[str, int, int]]
    at: int = 0

    def cron(self) -> str:
        times = self._times() if self._take("at") else None
        days = self._days(alone=times is not None)
        if times is None and self._take("at"):
            times = self._times()
        if self.at < len(self.words):
            raise self._wrong("words end here" if times else "a time is said with `at`, like `at 09:00`")
        if len(days.split()) == 5:
            if times is not None:
                raise ScheduleError("every hour or minute has no time of day", help="like `hourly at :15`")
            return days
        return f"{_clock(times or [(0, 0)])} {days}"

    def _days(self, alone: bool) -> str:
        """Day-of-month, month and day-of-week; all five fields for what happens every hour or minute."""
        if alone and self.at == len(self.words):
            return "* * *"
        every = self._take("every", "each")
        on = not every and self._take("on")
        if self._take("hourly") or (every and self._take("hour")):
            return f"{self._minute()} * * * *"
        if every and self._take("minute"):
            return "* * * * *"
        if self._take("daily") or (every and self._take("day")):
            return "* * *"
        if self._take("weekly") or (every and self._take("week")):
            return f"* * {_compact(self._weekdays())}" if self._take("on") else "* * 0"
        if self._take("monthly") or (every and self._take("month")):
            return f"{_compact(self._dates())} * *" if self._take("on") else "1 * *"
        if self._take("yearly", "annually") or (every and self._take("year")):
            return self._date_of_year() if self._take("on") else "1 1 *"
        if on and (self._peek() == "the" or self._peek()[:1].isdigit()):
            dates = _compact(self._dates())
            self._need("of")
            if self._take("every", "each") or self._take("the"):
                self._need("month")
            else:
                return f"{dates} {self._one_of(_MONTHS, 'a month')} *"
            return f"{dates} * *"
        return f"* * {_compact(self._weekdays())}"

    def _minute(self) -> int:
        """`hourly at :15`, `every hour at minute 15`; the full hour without."""
        if not self._take("at"):
            return 0
        word = self._peek()
        if self._take("minute"):
            word = self._peek()
        elif not word.startswith(":"):
            raise self._wrong("the minute of an hourly job is said like `at :15`")
        digits = word.lstrip(":")
        if not digits.isdigit() or int(digits) > 59:
            raise self._wrong("a minute is 0 to 59")
        self.at += 1
        return int(digits)

    def _weekdays(self) -> list[int]:
        days: list[int] = []
        for group in self._several(self._weekday_group):
            days += group
        return sorted(set(days))

    def _weekday_group(self) -> list[int]:
        for name, group in GROUPS.items():
            if self._take(name):
                return list(group)
        first = self._one_of(DAYS, "a day")
        if not self._take("to", "through", "-"):
            return [first]
        last = self._one_of(DAYS, "a day")
        return [(first + step) % 7 for step in range((last - first) % 7 + 1)]

    def _dates(self) -> list[int]:
        self._take("the")
        return sorted(set(self._several(self._date)))

    def _date(self) -> int:
        self._take("the")
        digits = re.match(r"[0-9]*", self._peek())
        number = int(digits[0]) if digits and digits[0] else 0
        if not 1 <= number <= 31 or ":" in self._peek():
            raise self._wrong("a day of the month is like 1st or 15th")
        self.at += 1
        return number

    def _date_of_year(self) -> str:
        if self._peek() in _MONTHS:
            month = self._one_of(_MONTHS, "a month")
            return f"{self._date()} {month} *"
        day = self._date()
        self._take("of")
        return f"{day} {self._one_of(_MONTHS, 'a month')} *"

    def _times(self) -> list[tuple[int, int]]:
        return self._several(self._time)

    def _time(self) -> tuple[int, int]:
        self._take("at")
        for name, hour in (("noon", 12), ("midnight", 0)):
            if self._take(name):
                return hour, 0
        word = self._peek()
        found = re.fullmatch(r"([0-9]{1,2})(?::([0-9]{2}))?", word)
        if found is None:
            raise self._wrong("a time is like 09:00, 9:30am, 5pm, noon or midnight")
        self.at += 1
        hour, minute = int(found[1]), int(found[2] or 0)
        half = self._peek() if self._take("am", "pm") else None
        if half is None and found[2] is None:
            self.at -= 1
            raise self._wrong(f"write {hour:02}:00, or {hour}am or {hour}pm")
        if minute > 59 or (hour > 23 if half is None else not 1 <= hour <= 12):
            self.at -= 1 + (half is not None)
            raise self._wrong("midnight is 00:00" if hour == 24 else "a time is 00:00 to 23:59, or 12:00am to 11:59pm")
        if half is not None:
            hour = hour % 12 + 12 * (self.words[self.at - 1][0] == "pm")
        return hour, minute

    def _several(self, one: Callable[[], _T]) -> list[_T]:
        """`a`, `a and b`, `a, b and c`, `a, b, and c`."""
        found = [one()]
        while self._take(",", "and"):
            self._take("and")
            found.append(one())
        return found

    def _one_of(self, names: dict[str, int], kind: str) -> int:
        number = names.get(self._peek())
        if number is None:
            raise self._wrong(f"here stands {kind}")
        self.at += 1
        return number

    def _peek(self) -> str:
        return self.words[self.at][0] if self.at < len(self.words) else ""

    def _take(self, *expected: str) -> bool:
        if self._peek() in expected:
            self.at += 1
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise self._wrong(f"here stands `{word}`")

    def _wrong(self, hint: str) -> ScheduleError:
        if self.at >= len(self.words):
            last = self.words[-1][2] if self.words else 0
            return ScheduleError("the schedule ends too early", help=hint, span=(max(0, last - 1), last))
        word, start, end = self.words[self.at]
        near = difflib.get_close_matches(word, _VOCABULARY, n=1, cutoff=0.7) if word not in _VOCABULARY else []
        help = f"did you mean `{near[0]}`?" if near else hint
        return ScheduleError(f"`{word}` makes no sense here", help=help, span=(start, end))


def _clock(times: list[tuple[int, int]]) -> str:
    hours, minutes = sorted({hour for hour, _ in times}), sorted({minute for _, minute in times})
    if len(set(times)) != len(hours) * len(minutes):
        raise ScheduleError(
            "these times do not fit in one expression", help="write a list: one entry for each minute of the hour"
        )
    return f"{','.join(map(str, minutes))} {','.join(map(str, hours))}"


def _compact(numbers: list[int]) -> str:
    """`1-5` for three or more in a row, else the numbers."""
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}-{numbers[-1]}"
    return ",".join(map(str, numbers))
