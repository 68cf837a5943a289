"""Following while everything happens at once: nothing is lost, nothing is told twice, order is kept.

The real hub over a real database; the sockets are played, so that a client can be slow at will. An oracle in plain
Python says what each client must have got.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.eventtail import EventFilter
from state.records import Event, JobRecord
from state.store import Store
from status.server.access import signature_of
from status.streams import clients as clients_module
from status.streams import events as events_module
from status.streams.clients import Clients, TooManyStreams
from status.streams.connection import Stream
from status.streams.events import EventHub
from tests.seeing.building import NINE, record_of

PATIENCE = 50.0
"""Seconds: waited out only by a test that fails."""


class PlayedTransport:
    """A socket that takes everything, or nothing while it is stalled."""

    def __init__(self) -> None:
        self.taken = bytearray()
        self.waiting = bytearray()
        self.stalled = False
        self.closed = False
        self.protocol: asyncio.Protocol | None = None

    def get_extra_info(self, name: str) -> None:
        return None

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def write(self, data: bytes) -> None:
        assert not self.closed
        if not self.stalled:
            self.taken += data
            return
        if not self.waiting and self.protocol is not None:
            self.protocol.pause_writing()
        self.waiting += data

    def stall(self) -> None:
        self.stalled = True

    def drain(self) -> None:
        self.stalled = False
        self.taken += self.waiting
        if self.waiting and self.protocol is not None:
            self.waiting = bytearray()
            self.protocol.resume_writing()

    def abort(self) -> None:
        if not self.closed:
            self.closed = True
            if self.protocol is not None:
                self.protocol.connection_lost(None)

    close = abort

    def ids(self) -> list[int]:
        body = b"".join(re.findall(rb"[0-9a-f]+\r\n(.*?)\r\n(?=[0-9a-f]+\r\n|$)", bytes(self.taken), re.DOTALL))
        return [json.loads(line[6:])["id"] for line in body.split(b"\n") if line.startswith(b"data: ")]


class Client:
    """One that follows the hub."""

    def __init__(self, clients: Clients, hub: EventHub, wanted: EventFilter, after: int | None) -> None:
        self.transport = PlayedTransport()
        self.wanted = wanted
        self.position = hub.place(after)
        ends: list[Callable[[], None]] = []
        self.stream: Stream = clients.add(cast(Any, self.transport), "127.0.0.1", lambda _: ends[0]())
        ends.append(hub.follow(self.stream, wanted, self.position))


FILTERS = [
    EventFilter(),
    EventFilter(project="ops"),
    EventFilter(labels=("team=b",)),
    EventFilter(job_id=1),
    EventFilter(types=frozenset(("Warning",))),
    EventFilter(reasons=frozenset(("a", "b")), job_id=2),
]
Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(1, 12)),
        st.tuples(st.just("ring"), st.just(0)),
        st.tuples(st.just("join"), st.integers(0, 1000)),
        st.tuples(st.just("join now"), st.integers(0, len(FILTERS) - 1)),
        st.tuples(st.just("stall"), st.integers(0, 20)),
        st.tuples(st.just("drain"), st.integers(0, 20)),
        st.tuples(st.just("leave"), st.integers(0, 20)),
        st.tuples(st.just("turn"), st.integers(1, 30)),
        st.tuples(st.just("told"), st.just(0)),
    ),
    min_size=5,
    max_size=40,
)


def wants(wanted: EventFilter, event: Event, jobs: list[JobRecord]) -> bool:
    """The oracle: what a filter means."""
    job = None if event.job_id is None else jobs[event.job_id - 1]
    if wanted.project is not None and (job is None or job.project != wanted.project):
        return False
    if wanted.labels == ("team=b",) and (job is None or job.project != "web"):
        return False
    if wanted.job_id is not None and event.job_id != wanted.job_id:
        return False
    if wanted.types is not None and event.type not in wanted.types:
        return False
    return wanted.reasons is None or event.reason in wanted.reasons


def play(steps: list[Step], folder: Path) -> None:
    path = folder / "jobsctl.db"
    store = Store.open(path, now=NINE)
    specs: list[dict[str, Any]] = [{"team": "a"}, {"team": "a"}, {"team": "b"}]
    jobs = [
        store.put_job(record_of(f"job{number}", project="web" if labels["team"] == "b" else "ops",
                                spec={"labels": labels}))
        for number, labels in enumerate(specs)
    ]  # fmt: skip
    known: list[Event] = []

    def commit(count: int) -> None:
        news = [
            Event(at=NINE, job_id=None if n % 7 == 0 else 1 + n % 3, run_id=None,
                  type="Warning" if n % 4 == 0 else "Normal", reason="abc"[n % 3 - 1], message=f"{n}")
            for n in range(len(known), len(known) + count)
        ]  # fmt: skip
        store.add_events(news)
        known.extend(news)

    try:
        commit(30)
        with hub_of(path) as hub:
            asyncio.run(asyncio.wait_for(_play(steps, hub, jobs, known, commit), PATIENCE))
    finally:
        store.close()


@contextmanager
def hub_of(path: Path) -> Iterator[EventHub]:
    """One that lets go of the database at the end; a server's lives as long as its process."""
    hub = EventHub(path)
    try:
        yield hub
    finally:
        for tail in (hub._now, hub._tail, hub._past):
            tail.close()
        if hub._source._reader is not None:
            hub._source._reader.close()


