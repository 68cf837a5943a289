"""Timers and services of systemd: each setting is carried over, changed or lost, with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from cli.importing.imported import Import, Imported, SourceText
from cli.importing.systemd.reader import read_systemd
from cli.importing.systemd.spans import read_span, write_span
from cli.importing.systemd.words import BadCommand, read_commands, split
from tests.importing.corpora import checked, home_of

RUN = "[Service]\nType=oneshot\nExecStart=/bin/run\n"


def imported(zone: str = "UTC", **files: str) -> Import:
    """`imported(a_timer="...", a_service="...")`; a name's last `_` is the dot."""
    sources = [SourceText(".".join(name.rsplit("_", 1)).replace("__", "@"), text) for name, text in files.items()]
    return read_systemd(sources, timezone=zone, timezone_given=zone != "UTC", home_of=home_of)


def job(timer: str = "OnCalendar=daily", service: str = RUN, zone: str = "UTC") -> Imported:
    made = imported(zone, a_timer=f"[Timer]\n{timer}\n", a_service=service)
    assert not made.unreadable, made.unreadable
    (one,) = made.jobs
    checked(one, zone, count=5)
    return one


def service(settings: str, section: str = "Service") -> Imported:
    text = f"[{section}]\n{settings}\n" + ("" if section == "Service" else "[Service]\n")
    return job(service=text + ("" if "ExecStart=" in settings else "ExecStart=/bin/run\n"))


def levels(one: Imported) -> dict[str, str]:
    return {note.what: note.level for note in one.notes}


