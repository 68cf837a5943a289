"""How long a connection may take: the timer is set seldom, and ends it at its deadline all the same."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState

from status.server.wire import ANSWER_SECONDS, HEAD_SECONDS, LimitedProtocol

REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time passes when it is told."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    async def passes(self, seconds: float) -> None:
        self.now += seconds
        for _ in range(5):
            await asyncio.sleep(0)


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def write(self, data: Any) -> None: ...
    def resume_reading(self) -> None: ...
    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.aborted

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        self.aborted = True


def connect(app: Any) -> tuple[LimitedProtocol, Transport]:
    config = uvicorn.Config(cast(Any, app), http=LimitedProtocol, ws="none", lifespan="off", log_config=None)
    config.timeout_keep_alive = 10_000
    config.load()
    protocol, transport = LimitedProtocol(config, ServerState(), {}), Transport()
    protocol.connection_made(transport)
    return protocol, transport


def carry_out(story: Any) -> None:
    loop = Clock()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(story(loop))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def well(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def never(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


def test_a_head_that_does_not_end_in_time_ends_the_connection() -> None:
    async def story(clock: Clock) -> None:
        protocol, transport = connect(well)
        protocol.data_received(REQUEST[:-4])
        await clock.passes(HEAD_SECONDS - 1)
        assert not transport.aborted
        await clock.passes(1.1)
        assert transport.aborted

    carry_out(story)


def test_an_answer_may_take_longer_than_a_head_and_not_for_ever() -> None:
    async def story(clock: Clock) -> None:
        protocol, transport = connect(never)
        await clock.passes(HEAD_SECONDS - 1)
        protocol.data_received(REQUEST)
        for _ in range(6):
            await clock.passes((ANSWER_SECONDS - 1) / 6)
        assert not transport.aborted
        await clock.passes(1.1)
        assert transport.is_closing()
        for task in protocol.tasks:
            task.cancel()
        await asyncio.gather(*protocol.tasks, return_exceptions=True)

    carry_out(story)


def test_a_later_head_has_its_own_time_and_between_two_requests_there_is_none() -> None:
    async def story(clock: Clock) -> None:
        protocol, transport = connect(well)
        for _ in range(3):
            protocol.data_received(REQUEST)
            await clock.passes(ANSWER_SECONDS * 2)
            assert not transport.aborted
        protocol.data_received(REQUEST[:-4])
        await clock.passes(HEAD_SECONDS - 1)
        assert not transport.aborted
        await clock.passes(1.1)
        assert transport.aborted

    carry_out(story)


def test_requests_that_follow_each_other_set_no_timers_of_ours() -> None:
    async def story(clock: Clock) -> None:
        protocol, _ = connect(well)
        set_at: list[float] = []
        real = clock.call_at

        def call_at(when: float, call: Any, *rest: Any, **more: Any) -> asyncio.TimerHandle:
            set_at.append(when)
            return real(when, call, *rest, **more)

        clock.call_at = call_at  # type: ignore[method-assign, assignment]
        for _ in range(50):
            protocol.data_received(REQUEST)
            await clock.passes(0.01)
        assert len([when for when in set_at if when < clock.now + 1000]) <= 1

    carry_out(story)
