"""Who is told what, on a real terminal: deliveries that are watched, a test message that hangs, narrow screens."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from rich.cells import cell_len

from specs.load import load_bytes
from state.outbox.records import Attempt, Delivery, DeliveryKind, DeliveryState, Outcome
from state.outbox.store import Outbox
from state.records import DocumentRecord, Event, RunState
from tests.commands.conftest import MINUTE, NOW
from tests.dialogues.terminal import CTRL_C, PATIENCE, SHOW_CURSOR

REFUSED = "535 5.7.8 認証に失敗しました: the password of ops@example.com is wrong"


@pytest.fixture
def outbox(known, home) -> Iterator[Outbox]:
    """Of a home with a job; a notification in it was refused."""
    known.job()
    with closing(Outbox.open(home.outbox, now=NOW)) as outbox:
        send(outbox, "0001", error=REFUSED)
        yield outbox


def send(outbox: Outbox, id: str, *, error: str | None = None) -> None:
    """A notification, and what came of it."""
    outbox.add_delivery(
        Delivery(
            id=id, kind=DeliveryKind.NOTIFICATION, target="office-in-tokyo", address=0, batch=id,
            identity="default/hello", event="failure", created_at=NOW, next_attempt_at=NOW, payload=b"{}",
        )
    )  # fmt: skip
    state = DeliveryState.DELIVERED if error is None else DeliveryState.FAILED
    attempt = Attempt(number=1, sent_at=NOW, seconds=0.5, error=error)
    outbox.record_attempt(id, attempt, Outcome(state=state, reason=error))


def plain(written: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", written.decode())


def test_deliveries_are_drawn_over_themselves_and_ctrl_c_gives_the_screen_back(outbox, terminal):
    screen = terminal("deliveries", "-w", "--interval", "0.2", columns=140)
    place = screen.until("failed")
    send(outbox, "0002")
    screen.until("delivered", after=place)
    screen.press(CTRL_C)
    assert screen.end() == 130
    assert screen.is_as_before
    left = plain(screen.shown[screen.shown.rindex(SHOW_CURSOR) :])
    assert [line.split()[-1] for line in left.splitlines() if "office" in line] == ["1", "wrong"]


@pytest.mark.parametrize(("columns", "why"), [(140, REFUSED), (80, "535 5.7.8 認証"), (30, "")])
def test_the_reason_is_cut_to_the_room_there_is(outbox, terminal, columns, why):
    """Wide characters count twice. What matters most is there on every screen."""
    shown = terminal("deliveries", columns=columns)
    assert shown.end() == 0
    heading, line, *_ = plain(shown.shown).splitlines()
    assert "office-in-tokyo" in line
    assert "failed" in line
    assert why in line
    assert ("WHY" in heading) is bool(why)
    assert ("..." in line) is (columns == 80)
    assert cell_len(line) <= columns or columns == 30


@pytest.mark.parametrize("arguments", [["deliveries"], ["deliveries", "0001"], ["deliveries", "-w"]], ids=" ".join)
def test_no_color_means_none(outbox, terminal, arguments):
    screen = terminal(*arguments, columns=140, env={"NO_COLOR": "1"})
    if "-w" in arguments:
        screen.until("office-in-tokyo")
        screen.press(CTRL_C)
    screen.end()
    assert re.search(rb"\x1b\[[0-9;]*m", screen.shown) is None
    assert REFUSED in screen.text


FOLLOWING = [
    pytest.param(["logs", "-f", "hello"], id="logs"),
    pytest.param(["events", "-f", "--since", "2020-01-01T00:00:00Z"], id="events"),
]


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colours", "NO_COLOR"])
@pytest.mark.parametrize("arguments", FOLLOWING)
def test_what_is_followed_comes_whole_on_a_narrow_terminal(known, home, terminal, arguments, environment):
    """What came before, and what comes: wide characters too, in colours only where they are wanted."""
    job = known.job()
    run = known.run(job, state=RunState.RUNNING, ago=MINUTE)
    folder = home.run_dir_of(run)
    folder.mkdir(parents=True)

    def write(text: str) -> None:
        with (folder / "output.log").open("a") as log:
            log.write(f"{text}\n")
        event = Event(at=NOW, job_id=job.id, run_id=run.id, type="Warning", reason="noted", message=text)
        known.store.add_events([event])

    write("売上 - the first line")
    screen = terminal(*arguments, columns=20, env=environment)
    place = screen.until("売上 - the first line")
    write("認証に失敗しました - a line that is longer than the terminal is wide")
    screen.until("認証に失敗しました - a line that is longer than the terminal is wide", after=place)
    screen.press(CTRL_C)
    assert screen.end() == 130
    assert screen.is_as_before
    coloured = re.search(rb"\x1b\[[0-9;]*m", screen.shown) is not None
    assert coloured is (arguments[0] == "events" and not environment)


def test_a_test_message_that_hangs_says_what_it_waits_for_and_is_called_off(known, terminal):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        known.job()
        text = f"kind: Notifier\nname: ops\nurls: ['json://127.0.0.1:{listener.getsockname()[1]}/']\n".encode()
        (ops,) = load_bytes(text, "ops.yaml").documents
        stored = DocumentRecord(kind=ops.kind, name=ops.name, spec=ops.spec, digest=ops.digest, path=ops.path,
                                line=ops.line, applied_at=NOW)  # fmt: skip
        known.store.put_documents([stored], [])
        asked = terminal("notify", "test", "ops")
        with listener.accept()[0] as connection:
            asked.until("sending through ops, address 1 ...")
            asked.press(CTRL_C)
            assert asked.end() == 130
            assert asked.is_as_before
            assert "Traceback" not in asked.text
            connection.settimeout(PATIENCE)
            while connection.recv(4096):  # to the end: the process that sends is gone too
                pass
