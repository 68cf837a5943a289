"""The zone of jobs that name none: what the daemon took, else what jobsctl.yaml says."""

from __future__ import annotations

import json

import pytest

from cli.commands.init import CONFIG
from cli.reading import DEFAULT_ZONE, Reading, says_nothing
from specs.config import Config
from state.home import Home
from state.reads import Reader


def zone(home: Home) -> str:
    with Reader(home.database) as reader:
        return Reading(home, reader, 0).timezone


def test_the_default_is_that_of_the_settings():
    assert Config().timezone == DEFAULT_ZONE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(CONFIG, False, id="as_init_writes_it"),
        pytest.param("", False, id="empty"),
        pytest.param(" \n  # timezone: Asia/Tokyo\n", False, id="comments"),
        pytest.param("timezone: Asia/Tokyo\n", True, id="one_line"),
        pytest.param("---\n", True, id="a_document"),
    ],
)
def test_settings_that_are_all_comments_say_nothing(text, said):
    assert says_nothing(text.encode()) is not said


def test_the_settings_count_until_a_daemon_took_them(home, known):
    assert zone(home) == "UTC"  # there is no file
    home.config.write_text("timezone: Asia/Tokyo\n")
    assert zone(home) == "Asia/Tokyo"
    home.heartbeat.write_text(json.dumps({"timezone": "Europe/Berlin"}))
    assert zone(home) == "Europe/Berlin"


def test_settings_that_are_wrong_are_the_default(home, known):
    home.config.write_text("timezone: Mars/Base\n")
    assert zone(home) == "UTC"
