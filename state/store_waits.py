"""The part of the store that keeps runs that wait: what for, and when they may go. Base of `state.store.Store`."""

from __future__ import annotations

from collections.abc import Sequence

from state.changes import Wait
from state.errors import InvalidRunTransition, NotFound
from state.records import WAIT_REASONS, Run, RunState
from state.rows import RUN_PLACE, event_values, json_or_none, printable, with_changes
from state.store_runs import WAITS_FOR, RunStore

_RELEASED = ("supervisor", "boot_id", "generation", "digest", "revision", "upstream")
_RELEASE = (
    f"UPDATE run SET state = 'pending', reason = NULL, not_before = NULL, {', '.join(f'{n} = ?' for n in _RELEASED)} "
    "WHERE id = ? AND state = 'blocked'"
)
_JOB_RELEASED = (
    "UPDATE job SET last_run_state = CASE last_run_id WHEN ? THEN 'pending' ELSE last_run_state END, seq = ? "
    "WHERE id = ?"
)
_WAIT = "UPDATE run SET reason = ?, not_before = ? WHERE id = ? AND state = 'blocked'"
_SAID = ("SELECT message FROM event WHERE run_id = ? AND reason IN ({}) ORDER BY id DESC LIMIT 1").format(
    ", ".join(f"'{reason}'" for reason in WAIT_REASONS)
)


class WaitStore(RunStore):
    """Runs in state `blocked`."""

    def release(self, runs: Sequence[Run], at: int) -> None:
        """blocked -> pending at `at`, with the supervisor, boot id, spec and upstream runs given here.

        Raises InvalidRunTransition when one is not blocked, NotFound when there is none: then nothing is stored.
        """
        with self.transaction(), self._all_or_nothing():
            known = self._active()
            for run in runs:
                stored = self._blocked(run.id, RunState.PENDING)
                changes = [(RUN_PLACE[name], getattr(run, name)) for name in _RELEASED]
                nothing = [(RUN_PLACE["reason"], None), (RUN_PLACE["not_before"], None)]
                known[run.id] = with_changes(stored, [(RUN_PLACE["state"], RunState.PENDING), *nothing, *changes])
            self._change(
                _RELEASE,
                [
                    (run.supervisor, run.boot_id, run.generation, run.digest, run.revision, json_or_none(run.upstream),
                     run.id)
                    for run in runs
                ],
            )  # fmt: skip
            self._connection.executemany(_JOB_RELEASED, [(run.id, self._next_seq(), run.job_id) for run in runs])
            self._add_event_rows([(at, run.job_id, run.id, "Normal", "released", "Released", None) for run in runs])

    def wait(self, waits: Sequence[Wait]) -> None:
        """Note what blocked runs wait for now. An event tells it when the reason or the message is another one.

        Raises InvalidRunTransition, NotFound as `release`; ValueError for what is no reason to wait.
        """
        with self.transaction(), self._all_or_nothing():
            known = self._active()
            for wait in waits:
                if wait.reason not in WAIT_REASONS:
                    raise ValueError(f"{wait.reason} is no reason to wait")
                run = self._blocked(wait.run_id, RunState.BLOCKED)
                if told := self._news(run, wait):
                    self._add_event_rows([event_values(wait.at, run.job_id, run.id, "Normal", wait.reason, told)])
                if (run.reason, run.not_before) != (wait.reason, wait.not_before):
                    self._change(_WAIT, [(wait.reason.value, wait.not_before, run.id)])
                    changes = [(RUN_PLACE["reason"], wait.reason), (RUN_PLACE["not_before"], wait.not_before)]
                    known[run.id] = with_changes(run, changes)
                elif not told:
                    continue
                self._connection.execute("UPDATE job SET seq = ? WHERE id = ?", (self._next_seq(), run.job_id))

    def _news(self, run: Run, wait: Wait) -> str | None:
        """What to tell; None when it was told already."""
        if run.reason is not wait.reason:
            return wait.message or f"Waiting for {WAITS_FOR[wait.reason]}"
        if wait.message is None:
            return None
        said = self._connection.execute(_SAID, (run.id,)).fetchone()
        return None if said is not None and said[0] == printable(wait.message) else wait.message

    def _blocked(self, run_id: str, requested: RunState) -> Run:
        run = self._active().get(run_id) or self.run(run_id)
        if run is None:
            raise NotFound(f"no run {run_id}", hint="`jobsctl runs` lists them")
        if run.state is not RunState.BLOCKED:
            raise InvalidRunTransition(run_id, run.state, requested)
        return run
