"""What is told, in words: plain, bounded, without what a terminal or chat would take for more than text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.stored import StoredTemplate
from specs.template import PLACES, fill, wrong_places
from status.notify.digest import Coming, DigestFacts, Failing, Late, Slow, write_digest
from status.notify.occurrences import Notice, What
from status.notify.wording import LONGEST_BODY, LONGEST_TITLE, VERBS, About, Voice, write

SECOND = 1_000_000
MINUTE = 60 * SECOND
NINE = 1_795_251_600 * SECOND
"""2026-11-21 09:00:00Z, 10:00 in Berlin."""
BERLIN = Voice(notifier="ops", timezone="Europe/Berlin")


def notice(what: What = "failure", **fields: object) -> Notice:
    usual: dict[str, object] = {
        "id": f"{what}/r1/ops", "notifier": "ops", "what": what, "job_id": 1, "identity": "shop/backup", "at": NINE,
        "run_id": "01k", "state": "failed", "reason": "exit_code", "exit_code": 3, "started_at": NINE - 90 * SECOND,
        "lasted": 90 * SECOND, "since": NINE, "failures": 1, "revision": "main@sha1:0123456789abcdef",
    }  # fmt: skip
    return Notice.of_data(usual | fields)


def test_a_failure_says_what_why_since_when_and_what_to_type() -> None:
    about = About(
        description="Copies the shop.",
        output=["copying\n", "disk full\n"],
        link="https://j/runs/01k",
    )
    text = write([notice(error="exit code 3")], BERLIN, about={"failure/r1/ops": about})
    assert text.title == "shop/backup failed: exit code 3"
    assert text.body == (
        "Copies the shop.\n"
        "Why: it exited with a code that is not a success\n"
        "Failing since: 2026-11-21 10:00:00 CET\n"
        "Run: 01k, started 2026-11-21 09:58:30 CET, took 1m30s\n"
        "Revision: main@0123456\n"
        "Advice: `jobsctl logs 01k`; a code that is no failure belongs into `success_codes`\n"
        "Page: https://j/runs/01k\n"
        "\n"
        "Last lines of its output:\n"
        "copying\n"
        "disk full"
    )


@pytest.mark.parametrize(
    ("said", "title"),
    [
        pytest.param(notice(reason="signal", signal=9), "shop/backup failed: SIGKILL", id="signal"),
        pytest.param(notice(reason="lost"), "shop/backup failed: lost", id="lost"),
        pytest.param(notice(state="expired", reason="timeout"), "shop/backup ran out of time", id="expired"),
        pytest.param(
            notice("still_failing", failures=6), "shop/backup still fails: 6 times in a row, exit code 3", id="still"
        ),
        pytest.param(notice("recovery", failures=2), "shop/backup recovered after 2 failures", id="recovery"),
        pytest.param(
            notice("recovery", failures=0, missed=True), "shop/backup recovered after its missed deadline", id="late"
        ),
        pytest.param(
            notice("missed", run_id=None),
            "shop/backup missed its deadline: no success by 2026-11-21 10:00:00 CET",
            id="missed",
        ),
        pytest.param(
            notice("slow", lasted=50 * MINUTE, slower_than=45 * MINUTE),
            "shop/backup is slow: 50m00s, more than 45m00s",
            id="slow",
        ),
        pytest.param(
            notice("skipped", reason="daemon_down", count=3), "shop/backup skipped 3 slots: daemon down", id="skipped"
        ),
        pytest.param(notice("success"), "shop/backup succeeded", id="success"),
    ],
)
def test_titles(said: Notice, title: str) -> None:
    assert write([said], BERLIN, about={}).title == title


@pytest.mark.parametrize("what", VERBS)
def test_every_message_says_what_to_type(what: What) -> None:
    assert "jobsctl " in write([notice(what)], BERLIN, about={}).body


def test_several_are_a_list_and_repeated_skips_one_line() -> None:
    skips = [notice("skipped", id=f"s{n}", identity="shop/poll", reason="overlap", count=1) for n in range(5)]
    text = write([notice(), *skips, notice("recovery", failures=1)], BERLIN, about={})
    assert text.title == "2 jobs: 1 failed, 5 skipped, 1 recovered"
    assert [line.split(" (")[0] for line in text.body.splitlines()] == [
        "- shop/backup failed: exit code 3",
        "- shop/poll skipped 5 slots: overlap",
        "- shop/backup recovered after a failure",
        "More: jobsctl status",
    ]


def test_a_long_list_says_how_many_more() -> None:
    text = write([notice(id=str(n), identity=f"shop/j{n}") for n in range(300)], BERLIN, about={})
    assert "... and 280 more" in text.body
    assert text.title == "300 jobs: 300 failed"


def test_the_last_for_now_says_so_and_a_template_cannot_hide_it() -> None:
    voice = Voice(notifier="ops", template=StoredTemplate(body="{{ job }}"))
    text = write([notice()], voice, about={}, last_for_now=NINE + 60 * MINUTE)
    assert text.body.startswith("shop/backup\n\nThis was the last message for now")
    assert "until 2026-11-21 10:00:00 UTC" in text.body


def test_a_template_is_filled_in_once() -> None:
    """What a job prints is never read as a template."""
    voice = Voice(
        notifier="ops", template=StoredTemplate(title="[{{project}}] {{ name }}: {{ title }}", body="{{output}}")
    )
    text = write([notice()], voice, about={"failure/r1/ops": About(output=["{{ body }}", "{{ job }}"])})
    assert text.title == "[shop] backup: shop/backup failed: exit code 3"
    assert text.body == "{{ body }}\n{{ job }}"


@pytest.mark.parametrize(
    ("template", "spans"),
    [
        pytest.param("{{ job }} {{title}}", [], id="known"),
        pytest.param("a {{ jobb }} b", [(2, 12)], id="misspelt"),
        pytest.param("{{ job | upper }}", [(0, 17)], id="a-filter"),
        pytest.param("{{ ''.__class__ }}", [(0, 18)], id="an-expression"),
        pytest.param("{% for x in y %}", [], id="no-place"),
    ],
)
def test_only_names_stand_for_something(template: str, spans: list[tuple[int, int]]) -> None:
    assert [span for span, _, _ in wrong_places(template)] == spans


def test_a_template_of_every_name_is_bounded() -> None:
    template = "".join(f"{{{{ {name} }}}}" for name in PLACES)
    assert len(fill(template * 50, dict.fromkeys(PLACES, "x" * 10_000), longest=500)) == 500


HOSTILE = st.text(st.sampled_from("a b\n\t\r\x00\x1b[31m\x07\u202e\u200b\ud800\x9b{}`<!@"), max_size=60)


@given(st.lists(HOSTILE, max_size=40), HOSTILE, st.sampled_from(sorted(VERBS)))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_nothing_but_text_gets_out(output: list[str], said: str, what: What) -> None:
    about = About(output=output, description=said, link=said)
    for notices in ([notice(what, error=said)], [notice(what, error=said), notice(id="x", reason=said)]):
        text = write(notices, BERLIN, about={f"{what}/r1/ops": about}, last_for_now=NINE)
        assert "\n" not in text.title
        assert len(text.title) <= LONGEST_TITLE
        assert len(text.body) <= LONGEST_BODY + 300
        assert not any(
            unicodedata.category(each) in ("Cc", "Cf", "Cs") for each in text.title + text.body if each != "\n"
        )


def test_output_is_the_last_of_it() -> None:
    about = About(output=[f"line {n} " + "x" * 300 for n in range(100)])
    body = write([notice()], BERLIN, about={"failure/r1/ops": about}).body
    lines = body.partition("output:\n")[2].splitlines()
    assert lines[-1].startswith("line 99 ")
    assert all(len(line) <= 200 for line in lines)
    assert 3 < len(lines) <= 15


def test_colours_leave_no_litter() -> None:
    about = About(output=["\x1b[1;31mboom\x1b[0m", "\x1b]0;title\x07text"])
    assert write([notice()], BERLIN, about={"failure/r1/ops": about}).body.endswith("output:\nboom\ntext")


def test_a_digest_counts_and_names() -> None:
    facts = DigestFacts(
        since=NINE - 24 * 60 * MINUTE, until=NINE, jobs=12, counts={"succeeded": 140, "failed": 2, "skipped": 1},
        failing=[Failing("shop/backup", NINE - MINUTE, 2)], late=[Late("shop/sync", NINE)],
        slowest=[Slow("shop/load", "01k", 90 * MINUTE)], coming=[Coming("shop/report", NINE + 60 * MINUTE)],
    )  # fmt: skip
    text = write_digest(facts, BERLIN)
    assert text.title == "Digest: 2 of 12 jobs need a look, 142 runs"
    assert text.body == (
        "From 2026-11-20 10:00:00 CET to 2026-11-21 10:00:00 CET, 12 jobs\n"
        "Runs: 140 succeeded, 2 failed, 1 skipped\n"
        "Failing:\n"
        "- shop/backup, since 2026-11-21 09:59:00 CET, 2 failures in a row\n"
        "Late:\n"
        "- shop/sync, was due to succeed by 2026-11-21 10:00:00 CET\n"
        "Slowest:\n"
        "- shop/load, 1h30m (01k)\n"
        "Next:\n"
        "- 2026-11-21 11:00:00 CET shop/report\n"
        "More: jobsctl status"
    )


def test_a_digest_of_nothing_says_that_all_is_well() -> None:
    text = write_digest(DigestFacts(since=NINE, until=NINE, jobs=3), BERLIN)
    assert text.title == "Digest: all is well, 0 runs"
    assert "Runs: none" in text.body
