"""The jobs that tell somebody of themselves, as the notify process takes them over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson

from state.telling import TellingReader
from status.notify.watching import Watch
from tests.notifying.rig import Rig, job


def test_a_job_whose_rules_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "home")
    (report,) = rig.apply(job("report"))
    damaged = orjson.loads(report.spec) | {"name": "damaged", "notify": [{"whom": "ops"}]}
    rig.store.put_job(replace(report, id=None, name="damaged", spec=orjson.dumps(damaged, option=orjson.OPT_SORT_KEYS)))
    watch = Watch(default_timezone="UTC")
    reader = TellingReader(rig.home.database)
    touched, more = watch.refresh(reader, limit=10)
    assert (len(touched), more) == (2, False)
    assert sorted((watch[id].identity, len(watch[id].rules)) for id in touched) == [
        (report.identity.replace("report", "damaged"), 0), (report.identity, 1),
    ]  # fmt: skip
    reader.close()
    rig.close()
