"""`init`, `validate`, `diff`, `apply` and `delete` on files; with no daemon running."""

from __future__ import annotations

import io
import json
import sys

import pytest

from specs.config import Config, parse_config
from state.inbox import read_requests

GOOD = "name: fresh\nrun: {command: [a]}\n"
BAD = "name: broken\nrun: {comand: [a]}\n"


@pytest.fixture
def stdin(monkeypatch):
    """Gives the program this standard input."""

    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return give


class TestInit:
    def test_makes_a_home_that_is_valid(self, jobsctl, tmp_path):
        done = jobsctl("init", tmp_path / "new")
        assert done.code == 0
        assert [line.split()[0] for line in done.out.splitlines()] == ["created"] * 5
        assert "jobsctl --home new daemon" in done.err
        checked = jobsctl("validate", "--home", tmp_path / "new")
        assert (checked.code, checked.out, checked.err) == (0, "", "1 file, 1 valid job: no errors\n")

    def test_changes_nothing_the_second_time(self, jobsctl, tmp_path):
        jobsctl("init", tmp_path / "new")
        before = {path: path.read_bytes() for path in (tmp_path / "new").rglob("*") if path.is_file()}
        done = jobsctl("init", tmp_path / "new")
        assert (done.code, [line.split()[0] for line in done.out.splitlines()]) == (0, ["kept"] * 4)
        assert {path: path.read_bytes() for path in before} == before

    def test_adds_to_a_gitignore_that_is_there(self, jobsctl, tmp_path):
        (tmp_path / ".gitignore").write_text("*.pyc")
        jobsctl("init", tmp_path)
        assert (tmp_path / ".gitignore").read_text() == "*.pyc\n.jobsctl/\n"

    def test_brings_no_first_job_into_a_folder_of_jobs(self, jobsctl, home):
        jobsctl("init", home.root)
        assert [path.name for path in home.specs.iterdir()] == [".jobsctl.schema.json"]

    def test_every_default_it_writes_is_the_real_one(self, jobsctl, tmp_path):
        jobsctl("init", tmp_path)
        lines = (tmp_path / "jobsctl.yaml").read_text().splitlines()[3:]
        written = parse_config("\n".join(line.removeprefix("# ") for line in lines).encode(), "jobsctl.yaml")
        assert written == Config()
        assert written.model_fields_set >= {"specs", "timezone", "resync", "prune_limit", "http", "retention"}

    def test_a_file_in_the_way_is_told(self, jobsctl, tmp_path):
        (tmp_path / "f").touch()
        done = jobsctl("init", "--home", tmp_path / "f")
        assert (done.code, done.out) == (1, "")
        assert "is a file, not a directory" in done.err


