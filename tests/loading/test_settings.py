"""`jobsctl.yaml`: defaults, every setting, and the same messages as for specs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from specs.config import Config, Http, PruneLimit, Retention, load_config, parse_config
from specs.diagnostic import InvalidSpec


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    config = load_config(tmp_path)
    assert config == Config()
    assert (config.specs, config.timezone, config.resync, config.prune_grace) == ("jobs", "UTC", 60.0, 2.0)
    assert config.prune_limit == PruneLimit(jobs=3, share=0.3)
    assert config.http == Http(listen="127.0.0.1:8787")
    assert config.retention == Retention(max_runs=1000, max_age=2_592_000.0)


def test_every_setting(tmp_path: Path) -> None:
    (tmp_path / "jobsctl.yaml").write_text(
        "specs: /srv/specs\ntimezone: Europe/Berlin\nresync: 2m\nprune_limit: {jobs: 0, share: 1}\n"
        "prune_grace: 10s\nhttp: null\nretention: {max_runs: 5, max_age: 7d}\n"
    )
    assert load_config(tmp_path) == Config(
        specs="/srv/specs",
        timezone="Europe/Berlin",
        resync=120.0,
        prune_limit=PruneLimit(jobs=0, share=1.0),
        prune_grace=10.0,
        http=None,
        retention=Retention(max_runs=5, max_age=604_800.0),
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}\n"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    assert parse_config(text.encode(), "jobsctl.yaml") == Config()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        pytest.param("timezoen: UTC\n", "jobsctl.yaml:1:1: error[JOB030]: unknown key `timezoen`", id="misspelt"),
        pytest.param("http: {port: 1}\n", "jobsctl.yaml:1:8: error[JOB030]: unknown key `port` in `http`", id="inner"),
        pytest.param(
            "timezone: Europe/Berln\n",
            "jobsctl.yaml:1:11: error[JOB042]: there is no time zone 'Europe/Berln'",
            id="zone",
        ),
        pytest.param(
            "http: {listen: '8787'}\n",
            "jobsctl.yaml:1:16: error[JOB033]: `http.listen` is `host:port`, as 127.0.0.1:8787 or [::1]:8787",
            id="listen",
        ),
        pytest.param(
            "http: {listen: '127.0.0.1:99999'}\n",
            "jobsctl.yaml:1:16: error[JOB033]: `http.listen` is `host:port`, as 127.0.0.1:8787 or [::1]:8787",
            id="port",
        ),
        pytest.param(
            "resync: never\n",
            "jobsctl.yaml:1:9: error[JOB035]: a duration is like 90s, 15m, 1h30m or 2d, or a number of seconds",
            id="duration",
        ),
        pytest.param(
            "prune_limit: {share: 30}\n",
            "jobsctl.yaml:1:22: error[JOB033]: `prune_limit.share` must be at most 1",
            id="share",
        ),
        pytest.param("- a\n", "jobsctl.yaml:1:1: error[JOB013]: a document is a mapping, as `name: ...`", id="list"),
        pytest.param("a: 1\n---\nb: 1\n", "jobsctl.yaml:3:1: error[JOB013]: the settings are one document", id="two"),
        pytest.param("a: *b\n", "jobsctl.yaml:1:4: error[JOB006]: an alias (`*b`) is not allowed", id="alias"),
        pytest.param("\0", "jobsctl.yaml:1:1: error[JOB004]: control character U+0000 in the file", id="control"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, first: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        parse_config(text.encode(), "jobsctl.yaml")
    assert str(caught.value) == first


def test_a_file_that_cannot_be_read_is_no_default(tmp_path: Path) -> None:
    (tmp_path / "jobsctl.yaml").mkdir()
    with pytest.raises(InvalidSpec, match="JOB001"):
        load_config(tmp_path)


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "jobsctl.yaml")
    with pytest.raises(InvalidSpec) as caught:
        load_config(tmp_path)
    assert "is not a regular file" in caught.value.diagnostics[0].message


def test_an_unknown_zone_is_told_together_with_the_other_mistakes() -> None:
    with pytest.raises(InvalidSpec) as raised:
        parse_config(b"resync: soon\ntimezone: Mars/Olympus\n", "jobsctl.yaml")
    found = [(each.code, each.line) for each in raised.value.diagnostics]
    assert found == [("JOB035", 1), ("JOB042", 2)]
