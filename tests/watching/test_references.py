"""What jobs name in other files: missing, found later, going in a circle, renamed."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.circles import circles, way_round
from specs.source import Look, Source

from .conftest import Specs, names, said

POOL = "kind: Pool\nname: db\nslots: 2\n"
NOTIFIER = "kind: Notifier\nname: db\nurls: [{from_env: A}]\n"
RUN = "schedule: '@daily'\nrun: {script: x}\n"


def job(name: str, *lines: str) -> str:
    return "\n".join((f"name: {name}", *lines, RUN))


def needs(name: str, *others: str) -> str:
    return job(name, f"depends_on: [{', '.join(others)}]")


class TestMissing:
    @pytest.mark.parametrize(
        ("field", "message"),
        [
            pytest.param("pool: dbb", "2:7: error[JOB051]: there is no pool `dbb`", id="pool"),
            pytest.param("calendar: dbb", "2:11: error[JOB051]: there is no calendar `dbb`", id="calendar"),
            pytest.param("calendar: [db, dbb]", "2:16: error[JOB051]: there is no calendar `dbb`", id="one-of-two"),
            pytest.param("notify: [{to: dbb}]", "2:15: error[JOB051]: there is no notifier `dbb`", id="notifier"),
            pytest.param(
                "notify: [{to: [db, dbb]}]", "2:20: error[JOB051]: there is no notifier `dbb`", id="notifiers"
            ),
            pytest.param("depends_on: [extrac]", "2:14: error[JOB051]: there is no job `default/extrac`", id="job"),
            pytest.param(
                "depends_on: [{job: b/extract}]", "2:20: error[JOB051]: there is no job `b/extract`", id="long"
            ),
        ],
    )
    def test_is_an_error_at_the_value_and_keeps_back_the_job_alone(
        self, specs: Specs, field: str, message: str
    ) -> None:
        specs.put("shared.yaml", f"{POOL}---\nkind: Calendar\nname: db\n---\n{NOTIFIER}---\n{job('extract')}")
        specs.put("a.yaml", job("a", field))
        look = specs.look()
        assert said(look) == [f"a.yaml:{message}"]
        assert names(look) == {"extract"}
        assert [each.code for each in look.desired.invalid["default/a"]] == ["JOB051"]

    @pytest.mark.parametrize(
        ("field", "advice"),
        [
            pytest.param("pool: dbb", "did you mean `db`?", id="pool"),
            pytest.param("depends_on: [extrct]", "did you mean `extract`?", id="job"),
            pytest.param("depends_on: [load]", "did you mean `etl/load`?", id="of-another-project"),
            pytest.param("calendar: xyz", "add a document `kind: Calendar`", id="nothing-near"),
        ],
    )
    def test_the_nearest_name_is_suggested(self, specs: Specs, field: str, advice: str) -> None:
        specs.put("shared.yaml", f"{POOL}---\n{job('extract')}---\n{job('load', 'project: etl')}")
        specs.put("a.yaml", job("a", field))
        (finding,) = specs.look().desired.diagnostics
        assert (finding.help or "").startswith(advice)

    def test_becomes_valid_when_another_file_brings_it_and_invalid_when_it_goes(self, specs: Specs) -> None:
        specs.put("a.yaml", job("a", "pool: db", "depends_on: [b]"))
        assert names(specs.look()) == set()
        specs.put("pool.yaml", POOL)
        assert [each.split(": ", 1)[1] for each in said(specs.look())] == ["error[JOB051]: there is no job `default/b`"]
        specs.write("b.yaml", "b")
        look = specs.look()
        assert names(look) == {"a", "b"}
        assert look.desired.changed == {"default/a", "default/b"}
        assert look.desired.parsed == 1
        assert not look.desired.diagnostics
        (specs.root / "pool.yaml").unlink()
        look = specs.look("pool.yaml")
        assert names(look) == {"b"}
        assert look.desired.changed == {"default/a"}
        assert not look.desired.gone

    def test_a_name_that_is_unsound_itself_is_there(self, specs: Specs) -> None:
        specs.put("a.yaml", job("a", "pool: db", "depends_on: [b]"))
        specs.put("b.yaml", job("b", "timeout: never"))
        specs.put("pool.yaml", POOL.replace("2", "0"))
        assert names(specs.look()) == {"a"}

    def test_a_name_in_a_file_that_cannot_be_read_any_more_is_there(self, specs: Specs) -> None:
        specs.put("a.yaml", needs("a", "b"))
        specs.write("b.yaml", "b")
        specs.look()
        specs.put("b.yaml", "name: [")
        assert names(specs.look()) == {"a"}

    def test_is_told_with_its_place_after_a_restart(self, specs: Specs) -> None:
        specs.put("a.yaml", needs("a", "b"))
        specs.later(10)
        before = said(specs.look())
        specs.restart()
        look = specs.look()
        assert look.desired.parsed == 0
        assert said(look) == before == ["a.yaml:2:14: error[JOB051]: there is no job `default/b`"]

    def test_the_place_follows_the_file(self, specs: Specs) -> None:
        specs.put("a.yaml", needs("a", "b"))
        specs.look()
        specs.put("a.yaml", "\n\n" + needs("a", "b"))
        assert said(specs.look())[0].startswith("a.yaml:4:14:")


class TestCircles:
    def test_each_job_is_told_its_own_way_round(self, specs: Specs) -> None:
        for name, other in ("ab", "bc", "ca"):
            specs.put(f"{name}.yaml", needs(name, other))
        specs.put("d.yaml", needs("d", "a"))
        look = specs.look()
        assert names(look) == {"d"}
        assert said(look)[1] == (
            "b.yaml:2:14: error[JOB052]: `default/b` waits for itself: default/b (b.yaml:1) -> default/c (c.yaml:1) -> "
            "default/a (a.yaml:1) -> default/b (b.yaml:1)"
        )
        assert len(look.desired.diagnostics) == 3

    def test_broken_in_one_file_all_its_jobs_are_valid_in_that_look(self, specs: Specs) -> None:
        for name, other in ("ab", "bc", "ca"):
            specs.put(f"{name}.yaml", needs(name, other))
        specs.look()
        specs.write("c.yaml", "c")
        look = specs.look("c.yaml")
        assert names(look) == {"a", "b", "c"}
        assert look.desired.changed == {"default/a", "default/b", "default/c"}
        assert look.desired.parsed == 1
        assert not look.desired.diagnostics

    def test_closed_by_one_file_all_its_jobs_are_invalid_in_that_look(self, specs: Specs) -> None:
        specs.put("a.yaml", needs("a", "b"))
        specs.write("b.yaml", "b")
        specs.look()
        specs.put("b.yaml", needs("b", "a"))
        look = specs.look("b.yaml")
        assert names(look) == set()
        assert look.desired.changed == {"default/a", "default/b"}

    def test_two_circles_with_a_job_in_common(self, specs: Specs) -> None:
        specs.put("all.yaml", "---\n".join((needs("a", "b", "c"), needs("b", "a"), needs("c", "a"))))
        look = specs.look()
        assert len(look.desired.invalid) == 3
        specs.put("all.yaml", "---\n".join((needs("a", "b", "c"), needs("b", "a"), job("c"))))
        assert names(specs.look()) == {"c"}

    def test_a_long_one_is_told_shortly_and_soon(self, specs: Specs) -> None:
        count = 300
        specs.put("all.yaml", "---\n".join(needs(f"j{n}", f"j{(n + 1) % count}") for n in range(count)))
        look = specs.look()
        assert len(look.desired.invalid) == count
        assert max(len(each.message) for each in look.desired.diagnostics) < 1000


class TestRenaming:
    def test_of_a_job_that_still_has_a_file_waits_for_that_to_go(self, specs: Specs) -> None:
        specs.write("old.yaml", "old")
        specs.put("new.yaml", job("new", "renamed_from: old"))
        look = specs.look()
        assert said(look) == [
            "new.yaml:2:15: error[JOB053]: `default/old` still is in a file: default/old (old.yaml:1)"
        ]
        assert names(look) == {"old"}
        (specs.root / "old.yaml").unlink()
        look = specs.look()
        assert names(look) == {"new"}
        assert look.desired.changed == {"default/new"}
        assert look.desired.gone == {"default/old"}

    def test_in_place_is_one_change(self, specs: Specs) -> None:
        specs.write("a.yaml", "old")
        specs.look()
        specs.put("a.yaml", job("new", "renamed_from: old"))
        look = specs.look()
        assert names(look) == {"new"}
        assert not look.desired.diagnostics

    def test_by_two_is_an_error_at_both_until_one_gives_way(self, specs: Specs) -> None:
        specs.put("a.yaml", job("a", "renamed_from: old"))
        specs.look()
        specs.put("b.yaml", job("b", "renamed_from: default/old"))
        look = specs.look()
        assert [each.partition("]: ")[2] for each in said(look)] == [
            "`default/old` was renamed to default/b (b.yaml:1) too",
            "`default/old` was renamed to default/a (a.yaml:1) too",
        ]
        specs.write("b.yaml", "b")
        look = specs.look()
        assert names(look) == {"a", "b"}
        assert not look.desired.diagnostics


NAMES = st.sampled_from("abcdef")
GRAPHS = st.dictionaries(NAMES, st.sets(NAMES, max_size=3), max_size=6)


def reached(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    ahead = set(graph.get(start, ()))
    while ahead:
        seen |= ahead
        ahead = {more for each in ahead for more in graph.get(each, ())} - seen
    return seen


@settings(max_examples=200, derandomize=True, deadline=None)
@given(GRAPHS)
def test_circles_are_what_can_be_reached_both_ways(graph: dict[str, set[str]]) -> None:
    lists = {name: sorted(others) for name, others in graph.items()}
    found = {each for circle in circles(lists, sorted(lists)) for each in circle}
    assert found == {each for each in graph if any(each in reached(graph, o) for o in reached(graph, each) - {each})}
    for circle in circles(lists, sorted(lists)):
        for each in circle:
            assert reached(graph, each) & found >= circle
            way = way_round(lists, each, circle)
            assert way[0] == way[-1] == each
            assert all(after in graph[before] for before, after in pairwise(way))


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.lists(st.tuples(NAMES, st.one_of(st.none(), st.sets(NAMES, max_size=2))), min_size=1, max_size=8))
def test_after_any_edits_the_whole_is_what_a_fresh_look_finds(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, set[str] | None]]
) -> None:
    specs = Specs(tmp_path_factory.mktemp("specs"))
    for name, others in edits:
        path = specs.root / f"{name}.yaml"
        if others is None:
            path.unlink(missing_ok=True)
        elif others:
            specs.put(path.name, needs(name, *sorted(others)))
        else:
            specs.write(path.name, name)
        look = specs.look()
    fresh = Source(specs.root, now=specs.now).look()
    assert look.desired.jobs == fresh.desired.jobs
    assert look.desired.invalid == fresh.desired.invalid
    assert look.desired.diagnostics == fresh.desired.diagnostics


def test_what_changed_is_all_that_differs(specs: Specs) -> None:
    before = Look(specs.look().desired).desired
    for text in (needs("a", "b"), needs("a", "c"), job("a"), needs("a", "b")):
        specs.put("a.yaml", text)
        specs.put("b.yaml", needs("b", "a"))
        after = specs.look().desired
        for identity in ("default/a", "default/b"):
            same = (before.jobs.get(identity), before.invalid.get(identity)) == (
                after.jobs.get(identity),
                after.invalid.get(identity),
            )
            assert same == (identity not in after.changed)
        before = after


def test_one_link_of_two_thousand_costs_no_more_than_itself(specs: Specs) -> None:
    per_file = 500
    for start in range(0, 2_000, per_file):
        numbers = range(start, start + per_file)
        specs.put(f"{start}.yaml", "---\n".join(needs(f"j{n}", f"j{n + 1}") for n in numbers))
    specs.look()
    specs.write("last.yaml", "j2000")
    before = time.process_time()
    look = specs.look("last.yaml")
    assert look.desired.changed == {"default/j1999", "default/j2000"}
    assert time.process_time() - before < 0.1
