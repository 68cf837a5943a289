"""`explain` and `schema`: what a field, a code or a reason is, and the schema that editors read."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml
from jsonschema import Draft7Validator

from specs import schema
from specs.codes import CODES
from specs.schema.editors import CONFIG_FILE, FILE, config_schema, modeline, spec_schema
from specs.schema.fields import everything
from status.words.reasons import EXPLAINED


class TestAField:
    def test_is_told_with_type_default_words_and_example(self, jobsctl):
        done = jobsctl("explain", "job.retry.backoff")
        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines() == [
            "job.retry.backoff",
            "  How `delay` grows with each attempt: not (`fixed`), by itself (`linear`), or doubling",
            "  (`exponential`).",
            "",
            "  type      `fixed`, `linear` or `exponential`",
            "  default   fixed",
            "  example   backoff: exponential",
            "  where     in a job",
            "            in the `job:` of `kind: Defaults`, for all jobs of a folder",
        ]

    @pytest.mark.parametrize(
        ("asked", "path"),
        [
            ("retry.backoff", "job.retry.backoff"),
            ("job.run.limits.memory", "job.run.limits.memory"),
            ("memory", "job.run.limits.memory"),
            ("depends_on.max_age", "job.depends_on[].max_age"),
            ("depends_on[0].max_age", "job.depends_on[].max_age"),
            ("params.region.default", "job.params.NAME.default"),
            ("params.default", "job.params.NAME.default"),
            ("env.PASSWORD.from_file", "job.env.NAME.from_file"),
            ("env.PASSWORD", "job.env.NAME"),
            ("defaults.job.retry.delay", "job.retry.delay"),
            ("config.http.listen", "config.http.listen"),
            ("listen", "config.http.listen"),
            ("calendar.windows.from", "calendar.windows[].from"),
            ("schedule.every", "job.schedule.every"),
            ("Job", "job"),
            ("timezone", "job.timezone"),
        ],
    )
    def test_is_found_by_any_way_to_name_it(self, jobsctl, asked, path):
        assert jobsctl("explain", asked, "-o", "name").out == f"{path}\n"

    def test_of_a_list_or_a_document_is_told_with_its_fields(self, jobsctl):
        job = jobsctl("explain", "job").out
        fields = {field.name for field in everything() if field.path.count(".") == 1 and field.kind == "job"}
        assert fields <= {line.split()[0] for line in job.splitlines() if line.startswith("    ")}
        window = jobsctl("explain", "calendar.windows").out
        assert "  type      list of mappings" in window
        assert [line.split()[0] for line in window.splitlines() if line.startswith("    ")][-3:] == [
            "days",
            "from",
            "to",
        ]

    def test_of_the_settings_says_where_it_stands(self, jobsctl):
        assert "in jobsctl.yaml" in jobsctl("explain", "config.resync").out

    def test_that_no_folder_can_give_does_not_say_so(self, jobsctl):
        assert "Defaults" not in jobsctl("explain", "job.depends_on").out

    def test_as_data(self, jobsctl):
        (found,) = json.loads(jobsctl("explain", "retry.attempts", "-o", "json").out)["items"]
        assert found == {
            "kind": "field", "name": "job.retry.attempts", "description": "Including the first.",
            "type": "whole number", "required": False, "default": 1, "allowed": None, "range": "1 to 100",
            "examples": [3], "appliesTo": ["in a job", "in the `job:` of `kind: Defaults`, for all jobs of a folder"],
            "fields": [],
        }  # fmt: skip
        assert yaml.safe_load(jobsctl("explain", "retry.attempts", "-o", "yaml").out)["items"] == [found]

    def test_every_one_is_told_in_lines_that_fit(self, jobsctl):
        for field in everything():
            done = jobsctl("explain", field.path)
            assert (done.code, field.path in done.out.splitlines()) == (0, True), field.path
            assert [line for line in done.out.splitlines() if len(line) > 100 and "example" not in line] == []


class TestACode:
    def test_is_told_with_its_real_finding(self, jobsctl):
        done = jobsctl("explain", "job035")
        assert done.out.splitlines()[0] == "JOB035: not a duration"
        assert "    jobs/hello.yaml:3:10: error[JOB035]: a duration is like 90s" in done.out
        assert "\n      |          ^^^^^^^^^\n" in done.out

    @pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
    def test_every_one_has_title_explanation_wrong_and_right(self, jobsctl, code):
        (found,) = json.loads(jobsctl("explain", code.code, "-o", "json").out)["items"]
        assert (found["title"], found["description"]) == (code.title, code.explanation)
        assert (found["bad"], found["good"]) == (code.bad, code.good)
        assert (found["finding"] is not None) is (code.language == "yaml")
        assert code.language == "sh" or f"[{code.code}]" in found["finding"]

    def test_an_example_with_a_control_character_does_not_drive_the_terminal(self, jobsctl):
        assert "\x1b" in CODES["JOB004"].bad
        assert "\x1b" not in jobsctl("explain", "JOB004").out

    def test_all_are_listed(self, jobsctl):
        assert [line.split()[0] for line in jobsctl("explain", "codes").out.splitlines()] == list(CODES)


class TestAReason:
    @pytest.mark.parametrize("reason", EXPLAINED)
    def test_every_one_is_told_with_what_to_do(self, jobsctl, reason):
        out = " ".join(jobsctl("explain", str(reason)).out.split())
        assert f"{reason}, a reason" in out
        assert f"What to do: {EXPLAINED[reason].advice}." in out

    def test_stands_beside_the_field_of_the_same_name(self, jobsctl):
        assert jobsctl("explain", "overlap", "-o", "name").out == "job.overlap\noverlap\n"

    def test_all_are_listed(self, jobsctl):
        assert jobsctl("explain", "reasons", "-o", "name").out.split() == [str(reason) for reason in EXPLAINED]


class TestWhatAShellOffers:
    @pytest.mark.parametrize(
        ("typed", "offered"),
        [
            ("", ["job", "defaults", "pool", "calendar", "notifier", "config", "codes", "reasons"]),
            ("ret", ["retry", "retention"]),
            ("retry.b", ["retry.backoff"]),
            ("job.run.limits.m", ["job.run.limits.memory"]),
            ("params.NAME.d", ["params.NAME.default", "params.NAME.description"]),
            ("overl", ["overlap"]),
            ("JOB00", [code for code in CODES if code.startswith("JOB00")]),
            ("qqq", []),
        ],
    )
    def test_is_what_can_be_explained(self, jobsctl, typed, offered):
        from cli.explaining import beginning_with

        assert beginning_with(typed) == offered
        assert all(jobsctl("explain", name).code == 0 for name in offered)


class TestWhatIsNotKnown:
    @pytest.mark.parametrize(
        ("asked", "hint"),
        [
            ("timout", "did you mean job.timeout"),
            ("retry.bakoff", "did you mean job.retry.backoff"),
            ("job.run.limit.memory", "did you mean job.run.limits.memory"),
            ("JOB099", "did you mean JOB0"),
            ("overlaps", "did you mean job.overlap"),
            ("qqqq", "`jobsctl explain job` lists the fields"),
            ("", "did you mean job"),
            ("job..retry", ""),
            ("job.name.x", ""),
        ],
    )
    def test_ends_with_4_and_what_was_meant(self, jobsctl, asked, hint):
        done = jobsctl("explain", asked)
        assert (done.code, done.out) == (4, "")
        assert hint in done.err

    def test_without_a_topic_the_documents_are_named(self, jobsctl):
        out = jobsctl("explain").out
        assert [line.split()[0] for line in out.splitlines()[: len(schema.KINDS)]] == list(schema.KINDS)


def test_explaining_a_field_loads_no_model(tmp_path):
    """Pydantic costs more than all the rest of the answer."""
    script = (
        "import sys; from cli.main import run; run(sys.argv[1:]); print('pydantic' in sys.modules, file=sys.stderr)"
    )
    for arguments in (["explain", "job.retry"], ["schema", "pool"]):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
        assert (done.stderr, bool(done.stdout)) == ("False\n", True)


class TestSchema:
    @pytest.mark.parametrize("kind", schema.KINDS)
    def test_of_a_kind_is_json_schema(self, jobsctl, kind):
        done = jobsctl("schema", kind)
        assert (done.code, done.err) == (0, "")
        Draft7Validator.check_schema(json.loads(done.out))

    def test_without_a_kind_it_picks_by_the_document(self, jobsctl):
        validator = Draft7Validator(json.loads(jobsctl("schema").out))
        assert validator.is_valid({"kind": "Pool", "name": "db", "slots": 2})
        assert not validator.is_valid({"kind": "Pool", "name": "db"})
        assert validator.is_valid({"name": "hello", "run": {"command": ["echo"]}})

    def test_choices_are_the_kinds_there_are(self, jobsctl):
        from cli.commands.schema import command

        assert tuple(command.params[0].type.choices) == schema.KINDS

    def test_write_renews_the_files_and_says_what_it_did(self, jobsctl, home):
        files = (home.specs / FILE, home.root / CONFIG_FILE)
        assert [line.split()[0] for line in jobsctl("schema", "--write").out.splitlines()] == ["created", "created"]
        assert tuple(path.read_bytes() for path in files) == (spec_schema(), config_schema())
        files[0].write_text("{}")
        assert [line.split()[0] for line in jobsctl("schema", "--write").out.splitlines()] == ["changed", "kept"]
        assert files[0].read_bytes() == spec_schema()
        assert jobsctl("validate").err.splitlines()[0] == "0 files, 0 valid jobs: no errors"

    def test_write_follows_specs_that_are_elsewhere(self, jobsctl, home, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        home.config.write_text(f"specs: {tmp_path / 'elsewhere'}\n")
        jobsctl("schema", "--write")
        assert (tmp_path / "elsewhere" / FILE).is_file()

    def test_write_takes_no_kind(self, jobsctl):
        assert jobsctl("schema", "pool", "--write").code == 2


class TestTheLineForEditors:
    GOOD = "name: fresh\nrun: {command: [a]}\n"
    LINE = "# yaml-language-server: $schema=.jobsctl.schema.json\n"

    def test_init_writes_it(self, jobsctl, tmp_path):
        jobsctl("init", tmp_path / "new")
        assert (tmp_path / "new/jobs/hello.yaml").read_text().startswith(self.LINE)
        settings = (tmp_path / "new/jobsctl.yaml").read_text()
        assert settings.startswith("# yaml-language-server: $schema=.jobsctl.config.schema.json\n")
        assert (tmp_path / "new/jobs" / FILE).read_bytes() == spec_schema()
        assert (tmp_path / "new" / CONFIG_FILE).read_bytes() == config_schema()

    def test_apply_writes_it_into_a_file_it_makes(self, jobsctl, home, tmp_path):
        jobsctl("schema", "--write")
        (tmp_path / "a.yaml").write_text(self.GOOD)
        jobsctl("apply", "-f", "a.yaml")
        assert (home.specs / "a.yaml").read_text() == self.LINE + self.GOOD
        assert (tmp_path / "a.yaml").read_text() == self.GOOD

    def test_apply_of_the_same_file_again_writes_nothing(self, jobsctl, home, tmp_path):
        jobsctl("schema", "--write")
        (tmp_path / "a.yaml").write_text(self.GOOD)
        jobsctl("apply", "-f", "a.yaml")
        assert "wrote" not in (again := jobsctl("apply", "-f", "a.yaml").err) and "replaced" not in again

    def test_apply_keeps_it_when_the_job_changes(self, jobsctl, home, tmp_path):
        jobsctl("schema", "--write")
        for text in (self.GOOD, self.GOOD + "timeout: 5m\n"):
            (tmp_path / "a.yaml").write_text(text)
            jobsctl("apply", "-f", "a.yaml")
        assert (home.specs / "a.yaml").read_text() == f"{self.LINE}{self.GOOD}timeout: 5m\n"

    @pytest.mark.parametrize("folder", ["", "sub", "sub/deep"])
    def test_it_leads_from_the_folder_of_the_file(self, jobsctl, home, tmp_path, folder):
        jobsctl("schema", "--write")
        there = home.specs / folder / "a.yaml"
        there.parent.mkdir(parents=True, exist_ok=True)
        line = modeline(there, home.specs / FILE)
        assert (there.parent / line.rpartition("=")[2].strip()).resolve() == (home.specs / FILE).resolve()
        there.write_text(line + self.GOOD)
        (tmp_path / "a.yaml").write_text(self.GOOD + "timeout: 5m\n")
        assert jobsctl("apply", "-f", "a.yaml").code == 0
        assert there.read_text() == f"{line}{self.GOOD}timeout: 5m\n"

    def test_apply_puts_none_into_a_file_that_a_person_wrote(self, jobsctl, home, tmp_path):
        jobsctl("schema", "--write")
        (home.specs / "a.yaml").write_text(self.GOOD)
        (tmp_path / "a.yaml").write_text(self.GOOD + "timeout: 5m\n")
        jobsctl("apply", "-f", "a.yaml")
        assert (home.specs / "a.yaml").read_text() == f"{self.GOOD}timeout: 5m\n"
        before = (home.specs / "a.yaml").read_bytes()
        jobsctl("apply")
        assert (home.specs / "a.yaml").read_bytes() == before

    @pytest.mark.parametrize(
        ("name", "text", "lines"),
        [
            pytest.param("a.yaml", f"{GOOD}---\nname: second\nrun: {{command: [b]}}\n", 2, id="each-document"),
            pytest.param("a.yaml", f"---\n{GOOD}", 1, id="below-the-mark-of-the-first"),
            pytest.param("a.json", '{"name": "fresh", "run": {"command": ["a"]}}', 0, id="not-json"),
            pytest.param("a.yaml", f"# $schema: mine.json\n{GOOD}", 0, id="not-beside-another"),
        ],
    )
    def test_apply_writes_it_once_per_document(self, jobsctl, home, tmp_path, name, text, lines):
        jobsctl("schema", "--write")
        (tmp_path / name).write_text(text)
        assert jobsctl("apply", "-f", name).code == 0
        written = (home.specs / name).read_text()
        assert written.count(self.LINE) == lines
        assert written.replace(self.LINE, "") == text
        assert jobsctl("validate").code == 0

    def test_apply_writes_none_where_no_schema_is(self, jobsctl, home, tmp_path):
        (tmp_path / "a.yaml").write_text(self.GOOD)
        jobsctl("apply", "-f", "a.yaml")
        assert (home.specs / "a.yaml").read_text() == self.GOOD
