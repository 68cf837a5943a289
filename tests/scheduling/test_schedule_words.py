"""Plain words become the cron a reader expects, and cron becomes words a reader understands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.cron import parse_cron
from specs.expression import ScheduleError
from specs.model import Dst
from specs.phrases import say_cron, say_period
from specs.schedule import parse_schedule
from specs.words import to_cron

IN = {
    "daily at 09:00": "0 9 * * *",
    "daily": "0 0 * * *",
    "Daily at 9:00 AM": "0 9 * * *",
    "every day at noon": "0 12 * * *",
    "every day at midnight": "0 0 * * *",
    "each day at 23:59": "59 23 * * *",
    "at 09:00": "0 9 * * *",
    "at 9am on weekdays": "0 9 * * 1-5",
    "daily at 9:00 and 17:00": "0 9,17 * * *",
    "daily at 09:00, 13:00 and 17:00": "0 9,13,17 * * *",
    "daily at 9:00 and at 9:30": "0,30 9 * * *",
    "daily at 12am": "0 0 * * *",
    "daily at 12pm": "0 12 * * *",
    "daily at 12:30am": "30 0 * * *",
    "weekdays at 9:30am": "30 9 * * 1-5",
    "every weekday at 9:30 am": "30 9 * * 1-5",
    "weekends at 10:00": "0 10 * * 0,6",
    "on weekends at 10:00": "0 10 * * 0,6",
    "every monday at 8am": "0 8 * * 1",
    "monday at 8am": "0 8 * * 1",
    "mondays and fridays at 17:00": "0 17 * * 1,5",
    "mon, wed and fri at 5pm": "0 17 * * 1,3,5",
    "Tuesday, Thursday, and Saturday at 06:15": "15 6 * * 2,4,6",
    "monday to thursday at 06:00": "0 6 * * 1-4",
    "mon-fri at 06:00": "0 6 * * 1-5",
    "friday through monday at 06:00": "0 6 * * 0,1,5,6",
    "weekdays and saturdays at 06:00": "0 6 * * 1-6",
    "weekly": "0 0 * * 0",
    "weekly on friday at 18:00": "0 18 * * 5",
    "every week on monday at 1am": "0 1 * * 1",
    "every sunday": "0 0 * * 0",
    "hourly": "0 * * * *",
    "every hour": "0 * * * *",
    "hourly at :15": "15 * * * *",
    "every hour at minute 5": "5 * * * *",
    "every minute": "* * * * *",
    "monthly": "0 0 1 * *",
    "monthly on the 1st at 06:00": "0 6 1 * *",
    "monthly on the 1st and 15th at 06:00": "0 6 1,15 * *",
    "every month on the 31st at noon": "0 12 31 * *",
    "on the 1st of every month at 6pm": "0 18 1 * *",
    "on the 2nd and the 3rd of the month at 6pm": "0 18 2,3 * *",
    "on the 24th of december at 18:00": "0 18 24 12 *",
    "yearly": "0 0 1 1 *",
    "yearly on 1 march at 00:30": "30 0 1 3 *",
    "every year on december 24th at 18:00": "0 18 24 12 *",
    "annually on the 4th of july at noon": "0 12 4 7 *",
}


@pytest.mark.parametrize("text", IN)
def test_a_sentence_becomes_the_cron_a_reader_expects(text):
    assert to_cron(text) == IN[text]
    schedule = parse_schedule(text, timezone="UTC", dst=Dst(), identity="default/job")
    assert (schedule.kind, schedule.expression) == ("cron", IN[text])


REFUSED = {
    # sentence: (the word that is wrong, help)
    "dayly at 09:00": ("dayly", "did you mean `daily`?"),
    "every mondey at 09:00": ("mondey", "did you mean `monday`?"),
    "weekdays att 09:00": ("att", "`at`"),
    "daily 09:00": ("09:00", "like `at 09:00`"),
    "daily at 9": ("9", "write 09:00, or 9am or 9pm"),
    "daily at 24:00": ("24:00", "midnight is 00:00"),
    "daily at 13:00pm": ("13:00", "a time is"),
    "daily at 09:60": ("09:60", "a time is"),
    "daily at": ("t", "a time is like"),
    "daily at 09:00 and 17:30": (None, "write a list"),
    "daily at 09:00 sharp": ("sharp", "words end here"),
    "daily at 09:00 in Berlin": ("in", "words end here"),
    "hourly at 09:00": ("09:00", "like `at :15`"),
    "hourly at :60": (":60", "0 to 59"),
    "at 09:00 hourly": (None, "hourly at :15"),
    "monthly on the last day at 06:00": ("last", "like 1st"),
    "monthly on the 32nd at 06:00": ("32nd", "like 1st"),
    "on the 1st at 06:00": ("at", "`of`"),
    "yearly on 1 mars": ("mars", "mar"),
    "every": ("y", "a day"),
    "tomorrow": ("tomorrow", None),
    "weekdays at noon, please": ("please", "a time is like"),
    "never": ("never", None),
    "every blue moon": ("blue", None),
    "every other day": ("other", None),
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_sentence_that_makes_no_sense_is_refused_at_its_word(text):
    word, help = REFUSED[text]
    with pytest.raises(ScheduleError) as caught:
        to_cron(text)
    error = caught.value
    assert (None if error.start is None else text[error.start : error.end]) == word
    assert help is None or help in (error.help or "")


OUT = {
    "* * * * *": "Every minute",
    "*/10 * * * *": "Every 10 minutes",
    "0,30 * * * *": "Every 30 minutes",
    "0 * * * *": "Every hour",
    "15 * * * *": "Every hour at minute 15",
    "5,35 * * * *": "Every hour at minutes 5 and 35",
    "*/7 * * * *": "Every hour at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56",
    "0 9 * * *": "Daily at 09:00",
    "0 9,13,17 * * *": "Daily at 09:00, 13:00 and 17:00",
    "0,30 9 * * *": "Daily at 09:00 and 09:30",
    "0 */6 * * *": "Daily at 00:00, 06:00, 12:00 and 18:00",
    "5 */2 * * *": "Every 2 hours at minute 5",
    "0 9-17 * * *": "Every hour from 09:00 to 17:00",
    "*/15 9-17 * * MON-FRI": "Weekdays, every 15 minutes from 09:00 to 17:45",
    "* 9-17 * * *": "Every minute from 09:00 to 17:59",
    "7,9 1-8 * * *": "At minutes 7, 9 of the hours 1-8",
    "* 1,5 * * *": "Every minute of the hours 1, 5",
    "3 1-20/3 * * *": "At minute 3 of the hours 1, 4, 7, 10, 13, 16, 19",
    "0 8 * * 1": "Mondays at 08:00",
    "0 8 * * 0,6": "Weekends at 08:00",
    "0 8 * * 1,5": "Mondays and Fridays at 08:00",
    "0 8 * * 2-5": "Tuesdays to Fridays at 08:00",
    "0 8 * * 5-7": "Fridays to Sundays at 08:00",
    "0 6 1 * *": "On the 1st of every month at 06:00",
    "0 6 1-5,11,22,23 * *": "On the 1st to 5th, 11th, 22nd and 23rd of every month at 06:00",
    "0 6 1 1,7 *": "On the 1st of January and July at 06:00",
    "30 0 1 3 *": "Every year on 1 March at 00:30",
    "0 9 * 6-8 MON-FRI": "Weekdays in June to August at 09:00",
    "0 9 * 12 *": "Daily in December at 09:00",
    "* * * 12 *": "Daily in December, every minute",
    "0 0 13 * FRI": "On the 13th of every month and on Fridays at 00:00",
    "0 0 13 6 FRI": "On the 13th of every month and on Fridays in June at 00:00",
    "0 0 */10 * FRI": "On Fridays that are the 1st, 11th, 21st and 31st of the month at 00:00",
}


@pytest.mark.parametrize("expression", OUT)
def test_cron_is_said_in_words(expression):
    assert say_cron(parse_cron(expression, "default/job").times) == OUT[expression]


FIELDS = st.tuples(
    st.sampled_from(["*", "0", "*/5", "*/15", "3,4", "10-40/10", "0,30", "*/7"]),
    st.sampled_from(["*", "0", "9", "*/2", "9-17", "1-20/3", "4,5,6,22"]),
    st.sampled_from(["*", "1", "1-7", "*/2", "1,15", "31"]),
    st.sampled_from(["*", "1", "3,6", "6-8"]),
    st.sampled_from(["*", "MON", "MON-FRI", "SAT,SUN", "2-4", "1,3,5"]),
).map(" ".join)


@settings(derandomize=True, max_examples=300)
@given(FIELDS, FIELDS)
def test_two_schedules_are_said_alike_only_when_they_are_alike(one, other):
    first, second = parse_cron(one, "default/job").times, parse_cron(other, "default/job").times
    assert (say_cron(first) == say_cron(second)) == (first == second)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "Every second"), (60, "Every minute"), (90, "Every 1 minute 30 seconds"), (3600, "Every hour"),
     (7200, "Every 2 hours"), (86_400, "Every day"), (90_061, "Every 1 day 1 hour 1 minute 1 second"),
     (1.25, "Every 1.25 seconds")],
)  # fmt: skip
def test_a_period_is_said_in_words(seconds, words):
    assert say_period(int(seconds * 1_000_000)) == words