class TestTimers:
    @pytest.mark.parametrize(
        ("timer", "schedule"),
        [
            pytest.param("OnCalendar=daily", "daily at 00:00", id="daily"),
            pytest.param("OnCalendar=hourly", "@hourly", id="hourly"),
            pytest.param("OnCalendar=weekly", "every monday at 00:00", id="weekly"),
            pytest.param("OnCalendar=Mon..Fri 9:30", "weekdays at 09:30", id="weekdays"),
            pytest.param("OnCalendar=6,18:00", "daily at 06:00 and 18:00", id="twice_a_day"),
            pytest.param("OnCalendar=*:0/15", "*/15 * * * *", id="quarters"),
            pytest.param("OnCalendar=*-*-1/2 4:00", "0 4 */2 * *", id="every_other_day"),
            pytest.param("OnCalendar=monthly", "0 0 1 * *", id="monthly"),
            pytest.param("OnCalendar=*-*-* *:*:0/10", {"every": "10s", "anchor": "1970-01-01T00:00:00Z"}, id="seconds"),
            pytest.param("OnCalendar=*:0/5:30", {"every": "5m", "anchor": "1970-01-01T00:00:30Z"}, id="half_minutes"),
            pytest.param("OnCalendar=2027-03-01 05:00", "2027-03-01T05:00:00", id="once"),
            pytest.param(
                "OnCalendar=6:00\nOnCalendar=Sat 8:00", ["daily at 06:00", "every saturday at 08:00"], id="two"
            ),
            pytest.param("OnCalendar=6:00\nOnCalendar=\nOnCalendar=7:00", "daily at 07:00", id="a_reset"),
            pytest.param("OnBootSec=0", "@reboot", id="at_boot"),
            pytest.param("OnBootSec=1h\nOnCalendar=6:00", ["daily at 06:00", "@reboot"], id="at_boot_and_daily"),
            pytest.param("OnUnitInactiveSec=10min", {"every": "10m", "from": "finish"}, id="after_the_end"),
            pytest.param("OnBootSec=5m\nOnUnitActiveSec=1d", ["@reboot", "every 1d"], id="a_period"),
        ],
    )
    def test_become_schedules(self, timer: str, schedule: Any) -> None:
        one = job(timer)
        assert one.tree["schedule"] == schedule
        assert checked(one, count=50).state in ("same", "incomparable")

    @pytest.mark.parametrize(
        ("timer", "tree"),
        [
            pytest.param("OnCalendar=daily", {"missed": "skip"}, id="not_persistent"),
            pytest.param("OnCalendar=daily\nPersistent=true", {}, id="persistent"),
            pytest.param(
                "OnCalendar=daily\nPersistent=1\nRandomizedDelaySec=1h 30min",
                {"jitter": {"random": "1h30m"}},
                id="a_random_delay",
            ),
            pytest.param(
                "OnCalendar=daily\nPersistent=1\nRandomizedDelaySec=90\nFixedRandomDelay=yes",
                {"jitter": {"spread": "1m30s"}},
                id="a_fixed_random_delay",
            ),
            pytest.param("OnCalendar=daily Asia/Tokyo\nPersistent=1", {"timezone": "Asia/Tokyo"}, id="a_zone"),
            pytest.param(
                "OnCalendar=2026..2028-*-1 5:00\nPersistent=1",
                {"start_at": "2026-01-01T00:00:00", "end_at": "2028-12-31T23:59:59"},
                id="years",
            ),
        ],
    )
    def test_say_what_else_there_is(self, timer: str, tree: dict[str, Any]) -> None:
        one = job(timer)
        assert {key: value for key, value in one.tree.items() if key not in ("name", "schedule", "run")} == tree
        assert checked(one).state == "same"

    def test_in_a_zone_with_summer_time_an_hourly_one_is_fixed_as_systemd_has_it(self):
        one = job("OnCalendar=hourly", zone="Europe/Berlin")
        assert (one.tree["schedule"], one.tree["dst"]) == ("0 0-23 * * *", {"gap": "skip"})
        assert checked(one, "Europe/Berlin", count=9000).state == "same"

    def test_a_time_that_is_never_left_out_says_nothing_of_summer_time(self):
        assert "dst" not in job("OnCalendar=6:00", zone="Europe/Berlin").tree

    def test_weekday_and_day_of_the_month_go_through_a_calendar(self):
        one = job("OnCalendar=Mon *-*-1..7 04:00")
        (calendar,) = one.documents
        assert (one.tree["calendar"], calendar["windows"]) == (calendar["name"], [{"days": "mon"}])
        outcome = checked(one)
        assert (outcome.state, outcome.compared) == ("same", 336)

    @pytest.mark.parametrize(
        ("timer", "equal"),
        [
            pytest.param("OnCalendar=*-*~1 04:00", 15, id="the_last_day_in_february"),
            pytest.param("OnCalendar=04:05:30", 0, id="seconds"),
            pytest.param("OnCalendar=2026/2-*-* 00:00", 40, id="every_other_year"),
        ],
    )
    def test_what_cannot_be_said_is_lost_and_the_check_says_where(self, timer: str, equal: int) -> None:
        one = job(timer)
        assert levels(one)["OnCalendar="] == "lost"
        outcome = checked(one)
        assert (outcome.state, outcome.compared) == ("different", equal)

    @pytest.mark.parametrize("setting", ["WakeSystem=yes", "OnClockChange=1", "OnTimezoneChange=on"])
    def test_what_jobsctl_does_not_do_is_lost(self, setting: str) -> None:
        assert levels(job(f"OnCalendar=daily\n{setting}"))[f"{setting.partition('=')[0]}="] == "lost"

    def test_a_refused_expression_is_told_with_its_place(self):
        made = imported(a_timer="[Timer]\nOnCalendar=every monday\n", a_service=RUN)
        (finding,) = made.unreadable
        assert (made.jobs, finding.line, finding.column) == ((), 2, 12)

    def test_a_timer_without_its_service_is_told(self):
        (finding,) = imported(a_timer="[Timer]\nOnCalendar=daily\nUnit=b.service\n").unreadable
        assert "b.service, which is not among the files" in finding.message

    def test_a_service_without_a_timer_is_a_manual_job(self):
        (one,) = imported(a_service=RUN).jobs
        assert "schedule" not in one.tree

    def test_an_instance_fills_its_template(self):
        made = read_systemd(
            [
                SourceText("dump@db-1.timer", "[Timer]\nOnCalendar=daily\n"),
                SourceText(
                    "dump@.service", "[Unit]\nDescription=Dump of %i\n[Service]\nExecStart=/bin/dump %i %I %p %n\n"
                ),
            ],
            timezone="UTC",
            timezone_given=False,
            home_of=home_of,
        )
        (one,) = made.jobs
        assert (one.name, one.tree["description"]) == ("dump-db-1", "Dump of db-1")
        assert one.tree["run"]["command"] == ["/bin/dump", "db-1", "db/1", "dump", "dump@db-1.service"]

    def test_a_drop_in_changes_its_unit(self):
        made = read_systemd(
            [
                SourceText("a.timer.d/late.conf", "[Timer]\nOnCalendar=\nOnCalendar=22:00\n"),
                SourceText("a.timer", "[Timer]\nOnCalendar=6:00\n"),
                SourceText("a.service", RUN),
            ],
            timezone="UTC",
            timezone_given=False,
            home_of=home_of,
        )
        assert made.jobs[0].tree["schedule"] == "daily at 22:00"


