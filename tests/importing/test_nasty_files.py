"""Files that are no jobs, not yet jobs, or made to do harm: each gets one error with its place and what to do."""

from __future__ import annotations

import pytest

from cli.importing.imported import UNREADABLE, Import, SourceText
from cli.importing.nodes import MAX_DEPTH, read_nodes
from specs.diagnostic import Diagnostic
from tests.importing.foreign import read, read_text
from tests.importing.test_kubernetes import CRON_JOB, changed

SCHEDULE = '"30 2 * * *"'
NAME = "  name: backup\n"
WITHOUT = ('  schedule: "30 2 * * *"\n', "")
BOMB = "a: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"b{number}: &a{number} [{','.join([f'*a{number - 1}'] * 10)}]\n" for number in range(1, 10)
)


def error(made: Import) -> Diagnostic:
    """The one error, of an import that gave no job."""
    assert not made.jobs
    (found,) = made.unreadable
    assert found.code == UNREADABLE
    assert found.path == "given.yaml"
    return found


HELM = 'kind: CronJob\napiVersion: batch/v1\nmetadata:\n  name: {{ include "x.fullname" . }}\nspec: {schedule: x}\n'


@pytest.mark.parametrize(
    ("text", "place", "message", "help"),
    [
        pytest.param(HELM, (4, 9), "a Helm template", "helm template CHART | jobsctl import kubernetes -", id="helm"),
        pytest.param("{{- if .Values.on }}\nkind: CronJob\n{{- end }}\n", (1, 1), "a Helm template", "helm template",
                     id="helm, a condition"),
        pytest.param(changed((SCHEDULE, '"{{ .Values.schedule }}"')), (6, 13), "a Helm template", "helm template",
                     id="helm, in quotes"),
        pytest.param(changed((NAME, '  name: "{{ .Release.Name }}"\n')), (4, 9), "Helm", "helm template",
                     id="helm, the name"),
        pytest.param(changed((SCHEDULE, "${CRON_SCHEDULE}")), (6, 13), "not filled in", "envsubst", id="envsubst"),
        pytest.param(changed((NAME, "  name: backup-${ENVIRONMENT}\n")), (4, 9), "not filled in", "envsubst",
                     id="envsubst, the name"),
        pytest.param("resources:\n- cronjob.yaml\n", (1, 1), "no Kubernetes manifest", "kubectl kustomize",
                     id="kustomize"),
        pytest.param("kind: Kustomization\nresources: []\n", (1, 1), "another tool", "kubectl kustomize",
                     id="Kustomization"),
        pytest.param("kind: Template\nobjects: []\n", (1, 1), "another tool", "oc process", id="OpenShift template"),
        pytest.param("title: x\n", (1, 1), "no Kubernetes manifest", "apiVersion", id="something else"),
        pytest.param("just a text\n", (1, 1), "must be a mapping", None, id="a text"),
        pytest.param("", (1, 1), "nothing in it", "name a file", id="empty"),
        pytest.param("kind: List\nitems:\n- kind: List\n  items: []\n", (3, 3), "a list within a list", None,
                     id="lists"),
        pytest.param(changed(WITHOUT), (6, 3), "no `schedule`", None, id="no schedule"),
        pytest.param(changed(WITHOUT, ("  jobTemplate:\n", "  jobTemplate:\n    schedule: x\n")),
                     (8, 15), "no `schedule` in its `spec`", "beside `jobTemplate`", id="schedule in the wrong place"),
        pytest.param(changed(("30 2 * * *", "30 2 * * 7")), (6, 13), "Sunday is 0", None, id="schedule"),
        pytest.param(changed(("30 2 * * *", "@reboot")), (6, 13), "is none of", None, id="alias"),
        pytest.param(changed(("Forbid", "Maybe")), (7, 22), "no concurrencyPolicy", "Allow, Forbid", id="policy"),
        pytest.param(changed((SCHEDULE, '"30 2 * * *"\n  timeZone: Mars/Base')), (7, 13), "no time zone", "Europe",
                     id="zone"),
        pytest.param(changed(("backoffLimit: 0", "backoffLimit: many")), (10, 21), "must be a whole number", None,
                     id="number"),
        pytest.param(changed(("          containers:\n", "          x:\n")),
                     (13, 11), "no `containers`", "one container", id="no containers"),
        pytest.param(changed(("metadata:\n  name: backup\n", "")), (1, 1), "no `metadata.name`", None, id="no name"),
        pytest.param(changed((NAME, "  name: backup\n  name: again\n")), (5, 3), "given twice", "line 4",
                     id="a key twice"),
        pytest.param(BOMB, (6, 5), "stands for more than", "split the file", id="a bomb"),
        pytest.param("a: !!python/object/apply:os.system [id]\n", (1, 4), "a tag", "remove it", id="a tag"),
        pytest.param("a: &a [*a]\n", (1, 8), "names nothing", None, id="an alias of itself"),
        pytest.param("a: " + "[" * 5000, (1, 3 + MAX_DEPTH), "nested deeper", None, id="deep"),
        pytest.param("? [a]\n: b\n", (1, 3), "a key must be a text", None, id="a key"),
        pytest.param('a: "\\ud800"\n', (1, 4), "surrogate", None, id="half a character"),
        pytest.param("a: b: c\n", (1, 5), "`:` cannot stand here", "quotes", id="syntax"),
        pytest.param("a: \x01\n", (1, 1), "cannot be read as YAML", None, id="control character"),
    ],
)  # fmt: skip
def test_one_error_with_its_place(text: str, place: tuple[int, int], message: str, help: str | None) -> None:
    found = error(read_text("kubernetes", text))
    assert message in found.message
    assert (found.line, found.column) == place
    if help is not None:
        assert help in (found.help or "")


