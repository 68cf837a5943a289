"""Nothing that people outside write reaches a terminal raw, in any command and any output; bytes into a pipe do."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from cli.main import COMMANDS
from cli.options import OUTPUTS
from state.home import Home
from tests.commands.conftest import Known
from tests.dialogues.hostile import DRIVES, EVIL, FILE, LONG, fill, on_terminal, quoted
from tests.dialogues.terminal import CTRL_C, PROGRAM, plain_environment
from tests.seeing.conftest import serve


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[tuple[Home, dict[str, str]]]:
    home = Home(tmp_path_factory.mktemp("evil"))
    home.specs.mkdir()
    (home.specs / "pool.yaml").write_text(f"kind: Pool\nname: heavy\ndescription: {quoted(EVIL)}\nslots: 1\n")
    known = Known(home)
    yield home, fill(known, home)
    known.store.close()


READERS = {
    "status": "EVIL", "status hello": "EVIL", "list": "EVIL", "list -l team": "hello", "search EVIL": "EVIL",
    "describe hello": "EVIL", "describe {failed}": "EVIL", "runs": "hello", "run {failed}": "EVIL",
    "run {active}": "EVIL", "logs {failed}": "EVIL", "events": "EVIL", "why hello": "EVIL", "why {failed}": "hello",
    "graph": "hello", "next hello": "Every", "timers": "hello", "outputs {failed}": "EVIL", "metrics {failed}": "hello",
    "top --once": "hello", "silence --list": "EVIL", "deliveries": "EVIL", "deliveries e71100": "EVIL",
}  # fmt: skip
"""What shows a home -> what must be seen of it in its table or lines, so that it is known to have been there."""


def harmless(shown: str) -> None:
    found = DRIVES.search(shown)
    assert found is None, f"{found[0]!r} in {shown[max(found.start() - 60, 0) : found.end() + 30]!r}"


@pytest.mark.parametrize("line", READERS)
def test_readers(house, line):
    home, ids = house
    for output in (*OUTPUTS, "dot") if line == "graph" else OUTPUTS:
        shown = on_terminal(*line.format(**ids).split(), "-o", output, home=home)
        assert shown.strip()
        assert "Traceback" not in shown
        harmless(shown)
        if output == "wide":
            assert READERS[line] in shown


ABOUT_FILES = [
    "validate", "validate --format {style}", "plan", "plan --format markdown", "plan -o json", "diff", "diff -o json",
    "apply --dry-run", "doctor -v",
]  # fmt: skip
STYLES = ["full", "concise", "json", "jsonl", "github", "gitlab", "sarif", "junit"]


@pytest.mark.parametrize(
    "line", [line.format(style=style) for line in ABOUT_FILES for style in (STYLES if "{style}" in line else [""])]
)
def test_what_reads_files(house, line):
    home, _ = house
    shown = on_terminal(*line.split(), home=home)
    assert "Traceback" not in shown
    harmless(shown)
    assert "EVIL" in shown or "doctor" in line or "apply" in line


NAMES = [
    "describe {0}", "logs {0}", "run {0}", "next {0}", "why {0}", "list -l {0}", "list -p {0}", "search {0}",
    "explain {0}", "delete {0}", "suspend {0}", "trigger {0} --param {0}", "validate {0}", "plan --against {0}",
    "backup {0}/x", "restore {0}", "import crontab {0}", "outputs hello {0}", "{0}", "list --{0}", "runs --since {0}",
    "--home {0} list", "--server {0} list", "logs hello --grep ({0}",
    "deliveries {0}", "silence {0} --for 1h", "silence hello --for {0}", "notify test {0}", "notify {0}", "token {0}",
]  # fmt: skip


@pytest.mark.parametrize("line", NAMES)
def test_what_is_typed_or_pasted(house, line):
    home, _ = house
    shown = on_terminal(
        *(word.format(EVIL) for word in line.split()), home=None if "--home" in line or "--server" in line else home
    )
    assert "EVIL" in shown or line == "plan --against {0}"  # which says that there is no git
    assert "unexpected" not in shown
    harmless(shown)


SOURCES = {
    "crontab": f"# {EVIL}\nMAILTO={EVIL}\nNAME={EVIL}\n5 4 * * * echo {EVIL}\n{EVIL}\n@{EVIL} x\n* * {EVIL} * * x\n",
    "systemd": f"[Unit]\nDescription={EVIL}\n[Timer]\nOnCalendar=daily\nOnCalendar={EVIL}\nUnit={EVIL}\n{EVIL}=1\n",
    "kubernetes": "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: evil\n  annotations: {note: %s}\n"
    "  labels: {team: %s}\nspec:\n  schedule: '5 4 * * *'\n  timeZone: %s\n  jobTemplate:\n    spec:\n      template:\n"
    "        spec:\n          %s: 1\n          containers: [{name: %s, image: %s, command: [%s]}]\n"
    % ((quoted(EVIL),) * 7),
    "yacron": f"jobs:\n- name: {quoted(EVIL)}\n  command: {quoted(EVIL)}\n  schedule: '5 4 * * *'\n"
    f"  {quoted(EVIL)}: 1\n",
    "term-llm": json.dumps([{"name": EVIL, "schedule": EVIL, "instructions": EVIL, EVIL: EVIL}]),
}


@pytest.mark.parametrize("output", ["table", "json", "yaml", "name"])
@pytest.mark.parametrize("system", SOURCES)
def test_what_is_imported(house, tmp_path, system, output):
    home, _ = house
    file = tmp_path / f"evil.{'timer' if system == 'systemd' else 'x'}"
    file.write_text(SOURCES[system])
    shown = on_terminal("import", system, str(file), "--check", "-o", output, home=home)
    assert "unexpected" not in shown
    assert "EVIL" in shown or output == "name"
    harmless(shown)
    file.write_bytes(SOURCES[system].encode("latin-1", "replace"))
    harmless(on_terminal("import", system, str(file), "-o", output, home=home))


@pytest.fixture(scope="module")
def server(house) -> Iterator[str]:
    process = serve(house[0])
    yield f"http://127.0.0.1:{process.port}"
    process.close()


@pytest.mark.parametrize("line", READERS)
def test_readers_over_http(house, server, line):
    for output in ("wide", "json"):
        shown = on_terminal(*line.format(**house[1]).split(), "-o", output, server=server)
        harmless(shown)
        if output == "wide":
            assert READERS[line] in shown


@pytest.fixture(scope="module")
def liar() -> Iterator[str]:
    """A server that is none of ours: what it says goes no way but through the same sieve."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind = self.path.strip("/").split("/")[0]
            body = {
                "html": b"<html>" + EVIL.encode(),
                "error": json.dumps({"error": {"type": EVIL, "message": EVIL}}).encode(),
                "list": json.dumps({"items": [{"metadata": {"identity": EVIL}}], EVIL: EVIL}).encode(),
            }[kind]
            self.send_response(500 if kind == "error" else 200, "\x1b]0;t\x07")
            self.send_header("Content-Type", "application/json" if kind != "html" else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    serving = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=serving.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.mark.parametrize("kind", ["html", "error", "list"])
@pytest.mark.parametrize("line", ["list", "status", "run hello", "events"])
def test_answers_of_a_server_that_lies(liar, kind, line):
    shown = on_terminal(*line.split(), server=f"{liar}/{kind}")
    assert "error:" in shown
    assert "unexpected" not in shown
    harmless(shown)


KEPT = [
    pytest.param(["outputs", "{failed}", "{file}"], id="outputs"),
    pytest.param(["outputs", "{failed}", "{file}", "--tail", "1"], id="outputs --tail"),
    pytest.param(["logs", "{failed}", "--tail", "3"], id="logs --tail"),
    pytest.param(["logs", "{failed}", "--grep", "EVIL"], id="logs --grep"),
    pytest.param(["logs", "{failed}", "--grep", "EVIL", "-o", "json"], id="logs -o json"),
]


@pytest.mark.parametrize("arguments", KEPT)
@pytest.mark.parametrize("far", [False, True], ids=["here", "over http"])
def test_what_a_run_left_is_written_out_on_a_terminal(house, server, arguments, far):
    home, ids = house
    words = [word.format(**ids, file=FILE) for word in arguments]
    shown = on_terminal(*words, server=server) if far else on_terminal(*words, home=home)
    assert "EVIL\\x1b]0;title\\x07" in shown or "EVIL\\u001b]0;title\\u0007" in shown
    harmless(shown)


def test_a_log_goes_into_a_pipe_byte_by_byte(house):
    home, ids = house
    done = subprocess.run(
        [*PROGRAM, "--home", home.root, "logs", ids["failed"]], capture_output=True, env=plain_environment()
    )
    assert done.stdout == f"{EVIL}\n{LONG}\n".encode() + b"\xff\xfe\x9b\n"


def test_the_real_terminal_gets_the_log_written_out(terminal, house):
    home, ids = house
    shown = terminal("logs", ids["failed"], "--home", home.root)
    assert shown.end() == 0
    harmless(shown.text)
    assert "EVIL\\x1b]0;title\\x07" in shown.text
    assert shown.text.endswith("\\xff\\xfe\\x9b\n")


@pytest.mark.parametrize("line", ["top -d 0.2", "list -w -o wide", "run {active} -w"])
def test_live_pictures(terminal, house, line):
    home, ids = house
    screen = terminal(*line.format(**ids).split(), "--home", home.root, columns=2000)
    screen.until("hello")
    if line != "top -d 0.2":
        screen.until("EVIL\\x1b]0;title\\x07")
    screen.press(CTRL_C)
    assert screen.end() == 130
    own = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", screen.text)
    harmless(own)


def test_every_command_is_in_a_table_here():
    """A new command has to be looked at too."""
    looked_at = {line.split()[0] for line in (*READERS, *ABOUT_FILES, *NAMES)} | {"import"}
    harmless_by_nature = {"init", "daemon", "version", "schema", "completion", "cancel", "resume"}
    assert {name for section in COMMANDS.values() for name in section} - looked_at == harmless_by_nature
