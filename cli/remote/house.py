"""`cli.reading.Reading` over HTTP: what commands learn at home from files, the server tells. Made by `cli.reading`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import Refused
from cli.options import Settings
from cli.reading import Reading, says_nothing
from cli.remote.client import Client, read_token
from cli.remote.files import RemoteDirectory
from cli.remote.reader import RemoteReader
from cli.rundir import RunDirectory
from state.home import Home
from state.recordjson import VERSION
from state.records import JobRecord, Run
from status.heartbeat import Heartbeat, heartbeat_of
from status.views import View

if TYPE_CHECKING:
    from cli.remote.streaming import EventStream
    from specs.config import Config  # 100 ms that most commands need not pay
    from status.problems.now import Problem
    from status.search import Hit


@dataclass
class RemoteReading(Reading):
    """`home` names the server's paths: they are shown, never opened."""

    client: Client = field(kw_only=True)
    house: dict[str, Any] = field(kw_only=True)
    """The server's answer when it was asked first."""

    @cached_property
    def config(self) -> Config:
        from specs.config import FILE, Config, parse_config
        from specs.diagnostic import InvalidSpec

        text = self.house.get("config")
        try:
            return Config() if text is None else parse_config(text.encode(), FILE)
        except InvalidSpec as error:
            self.config_problem = error
            return Config()

    @property
    def has_usual_settings(self) -> bool:
        text = self.house.get("config")
        return text is None or says_nothing(text.encode())

    @property
    def has_settings_of_the_daemon(self) -> bool:
        return False

    @property
    def pause(self) -> float:
        """Longer than at home: two questions over the network each time."""
        return 0.5

    @property
    def alive(self) -> bool:
        return bool(self.house.get("alive"))

    @property
    def heartbeat(self) -> Heartbeat | None:
        return heartbeat_of(self.house.get("heartbeat"))

    @property
    def read_only(self) -> bool:
        return bool(self.house.get("readOnly"))

    def home_problems(self) -> list[Problem]:
        from status.problems.now import Problem

        found = self.client.ask("/api/v1/records/problems", [("now", self.now)], needs=("items",))
        try:
            return [Problem(**each) for each in found["items"]]
        except TypeError:
            raise Refused(f"{self.client.url} is another version than this jobsctl", hint="use its version") from None

    def version(self) -> object:
        self.client.keep()
        return self.client.etag("/api/v1/records/changes")

    def anew(self, now: int) -> RemoteReading:
        self.client.keep()
        house = self.client.ask("/api/v1/records/house")
        return RemoteReading(self.home, self.reader, now, client=self.client, house=house)

    def files(self, run: Run) -> RunDirectory:
        return RemoteDirectory(self.client, run)

    def _pages_in_order(
        self,
        order: str,
        project: str | None,
        labels: Iterable[str],
        archived: bool | None,
        phases: Collection[str],
    ) -> Iterator[list[JobRecord]]:
        """All at once: the server gives jobs by name."""
        from cli.tables import sort_jobs

        yield sort_jobs(self.reader.jobs(project=project, labels=labels, archived=archived, phases=phases), order)

    def search(
        self, text: str, *, project: str | None, labels: Sequence[str], archived: bool | None, limit: int
    ) -> tuple[list[Hit], int]:
        """On the server: 10,000 specs do not travel to find one."""
        from status.search import hit_of

        params = [("q", text), ("project", project), ("archived", "false" if archived is False else "all")]
        several = [("label", label) for label in labels]
        asked = [*params, ("limit", limit), *several]
        found = self.client.ask("/api/v1/search", asked, needs=("items", "total"))
        try:
            return [hit_of(each) for each in found["items"]], int(found["total"])
        except (KeyError, TypeError, ValueError):
            raise Refused(f"{self.client.url} is another version than this jobsctl", hint="use its version") from None

    def deliveries(self, given: Mapping[str, Any]) -> tuple[list[View], str | None]:
        asked = {name: value / 1e6 if name in ("since", "until") else value for name, value in given.items()}
        found = self.client.ask("/api/v1/deliveries", [*asked.items()], needs=("items", "next"))
        return found["items"], found["next"]

    def delivery(self, id: str) -> View:
        return self.client.ask(f"/api/v1/deliveries/{id}", needs=("id", "tries"))


def stream_of(seen: Reading, path: str, params: list[tuple[str, str]], *, last: int) -> EventStream:
    """What happens there, from behind the event `last` on; `seen` is of `connect`."""
    from cli.remote.streaming import EventStream

    assert isinstance(seen, RemoteReading)
    return EventStream(seen.client, path, params, last=str(last))


def connect(settings: Settings) -> RemoteReading:
    """Ask the server of `settings` who it is.

    Raises:
        CliError: it cannot be asked, is no jobsctl, or one that this one does not understand.
    """
    assert settings.server is not None
    token = None if settings.token_file is None else read_token(settings.token_file)
    client = Client(settings.server, token)
    try:
        house = client.ask("/api/v1/records/house")
        return RemoteReading(_home_of(client, house), RemoteReader(client), settings.now(), client=client, house=house)
    except BaseException:
        client.close()
        raise


def _home_of(client: Client, house: dict[str, Any]) -> Home:
    """The server's home, if it is one that can be understood."""
    records = house.get("records")
    if not isinstance(records, int) or not isinstance(house.get("root"), str):
        raise Refused(f"{client.url} answers, but does not say what it is", hint="is it a jobsctl daemon's address?")
    if records > VERSION:
        raise Refused(
            f"{client.url} is jobsctl {house.get('version')}, too new for this command line", hint="update this jobsctl"
        )
    return Home(Path(house["root"]))
