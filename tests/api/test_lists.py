"""Lists against an oracle: filters over the records that were stored, in plain Python."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from state.records import ACTIVE_STATES, Run
from status.words.instants import rfc3339
from tests.api.conftest import Town
from tests.seeing.building import HOUR, NINE

Filters = Mapping[str, str]

INSTANTS = st.none() | st.integers(-1, 9).map(lambda hour: rfc3339(NINE + hour * HOUR))
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(["pending", "succeeded", "failed", "running"]), min_size=1, unique=True).map(
            ",".join
        ),
        "active": st.sampled_from(["true", "false"]),
        "project": st.sampled_from(["data", "default", "nope"]),
        "label": st.sampled_from(["team=ops", "team!=ops", "team", "!team", "team=dev,team"]),
        "since": INSTANTS.filter(bool),
        "until": INSTANTS.filter(bool),
    },
)
LABELS = {"data/hello": "dev", "default/hello": "ops"}


def fits(run: Run, wanted: Filters) -> bool:
    team = LABELS.get(run.identity)
    selected = {"team=ops": team == "ops", "team!=ops": team != "ops", "team": team is not None, "!team": team is None,
                "team=dev,team": team == "dev"}  # fmt: skip
    created = rfc3339(run.created_at) or ""
    return (
        (run.state.value in wanted["status"].split(",") if "status" in wanted else True)
        and ((run.state in ACTIVE_STATES) == (wanted["active"] == "true") if "active" in wanted else True)
        and wanted.get("project", run.project) == run.project
        and ("label" not in wanted or selected[wanted["label"]])
        and wanted.get("since", "") <= created
        and ("until" not in wanted or created < wanted["until"])
    )


@settings(derandomize=True, max_examples=60, deadline=None)
@given(filters=FILTERS, limit=st.integers(1, 6), ascending=st.booleans(), short=st.booleans())
def test_pages_of_runs_are_each_fitting_run_once(
    town: Town, filters: Filters, limit: int, ascending: bool, short: bool
) -> None:
    everything = [run for identity in LABELS | dict.fromkeys(town.runs) for run in town.runs[identity]]
    expected = sorted((run.id for run in everything if fits(run, filters)), reverse=not ascending)
    order, bound = ("asc", "after") if ascending else ("desc", "before")
    params = {**filters, "limit": str(limit), "order": order, "summary": str(short).lower()}
    found: list[str] = []
    for _ in range(len(everything) + 1):
        page = town.server.http.get("/api/v1/runs", params=params).raise_for_status().json()
        mine = [item for item in page["items"] if f"{item['project']}/{item['job']}" in town.runs]
        found += [item["id"] for item in mine]
        assert len(page["items"]) <= limit
        if page["next"] is None:
            break
        assert page["next"] == page["items"][-1]["id"]
        params[bound] = page["next"]
    assert found == expected


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    project=st.none() | st.sampled_from(["data", "default"]),
    tags=st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True),
    prefix=st.none() | st.sampled_from(["he", "data/", "default/i", "x"]),
    limit=st.integers(1, 4),
    ascending=st.booleans(),
)
def test_pages_of_jobs_are_each_fitting_job_once(
    town: Town, project: str | None, tags: list[str], prefix: str | None, limit: int, ascending: bool
) -> None:
    carried = {"data/hello": {"a"}, "default/hello": {"a", "b"}}
    expected = sorted(
        (job.project, job.name)
        for identity, job in town.jobs.items()
        if project in (None, job.project)
        and carried.get(identity, set()).issuperset(tags)
        and (prefix is None or job.name.startswith(prefix) or identity.startswith(prefix))
    )
    order, bound = ("asc", "after") if ascending else ("desc", "before")
    params: list[tuple[str, str]] = [("limit", str(limit)), ("order", order), *(("tag", tag) for tag in tags)]
    params += [(name, value) for name, value in (("project", project), ("q", prefix)) if value is not None]
    found: list[tuple[str, str]] = []
    cursor: list[tuple[str, str]] = []
    for _ in range(len(town.jobs) + 1):
        page = town.server.http.get("/api/v1/jobs", params=params + cursor).raise_for_status().json()
        found += [(item["metadata"]["project"], item["metadata"]["name"]) for item in page["items"]]
        if page["next"] is None:
            break
        cursor = [(bound, page["next"])]
    assert found == (expected if ascending else expected[::-1])
