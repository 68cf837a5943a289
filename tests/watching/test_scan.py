"""What is a spec file, what is not, and how one is read while others write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from specs import scan

from .conftest import Specs, names, said

TEXT = "name: {}\nrun: {{script: x}}\n"


class TestNames:
    def test_suffixes_depth_and_hidden_names(self, specs: Specs) -> None:
        for path, name in [
            *(("a.yaml", "a"), ("b.yml", "b"), ("x/y/z/c.yaml", "c"), ("x.yaml/d.yaml", "d")),
            *((".hidden.yaml", "h1"), (".git/config.yaml", "h2"), ("x/.cache/e.yaml", "h3")),
            *(("a.yaml~", "t1"), ("a.yaml.swp", "t2"), ("notes.txt", "t3"), ("4913", "t4"), ("A.YAML", "t5")),
        ]:
            specs.write(path, name)
        (specs.root / "j.json").write_text('{"name": "j", "run": {"script": "x"}}')
        assert names(specs.look()) == {"a", "b", "c", "d", "j"}

    def test_a_name_that_is_not_utf_8_is_read_and_shown(self, specs: Specs) -> None:
        Path(os.fsdecode(os.fsencode(specs.root) + b"/d\xe9")).mkdir()
        for name, text in ((b"/d\xe9/caf\xe9.yaml", TEXT.format("a")), (b"/bad\xff.yaml", "[")):
            with open(os.fsencode(specs.root) + name, "w") as file:
                file.write(text)
        look = specs.look()
        assert look.desired.jobs["default/a"].path == r"d\xe9/caf\xe9.yaml"
        assert [each.path for each in look.desired.diagnostics] == [r"bad\xff.yaml"]
        look.desired.jobs["default/a"].path.encode()
        assert specs.look().desired.parsed == 0

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            pytest.param("a/b.yaml", "a/b.yaml", id="plain"),
            pytest.param("ä/日.yaml", "ä/日.yaml", id="unicode"),
            pytest.param("a\nb.yaml", r"a\x0ab.yaml", id="a-line-break"),
            pytest.param("a\x1b[2J.yaml", r"a\x1b[2J.yaml", id="an-escape"),
            pytest.param("a\u202eb.yaml", r"a\u202eb.yaml", id="right-to-left"),
            pytest.param("a\\xffb.yaml", r"a\\xffb.yaml", id="a-backslash-is-no-escape"),
            pytest.param("a\udcffb.yaml", r"a\xffb.yaml", id="a-byte"),
        ],
    )
    def test_shown(self, path: str, text: str) -> None:
        assert scan.shown(path) == text

    def test_a_name_for_a_terminal_is_harmless_in_a_finding(self, specs: Specs) -> None:
        (specs.root / "a\x1b[31m\n.yaml").write_text("[")
        assert said(specs.look())[0].startswith(r"a\x1b[31m\x0a.yaml:1:2: ")


class TestLinks:
    def test_no_link_is_followed_and_each_is_told(self, specs: Specs, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside/a.yaml").write_text(TEXT.format("a"))
        (specs.root / "file.yaml").symlink_to(tmp_path / "outside/a.yaml")
        (specs.root / "folder").symlink_to(tmp_path / "outside")
        (specs.root / "loop").symlink_to(specs.root)
        (specs.root / "dead.yaml").symlink_to("nowhere")
        look = specs.look()
        assert names(look) == set()
        assert [(each.code, each.path) for each in look.desired.diagnostics] == [
            ("JOB062", "dead.yaml"),
            ("JOB062", "file.yaml"),
        ]

    def test_a_folder_that_becomes_a_link_leads_nowhere(self, specs: Specs, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside/a.yaml").write_text(TEXT.format("evil"))
        specs.write("x/a.yaml", "a")
        specs.look()
        (specs.root / "x").rename(tmp_path / "x")
        (specs.root / "x").symlink_to(tmp_path / "outside")
        assert names(specs.look("x/a.yaml")) == set()
        assert names(specs.look()) == set()

    @pytest.mark.parametrize("hint", ["../outside.yaml", "x/../../outside.yaml", "/etc/hosts.yaml", ".hidden.yaml", ""])
    def test_no_hint_leads_out(self, specs: Specs, tmp_path: Path, hint: str) -> None:
        (tmp_path / "outside.yaml").write_text(TEXT.format("evil"))
        (specs.root / ".hidden.yaml").write_text(TEXT.format("evil"))
        specs.look()
        assert names(specs.look(hint)) == set()

    def test_a_volume_of_kubernetes(self, specs: Specs) -> None:
        def publish(stamp: str, *jobs: str) -> None:
            data = specs.root / f"..{stamp}"
            (data / "sub").mkdir(parents=True)
            for job in jobs:
                (data / f"{job}.yaml").write_text(TEXT.format(job))
            (data / "sub/deep.yaml").write_text(TEXT.format(f"deep-{stamp}"))
            (specs.root / "..data_tmp").symlink_to(f"..{stamp}")
            (specs.root / "..data_tmp").rename(specs.root / "..data")

        publish("1", "a", "b")
        for name in ("a.yaml", "b.yaml", "sub"):
            (specs.root / name).symlink_to(f"..data/{name}")
        assert names(specs.look()) == {"a", "b", "deep-1"}
        publish("2", "a")
        look = specs.look("..data")
        assert (names(look), look.desired.parsed) == ({"a", "deep-2"}, 1)
        assert look.desired.gone == {"default/b", "default/deep-1"}
        assert said(look) == []
        assert names(specs.look("sub/deep.yaml")) == {"a", "deep-2"}

    @pytest.mark.parametrize("target", ["../outside", "/tmp", "..", ".", "..data", "sub", "../jobs/.."])
    def test_a_volume_cannot_lead_elsewhere(self, specs: Specs, tmp_path: Path, target: str) -> None:
        for folder in (tmp_path / "outside", specs.root / "sub"):
            folder.mkdir()
            (folder / "evil.yaml").write_text(TEXT.format("evil"))
        (specs.root / "sub/evil.yaml").rename(specs.root / "sub/.evil.yaml")
        (specs.root / "..data").symlink_to(target)
        (specs.root / "evil.yaml").symlink_to("..data/evil.yaml")
        assert names(specs.look()) == set()

    def test_git_sync_flips_the_root(self, specs: Specs, tmp_path: Path) -> None:
        for stamp, jobs in (("1", ("a", "b")), ("2", ("a", "c"))):
            (tmp_path / f"tree-{stamp}/jobs").mkdir(parents=True)
            for job in jobs:
                (tmp_path / f"tree-{stamp}/jobs/{job}.yaml").write_text(TEXT.format(job))
        link = tmp_path / "current"
        link.symlink_to("tree-1")
        flipped = Specs(link / "jobs")
        assert names(flipped.look()) == {"a", "b"}
        (tmp_path / "next").symlink_to("tree-2")
        (tmp_path / "next").rename(link)
        look = flipped.look("a.yaml")  # a hint about the old tree
        assert (names(look), look.desired.gone) == ({"a", "c"}, {"default/b"})
        assert look.desired.parsed == 1  # `a` says the same in the new tree
        assert look.desired.root == str(tmp_path / "tree-2/jobs")


class TestWriters:
    def test_half_a_file_is_not_read(self, specs: Specs) -> None:
        file = specs.write("a.yaml", "a")
        specs.look()
        with file.open("w") as writing:
            writing.write("name: a\nrun: {script: x}\n")  # sound, and yet not all of it
            writing.flush()
            look = specs.look()
            assert (look.desired.changed, look.desired.gone, look.desired.parsed) == (frozenset(), frozenset(), 0)
            assert look.again_in is not None and look.again_in <= 0.1
            writing.write("timeout: 5m\n")
        again = specs.look(*["unrelated.yaml"])  # without a hint: what was unstable is looked at again
        assert (again.desired.changed, again.again_in) == ({"default/a"}, None)

    def test_a_new_half_file_is_not_seen_before_it_is_whole(self, specs: Specs) -> None:
        with (specs.root / "a.yaml").open("w") as writing:
            writing.write(TEXT.format("a"))
            writing.flush()
            assert names(specs.look()) == set()
        assert names(specs.look()) == {"a"}

    def test_another_process_is_noticed_too(self, specs: Specs) -> None:
        file = specs.write("a.yaml", "a")
        script = f"file = open({os.fspath(file)!r}, 'a'); print(flush=True); input()"
        with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
            try:
                assert writer.stdout is not None
                writer.stdout.readline()
                assert names(specs.look()) == set()
                specs.later(6)
                late = specs.look()
                assert (names(late), late.again_in) == (set(), 1.0)
                assert [each.code for each in late.desired.diagnostics] == ["JOB061"]
            finally:
                writer.kill()
        healed = specs.look()
        assert (names(healed), said(healed)) == ({"a"}, [])

    def test_a_writer_that_breaks_a_lease_does_not_end_the_process(self, specs: Specs) -> None:
        import fcntl

        file = specs.write("a.yaml", "a")
        with file.open("rb") as reading:
            fcntl.fcntl(reading, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            with pytest.raises(BlockingIOError):
                os.open(file, os.O_WRONLY | os.O_NONBLOCK)  # sends SIGIO
            fcntl.fcntl(reading, fcntl.F_SETLEASE, fcntl.F_UNLCK)

    def test_without_leases_a_file_must_be_quiet_for_a_moment(self, specs: Specs) -> None:
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        specs.write("a.yaml", "a")
        assert names(specs.look()) == set()
        specs.later(0.4)
        assert names(specs.look()) == {"a"}

    def test_an_editor_that_renames_its_backup(self, specs: Specs) -> None:
        file = specs.write("a.yaml", "a")
        specs.look()
        file.rename(specs.root / "a.yaml~")
        (specs.root / "4913").touch()
        (specs.root / "4913").unlink()
        file.write_text(TEXT.format("a") + "timeout: 5m\n")
        (specs.root / "a.yaml~").unlink()
        look = specs.look("a.yaml", "a.yaml~", "4913")
        assert (look.desired.changed, look.desired.gone) == ({"default/a"}, frozenset())

    @pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
    def test_what_is_no_file_does_not_hold_a_look(self, specs: Specs, kind: str) -> None:
        import socket

        place = specs.root / "a.yaml"
        if kind == "pipe":
            os.mkfifo(place)
        elif kind == "folder":
            place.mkdir()
        else:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(os.fspath(place))
        codes = [each.code for each in specs.look().desired.diagnostics]
        assert codes == ([] if kind == "folder" else ["JOB001"])


class TestRights:
    @pytest.mark.parametrize(
        ("mode", "what"),
        [
            pytest.param(0o644, None, id="ours"),
            pytest.param(0o664, None, id="our-own-group"),
            pytest.param(0o646, "can be written by everybody", id="everybody"),
        ],
    )
    def test_who_else_can_write_a_file_is_told(self, specs: Specs, mode: int, what: str | None) -> None:
        specs.write("a.yaml", "a").chmod(mode)
        look = specs.look()
        assert names(look) == {"a"}
        assert said(look) == ([] if what is None else [f"a.yaml:1:1: warning[JOB060]: this file {what}"])
        assert said(specs.look("other.yaml")) == said(look)
        (specs.root / "a.yaml").chmod(0o600)
        assert said(specs.look("a.yaml")) == []

    def test_the_root_and_its_folders_too(self, specs: Specs) -> None:
        specs.write("x/a.yaml", "a")
        specs.root.chmod(0o777)
        (specs.root / "x").chmod(0o777)
        assert said(specs.look()) == [
            ".:1:1: warning[JOB060]: the specs directory can be written by everybody",
            "x:1:1: warning[JOB060]: this folder can be written by everybody",
        ]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_a_file_of_somebody_else(self, specs: Specs) -> None:
        os.chown(specs.write("a.yaml", "a"), 12345, 12345)
        assert said(specs.look()) == ["a.yaml:1:1: warning[JOB060]: this file belongs to another user (uid 12345)"]
