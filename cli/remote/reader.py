"""`state.reads.Reader` over HTTP: the same questions, the same records, the same errors. Used by `cli.remote.house`.

It is a `Reader` to everything above, and shares nothing with one but its questions: there is no database here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from cli.errors import Refused
from cli.remote.client import Client, Param
from state.reads import Order, Reader
from state.recordjson import UnreadableRecord, record_of
from state.records import (
    DocumentRecord,
    Event,
    JobRecord,
    Reason,
    RequestRecord,
    Run,
    RunState,
    SilenceRecord,
    SourceState,
    Trigger,
)

if TYPE_CHECKING:
    from state.totals import Counter, Totals

PAGE = 1000
"""Records of one answer: what the server gives at most."""
IDS, IDS_OF_PARAMETER = 100, 35
"""Run ids asked about at once: an address has at most 4096 bytes, a parameter 1024."""

R = TypeVar("R", JobRecord, Run, Event, DocumentRecord, SourceState, SilenceRecord)
Given = dict[str, Param]


class RemoteReader(Reader):
    """Questions to a server."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def close(self) -> None:
        """Hang up."""
        self.client.close()

    def _ask(self, question: str, part: str, given: Given, several: Iterable[tuple[str, str]] = ()) -> Any:
        path = f"/api/v1/records/{question}"
        return self.client.ask(path, [*given.items(), *several], needs=[part])[part]

    def _read(self, kind: type[R], plain: object) -> R:
        try:
            return record_of(kind, plain)
        except UnreadableRecord as error:
            raise Refused(
                f"{self.client.url} is a newer jobsctl than this one: it sent {error}", hint="update this jobsctl"
            ) from None

    def _items(self, kind: type[R], question: str, given: Given, several: Iterable[tuple[str, str]] = ()) -> list[R]:
        return [self._read(kind, each) for each in self._ask(question, "items", given, several)]

    def _one(self, kind: type[R], question: str, given: Given) -> R | None:
        found = self._ask(question, "item", given)
        return None if found is None else self._read(kind, found)

    # jobs

    def job(self, name: str, *, project: str | None = None) -> JobRecord:
        found = self._one(JobRecord, "job", {"name": name, "project": project})
        assert found is not None
        return found

    def job_by_id(self, job_id: int) -> JobRecord | None:
        return self._one(JobRecord, "job_by_id", {"job_id": job_id})

    def jobs(
        self,
        *,
        project: str | None = None,
        labels: Iterable[str] = (),
        archived: bool | None = False,
        phases: Collection[str] = (),
        after: str | None = None,
        limit: int | None = None,
    ) -> list[JobRecord]:
        several = [*(("label", label) for label in labels), *(("phase", phase) for phase in phases)]
        found: list[JobRecord] = []
        while limit is None or len(found) < limit:
            size = PAGE if limit is None else min(PAGE, limit - len(found))
            given: Given = {"project": project, "archived": archived, "after": after, "limit": size}
            page = self._items(JobRecord, "jobs", given, several)
            found += page
            if len(page) < size:
                break
            after = page[-1].identity
        return found

    def timetable(
        self, *, project: str | None = None, labels: Iterable[str] = (), scheduled: bool = True, limit: int = 100
    ) -> list[JobRecord]:
        given: Given = {"project": project, "scheduled": scheduled, "limit": limit}
        return self._items(JobRecord, "timetable", given, [("label", label) for label in labels])

    def groups(self, *, project: str | None = None) -> list[tuple[JobRecord, int]]:
        path = "/api/v1/records/groups"
        found = self.client.ask(path, [("project", project)], needs=("items", "counts"))
        return list(zip((self._read(JobRecord, each) for each in found["items"]), found["counts"], strict=True))

    def doubtful(self, now: int, *, project: str | None = None) -> list[JobRecord]:
        return self._items(JobRecord, "doubtful", {"now": now, "project": project})

    def linked(self, identity: str | None = None) -> list[JobRecord]:
        return self._items(JobRecord, "linked", {"job": identity})

    def longest_identity(
        self, *, project: str | None = None, labels: Iterable[str] = (), archived: bool | None = False
    ) -> int:
        return 0  # not worth a request: what is read says it well enough

    def identities(
        self,
        *,
        project: str | None = None,
        labels: Iterable[str] = (),
        archived: bool | None = None,
        phases: Collection[str] = (),
    ) -> list[str]:
        if phases:
            found = self.jobs(project=project, labels=labels, archived=archived, phases=phases)
            return [job.identity for job in found]
        several = [("label", label) for label in labels]
        return list(self._ask("identities", "items", {"project": project, "archived": archived}, several))

    # runs

    def run(self, prefix: str) -> Run:
        found = self._one(Run, "run", {"id": prefix})
        assert found is not None
        return found

    def runs_of_ids(self, ids: Iterable[str]) -> dict[str, Run]:
        found: dict[str, Run] = {}
        rest = iter(list(ids))
        while chunk := list(islice(rest, IDS)):
            groups = (chunk[start : start + IDS_OF_PARAMETER] for start in range(0, len(chunk), IDS_OF_PARAMETER))
            several = [("id", ",".join(group)) for group in groups]
            found |= {run.id: run for run in self._items(Run, "runs_of_ids", {}, several)}
        return found

    def runs(
        self,
        *,
        job_id: int | None = None,
        project: str | None = None,
        labels: Iterable[str] = (),
        job_ids: Collection[int] | None = None,
        states: Collection[RunState] | None = None,
        active: bool | None = None,
        reasons: Collection[Reason] | None = None,
        triggers: Collection[Trigger] | None = None,
        attempt: int | None = None,
        longer_than: int | None = None,
        now: int | None = None,
        since: int | None = None,
        until: int | None = None,
        before: str | None = None,
        after: str | None = None,
        limit: int = 50,
        order: Order = "desc",
    ) -> list[Run]:
        if (states is not None and not states) or (job_ids is not None and not job_ids):
            return []
        several = [("label", label) for label in labels]
        for name, words in (("status", states), ("reason", reasons), ("trigger", triggers)):
            several += [(name, ",".join(sorted(words)))] if words is not None else []
        if job_id is not None or job_ids is not None:
            several.append(("job_id", ",".join(map(str, [job_id] if job_ids is None else job_ids))))
        given: Given = {
            "project": project, "active": active, "attempt": attempt, "longer_than": longer_than, "now": now,
            "since": since, "until": until, "order": order,
        }  # fmt: skip
        found: list[Run] = []
        while len(found) < limit:
            size = min(PAGE, limit - len(found))
            page = self._items(Run, "runs", given | {"before": before, "after": after, "limit": size}, several)
            found += page
            if len(page) < size:
                break
            before, after = (page[-1].id, after) if order == "desc" else (before, page[-1].id)
        return found

    def slot(self, job_id: int, at: int) -> list[Run]:
        return self._items(Run, "slot", {"job_id": job_id, "at": at})

    # the rest

    def events(
        self,
        *,
        job_id: int | None = None,
        run_id: str | None = None,
        project: str | None = None,
        labels: Iterable[str] = (),
        types: Collection[str] | None = None,
        reasons: Collection[str] | None = None,
        since: int | None = None,
        until: int | None = None,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        order: Order = "asc",
    ) -> list[Event]:
        several = [("label", label) for label in labels]
        several += [("type", word) for word in types or ()] + [("reason", word) for word in reasons or ()]
        given: Given = {
            "job_id": job_id, "run_id": run_id, "project": project, "since": since, "until": until, "order": order,
        }  # fmt: skip
        found: list[Event] = []
        while len(found) < limit:
            size = min(PAGE, limit - len(found))
            page = self._items(Event, "events", given | {"after": after, "before": before, "limit": size}, several)
            found += page
            if len(page) < size:
                break
            last = page[-1].id or 0
            before, after = (last, after) if order == "desc" else (before, last)
        return found

    def source(self) -> SourceState | None:
        return self._one(SourceState, "source", {})

    def documents(self, kind: str | None = None) -> list[DocumentRecord]:
        return self._items(DocumentRecord, "documents", {"kind": kind})

    def silences(self, *, after: int) -> list[SilenceRecord]:
        return self._items(SilenceRecord, "silences", {"after": after})

    def occupancy(self) -> list[tuple[str | None, RunState, Reason | None, int]]:
        rows = self._ask("occupancy", "items", {})
        return [(pool, RunState(state), reason and Reason(reason), count) for pool, state, reason, count in rows]

    # What only a reader beside the database is asked: by a status process, a search there, a command that acts.

    def _only_at_home(self) -> NoReturn:
        raise Refused("this can only be asked on the daemon's machine", hint="leave --server out there")

    def specs(
        self, *, project: str | None = None, labels: Iterable[str] = (), archived: bool | None = False
    ) -> list[tuple[str, bytes]]:
        self._only_at_home()

    def request(self, id: str) -> RequestRecord | None:
        self._only_at_home()

    def requests(self, *, before: str | None = None, limit: int = 50) -> list[RequestRecord]:
        self._only_at_home()

    def data_version(self) -> int:
        self._only_at_home()

    def seq(self) -> int:
        self._only_at_home()

    def changed_since(self, seq: int, *, limit: int | None = None) -> list[JobRecord]:
        self._only_at_home()

    def removed_since(self, seq: int) -> list[str]:
        self._only_at_home()

    def totals(self) -> Totals:
        self._only_at_home()

    def counters(self, name: str | None = None) -> list[Counter]:
        self._only_at_home()