async def _play(
    steps: list[Step], hub: EventHub, jobs: list[JobRecord], known: list[Event], commit: Callable[[int], None]
) -> None:
    first, clients = hub.place(None) - 30, Clients()
    witness = Client(clients, hub, EventFilter(), first)
    all_clients = [witness]
    """The first has no trouble: what it was told, the hub has told."""

    async def told() -> None:
        hub.ring()
        while len(witness.transport.ids()) < len(known):
            await asyncio.sleep(0.001)

    def someone(number: int) -> PlayedTransport | None:
        return all_clients[1 + number % (len(all_clients) - 1)].transport if len(all_clients) > 1 else None

    for what, number in steps:
        transport = someone(number)
        if what == "commit":
            commit(number)
        elif what == "ring":
            hub.ring()
        elif what == "join":
            after = first + number % (len(known) + 1)
            all_clients.append(Client(clients, hub, FILTERS[number % len(FILTERS)], after))
        elif what == "join now":
            all_clients.append(Client(clients, hub, FILTERS[number], None))
        elif what == "told":
            await told()
        elif what == "turn":
            for _ in range(number):
                await asyncio.sleep(0)
        elif transport is not None:
            {"stall": transport.stall, "drain": transport.drain, "leave": transport.abort}[what]()
    commit(1)
    hub.ring()

    def missing(client: Client) -> list[int]:
        got = client.transport.ids()
        must = [
            first + place
            for place, event in enumerate(known, 1)
            if first + place > client.position and wants(client.wanted, event, jobs)
        ]
        assert got == must[: len(got)], f"{client.wanted} from {client.position}: {got}, and should be {must}"
        return must[len(got) :]

    staying = [client for client in all_clients if not client.transport.closed]
    while True:
        for client in staying:
            client.transport.drain()
        if not any(missing(client) for client in staying):
            break
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.03)  # were anything told twice, it would come now
    for client in all_clients:
        missing(client)
        client.transport.abort()
    assert len(clients) == 0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages, so that a short history has many, and no rests."""
    monkeypatch.setattr(events_module, "PAGE", 5)
    monkeypatch.setattr(events_module, "BATCH", 7)
    monkeypatch.setattr(events_module, "LEAST_REST", 0.0)
    monkeypatch.setattr(events_module, "REST_SHARE", 0)


@settings(derandomize=True, max_examples=20, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(steps=STEPS)
def test_everybody_gets_everything_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    play(steps, tmp_path_factory.mktemp("race"))


def test_a_client_that_resumes_while_a_thousand_events_are_written_loses_none(tmp_path: Path) -> None:
    steps: list[Step] = [("join now", 0)]
    for number in range(40):
        steps += [("commit", 12), ("ring", 0), ("join", number * 13), ("turn", number % 7), ("stall", number)]
        steps += [("turn", 3), ("told", 0), ("commit", 2), ("told", 0), ("commit", 1), ("told", 0)]
        steps += [("drain", number - 2)]
    play(steps, tmp_path)


def test_there_is_a_bound_on_streams_in_all_and_from_one_address() -> None:
    async def work() -> None:
        clients = Clients(most=3, most_of_one=2)
        transports = [PlayedTransport() for _ in range(3)]

        def come(number: int, address: str) -> None:
            clients.admit(address)
            clients.add(cast(Any, transports[number]), address, lambda _: None)

        come(0, "192.0.2.1")
        come(1, "192.0.2.1")
        with pytest.raises(TooManyStreams, match="of your address"):
            clients.admit("192.0.2.1")
        come(2, "192.0.2.2")
        with pytest.raises(TooManyStreams) as refused:
            clients.admit("192.0.2.3")
        assert ("retry-after", "10") in refused.value.headers
        transports[0].abort()
        clients.admit("192.0.2.1")
        transports[1].abort()
        transports[2].abort()
        assert len(clients) == 0

    asyncio.run(work())


def test_programs_of_this_machine_are_not_bounded_by_their_address() -> None:
    async def work() -> None:
        clients = Clients(most=5, most_of_one=1)
        transports = [PlayedTransport() for _ in range(3)]
        for transport in transports:
            clients.admit("127.0.0.1")
            clients.add(cast(Any, transport), "127.0.0.1", lambda _: None)
        for transport in transports:
            transport.abort()

    asyncio.run(work())


def test_who_was_let_in_by_tokens_that_are_others_now_is_hung_up_on_at_once(tmp_path: Path) -> None:
    async def work() -> None:
        clients, file = Clients(), tmp_path / "tokens"
        clients.watched = file
        file.write_text("one")
        judged_by = signature_of(file)
        kept, late = PlayedTransport(), PlayedTransport()
        clients.add(cast(Any, kept), "127.0.0.1", lambda _: None, judged_by=judged_by)
        file.write_text("none at all")
        clients.add(cast(Any, late), "127.0.0.1", lambda _: None, judged_by=judged_by)
        assert (kept.closed, late.closed) == (False, True)
        kept.abort()

    asyncio.run(work())


def test_silence_is_broken_by_comments_and_who_takes_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients_module, "TICK", 0.005)
    monkeypatch.setattr(clients_module, "HEARTBEAT", 0.0)
    monkeypatch.setattr(clients_module, "STALLED", 0.05)

    async def work() -> None:
        clients = Clients()
        quiet, stuck = PlayedTransport(), PlayedTransport()
        gone: list[Stream] = []
        for transport in (quiet, stuck):
            clients.add(cast(Any, transport), "127.0.0.1", gone.append)
        stuck.stall()
        while not stuck.closed:
            await asyncio.sleep(0.005)
        assert quiet.taken.startswith(b"3\r\n:\n\n\r\n")
        assert not quiet.closed
        assert [len(gone), len(clients)] == [1, 1]
        quiet.abort()

    asyncio.run(asyncio.wait_for(work(), PATIENCE))
