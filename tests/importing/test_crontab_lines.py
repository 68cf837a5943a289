"""A crontab's lines, as `env.c`, `entry.c` and `do_command.c` of Debian's cron read them, and what becomes of each."""

from __future__ import annotations

from typing import Any

import pytest

from cli.importing.crontab.fields import BadField, read_fields
from cli.importing.crontab.reader import is_system, read_crontab
from cli.importing.crontab.shell import simple_words, split_input
from cli.importing.imported import Import, Imported, SourceText
from tests.importing.corpora import checked, home_of


def imported(text: str, *, path: str = "crontab", system: bool = False, user: str | None = None) -> Import:
    return read_crontab(
        SourceText(path, text), system=system, user=user, timezone="UTC", timezone_given=False, home_of=home_of
    )


def job(text: str, **rest: Any) -> Imported:
    made = imported(text + "\n", **rest)
    assert not made.unreadable, made.unreadable
    (one,) = made.jobs
    assert checked(one, count=20).state in ("same", "incomparable")
    return one


def levels(one: Imported) -> dict[str, str]:
    return {note.what: note.level for note in one.notes}


class TestTimes:
    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            pytest.param("60 * * * *", "outside of 0-59", id="too_large"),
            pytest.param("* * 0 * *", "outside of 1-31", id="too_small"),
            pytest.param("5/10 * * * *", "a step needs a range", id="a_step_without_a_range"),
            pytest.param("*/0 * * * *", "a step of 0", id="a_step_of_nothing"),
            pytest.param("1,,2 * * * *", "missing", id="an_empty_item"),
            pytest.param("* * * foo *", "no month", id="an_unknown_name"),
            pytest.param("mon * * * *", "no minute", id="a_name_in_the_wrong_field"),
            pytest.param("5-64/30 * * * *", "outside", id="a_range_that_ends_outside"),
        ],
    )
    def test_what_cron_refuses_is_refused(self, fields, message):
        with pytest.raises(BadField, match=message):
            read_fields(tuple(fields.split()))

    @pytest.mark.parametrize(
        ("field", "weekdays"),
        [
            pytest.param("7", {0}, id="seven_is_sunday"),
            pytest.param("5-7", {5, 6, 0}, id="a_range_to_seven"),
            pytest.param("mon-FRI", {1, 2, 3, 4, 5}, id="names_in_a_range"),
            pytest.param("*/2", {0, 2, 4, 6}, id="a_step"),
            pytest.param("sat-sun", set(), id="backwards_is_nothing"),
        ],
    )
    def test_weekdays(self, field, weekdays):
        assert read_fields(("0", "0", "*", "*", field)).weekdays == weekdays

    @pytest.mark.parametrize(
        ("time", "schedule"),
        [
            pytest.param("*/5 * * * *", "*/5 * * * *", id="as_it_is"),
            pytest.param("0   9 *  * mon", "0 9 * * mon", id="blanks"),
            pytest.param("5-5 4 * * *", "5 4 * * *", id="a_range_of_one"),
            pytest.param("@midnight", "@midnight", id="a_word"),
            pytest.param("@reboot", "@reboot", id="at_boot"),
            pytest.param("5~50 3 * * *", "H(5-50) 3 * * *", id="cronie_draws"),
            pytest.param("~ ~ * * *", "H H * * *", id="cronie_draws_from_all"),
        ],
    )
    def test_become_a_schedule(self, time, schedule):
        assert job(f"{time} true").tree["schedule"] == schedule

    def test_a_line_that_never_starts_has_no_schedule_and_says_so(self):
        one = job("0 22-2 * * * true")
        assert "schedule" not in one.tree
        assert levels(one)["0 22-2 * * *"] == "lost"

    def test_day_and_weekday_are_an_or_unless_one_begins_with_a_star(self):
        assert read_fields(("0", "0", "1", "*", "1")).either_day
        assert not read_fields(("0", "0", "*/2", "*", "1")).either_day


