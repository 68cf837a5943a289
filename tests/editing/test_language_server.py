"""What a real yaml-language-server says of our files with our schema: VS Code, Neovim and Helix have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from specs.schema.editors import CONFIG_FILE, FILE, config_schema, modeline, spec_schema
from tests.editing.server import LanguageServer
from tests.editing.test_agreement import FILES, documents

LINE = f"# yaml-language-server: $schema={FILE}\n"
JOB = f"{LINE}name: hello\nrun:\n  command: [echo, hello]\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("home")
    (root / "jobs").mkdir()
    (root / "jobs" / FILE).write_bytes(spec_schema())
    (root / CONFIG_FILE).write_bytes(config_schema())
    return root


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[LanguageServer]:
    server = LanguageServer.start(home)
    yield server
    server.stop()


@pytest.fixture
def jobs(home: Path) -> Path:
    """The specs directory. Documents are opened as an editor has them: none is on the disk."""
    return home / "jobs"


def found(server: LanguageServer, path: Path, text: str) -> list[tuple[int, int, str]]:
    """Line and column, from 1, and message of everything that is marked."""
    return [
        (each["range"]["start"]["line"] + 1, each["range"]["start"]["character"] + 1, each["message"])
        for each in server.open(path, text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(JOB, [], id="nothing-in-a-sound-job"),
        pytest.param(f"{JOB}timout: 5m\n", [(5, 1, "Property timout is not allowed.")], id="unknown-key"),
        pytest.param(
            f"{JOB}timeout: 5 minutes\n",
            [(5, 10, "a duration is like 90s, 15m, 1h30m or 2d, or a number of seconds")],
            id="duration",
        ),
        pytest.param(
            f"{JOB}retry:\n  backoff: exponental\n",
            [(6, 12, 'Value is not accepted. Valid values: "fixed", "linear", "exponential".')],
            id="word",
        ),
        pytest.param(f"{JOB}suspend: yes\n", [(5, 10, 'Incorrect type. Expected "boolean | Suspend".')], id="type"),
        pytest.param(
            f"{JOB}  script: echo\n",
            [(5, 11, "a process has exactly one of `command` and `script`")],
            id="two-programs",
        ),
        pytest.param(
            f"{LINE}name: hello\nrun: {{}}\n",
            [(3, 1, "a process has exactly one of `command` and `script`")],
            id="no-program",
        ),
        pytest.param(
            f"{LINE}name: Hello\nrun: {{command: [a]}}\n",
            [(2, 7, "a name is 1 to 63 of a-z, 0-9 and '-', and starts and ends with a letter or digit")],
            id="name",
        ),
        pytest.param(
            f"{JOB}schedule: {{every: 2h, cron: '@daily'}}\n",
            [(5, 19, "a schedule has exactly one of `cron`, `every`, `once` and `continuous`")],
            id="two-expressions",
        ),
        pytest.param(
            f"{LINE}kind: Pool\nname: db\nslots: 0\n", [(4, 8, "Value is below the minimum of 1.")], id="pool"
        ),
        pytest.param(
            f"{LINE}kind: Pol\nname: db\n",
            [(2, 7, 'Value is not accepted. Valid values: "Job", "Defaults", "Pool", "Calendar".')],
            id="kind",
        ),
        pytest.param(
            f"{JOB}---\n{LINE}kind: Pool\nname: db\nslots: 1\nslot: 2\n",
            [(10, 1, "Property slot is not allowed.")],
            id="a-second-document",
        ),
        pytest.param(
            f"{LINE}kind: Defaults\njob:\n  name: hello\n  timeout: 1h\n",
            [(4, 3, "Property name is not allowed.")],
            id="defaults",
        ),
    ],
)  # fmt: skip
def test_what_is_marked(
    server: LanguageServer, jobs: Path, text: str, expected: list[tuple[int, int, str]], request: pytest.FixtureRequest
) -> None:
    assert found(server, jobs / f"{request.node.callspec.id}.yaml", text) == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_marked_in_the_examples(server: LanguageServer, jobs: Path, path: Path) -> None:
    assert documents(path.read_bytes())
    assert found(server, jobs / path.name, LINE + path.read_text()) == []


def test_the_line_leads_to_the_schema_from_a_folder_below(server: LanguageServer, jobs: Path) -> None:
    deep = jobs / "warehouse" / "nightly" / "deep.yaml"
    line = modeline(deep, jobs / FILE)
    assert line == f"# yaml-language-server: $schema=../../{FILE}\n"
    assert found(server, deep, JOB.replace(LINE, line)) == []
    assert "Unique within its project" in server.hover(deep, 1, 1)


def test_settings_have_their_own_schema(server: LanguageServer, home: Path) -> None:
    path = home / "jobsctl.yaml"
    text = f"{modeline(path, home / CONFIG_FILE)}http:\n  listen: somewhere\nname: a\n"
    assert found(server, path, text) == [
        (3, 11, "host:port, as 127.0.0.1:8787 or [::1]:8787"),
        (4, 1, "Property name is not allowed."),
    ]
    assert "Host and port" in server.hover(path, 2, 4)


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        pytest.param(f"{JOB}timeout: 5m\n", 4, ["duration", "Wall clock of one run", "`expired`", "30m"], id="field"),
        pytest.param(
            f"{JOB}overlap: queue\n", 4, ["Due while a run is active", "* `queue`", "* `replace`"], id="its-words"
        ),
        pytest.param(
            f"{JOB}retry: {{attempts: 3}}\n",
            4,
            ["When a run that did not succeed is tried again", "retry: {attempts: 3, backoff: exponential}"],
            id="a-mapping-with-an-example",
        ),
    ],
)
def test_what_is_shown_of_a_field(
    server: LanguageServer, jobs: Path, text: str, line: int, shown: list[str], request: pytest.FixtureRequest
) -> None:
    path = jobs / f"{request.node.callspec.id}-hover.yaml"
    server.open(path, text)
    hover = server.hover(path, line, 2)
    assert [each for each in shown if each not in hover] == []
    assert "object Object" not in hover


@pytest.mark.parametrize(
    ("text", "at", "offered"),
    [
        pytest.param(f"{JOB}\n", (4, 0), {"schedule", "timeout", "depends_on"}, id="fields-of-a-job"),
        pytest.param(f"{JOB}overlap: \n", (4, 9), {"skip", "queue", "replace", "allow"}, id="words"),
        pytest.param(f"{JOB}retry:\n  \n", (5, 2), {"attempts", "backoff", "max_delay"}, id="fields-of-a-mapping"),
        pytest.param(f"{JOB}schedule: \n", (4, 10), {"every 10m", "daily at 09:00"}, id="examples"),
        pytest.param(f"{LINE}kind: \n", (1, 6), {"Job", "Defaults", "Pool", "Calendar"}, id="kinds"),
    ],
)
def test_what_is_offered(
    server: LanguageServer,
    jobs: Path,
    text: str,
    at: tuple[int, int],
    offered: set[str],
    request: pytest.FixtureRequest,
) -> None:
    path = jobs / f"{request.node.callspec.id}-offered.yaml"
    server.open(path, text)
    found = server.complete(path, *at)
    assert offered - found.keys() == set()
    assert not [label for label in found if "object" in label]


def test_a_job_is_offered_whole(server: LanguageServer, jobs: Path) -> None:
    path = jobs / "empty.yaml"
    server.open(path, LINE)
    assert server.complete(path, 1, 0)["Job"]["insertText"].splitlines() == [
        "name: ${1:nightly-report}",
        "run:",
        "  command:",
        "    - echo",
        "    - hello",
    ]