class TestValidate:
    def test_shows_place_line_and_caret(self, jobsctl, home):
        (home.specs / "b.yaml").write_text(BAD)
        done = jobsctl("validate")
        assert done.code == 3
        assert done.out == (
            "home/jobs/b.yaml:2:7: error[JOB030]: unknown key `comand` in `run`\n"
            "  |\n"
            "2 | run: {comand: [a]}\n"
            "  |       ^^^^^^\n"
            "  = help: did you mean `command`?\n"
        )
        assert done.err == "1 file, 0 valid jobs: 1 error\n`jobsctl explain JOB030` tells more of it\n"

    @pytest.mark.parametrize(
        ("style", "start"),
        [
            pytest.param(["--format", "concise"], "home/jobs/b.yaml:2:7: error[JOB030]: unknown key", id="concise"),
            pytest.param(["--format", "github"], "::error file=home/jobs/b.yaml,line=2,col=7,", id="github"),
            pytest.param(["--format", "json"], "[\n", id="json"),
            pytest.param(["-o", "json"], '{\n  "items": [\n', id="json_as_everywhere"),
            pytest.param(["-o", "jsonl"], '{"code": "JOB030", ', id="json_lines"),
            pytest.param(["-o", "name"], "home/jobs/b.yaml:2:7\n", id="places"),
        ],
    )
    def test_has_formats_for_programs(self, jobsctl, home, style, start):
        (home.specs / "b.yaml").write_text(BAD)
        done = jobsctl("validate", *style)
        assert done.code == 3
        assert done.out.startswith(start)

    def test_reads_standard_input(self, jobsctl, stdin):
        stdin(BAD)
        done = jobsctl("validate", "-", "--format", "concise")
        assert (done.code, done.out[:7]) == (3, "-:2:7: ")

    def test_finds_one_job_in_two_files_of_a_folder(self, jobsctl, home):
        (home.specs / "a.yaml").write_text(GOOD)
        (home.specs / "b.yaml").write_text(GOOD)
        done = jobsctl("validate", "--format", "concise")
        assert done.code == 3
        assert [line.split(":")[0] for line in done.out.splitlines()] == ["home/jobs/a.yaml", "home/jobs/b.yaml"]

    def test_finds_one_job_in_two_files_by_name(self, jobsctl, tmp_path):
        for name in ("a.yaml", "b.yaml"):
            (tmp_path / name).write_text(GOOD)
        done = jobsctl("validate", "a.yaml", "b.yaml", "--format", "concise")
        assert done.code == 3
        assert done.out.splitlines() == [
            "a.yaml:1:1: error[JOB050]: `default/fresh` is also defined at b.yaml:1",
            "b.yaml:1:1: error[JOB050]: `default/fresh` is also defined at a.yaml:1",
        ]

    def test_the_same_file_twice_is_one_file(self, jobsctl, tmp_path):
        (tmp_path / "a.yaml").write_text(GOOD)
        assert jobsctl("validate", "a.yaml", "a.yaml").code == 0

    def test_warnings_alone_end_with_0(self, jobsctl, tmp_path):
        (tmp_path / "a.yaml").write_text("name: x\nschedule: '0 0 1 * 1'\nrun: {command: [a]}\n")
        done = jobsctl("validate", "a.yaml", "--format", "concise")
        assert done.code == 0
        assert "warning[JOB041]" in done.out
        assert done.err == "1 file, 1 valid job: 1 warning\n"

    def test_a_wrong_jobsctl_yaml_is_told(self, jobsctl, home):
        home.config.write_text("timezon: UTC\n")
        done = jobsctl("validate", "--format", "concise")
        assert done.code == 3
        assert done.out.startswith("home/jobsctl.yaml:1:1: error")

    def test_a_path_that_is_not_there_ends_with_4(self, jobsctl):
        done = jobsctl("validate", "nowhere.yaml")
        assert (done.code, done.out) == (4, "")
        assert "nowhere.yaml: no such file" in done.err

    def test_needs_no_home(self, jobsctl, tmp_path):
        (tmp_path / "a.yaml").write_text(GOOD)
        assert jobsctl("validate", "a.yaml", "--home", tmp_path / "nowhere").code == 0


class TestDiff:
    def test_nothing_to_do_ends_with_0(self, jobsctl, known):
        known.job()
        done = jobsctl("diff")
        assert (done.code, done.out, done.err) == (0, "", "No differences.\n")

    def test_formatting_is_no_difference(self, jobsctl, known, home):
        known.job()
        text = (home.specs / "hello.yaml").read_text()
        (home.specs / "hello.yaml").write_text(f"# a comment\n{text}timezone: null\n")
        assert jobsctl("diff").code == 0

    def test_says_what_would_change(self, jobsctl, known, home):
        known.job()
        known.job("name: gone\nrun: {command: [a]}\n", path="gone.yaml")
        known.job("name: old\nrun: {command: [a]}\n", path="old.yaml", archived_at=1)
        (home.specs / "gone.yaml").unlink()
        (home.specs / "old.yaml").unlink()
        (home.specs / "fresh.yaml").write_text(GOOD)
        text = (home.specs / "hello.yaml").read_text()
        (home.specs / "hello.yaml").write_text(text.replace("10m", "20m"))
        done = jobsctl("diff")
        assert done.code == 1
        lines = done.out.splitlines()
        assert [line for line in lines if line.startswith("job/")] == [
            "job/default/fresh created",
            "job/default/gone pruned",
            "job/default/hello configured",
        ]
        assert [line for line in lines if "schedule: every" in line] == [
            "-schedule: every 10m",
            "+schedule: every 20m",
        ]
        assert jobsctl("diff", "-o", "name").out.split() == [
            "job/default/fresh",
            "job/default/gone",
            "job/default/hello",
        ]

    def test_a_new_name_is_one_change(self, jobsctl, known, home):
        known.job()
        text = (home.specs / "hello.yaml").read_text()
        (home.specs / "hello.yaml").write_text(text.replace("name: hello", "name: hi\nrenamed_from: hello"))
        lines = jobsctl("diff").out.splitlines()
        assert lines[:3] == ["job/default/hi renamed", "--- applied/default/hello", "+++ files/default/hi"]
        assert [line for line in lines[3:] if line[0] in "+-"] == ["-name: hello", "+name: hi", "+renamed_from: hello"]

    def test_the_old_name_is_a_change_of_its_own_while_a_file_has_it(self, jobsctl, known, home):
        known.job()
        (home.specs / "b.yaml").write_text("name: hi\nrenamed_from: other/hello\nrun: {command: [a]}\n")
        assert jobsctl("diff").out.startswith("job/default/hi created\n")

    def test_a_job_that_is_to_be_kept_is_not_pruned(self, jobsctl, known, home):
        known.job("name: kept\nprune: false\nrun: {command: [a]}\n", path="kept.yaml")
        (home.specs / "kept.yaml").unlink()
        done = jobsctl("diff")
        assert (done.code, done.out, done.err) == (0, "", "No differences.\n")

    def test_of_one_file_prunes_nothing(self, jobsctl, known, tmp_path):
        known.job()
        (tmp_path / "a.yaml").write_text(GOOD)
        assert jobsctl("diff", "a.yaml", "-o", "name").out == "job/default/fresh\n"

    def test_of_a_file_with_errors_ends_with_3(self, jobsctl, known, tmp_path):
        (tmp_path / "a.yaml").write_text(BAD)
        done = jobsctl("diff", "a.yaml")
        assert (done.code, done.out) == (3, "")
        assert "a.yaml:2:7: error[JOB030]" in done.err

    def test_before_any_daemon_ran_everything_is_new(self, jobsctl, home):
        (home.specs / "a.yaml").write_text(GOOD)
        done = jobsctl("diff", "-o", "json")
        assert done.code == 1
        assert [(item["job"], item["change"]) for item in json.loads(done.out)["items"]] == [
            ("default/fresh", "created")
        ]


