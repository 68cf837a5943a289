"""What a folder gives to its jobs: merged, told at its place, followed when it changes, kept when it breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.source import Source

from .conftest import Specs, names, said


def defaults(job: Any) -> str:
    return json.dumps({"kind": "Defaults", "job": job})


def spec(specs: Specs, name: str) -> dict[str, Any]:
    last = specs.source._last
    assert last is not None
    found: dict[str, Any] = json.loads(last.jobs[f"default/{name}"].spec)
    return found


class TestMerging:
    def test_reaches_the_jobs_of_its_folder_and_below_and_no_other(self, specs: Specs) -> None:
        specs.put("in/d.yaml", defaults({"timeout": "5m"}))
        for path in ("a.yaml", "in/b.yaml", "in/deep/er/c.yaml", "inside/d.yaml"):
            specs.write(path, path.rpartition("/")[2][0])
        specs.look()
        assert [spec(specs, name)["timeout"] for name in "abcd"] == ["none", 300, 300, "none"]

    def test_the_job_wins_over_the_near_folder_and_that_over_the_far_one(self, specs: Specs) -> None:
        specs.put(
            "d.yaml", defaults({"timeout": "1m", "grace": "1s", "tags": ["far"], "labels": {"a": "far", "b": "far"}})
        )
        specs.put("in/d.yaml", defaults({"timeout": "2m", "grace": "2s", "labels": {"b": "near", "c": "near"}}))
        specs.write("in/a.yaml", "a", extra="timeout: 3m\nlabels: {c: own}\n")
        specs.look()
        found = spec(specs, "a")
        assert (found["timeout"], found["grace"], found["tags"]) == (180, 2, ["far"])
        assert found["labels"] == {"a": "far", "b": "near", "c": "own"}

    @pytest.mark.parametrize(
        ("given_", "own", "field", "expected"),
        [
            pytest.param({"tags": ["a"]}, "tags: [b]", "tags", ["b"], id="a-list"),
            pytest.param({"schedule": {"cron": "0 1 * * *"}}, "schedule: {every: 5m}", None, 300, id="a-schedule"),
            pytest.param(
                {"env": {"A": {"from_env": "X"}}}, "env: {A: {credential: y}}", "env", {"A": {"credential": "y"}},
                id="env",
            ),
            pytest.param({"env": {"A": "1"}}, "env: {B: '2'}", "env", {"A": "1", "B": "2"}, id="variables"),
            pytest.param({"suspend": {"reason": "x"}}, "suspend: false", "suspend", False, id="a-pause"),
            pytest.param({"timezone": "Europe/Berlin"}, "timezone: null", "timezone", None, id="nothing-for-something"),
            pytest.param({"retry": {"attempts": 3}}, "retry: {delay: 1s}", "attempts", 3, id="half-a-mapping"),
        ],
    )  # fmt: skip
    def test_merges_what_makes_sense_together(
        self, specs: Specs, given_: Any, own: str, field: str | None, expected: Any
    ) -> None:
        specs.put("d.yaml", defaults(given_))
        specs.write("a.yaml", "a", extra=own)
        look = specs.look()
        assert not look.desired.diagnostics
        found = spec(specs, "a")
        assert expected == (
            found["schedule"]["every"]
            if field is None
            else found["retry"][field]
            if field == "attempts"
            else found[field]
        )

    def test_a_default_program_gives_way_to_the_jobs_own(self, specs: Specs) -> None:
        specs.put("d.yaml", defaults({"run": {"script": "x", "interpreter": ["bash"], "user": "nobody"}}))
        specs.put("a.yaml", "name: a\nrun: {command: [y]}\n")
        specs.put("b.yaml", "name: b\n")
        assert not specs.look().desired.diagnostics
        assert (spec(specs, "a")["run"]["command"], spec(specs, "a")["run"]["user"]) == (["y"], "nobody")
        assert spec(specs, "b")["run"]["script"] == "x"

    def test_a_project_for_a_folder_makes_the_identity(self, specs: Specs) -> None:
        specs.put("in/d.yaml", defaults({"project": "reports"}))
        specs.write("in/a.yaml", "a")
        specs.write("in/b.yaml", "b", extra="project: other\n")
        assert set(specs.look().desired.jobs) == {"reports/a", "other/b"}

    def test_may_stand_with_jobs_in_one_file(self, specs: Specs) -> None:
        specs.put("a.yaml", f"name: a\nrun: {{script: x}}\n---\n{defaults({'timeout': 60})}\n")
        specs.look()
        assert spec(specs, "a")["timeout"] == 60

    def test_a_written_out_default_is_the_same_job(self, specs: Specs) -> None:
        specs.write("a.yaml", "a", extra="timeout: 5m\n")
        before = specs.look().desired.jobs["default/a"].digest
        specs.write("a.yaml", "a")
        specs.put("d.yaml", defaults({"timeout": "5m"}))
        look = specs.look()
        assert look.desired.jobs["default/a"].digest == before
        assert not look.desired.changed


class TestMistakes:
    @pytest.mark.parametrize(
        ("job", "message"),
        [
            pytest.param("{timout: 5m}", "2:7: error[JOB030]: unknown key `timout`", id="a-misspelt-key"),
            pytest.param("{timeout: soon}", "2:16: error[JOB035]:", id="a-wrong-value"),
            pytest.param("{run: {user: 3}}", "2:19: error[JOB032]: `run.user` must be a text", id="a-wrong-type"),
            pytest.param("{timezone: Europe/Berln}", "2:17: error[JOB042]: there is no time zone", id="no-zone"),
            pytest.param("{schedule: 61 * * * *}", "2:17: error[JOB040]:", id="no-schedule"),
            pytest.param("{name: a}", "2:7: error[JOB055]: `name` cannot be a default", id="a-name"),
            pytest.param("{depends_on: [a]}", "2:7: error[JOB055]: `depends_on` cannot", id="a-dependency"),
            pytest.param("{run: {type: http}}", "2:19: error[JOB020]: run type `http` is not built", id="not-built"),
            pytest.param("[]", "2:1: error[JOB032]: `job` must be a mapping", id="no-mapping"),
        ],
    )
    def test_in_a_value_is_told_once_at_its_place(self, specs: Specs, job: str, message: str) -> None:
        specs.put("in/d.yaml", f"kind: Defaults\njob: {job}\n")
        specs.write("a.yaml", "a")
        (told,) = said(specs.look())
        assert told.startswith(f"in/d.yaml:{message}")

    def test_that_a_value_makes_of_a_job_is_told_where_the_value_is(self, specs: Specs) -> None:
        specs.put("d.yaml", "kind: Defaults\njob:\n  overlap: queue\n  max_concurrent: 3\n  pool: db\n")
        specs.write("a.yaml", "a")
        specs.write("b.yaml", "b", extra="max_concurrent: 3\n")
        look = specs.look()
        assert {each.path for each in look.desired.invalid["default/a"]} == {"d.yaml"}
        assert [each.split(": error")[0] for each in said(look)] == ["b.yaml:3:1", "d.yaml:4:3"]

    def test_that_a_reference_makes_is_told_where_it_is(self, specs: Specs) -> None:
        specs.put("d.yaml", "kind: Defaults\njob:\n  pool: db\n")
        specs.write("a.yaml", "a")
        assert said(specs.look()) == ["d.yaml:3:9: error[JOB051]: there is no pool `db`"]
        specs.put("pool.yaml", "kind: Pool\nname: db\nslots: 1\n")
        assert names(specs.look()) == {"a"}

    def test_without_effect_is_not_told_of_a_default(self, specs: Specs) -> None:
        specs.put("d.yaml", defaults({"priority": 3, "jitter": "5m", "missed": "skip", "repeat": 3}))
        specs.write("a.yaml", "a")
        assert not specs.look().desired.diagnostics


class TestChanges:
    def test_parse_again_exactly_the_files_below(self, specs: Specs) -> None:
        for path in ("a.yaml", "in/b.yaml", "in/deep/c.yaml", "in/deep/own.yaml"):
            specs.write(path, path.rpartition("/")[2][0])
        specs.put("in/d.yaml", defaults({"timeout": "5m"}))
        specs.look()
        specs.put("in/d.yaml", defaults({"timeout": "6m"}))
        look = specs.look("in/d.yaml")
        assert look.desired.parsed == 4
        assert look.desired.changed == {"default/b", "default/c", "default/o"}
        assert spec(specs, "c")["timeout"] == 360
        (specs.root / "in/d.yaml").unlink()
        look = specs.look("in/d.yaml")
        assert look.desired.changed == {"default/b", "default/c", "default/o"}
        assert spec(specs, "c")["timeout"] == "none"
        assert not look.desired.gone

    def test_in_the_same_words_parse_nothing_again(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.put("d.yaml", defaults({"timeout": "5m"}))
        specs.look()
        specs.put("d.yaml", "# a comment\nkind: Defaults\njob: {timeout: 5m}\n")
        assert specs.look().desired.parsed == 1

    def test_are_followed_across_a_restart(self, specs: Specs) -> None:
        specs.write("in/a.yaml", "a")
        specs.write("b.yaml", "b")
        specs.put("in/d.yaml", defaults({"timeout": "5m"}))
        specs.later(10)
        specs.look()
        specs.restart()
        look = specs.look()
        assert look.desired.parsed == 0
        assert spec(specs, "a")["timeout"] == 300
        specs.put("in/d.yaml", defaults({"timeout": "6m"}))
        specs.restart()
        assert specs.look().desired.parsed == 2
        assert spec(specs, "a")["timeout"] == 360
        (specs.root / "in/d.yaml").unlink()
        specs.restart()
        assert specs.look().desired.parsed == 1
        assert spec(specs, "a")["timeout"] == "none"

    def test_of_a_folder_with_an_odd_name_are_followed(self, specs: Specs) -> None:
        specs.write("o\\dd/a.yaml", "a")
        specs.put("o\\dd/d.yaml", defaults({"timeout": "5m"}))
        specs.look()
        assert spec(specs, "a")["timeout"] == 300
        specs.put("o\\dd/d.yaml", defaults({"timeout": "6m"}))
        specs.look("o\\dd/d.yaml")
        specs.look("o\\dd/d.yaml")
        assert spec(specs, "a")["timeout"] == 360


class TestLastGood:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("kind: Defaults\njob: {timeout: soon}\n", id="unsound"),
            pytest.param("kind: [\n", id="syntax"),
            pytest.param("kind: Defaults\njob: {}\n---\nkind: Defaults\njob: {}\n", id="two"),
        ],
    )
    @pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
    def test_goes_on_when_it_breaks_also_for_edits(self, specs: Specs, text: str, restarted: bool) -> None:
        specs.put("d.yaml", defaults({"timeout": "5m"}))
        specs.write("a.yaml", "a")
        specs.look()
        specs.put("d.yaml", text)
        look = specs.look()
        assert look.desired.diagnostics
        assert not look.desired.changed
        if restarted:
            specs.restart()
        specs.write("a.yaml", "a", extra="grace: 1s\n")
        specs.look()
        assert (spec(specs, "a")["timeout"], spec(specs, "a")["grace"]) == (300, 1)

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("kind: Defaults\njob: {timeout: soon}\n", id="unsound"),
            pytest.param("kind: Defaults\njob: {\n", id="syntax"),
        ],
    )
    def test_that_is_not_known_keeps_the_jobs_below_unread_until_it_is_sound(self, specs: Specs, text: str) -> None:
        specs.put("in/d.yaml", text)
        specs.write("in/a.yaml", "a")
        specs.write("b.yaml", "b")
        look = specs.look()
        assert names(look) == {"b"}
        assert "in/a.yaml" in look.desired.unreadable_paths
        assert "JOB056" in {each.code for each in look.desired.diagnostics}
        specs.put("in/d.yaml", defaults({"timeout": "5m"}))
        look = specs.look("in/d.yaml")
        assert names(look) == {"a", "b"}
        assert spec(specs, "a")["timeout"] == 300
        assert not look.desired.diagnostics

    def test_a_second_one_in_the_folder_is_an_error_at_both_and_changes_nothing_below(self, specs: Specs) -> None:
        specs.put("in/d.yaml", defaults({"timeout": "5m"}))
        specs.write("in/a.yaml", "a")
        specs.look()
        specs.put("in/e.yaml", defaults({"timeout": "6m"}))
        look = specs.look()
        assert [each.partition("]: ")[0] for each in said(look)] == [
            "in/d.yaml:1:10: error[JOB054",
            "in/e.yaml:1:10: error[JOB054",
        ]
        assert names(look) == {"a"}
        assert not look.desired.changed
        specs.restart()
        assert specs.look().desired.jobs["default/a"].spec == look.desired.jobs["default/a"].spec
        (specs.root / "in/d.yaml").unlink()
        look = specs.look()
        assert not look.desired.diagnostics
        assert spec(specs, "a")["timeout"] == 360

    def test_a_job_edited_while_two_compete_waits(self, specs: Specs) -> None:
        specs.put("d.yaml", defaults({"timeout": "5m"}))
        specs.write("a.yaml", "a")
        specs.look()
        specs.put("c.yaml", defaults({"timeout": "6m"}))
        assert not specs.look().desired.changed
        specs.write("a.yaml", "a", extra="grace: 1s\n")
        look = specs.look()
        assert not look.desired.gone
        assert [each.code for each in look.desired.invalid["default/a"]] == ["JOB056"]
        (specs.root / "c.yaml").unlink()
        specs.look()
        assert (spec(specs, "a")["timeout"], spec(specs, "a")["grace"]) == (300, 1)

    def test_a_file_that_changes_in_the_look_that_finds_them_broken_holds_what_it_had(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        specs.write("a.yaml", "b")
        specs.put("d.yaml", "kind: Defaults\njob: 3\n")
        look = specs.look()
        assert set(look.desired.invalid) == {"default/a"}
        assert not look.desired.jobs


FOLDERS = st.sampled_from(["", "x/", "x/y/"])
VALUES = st.one_of(st.none(), st.dictionaries(st.sampled_from(["timeout", "grace"]), st.integers(1, 9), max_size=2))


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.lists(st.tuples(FOLDERS, VALUES, st.booleans()), min_size=1, max_size=7))
def test_after_any_edits_every_job_has_what_the_nearest_folder_gives(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, dict[str, int] | None, bool]]
) -> None:
    specs = Specs(tmp_path_factory.mktemp("specs"))
    now: dict[str, dict[str, int]] = {}
    for index, folder in enumerate(["", "x/", "x/y/"]):
        specs.write(f"{folder}job.yaml", f"j{index}")
    specs.look()
    for folder, values, restart in edits:
        if values is None:
            (specs.root / f"{folder}d.yaml").unlink(missing_ok=True)
            now.pop(folder, None)
        else:
            specs.put(f"{folder}d.yaml", defaults(values))
            now[folder] = values
        if restart:
            specs.restart()
        look = specs.look()
        for index, above in enumerate([[""], ["", "x/"], ["", "x/", "x/y/"]]):
            expected: dict[str, Any] = {"timeout": "none", "grace": 10}
            for each in above:
                expected |= now.get(each, {})
            found = spec(specs, f"j{index}")
            assert {name: found[name] for name in expected} == expected
    assert look.desired.jobs == Source(specs.root, now=specs.now).look().desired.jobs