class TestVariables:
    def test_apply_to_the_lines_below_only(self):
        made = imported("A=1\n0 1 * * * a\nA=2\nB = ' x y '\n0 2 * * * b\n")
        assert [{**one.tree["env"]} for one in made.jobs] == [
            {"A": "1", "PATH": "/usr/bin:/bin"},
            {"A": "2", "B": " x y ", "PATH": "/usr/bin:/bin"},
        ]

    def test_an_entry_with_an_equals_sign_is_no_variable(self):
        assert job("0 1 * * * A=1 run").tree["env"] == {"PATH": "/usr/bin:/bin", "A": "1"}

    def test_cron_tz_is_the_zone_of_the_times(self):
        one = job("CRON_TZ=Asia/Tokyo\n0 1 * * * a")
        assert one.tree["timezone"] == "Asia/Tokyo"
        assert levels(one)["CRON_TZ"] == "changed"

    def test_a_random_delay_is_jitter(self):
        assert job("RANDOM_DELAY=15\n0 1 * * * a").tree["jitter"] == {"random": "15m"}

    def test_a_password_is_pointed_at(self):
        assert levels(job("DB_PASSWORD=hunter2\n0 1 * * * a"))["DB_PASSWORD"] == "info"
        assert levels(job("WHERE=https://ann:hunter2@db/x\n0 1 * * * a"))["WHERE"] == "info"
        assert levels(job("0 1 * * * PGPASSWORD=hunter2 psql"))["the value of `PGPASSWORD`"] == "info"
        assert levels(job("0 1 * * * b --password hunter2"))["the value of `password`"] == "info"
        assert job("PASSWORD_FILE=/run/secret\n0 1 * * * PGPASSWORD=$X a").notes == ()

    def test_home_is_where_it_starts(self):
        assert job("HOME=/srv\n0 1 * * * a").tree["run"]["working_dir"] == "/srv"

    def test_an_unknown_home_is_told(self):
        one = job("0 1 * * * a", user="ghost")
        assert "working_dir" not in one.tree["run"]
        assert levels(one)["working directory"] == "changed"


class TestCommands:
    @pytest.mark.parametrize(
        ("line", "argv"),
        [
            pytest.param("run a b", ("run", "a", "b"), id="words"),
            pytest.param("run 'a b' \"c d\"", ("run", "a b", "c d"), id="quotes"),
            pytest.param("run --x=1,2:3 a@b", ("run", "--x=1,2:3", "a@b"), id="signs"),
            pytest.param("run > log", None, id="a_redirect"),
            pytest.param("run $HOME", None, id="a_variable"),
            pytest.param('run "$HOME"', None, id="a_variable_in_quotes"),
            pytest.param("run *.txt", None, id="a_pattern"),
            pytest.param("run a; b", None, id="two_commands"),
            pytest.param("~/run", None, id="a_tilde"),
            pytest.param("exec run", None, id="a_builtin"),
            pytest.param("run 'open", None, id="an_open_quote"),
            pytest.param("cd relative && run", None, id="a_relative_folder"),
        ],
    )
    def test_only_a_line_without_the_shells_work_is_an_argument_list(self, line, argv):
        words = simple_words(line)
        assert (None if words is None else words.argv) == argv

    def test_a_change_of_folder_is_the_working_directory(self):
        one = job("0 1 * * * cd /srv/app && ./run now")
        assert one.tree["run"] == {"command": ["./run", "now"], "working_dir": "/srv/app"}

    @pytest.mark.parametrize(
        ("line", "text", "stdin"),
        [
            pytest.param(r"date +\%F", "date +%F", None, id="escaped"),
            pytest.param("mail a%Hello%%Bye", "mail a", "Hello\n\nBye\n", id="input"),
            pytest.param(r"mail a%50\% off", "mail a", "50% off\n", id="escaped_in_the_input"),
            pytest.param(r"sed s/\\/x/", "sed s/\\/x/", None, id="a_doubled_backslash"),
            pytest.param(r"printf 'a\tb'", r"printf 'a\tb'", None, id="a_backslash"),
        ],
    )
    def test_percent_signs_are_cut_as_cron_cuts_them(self, line, text, stdin):
        found = split_input(line)
        assert (found.text, found.stdin) == (text, stdin)

    def test_input_is_a_here_document(self):
        run = job("0 1 * * * mail a%END%Bye").tree["run"]
        assert run["script"] == "mail a <<'END_'\nEND\nBye\nEND_\n"

    def test_a_script_that_strictness_would_change_names_its_shell(self):
        assert job("0 1 * * * a; b").tree["run"]["interpreter"] == ["/bin/sh"]
        assert "interpreter" not in job("0 1 * * * a > log 2>&1 || b").tree["run"]

    def test_another_shell_reads_the_script(self):
        one = job("SHELL=/bin/bash\n0 1 * * * a | b")
        assert one.tree["run"]["interpreter"] == ["/bin/bash"]
        assert one.tree["env"]["SHELL"] == "/bin/bash"

    def test_what_dillons_cron_takes_for_itself_is_told(self):
        one = job("0 1 * * * ID=load AFTER=extract run")
        assert (levels(one)["ID=load"], one.tree["env"]["AFTER"]) == ("changed", "extract")

    def test_a_comment_at_the_end_is_a_description(self):
        one = job("0 1 * * * run now # every night")
        assert (one.tree["run"]["command"], one.tree["description"]) == (["run", "now"], "every night")

    @pytest.mark.parametrize(
        ("line", "what"),
        [
            pytest.param("flock -n /tmp/x run", "flock", id="flock"),
            pytest.param("run >/dev/null 2>&1", "> /dev/null 2>&1", id="silence"),
            pytest.param("cd / && run-parts --report /etc/cron.daily", "run-parts", id="run_parts"),
        ],
    )
    def test_what_jobsctl_does_better_is_suggested(self, line, what):
        assert levels(job(f"0 1 * * * {line}"))[what] == "info"