class TestApply:
    def test_copies_the_file_and_asks_for_a_look(self, jobsctl, home, tmp_path):
        (tmp_path / "a.yaml").write_text(GOOD)
        done = jobsctl("apply", "-f", "a.yaml")
        assert (done.code, done.out) == (0, "job/default/fresh created when the daemon starts\n")
        assert (home.specs / "a.yaml").read_text() == GOOD
        assert [request.kind for request in read_requests(home)] == ["reconcile"]

    def test_names_standard_input_after_its_job(self, jobsctl, home, stdin):
        stdin(GOOD)
        assert jobsctl("apply", "-f", "-").code == 0
        assert (home.specs / "fresh.yaml").read_text() == GOOD

    def test_copies_what_a_folder_holds(self, jobsctl, home, tmp_path):
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "a.yaml").write_text(GOOD)
        (tmp_path / "more" / "notes.txt").write_text("x")
        assert jobsctl("apply", "-f", "more").code == 0
        assert [path.name for path in home.specs.iterdir()] == ["a.yaml"]

    def test_leaves_a_file_where_it_is_when_it_is_in_place(self, jobsctl, home):
        path = home.specs / "deep" / "a.yaml"
        path.parent.mkdir()
        path.write_text(GOOD)
        assert jobsctl("apply", "-f", path).out == "job/default/fresh created when the daemon starts\n"
        assert [entry.name for entry in home.specs.rglob("*.yaml")] == ["a.yaml"]

    def test_replaces_the_file_that_defines_the_job(self, jobsctl, home, known, tmp_path):
        known.job(GOOD, path="elsewhere.yaml")
        (tmp_path / "a.yaml").write_text(GOOD.replace("[a]", "[b]"))
        done = jobsctl("apply", "-f", "a.yaml")
        assert done.out == "job/default/fresh configured when the daemon starts\n"
        assert "[b]" in (home.specs / "elsewhere.yaml").read_text()
        assert [entry.name for entry in home.specs.iterdir()] == ["elsewhere.yaml"]

    def test_dry_run_writes_nothing(self, jobsctl, home, tmp_path):
        (tmp_path / "a.yaml").write_text(GOOD)
        done = jobsctl("apply", "-f", "a.yaml", "--dry-run")
        assert (done.code, done.out) == (0, "job/default/fresh created (dry run)\n")
        assert list(home.specs.iterdir()) == []
        assert read_requests(home) == []

    @pytest.mark.parametrize(
        ("there", "given", "said"),
        [
            pytest.param({"a.yaml": GOOD.replace("fresh", "other")}, GOOD, "defines default/other too", id="other_job"),
            pytest.param({"a.yaml": BAD}, GOOD, "defines default/broken too", id="other_job_with_errors"),
            pytest.param({"a.yaml": "{"}, GOOD, "cannot be read", id="unreadable"),
            pytest.param({"x.yaml": f"{GOOD}---\n{GOOD.replace('fresh', 'two')}"}, GOOD, "defines default/two too",
                         id="shared_file"),
        ],
    )  # fmt: skip
    def test_never_takes_the_place_of_another_job(self, jobsctl, home, tmp_path, there, given, said):
        for name, text in there.items():
            (home.specs / name).write_text(text)
        (tmp_path / "a.yaml").write_text(given)
        done = jobsctl("apply", "-f", "a.yaml")
        assert (done.code, done.out) == (7, ""), done.err
        assert said in done.err
        assert {path.name: path.read_text() for path in home.specs.iterdir()} == there
        assert read_requests(home) == []

    def test_a_file_with_errors_is_not_copied(self, jobsctl, home, tmp_path):
        (tmp_path / "a.yaml").write_text(BAD)
        done = jobsctl("apply", "-f", "a.yaml")
        assert (done.code, done.out) == (3, "")
        assert "nothing was changed" in done.err
        assert list(home.specs.iterdir()) == []

    def test_a_name_the_daemon_would_not_read_is_refused(self, jobsctl, home, tmp_path):
        (tmp_path / "a.txt").write_text(GOOD)
        done = jobsctl("apply", "-f", "a.txt")
        assert done.code == 2
        assert "the daemon reads files that end in .yaml" in done.err

    def test_one_broken_file_does_not_hold_back_the_others(self, jobsctl, home):
        (home.specs / "a.yaml").write_text(GOOD)
        (home.specs / "b.yaml").write_text(BAD)
        done = jobsctl("apply")
        assert (done.code, done.out) == (3, "job/default/fresh created when the daemon starts\n")
        assert "b.yaml:2:7" in done.err
        assert [request.kind for request in read_requests(home)] == ["reconcile"]

    def test_a_missing_specs_directory_is_told(self, jobsctl, home):
        home.config.touch()
        home.specs.rmdir()
        done = jobsctl("apply")
        assert (done.code, done.out) == (4, "")
        assert "jobs: no such file or directory" in done.err


