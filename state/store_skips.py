"""The part of the store that keeps slots without a run, as records of their own. Base of `state.store.Store`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from state.changes import Skip
from state.errors import NotFound, SlotTaken
from state.ids import new_id
from state.records import SKIP_REASONS, Run, RunState
from state.rows import event_values, printable
from state.store_runs import RunStore

_JOB_SKIPPED = {
    reason: (
        f"UPDATE job SET skipped = skipped + :slots, skipped_{reason} = skipped_{reason} + :slots, "
        "kept_runs = kept_runs + :rows, newest_row_id = :newest, seq = :seq WHERE id = :job"
    )
    for reason in SKIP_REASONS
}
_EXTEND = (
    "UPDATE run SET scheduled_for = max(scheduled_for, ?), skipped_first = min(skipped_first, ?), "
    "skipped_count = skipped_count + ?, finished_at = ?, error = coalesce(?, error) WHERE id = ?"
)


class SkipStore(RunStore):
    """Slots that did not run."""

    def skip(self, skips: Sequence[Skip]) -> None:
        """Account for slots that did not run: a new `skipped` row, or a longer one.

        It gets longer when the job's newest row is a skip with the same reason, and never was a run that waited.
        Raises SlotTaken when the last slot has a row already: then nothing of this call is stored.
        """
        with self.transaction(), self._all_or_nothing():
            for skip in skips:
                row = self._connection.execute(
                    "SELECT run.id, run.state, run.reason, job.project, job.name, "
                    "EXISTS (SELECT 1 FROM event WHERE event.run_id = run.id AND event.reason = 'created') "
                    "FROM job LEFT JOIN run ON run.id = job.newest_row_id WHERE job.id = ?",
                    (skip.job_id,),
                ).fetchone()
                if row is None:
                    raise NotFound(f"no job with id {skip.job_id}")
                newest, state, reason, project, name, was_run = row
                extends = state == RunState.SKIPPED and reason == skip.reason and not was_run
                error = None if skip.error is None else printable(skip.error)
                if extends:
                    self._extend((skip.last, skip.first, skip.count, skip.at, error, newest))
                else:
                    newest = new_id(skip.at)
                    run = _skipped(skip, newest, project, name, error)
                    self._insert([run])
                    slots = "1 slot" if skip.count == 1 else f"{skip.count} slots"
                    self._add_event_rows(
                        [
                            event_values(
                                skip.at, skip.job_id, newest, "Warning", skip.reason, error or f"Skipped {slots}",
                                {"first": skip.first, "last": skip.last, "count": skip.count},
                            )
                        ]
                    )  # fmt: skip
                self._connection.execute(
                    _JOB_SKIPPED[skip.reason],
                    {
                        "slots": skip.count,
                        "rows": 0 if extends else 1,
                        "newest": newest,
                        "seq": self._next_seq(),
                        "job": skip.job_id,
                    },
                )

    def _extend(self, values: tuple[object, ...]) -> None:
        try:
            self._connection.execute(_EXTEND, values)
        except sqlite3.IntegrityError as error:
            raise SlotTaken("a run of this slot and attempt is stored already") from error


def _skipped(skip: Skip, id: str, project: str, name: str, error: str | None) -> Run:
    return Run(
        id=id, job_id=skip.job_id, project=project, job=name, generation=skip.generation, digest=skip.digest,
        revision=skip.revision, trigger=skip.trigger, scheduled_for=skip.last, state=RunState.SKIPPED,
        reason=skip.reason, error=error, created_at=skip.at, finished_at=skip.at, skipped_first=skip.first,
        skipped_count=skip.count,
    )  # fmt: skip