@pytest.mark.parametrize(
    ("system", "text", "message"),
    [
        ("yacron", "jobs:\n- {name: x, command: a, schedule: '61 * * * *'}\n", "yacron refuses the schedule"),
        ("yacron", "jobs:\n- {name: x, schedule: '@daily'}\n", "no `command`"),
        ("yacron", "jobs:\n- {command: x, schedule: '@daily'}\n", "no `name`"),
        ("yacron", "jobs:\n- {name: x, command: a}\n", "no `schedule`"),
        ("yacron", "jobs:\n- {name: x, command: a, schedule: {seconds: 1}}\n", "has no `seconds`"),
        ("yacron", "jobs:\n- {name: x, command: a, schedule: '@daily', timezone: Mars}\n", "no time zone"),
        ("yacron", "job:\n- {name: x}\n", "no yacron configuration"),
        ("yacron", "jobs: []\nalerts: {}\n", "no section `alerts`"),
        ("yacron", "include: [nowhere.yaml]\n", "cannot be read"),
        ("yacron", "include: [given.yaml]\n", "included by itself"),
        ("yacron", "jobs: {}\n", "`jobs` must be a list"),
        ("yacron", "jobs: []\n---\njobs: []\n", "one document"),
        ("yacron", BOMB, "stands for more than"),
        ("term-llm", '{"name": "x"}', "no `runner_type`"),
        ("term-llm", '{"runner_type": "llm"}', "no `name`"),
        ("term-llm", '{"name": "x", "runner_type": "docker", "trigger_type": "manual"}', "no runner_type"),
        ("term-llm", '{"name": "x", "runner_type": "llm", "trigger_type": "manual"}', "`agent_name`"),
        ("term-llm", '{"name": "x", "runner_type": "program", "trigger_type": "manual"}', "has a `command`"),
        ("term-llm", '{"name": "x", "runner_type": "program"}', "no `trigger_type`"),
        ("term-llm", '{"name": "x", "runner_type": "program", "trigger_type": "cron"}', "an `expression`"),
        (
            "term-llm",
            "{name: x, runner_type: program, trigger_type: once, trigger_config: {run_at: tomorrow}}",
            "run_at",
        ),
        ("term-llm", "{name: x, runner_type: program, trigger_type: manual, misfire_policy: all}", "misfire_policy"),
        ("term-llm", "[1]", "must be a mapping"),
        ("term-llm", '{"object": "list", "data": 1}', "`data` must be a list"),
        ("yacron", 'include: ["x\\0"]', "a NUL character"),
        ("term-llm", "", "nothing in it"),
    ],
)
def test_other_systems_files_get_one_error_too(system: str, text: str, message: str) -> None:
    found = error(read_text(system, text))
    assert message in found.message
    assert found.line >= 1