class TestDelete:
    def test_removes_the_file_of_the_job(self, jobsctl, home, known):
        known.job()
        done = jobsctl("delete", "hello")
        assert (done.code, done.out) == (0, "job/default/hello deleted when the daemon starts\n")
        assert f"removed {home.specs / 'hello.yaml'}" in done.err
        assert list(home.specs.iterdir()) == []
        assert [(request.kind, request.params) for request in read_requests(home)] == [("delete", {"purge": False})]

    def test_says_which_lines_when_others_are_in_the_file(self, jobsctl, home, known):
        text = f"# top\n{GOOD}---\nname: hello\nrun: {{command: [b]}}\n"
        (home.specs / "both.yaml").write_text(text)
        done = jobsctl("delete", "hello")
        assert (done.code, done.out) == (7, "")
        assert "both.yaml also defines default/fresh; nothing was removed" in done.err
        assert "delete lines 5 to 6 of it" in done.err
        assert (home.specs / "both.yaml").read_text() == text
        assert read_requests(home) == []

    @pytest.mark.parametrize("other", ["name: B!\nrun: {command: [b]}", "run: {command: [b]}"])
    def test_takes_no_document_along_that_nobody_can_name(self, jobsctl, home, other):
        text = f"{GOOD}---\n{other}\n"
        (home.specs / "both.yaml").write_text(text)
        done = jobsctl("delete", "fresh")
        assert (done.code, done.out) == (7, "")
        assert "whose name cannot be read; nothing was removed" in done.err
        assert (home.specs / "both.yaml").read_text() == text
        assert read_requests(home) == []

    def test_finds_a_job_that_was_never_applied(self, jobsctl, home):
        (home.specs / "a.yaml").write_text(GOOD)
        assert jobsctl("delete", "fresh").code == 0
        assert list(home.specs.iterdir()) == []

    def test_purge_of_an_archived_job_asks_for_it(self, jobsctl, home, known):
        known.job(archived_at=1)
        (home.specs / "hello.yaml").unlink()
        done = jobsctl("delete", "hello", "--purge")
        assert (done.code, done.out) == (0, "job/default/hello purged when the daemon starts\n")
        assert [request.params for request in read_requests(home)] == [{"purge": True}]