class TestFiles:
    def test_a_system_crontab_names_users(self):
        one = job("0 1 * * * www-data run", system=True)
        assert one.tree["run"] == {"command": ["run"], "working_dir": "/home/www-data", "user": "www-data"}

    @pytest.mark.parametrize("path", ["/etc/crontab", "etc/cron.d/sysstat", "/etc/cron.d/x"])
    def test_is_known_by_its_place(self, path):
        assert is_system(path)
        assert job("0 1 * * * root run", path=path).tree["run"]["user"] == "root"

    def test_its_place_is_not_believed_when_the_lines_have_no_user(self):
        assert job("0 1 * * * ./run now", path="/etc/crontab").tree["run"]["command"] == ["./run", "now"]

    def test_a_user_column_that_was_not_expected_is_pointed_at(self):
        made = imported("0 1 * * * root run\n")
        assert any(note.what == "a user before the command" for note in made.notes)

    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            pytest.param("0 1 * * * a\n61 * * * * b\n", 2, 1, id="a_field"),
            pytest.param("0 25 * * * b\n", 1, 3, id="the_second_field"),
            pytest.param("@fortnightly b\n", 1, 1, id="a_word"),
            pytest.param("0 1 * * *\n", 1, 9, id="no_command"),
            pytest.param("0 1 * * * * b\n", 1, 11, id="six_fields"),
            pytest.param("hello\n", 1, 1, id="neither"),
        ],
    )
    def test_what_cannot_be_read_is_told_with_its_place(self, text, line, column):
        (finding,) = imported(text).unreadable
        assert (finding.line, finding.column) == (line, column)

    def test_the_comment_above_is_the_description(self):
        made = imported("# Old\n\n# Nightly\n# dump\n0 1 * * * dump\n0 2 * * * other\n")
        assert [one.tree.get("description") for one in made.jobs] == ["Nightly\ndump", None]

    def test_lines_that_are_commented_out_are_told(self):
        made = imported("# 0 1 * * * old\n0 2 * * * new\n")
        assert [note.origin.line for note in made.notes if note.what == "a line that is commented out"] == [1]
        assert "description" not in made.jobs[0].tree

    def test_cron_starts_although_the_last_run_goes_on_and_catches_up_nothing(self):
        tree = job("0 1 * * * a").tree
        assert (tree["overlap"], tree["missed"]) == ("allow", "skip")