class TestServices:
    @pytest.mark.parametrize(
        ("settings", "run"),
        [
            pytest.param("User=ada\nGroup=dev", {"user": "ada", "group": "dev"}, id="account"),
            pytest.param("WorkingDirectory=/srv", {"working_dir": "/srv"}, id="folder"),
            pytest.param("User=ada\nWorkingDirectory=~", {"working_dir": "/home/ada"}, id="home"),
            pytest.param("UMask=0027", {"umask": "0027"}, id="umask"),
            pytest.param("MemoryMax=512M\nCPUQuota=150%", {"limits": {"memory": "512Mi", "cpu": 1.5}}, id="limits"),
            pytest.param("TasksMax=64\nLimitNOFILE=1024:4096", {"limits": {"pids": 64, "nofile": 4096}}, id="counts"),
            pytest.param("Nice=10", {"command": ["nice", "-n", "10", "/bin/run"]}, id="nice"),
            pytest.param("IOSchedulingClass=idle", {"command": ["ionice", "-c", "idle", "/bin/run"]}, id="ionice"),
        ],
    )
    def test_settings_of_the_program(self, settings: str, run: dict[str, Any]) -> None:
        assert service(settings).tree["run"].items() >= run.items()

    @pytest.mark.parametrize(
        ("settings", "tree"),
        [
            pytest.param('Environment="A=one two" B=2', {"env": {"A": "one two", "B": "2"}}, id="variables"),
            pytest.param("PassEnvironment=A", {"env": {"A": {"from_env": "A"}}}, id="passed_on"),
            pytest.param("Type=oneshot\nTimeoutStartSec=1h", {"timeout": "1h"}, id="a_oneshots_time"),
            pytest.param("RuntimeMaxSec=90", {"timeout": "1m30s"}, id="another_types_time"),
            pytest.param("TimeoutStopSec=30", {"grace": "30s"}, id="grace"),
            pytest.param("SuccessExitStatus=24 TEMPFAIL", {"success_codes": [0, 24, 75]}, id="success"),
            pytest.param(
                "Restart=on-failure\nRestartSec=30", {"retry": {"attempts": 5, "delay": "30s", "jitter": 0}}, id="retry"
            ),
        ],
    )
    def test_policies(self, settings: str, tree: dict[str, Any]) -> None:
        assert service(settings).tree.items() >= tree.items()

    @pytest.mark.parametrize(
        ("settings", "level"),
        [
            pytest.param("ProtectSystem=strict", ("the sandbox", "lost"), id="sandbox"),
            pytest.param("LoadCredential=a:/b", ("LoadCredential=", "lost"), id="credentials"),
            pytest.param("ExecStopPost=/bin/x", ("ExecStopPost=", "lost"), id="after_the_end"),
            pytest.param("Type=forking", ("Type=", "changed"), id="forking"),
            pytest.param("RemainAfterExit=yes", ("RemainAfterExit=", "changed"), id="remaining"),
            pytest.param("StandardOutput=append:/x", ("StandardOutput=", "changed"), id="output"),
            pytest.param("TimeoutStartSec=5", ("TimeoutStartSec=", "info"), id="without_effect"),
            pytest.param("MemoryMax=10%", ("MemoryMax=", "lost"), id="a_share"),
            pytest.param("Environment=API_TOKEN=h7Gq2x", ("Environment=", "info"), id="a_secret"),
            pytest.param("FooBar=1", ("FooBar=", "lost"), id="anything_else"),
        ],
    )
    def test_what_is_lost_or_changed_is_told(self, settings: str, level: tuple[str, str]) -> None:
        assert level in levels(service(settings)).items()

    def test_what_is_started_after_a_failure_is_kept_as_a_comment(self):
        one = service("OnFailure=mail@%n.service", section="Unit")
        assert one.comments == ("OnFailure=mail@a.service.service",)
        assert levels(one)["OnFailure="] == "lost"


