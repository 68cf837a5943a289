"""From a CronJob to a job: what its fields become, what is said of those that have no place here."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.importing.foreign import DATA, Judged, judge, only, read_file, read_text, said

CRON_JOB = """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: backup
spec:
  schedule: "30 2 * * *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: main
              image: busybox:1.28
              command: [/bin/backup, --all]
"""


NAMED = "  name: backup\n"


def changed(*replacements: tuple[str, str], text: str = CRON_JOB) -> str:
    """The manifest with parts of it replaced."""
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def job(*replacements: tuple[str, str], zone: str | None = None) -> Judged:
    return only(read_text("kubernetes", changed(*replacements), zone=zone))


def with_spec(line: str) -> tuple[str, str]:
    return "  concurrencyPolicy: Forbid\n", f"  concurrencyPolicy: Forbid\n{line}\n"


def with_job(line: str) -> tuple[str, str]:
    return "      backoffLimit: 0\n", f"      {line}\n"


def with_container(lines: str) -> tuple[str, str]:
    indented = "".join(f"              {line}\n" for line in lines.splitlines())
    return "              command: [/bin/backup, --all]\n", f"              command: [/bin/backup, --all]\n{indented}"


def test_a_job_that_ran_in_a_container_is_written_suspended_and_says_which() -> None:
    made = read_text("kubernetes", CRON_JOB)
    judged = only(made)
    assert judged.spec.run.command == ["/bin/backup", "--all"]
    assert "busybox:1.28" in (judged.spec.suspend_reason() or "")
    assert ("lost", "image") in said(made)


def test_a_container_without_a_command_becomes_a_program_that_fails_and_says_why() -> None:
    made = read_text("kubernetes", changed(("command: [/bin/backup, --all]", "args: [--it's, all]")))
    script = only(made).spec.run.script or ""
    assert "busybox:1.28" in script
    assert "--it'\\''s all" in script
    assert script.endswith("exit 78\n")
    assert ("lost", "command") in said(made)


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        ("concurrencyPolicy: Forbid", "concurrencyPolicy: Forbid", "overlap", "queue"),
        ("concurrencyPolicy: Forbid", "concurrencyPolicy: Replace", "overlap", "replace"),
        ("  concurrencyPolicy: Forbid\n", "", "overlap", "allow"),
        (*with_spec("  startingDeadlineSeconds: 600"), "missed", {"policy": "latest", "grace": "10m"}),
        (*with_spec("  startingDeadlineSeconds: 0"), "missed", "skip"),
        (*with_spec("  successfulJobsHistoryLimit: 5"), "retention", {"max_runs": 6}),
        (*with_spec("  failedJobsHistoryLimit: 0\n  successfulJobsHistoryLimit: 0"), "retention", {"max_runs": 1}),
        (*with_job("backoffLimit: 2"), "retry",
         {"attempts": 3, "backoff": "exponential", "delay": "10s", "max_delay": "6m"}),
        ("      backoffLimit: 0\n", "", "retry",
         {"attempts": 7, "backoff": "exponential", "delay": "10s", "max_delay": "6m"}),
        (*with_job("backoffLimit: 0"), "retry", None),
        (*with_job("activeDeadlineSeconds: 5400\n      backoffLimit: 0"), "timeout", "1h30m"),
        (*with_job("activeDeadlineSeconds: 5400\n      backoffLimit: 0"), "grace", "30s"),
        ("          restartPolicy: Never\n", "          restartPolicy: Never\n          activeDeadlineSeconds: 90\n",
         "timeout", "90s"),
        (NAMED, NAMED + "  namespace: Data_Team\n", "project", "data-team"),
        (NAMED, NAMED + "  namespace: default\n", "project", None),
        (NAMED, NAMED + "  labels: {app: x, team/unit: y}\n", "labels", {"app": "x", "team/unit": "y"}),
        (NAMED, NAMED + "  annotations: {description: Nightly., a: b}\n", "description", "Nightly."),
        (NAMED, NAMED + "  annotations: {description: Nightly., a: b}\n", "annotations", {"a": "b"}),
        ('"30 2 * * *"', '"0 2 */2 * MON"', "schedule", "0 2 1-31/2 * 1"),
        ('"30 2 * * *"', '"0 2 ? * MON-FRI"', "schedule", "0 2 * * MON-FRI"),
        ('"30 2 * * *"', '"5-5 2 1,15 * *"', "schedule", "5 2 1,15 * *"),
        ('"30 2 * * *"', '"@every 1h30m"', "schedule", "every 1h30m"),
        ('"30 2 * * *"', '"0 0 31 2 *"', "schedule", None),
    ],
)  # fmt: skip
def test_a_field_becomes(old: str, new: str, field: str, value: Any) -> None:
    assert job((old, new)).job.tree.get(field) == value


def test_a_zone_in_the_schedule_is_the_jobs() -> None:
    for prefix in ("TZ", "CRON_TZ"):
        judged = job(('"30 2 * * *"', f'"{prefix}=Europe/Berlin 30 2 * * *"'))
        assert (judged.job.tree["timezone"], judged.checked.state) == ("Europe/Berlin", "same")
        assert judged.job.tree["dst"] == {"gap": "skip", "repeat": "twice"}


def test_a_zone_in_the_schedule_beats_the_field_as_in_kubernetes() -> None:
    judged = job(('"30 2 * * *"', '"TZ=Asia/Tokyo 30 2 * * *"\n  timeZone: Europe/Berlin'))
    assert judged.job.tree["timezone"] == "Asia/Tokyo"
    assert any(note.what == "timeZone" and note.level == "changed" for note in judged.job.notes)


def test_without_a_zone_it_is_that_of_the_controller() -> None:
    assert job().job.tree["timezone"] == "UTC"
    assert any(note.what == "no timeZone" for note in job().job.notes)
    told = job(zone="America/New_York")
    assert told.job.tree["timezone"] == "America/New_York"
    assert not any(note.what == "no timeZone" for note in told.job.notes)


def test_the_rule_for_moved_clocks_is_written_only_where_it_says_something() -> None:
    assert "dst" not in job().job.tree
    assert "dst" not in job(('"30 2 * * *"', '"30 2 * * *"\n  timeZone: Asia/Tokyo')).job.tree
    assert "dst" not in job(('"30 2 * * *"', '"*/10 * * * *"\n  timeZone: Europe/Berlin')).job.tree
    assert "dst" in job(('"30 2 * * *"', '"30 2 * * *"\n  timeZone: Europe/Berlin')).job.tree


def test_an_interval_keeps_its_minute_where_the_object_says_it() -> None:
    created = ("  name: backup\n", '  name: backup\n  creationTimestamp: "2026-01-01T00:17:09Z"\n')
    judged = job(created, ('"30 2 * * *"', '"@every 90m"'))
    assert judged.job.tree["schedule"] == {"every": "1h30m", "anchor": "2026-01-01T00:17:09Z"}
    assert judged.checked.state == "same"
    last = ("apiVersion", 'status:\n  lastScheduleTime: "2026-11-20T10:00:00Z"\napiVersion')
    assert job(created, last, ('"30 2 * * *"', '"@every 90m"')).job.tree["schedule"]["anchor"] == "2026-11-20T10:00:00Z"


def test_a_deadline_of_all_attempts_is_not_tried_again() -> None:
    judged = job(with_job("backoffLimit: 3\n      activeDeadlineSeconds: 60"))
    assert judged.job.tree["retry"]["on"] == ["failed", "lost"]
    assert any(note.what == "activeDeadlineSeconds" for note in judged.job.notes)


def test_what_kubernetes_suspended_stays_so_when_its_program_is_there() -> None:
    judged = job(with_spec("  suspend: true"))
    assert "suspended in Kubernetes" in (judged.spec.suspend_reason() or "")


def test_a_shell_script_is_written_as_one() -> None:
    script = "command: [bash, -ec]\n              args: ['echo a\n\n              echo b']"
    judged = job(("command: [/bin/backup, --all]", script))
    assert judged.spec.run.script == "echo a\necho b\n"
    assert judged.spec.run.interpreter == ["/bin/bash", "-e"]


@pytest.mark.parametrize(
    ("lines", "env"),
    [
        pytest.param("env:\n- {name: A, value: x}\n- {name: N, value: 5}", {"A": "x", "N": "5"}, id="texts"),
        pytest.param("env:\n- {name: A, value: x}\n- {name: B, value: $(A)-$(NO)-$$(A)}",
                     {"A": "x", "B": "x-$(NO)-$(A)"}, id="expanded as the kubelet does"),
        pytest.param("env:\n- {name: A}\n- {name: A, value: last}", {"A": "last"}, id="the last one wins"),
        pytest.param("env:\n- {name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}",
                     {"P": {"credential": "db.password"}}, id="a secret"),
        pytest.param("env:\n- {name: C, valueFrom: {configMapKeyRef: {name: c, key: k}}}",
                     {"C": {"from_env": "C"}}, id="a config map that is not there"),
        pytest.param("env:\n- {name: N, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}",
                     {"N": "default"}, id="the namespace"),
    ],
)  # fmt: skip
def test_environment_becomes(lines: str, env: dict[str, Any]) -> None:
    assert job(with_container(lines)).job.tree["env"] == env


def test_a_config_map_among_the_documents_gives_its_values_and_a_secret_only_its_names() -> None:
    manifests = changed(
        with_container(
            "env:\n- {name: C, valueFrom: {configMapKeyRef: {name: conf, key: k}}}\n"
            "envFrom:\n- {prefix: X_, configMapRef: {name: conf}}\n- {secretRef: {name: db}}"
        )
    )
    manifests += "---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: conf}\ndata: {k: v, K2: w}\n"
    manifests += "---\nkind: Secret\napiVersion: v1\nmetadata: {name: db}\ndata: {PASSWORD: c2VjcmV0}\n"
    judged = only(read_text("kubernetes", manifests))
    assert judged.job.tree["env"] == {
        "X_k": "v",
        "X_K2": "w",
        "PASSWORD": {"credential": "db.PASSWORD"},
        "C": "v",
    }
    assert "c2VjcmV0" not in judged.document


def test_a_secret_that_stands_in_clear_is_said() -> None:
    judged = job(with_container("env:\n- {name: DB_PASSWORD, value: hunter2}"))
    assert any(note.what == "DB_PASSWORD" for note in judged.job.notes)


def test_resources_user_and_directory_carry_over() -> None:
    judged = job(
        with_container(
            "workingDir: /srv\nsecurityContext: {runAsUser: 1000, privileged: true}\n"
            "resources: {limits: {memory: 1.5Gi, cpu: 250m, ephemeral-storage: 1Gi}}"
        )
    )
    run = judged.spec.run
    assert (run.working_dir, run.user, run.limits.memory, run.limits.cpu) == ("/srv", "1000", 1610612736, 0.25)
    lost = [note.what for note in judged.job.notes if note.level == "lost"]
    assert "limits.ephemeral-storage" in lost
    assert "securityContext privileged" in lost


@pytest.mark.parametrize(
    ("replacement", "what"),
    [
        (with_job("completions: 5\n      backoffLimit: 0"), "completions: 5"),
        (with_job("parallelism: 3\n      backoffLimit: 0"), "parallelism: 3"),
        (with_job("podFailurePolicy: {rules: []}\n      backoffLimit: 0"), "podFailurePolicy"),
        (with_container("volumeMounts: [{name: d, mountPath: /data}]"), "volumes at /data"),
        (with_container("environment: [{name: A, value: b}]"), "environment"),
        (("          restartPolicy", "          serviceAccountName: x\n          restartPolicy"), "serviceAccountName"),
        (("          containers:\n", "          initContainers: [{name: i, image: j}]\n          containers:\n"),
         "initContainers"),
        (("            - name: main", "            - {name: a, image: x}\n            - name: b"), "containers"),
        (with_spec("  concurencyPolicy: Allow"), "concurencyPolicy"),
    ],
)  # fmt: skip
def test_what_has_no_place_here_is_said(replacement: tuple[str, str], what: str) -> None:
    assert ("lost", what) in said(read_text("kubernetes", changed(replacement)))


def test_comments_beside_and_above_are_kept() -> None:
    text = changed(('schedule: "30 2 * * *"', '# Before the office opens.\n  schedule: "30 2 * * *"  # UTC'))
    document = only(read_text("kubernetes", "# Saves the database.\n" + text)).document
    assert "description: Saves the database." in document
    assert '# Before the office opens.\n# UTC\nschedule: "30 2 * * *"' in document


def test_jobs_of_one_name_in_two_namespaces_get_two() -> None:
    both = changed((NAMED, NAMED + "  namespace: a\n"))
    both += "---\n" + changed((NAMED, NAMED + "  namespace: b\n"))
    made = read_text("kubernetes", both)
    assert [(each.name, each.tree["project"]) for each in made.jobs] == [("backup", "a"), ("backup-b", "b")]
    assert ("changed", "backup") in said(made)


def test_of_one_object_that_is_there_twice_the_last_counts() -> None:
    made = read_text("kubernetes", CRON_JOB + "---\n" + changed(("30 2", "45 3")))
    assert [each.tree["schedule"] for each in made.jobs] == ["45 3 * * *"]
    assert ("lost", "CronJob default/backup") in said(made)


def test_lists_and_other_kinds_are_sorted_out() -> None:
    indented = re.sub(r"^", "    ", CRON_JOB, flags=re.MULTILINE).rstrip()
    service = "{kind: Service, apiVersion: v1, metadata: {name: s}}"
    text = f"apiVersion: v1\nkind: List\nitems:\n  -\n{indented}\n  - {service}\n"
    made = read_text("kubernetes", text)
    assert [each.name for each in made.jobs] == ["backup"]
    assert ("info", "Service s") in said(made)


def test_a_job_that_a_cron_job_made_is_one_of_its_runs() -> None:
    owner = ("  name: backup\n", "  name: backup-1\n  ownerReferences: [{kind: CronJob}]\n")
    owned = changed(("kind: CronJob", "kind: Job"), owner)
    made = read_text("kubernetes", owned)
    assert not made.jobs
    assert ("info", "Job default/backup-1") in said(made)


def test_a_kind_of_the_same_name_from_elsewhere_is_left_out_loudly() -> None:
    made = read_text("kubernetes", changed(("batch/v1", "batch.tutorial.kubebuilder.io/v1")))
    assert not made.jobs
    assert ("lost", "CronJob backup") in said(made)


def test_a_job_is_triggered_by_hand() -> None:
    made = read_file("kubernetes", DATA / "kubernetes" / "kube-hunter-job.yaml")
    (found,) = made.jobs
    assert "schedule" not in found.tree
    assert judge(found).spec.run.command == ["kube-hunter", "--pod"]
    assert ("changed", "kind: Job") in said(made)
