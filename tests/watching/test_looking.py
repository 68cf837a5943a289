"""One look is one consistent snapshot; only what changed is parsed; a mistake never takes away what worked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from specs.source import Source, cache_version

from .conftest import Specs, names, said


class TestWhatCosts:
    def test_only_changed_files_are_parsed_again(self, specs: Specs) -> None:
        for name in ("a", "b", "c"):
            specs.write(f"{name}.yaml", name)
        first = specs.look()
        assert (first.desired.parsed, first.desired.files, names(first)) == (3, 3, {"a", "b", "c"})
        assert first.desired.changed == {"default/a", "default/b", "default/c"}
        specs.write("b.yaml", "b", extra="timeout: 5m\n")
        second = specs.look()
        assert (second.desired.parsed, second.desired.changed, second.desired.gone) == (1, {"default/b"}, frozenset())

    def test_also_across_restarts(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.put("bad.yaml", "name: bad\nrun: 1\n")
        specs.put("warn.yaml", 'name: warn\nrun: {script: x}\nschedule: "0 0 1 * 1"\n')
        before = specs.look().desired
        specs.restart()
        after = specs.look().desired
        assert after.parsed == 0
        assert (after.jobs, after.invalid, after.diagnostics) == (before.jobs, before.invalid, before.diagnostics)

    def test_what_went_while_nobody_looked_is_gone(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.write("b.yaml", "b")
        specs.look()
        (specs.root / "b.yaml").unlink()
        specs.restart()
        look = specs.look()
        assert look.desired.gone == {"default/b"}
        assert look.cache_removed == ("b.yaml",)

    def test_a_touched_file_is_not_parsed(self, specs: Specs) -> None:
        file = specs.write("a.yaml", "a")
        specs.look()
        os.utime(file, ns=(1, 1))
        look = specs.look()
        assert (look.desired.parsed, look.desired.changed) == (0, frozenset())
        assert [row.mtime_ns for row in look.cache_changed] in ([1], [-1])

    def test_a_young_file_is_read_again_once_and_costs_no_new_part(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        young = specs.look()
        part = specs.source.parts["a.yaml"]
        specs.later(3)
        settled = specs.look()
        assert specs.source.parts["a.yaml"] is part
        assert [row.mtime_ns for row in young.cache_changed] == [-1]
        assert [row.mtime_ns for row in settled.cache_changed] == [part.key[2]]
        assert (settled.desired.changed, specs.look().cache_changed) == (frozenset(), ())

    def test_a_hint_is_looked_at_and_nothing_else(self, specs: Specs) -> None:
        specs.write("x/a.yaml", "a")
        specs.write("y/b.yaml", "b")
        specs.look()
        specs.write("x/a.yaml", "a", extra="timeout: 5m\n")
        specs.write("y/b.yaml", "b", extra="timeout: 5m\n")
        assert specs.look("x/a.yaml").desired.changed == {"default/a"}
        assert specs.look("y").desired.changed == {"default/b"}

    def test_a_hint_of_a_new_moved_and_removed_folder(self, specs: Specs) -> None:
        specs.write("x/deep/a.yaml", "a")
        specs.look()
        (specs.root / "x").rename(specs.root / "y")
        moved = specs.look("x", "y")
        assert (names(moved), moved.desired.gone) == ({"a"}, frozenset())
        assert moved.desired.jobs["default/a"].path == "y/deep/a.yaml"
        (specs.root / "y/deep/a.yaml").unlink()
        (specs.root / "y/deep").rmdir()
        assert specs.look("y/deep").desired.gone == {"default/a"}
        assert set(specs.source.folders) == {"", "y"}

    def test_a_thousand_hints_are_a_sweep(self, specs: Specs) -> None:
        specs.look()
        specs.write("a.yaml", "a")
        assert names(specs.look(*(f"f{n}.yaml" for n in range(1001)))) == {"a"}

    def test_an_edit_within_the_same_time_stamp_is_found(self, specs: Specs) -> None:
        # Same size, and (by force) the same times: only a file read right after its change can be so.
        file = specs.write("a.yaml", "aa")
        status = file.stat()
        specs.look()
        with file.open("r+") as writing:
            writing.write("name: bb")
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        part = specs.source._snapshot.parts["a.yaml"]
        now = file.stat()
        key = (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
        specs.source._snapshot.parts["a.yaml"] = type(part)(key, part.digest, part.jobs)
        assert names(specs.look()) == {"bb"}

    def test_an_old_file_is_trusted(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        specs.later(10)
        specs.look()
        assert specs.source._racy == set()

    def test_the_version_of_the_cache_depends_on_the_zone(self) -> None:
        assert cache_version("UTC") != cache_version("Europe/Berlin")
        assert cache_version("UTC") == cache_version()

    def test_a_cache_of_nonsense_is_read_as_nothing(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        for path, row in list(specs.cache.items()):
            specs.cache[path] = row._replace(documents=b"{")
        specs.restart()
        assert names(specs.look()) == {"a"}


class TestMistakes:
    def test_an_invalid_job_is_named_and_not_gone(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        specs.put("a.yaml", "name: a\nrun: 1\n")
        look = specs.look().desired
        assert (look.changed, look.gone, dict(look.jobs)) == ({"default/a"}, frozenset(), {})
        assert [each.code for each in look.invalid["default/a"]] == ["JOB032"]

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("name: [", id="syntax"),
            pytest.param("name: A\nrun: {script: x}\n", id="a-name-that-is-none"),
            pytest.param("x" * 300_000, id="too-large"),
            pytest.param("kind: Agent\nname: a\n", id="not-a-job-any-more"),
        ],
    )
    def test_a_file_that_hides_its_names_keeps_what_it_defined(self, specs: Specs, text: str) -> None:
        specs.write("two.yaml", "a", "b")
        specs.look()
        specs.put("two.yaml", text)
        look = specs.look().desired
        assert look.gone == frozenset()
        assert look.unreadable_paths == {"two.yaml"}
        assert set(look.invalid) == {"default/a", "default/b"}
        specs.restart()
        assert set(specs.look().desired.invalid) == {"default/a", "default/b"}
        specs.write("two.yaml", "b")
        healed = specs.look().desired
        assert (set(healed.jobs), healed.gone, healed.invalid) == ({"default/b"}, {"default/a"}, {})

    def test_what_a_hiding_file_held_may_be_defined_elsewhere(self, specs: Specs) -> None:
        specs.write("old.yaml", "a")
        specs.look()
        specs.put("old.yaml", "[")
        specs.write("new.yaml", "a")
        assert names(specs.look()) == {"a"}

    def test_two_files_with_one_identity_are_both_wrong_until_one_goes(self, specs: Specs) -> None:
        specs.write("one.yaml", "a")
        first = specs.look().desired.jobs["default/a"]
        specs.put("two.yaml", "# two\nproject: default\nname: a\nrun: {script: y}\n")
        look = specs.look().desired
        assert dict(look.jobs) == {}
        assert [str(each) for each in look.invalid["default/a"]] == [
            "one.yaml:1:7: error[JOB050]: `default/a` is also defined in two.yaml:2",
            "two.yaml:3:7: error[JOB050]: `default/a` is also defined in one.yaml:1",
        ]
        assert look.diagnostics == look.invalid["default/a"]
        (specs.root / "two.yaml").unlink()
        healed = specs.look().desired
        assert (healed.jobs["default/a"], healed.invalid, healed.diagnostics) == (first, {}, ())

    def test_a_job_may_move_to_another_file(self, specs: Specs) -> None:
        specs.write("one.yaml", "a")
        specs.look()
        (specs.root / "one.yaml").rename(specs.root / "two.yaml")
        look = specs.look().desired
        assert (set(look.jobs), look.gone, look.invalid) == ({"default/a"}, frozenset(), {})

    def test_a_file_that_may_not_be_read_keeps_what_it_defined(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        (specs.root / "a.yaml").unlink()
        os.mkfifo(specs.root / "a.yaml")  # as root everything may be read; a pipe is no file for anybody
        look = specs.look()
        assert (look.desired.gone, look.desired.unreadable_paths) == (frozenset(), {"a.yaml"})
        assert said(look) == ["a.yaml:1:1: error[JOB001]: cannot be read: is not a regular file"]


class TestTheRoot:
    def test_a_root_that_is_not_there_is_a_problem_and_removes_nothing(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        specs.root.rename(specs.root.with_name("elsewhere"))
        gone = specs.look()
        assert gone.desired.problem == f"{specs.root}: No such file or directory"
        assert (names(gone), gone.desired.changed, gone.desired.gone) == ({"a"}, frozenset(), frozenset())
        assert gone.again_in is not None

    def test_also_right_after_a_start(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        specs.root.rename(specs.root.with_name("elsewhere"))
        specs.restart()
        gone = specs.look()
        assert gone.desired.problem and names(gone) == {"a"}
        specs.root.with_name("elsewhere").rename(specs.root)
        back = specs.look()
        assert (back.desired.problem, back.desired.changed, back.desired.parsed) == (None, {"default/a"}, 0)

    def test_a_root_that_comes_back_is_looked_at_whatever_the_hint(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        (specs.root / "a.yaml").unlink()
        specs.root.rmdir()
        assert specs.look("a.yaml").desired.problem
        specs.root.mkdir()
        specs.write("b.yaml", "b")
        look = specs.look("x.yaml")
        assert (names(look), look.desired.gone, look.desired.problem) == ({"b"}, {"default/a"}, None)

    def test_a_replaced_root_is_looked_at_whatever_the_hint(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        specs.root.rename(specs.root.with_name("old"))
        specs.root.mkdir()
        specs.write("b.yaml", "b")
        assert names(specs.look("x.yaml")) == {"b"}

    def test_a_root_that_is_a_file(self, tmp_path: Path, specs: Specs) -> None:
        (tmp_path / "file").write_text("")
        problem = Source(tmp_path / "file", now=specs.now).look().desired.problem
        assert problem is not None and problem.endswith("Not a directory")

    def test_a_mistake_of_the_program_changes_nothing(self, specs: Specs) -> None:
        specs.write("a.yaml", "a")
        specs.look()
        look = specs.source.failed(RuntimeError("oops"))
        assert look.desired.problem == f"internal error while looking at {specs.root}: RuntimeError: oops"
        assert (names(look), look.desired.gone) == ({"a"}, frozenset())