@pytest.mark.parametrize(
    ("system", "text", "help"),
    [
        ("kubernetes", "jobs:\n- {name: x, command: a, schedule: '@daily'}\n", "jobsctl import yacron FILE"),
        ("kubernetes", "name: x\nrunner_type: llm\n", "jobsctl import term-llm FILE"),
        ("kubernetes", "name: x\nschedule: '@daily'\nrun: {command: [a]}\n", "a job file of jobsctl already"),
        ("yacron", CRON_JOB, "jobsctl import kubernetes FILE"),
        ("yacron", "jobs:\n- {name: x, runner_type: llm}\n", "jobsctl import term-llm FILE"),
        ("term-llm", CRON_JOB, "jobsctl import kubernetes FILE"),
        ("kubernetes", "# mine\nMAILTO=a@b.c\n0 5 * * MON root /bin/x\n", "jobsctl import crontab FILE"),
        ("yacron", "@daily /bin/x\n", "jobsctl import crontab FILE"),
        ("term-llm", "# nightly\n[Timer]\nOnCalendar=daily\n", "jobsctl import systemd FILE"),
        ("term-llm", "defaults: {shell: /bin/sh}\n", "jobsctl import yacron FILE"),
    ],
)
def test_a_file_of_another_system_is_told_where_it_belongs(system: str, text: str, help: str) -> None:
    assert help in (error(read_text(system, text)).help or "")


def test_one_bad_document_does_not_keep_the_others_out() -> None:
    made = read_text("kubernetes", changed(("30 2", "61 2"), ("backup", "bad")) + "---\n" + CRON_JOB + "---\n- 1\n")
    assert [job.name for job in made.jobs] == ["backup"]
    assert len(made.unreadable) == 2


def test_a_large_file_with_a_mistake_at_its_end_is_not_read_twice() -> None:
    text = "a: x\n---\nb: |\n" + "  words\n" * 150_000 + "c: [unclosed\n"
    documents, (found,) = read_nodes(SourceText("x", text))
    assert len(documents) == 1
    assert found.line > 150_000


def test_anchors_and_merges_are_read() -> None:
    text = "x: &x\n  a: 1\n  b: 2\ny:\n  <<: *x\n  b: 3\n"
    (node,), findings = read_nodes(SourceText("x", text))
    assert not findings
    y = node.entries["y"].entries
    assert {name: value.text for name, value in y.items()} == {"a": "1", "b": "3"}


def test_what_is_wrong_in_an_included_file_is_told_in_that_file(tmp_path) -> None:
    (tmp_path / "_inc.yaml").write_text("defaults:\n  concurrencyPolicy: Maybe\n")
    main = tmp_path / "main.yaml"
    main.write_text("include: [_inc.yaml]\njobs:\n- {name: x, command: a, schedule: '@daily'}\n")
    (found,) = read("yacron", SourceText(str(main), main.read_text())).unreadable
    assert (found.path, found.line, found.column) == (str(tmp_path / "_inc.yaml"), 2, 22)


def test_a_thousand_cron_jobs_of_one_file_are_all_imported() -> None:
    text = "---\n".join(changed((NAME, f"  name: backup-{number}\n")) for number in range(1000))
    made = read_text("kubernetes", text)
    assert len(made.jobs) == 1000
    assert not made.unreadable