class TestCommands:
    @pytest.mark.parametrize(
        ("settings", "run"),
        [
            pytest.param(
                "ExecStart=/bin/a 'b c' \"d\" e\\x20f", {"command": ["/bin/a", "b c", "d", "e f"]}, id="quotes"
            ),
            pytest.param("ExecStart=/bin/a $$X %%Y", {"command": ["/bin/a", "$X", "%Y"]}, id="doubled_signs"),
            pytest.param(
                "Environment=X='1 2'\nExecStart=/bin/a $X ${X} -${X}",
                {"command": ["/bin/a", "1", "2", "1 2", "-1 2"]},
                id="variables_of_its_own",
            ),
            pytest.param(
                "ExecStart=/bin/a ${X} $X",
                {"script": '/bin/a "${X}" $X\n', "interpreter": ["/bin/sh", "-e"]},
                id="variables_from_elsewhere",
            ),
            pytest.param(
                "ExecStart=/bin/sh -c 'a; b $$x'", {"script": "a; b $x\n", "interpreter": ["/bin/sh"]}, id="a_shell"
            ),
            pytest.param("ExecStart=/bin/sh -c 'a | b'", {"script": "a | b\n"}, id="a_simple_shell"),
            pytest.param(
                "ExecStartPre=-/bin/a\nExecStart=/bin/b 'c d'\nExecStartPost=/bin/e",
                {"script": "/bin/a || true\n/bin/b 'c d'\n/bin/e\n"},
                id="several",
            ),
            pytest.param("Type=oneshot\nExecStart=/bin/a\nExecStart=/bin/b", {"script": "/bin/a\n/bin/b\n"}, id="two"),
            pytest.param("ExecStart=/bin/a ; /bin/b \\; c", {"script": "/bin/a\n/bin/b ';' c\n"}, id="a_semicolon"),
            pytest.param("ExecStart=-/bin/a", {"script": "/bin/a || true\n"}, id="a_failure_that_is_none"),
            pytest.param(
                "ExecCondition=/bin/c\nExecStart=/bin/a", {"script": "/bin/c || exit 0\n/bin/a\n"}, id="a_condition"
            ),
            pytest.param("ExecStart=@/bin/a other b", {"command": ["/bin/a", "b"]}, id="another_name"),
            pytest.param("ExecStart=:/bin/a $X", {"command": ["/bin/a", "$X"]}, id="no_variables"),
            pytest.param(
                "ExecStart=/bin/a \\\n  # a comment\n  b", {"command": ["/bin/a", "b"]}, id="a_continued_line"
            ),
            pytest.param(
                "EnvironmentFile=-/etc/x\nExecStart=/bin/a",
                {"script": "if [ -r /etc/x ]; then set -a; . /etc/x; set +a; fi\n/bin/a\n"},
                id="a_file",
            ),
        ],
    )
    def test_become_an_argument_list_or_a_script(self, settings: str, run: dict[str, Any]) -> None:
        one = service(settings)
        assert one.tree["run"].items() >= run.items()

    def test_what_is_refused_is_told_with_its_place(self):
        made = imported(a_timer="[Timer]\nOnCalendar=daily\n", a_service="[Service]\nExecStart=/bin/a 'b\n")
        assert [(each.path, each.line, each.column) for each in made.unreadable] == [("a.service", 2, 11)]

    def test_nothing_to_run_is_told(self):
        (finding,) = imported(a_timer="[Timer]\nOnCalendar=daily\n", a_service="[Service]\nUser=a\n").unreadable
        assert "no ExecStart=" in finding.message

    @pytest.mark.parametrize("text", ["'a", '"a', "; /bin/a", "-"])
    def test_what_is_no_command(self, text: str) -> None:
        with pytest.raises(BadCommand):
            assert read_commands(text)

    def test_escapes(self):
        assert [word for word, _ in split(r"a\tb '\n' \u00e9 \101")] == ["a\tb", "\n", "é", "A"]


@pytest.mark.parametrize(
    ("text", "seconds", "written"),
    [
        pytest.param("90", 90, "1m30s", id="bare"),
        pytest.param("1h 30min", 5400, "1h30m", id="two_units"),
        pytest.param("1w", 604_800, "7d", id="a_week"),
        pytest.param("500ms", 0.5, "0.5s", id="less_than_a_second"),
        pytest.param("1.5h", 5400, "1h30m", id="a_fraction"),
    ],
)
def test_spans(text: str, seconds: float, written: str) -> None:
    assert read_span(text) == seconds
    assert write_span(seconds) == written


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "-5"])
def test_no_spans(text: str) -> None:
    assert read_span(text) is None
